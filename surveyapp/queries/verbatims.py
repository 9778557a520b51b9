"""The search among customers' words, and themes with their counts and figures. Read only.

Both databases match the same folded words, one by one: FTS5 on SQLite, tsvector on PostgreSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain import verbatims
from surveyapp.domain.verbatims import ANY, Terms
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Case, Customer, Response, Survey, Theme, Verbatim
from surveyapp.queries.console.paging import Mark, Page, after_mark, paged
from surveyapp.queries.metrics import Figure, Sums, drawn

Database = Session | scoped_session[Session]


@dataclass(frozen=True, slots=True)
class Indexed:
    """Folded words under a full-text index: its name, and the columns of the rows' numbers, words and languages."""

    name: str
    number: ColumnElement[Any]
    words: ColumnElement[Any]
    language: ColumnElement[Any]


COMMENTS = Indexed(
    "verbatim_words", Verbatim.response_id.expression, Verbatim.words.expression, Response.language.expression
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comments; None leaves a field open. Days are reporting days, both included."""

    terms: Terms = ()
    theme: verbatims.Theme | None = None
    metric: str | None = None
    step: str | None = None
    language: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    uid: str
    answered_at: datetime
    metric: str
    score: int | None
    comment: str
    language: str | None
    step: str | None
    survey: str
    customer: str | None
    decision: str | None
    open_case: bool


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """A theme with the number of comments it fits and, of one metric, the figure of their answers."""

    uid: str
    theme: verbatims.Theme
    n: int
    figure: Figure | None


def comment_page(session: Session, wanted: Wanted, mark: Mark | None) -> Page[Said]:
    """One page of confirmed comments that match, newest first."""
    waiting = exists().where(Case.customer_id == Response.customer_id, Case.closed_at.is_(None))
    query = (
        select(
            Response.uid,
            Response.answered_at,
            Response.metric,
            Response.score,
            Response.comment,
            Response.language,
            Response.step,
            Survey.key,
            Customer.external_id,
            Response.decision,
            waiting,
        )
        .join(Verbatim, Verbatim.response_id == Response.id)
        .join(Survey, Survey.id == Response.survey_id)
        .outerjoin(Customer, Customer.id == Response.customer_id)
        .where(*_conditions(session, wanted))
    )
    query = after_mark(query, Response.answered_at.expression, Response.uid.expression, mark)
    return paged([Said(*tuple(row)) for row in session.execute(query)], lambda row: Mark(row.answered_at, row.uid))


def counts(session: Session, wanted: Wanted) -> dict[str, Sums]:
    """How often each score was given by the answers whose comment matches, by metric."""
    query = (
        select(Response.metric, Response.score, func.count())
        .join(Verbatim, Verbatim.response_id == Response.id)
        .where(*_conditions(session, wanted))
        .group_by(Response.metric, Response.score)
    )
    found: dict[str, Sums] = {}
    for metric, score, n in session.execute(query):
        sums = found.setdefault(metric, Sums())
        if score is not None:
            sums.n[score] = n
    return found


def themes(session: Session) -> list[tuple[str, verbatims.Theme]]:
    """Every theme with its id, by name."""
    rows = session.scalars(select(Theme).order_by(Theme.name))
    return [(row.uid, verbatims.Theme(row.name, row.gap, row.rules)) for row in rows]


def theme_rows(session: Session, wanted: Wanted, metric: str | None) -> list[ThemeRow]:
    """Every theme with its comments among those wanted, and the figure of that metric; most comments first.

    A comment may fit several themes, so their counts do not add up to a total, and nothing hidden can be found so.
    """
    rows = []
    for uid, theme in themes(session):
        terms = replace(wanted, theme=theme)
        found = counts(session, terms)
        n = sum(sum(sums.n.values()) for sums in found.values())
        figure = drawn(metric, found.get(metric, Sums())) if metric else None
        rows.append(ThemeRow(uid, theme, n, figure))
    return sorted(rows, key=lambda row: (-row.n, row.theme.name))


def _conditions(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    equal: list[tuple[Any, Any]] = [
        (Response.metric, wanted.metric),
        (Response.step, wanted.step),
        (Response.language, wanted.language),
    ]
    found: list[ColumnElement[bool]] = [Response.status == ResponseStatus.CONFIRMED.value]
    found += [place == value for place, value in equal if value is not None]
    if wanted.first is not None:
        found.append(Response.reporting_day >= wanted.first)
    if wanted.last is not None:
        found.append(Response.reporting_day <= wanted.last)
    if wanted.terms:
        found.append(matching(session, [wanted.terms], COMMENTS))
    if wanted.theme is not None:
        found.append(fitting(session, wanted.theme, COMMENTS))
    return found


def fitting(session: Database, theme: verbatims.Theme, where: Indexed) -> ColumnElement[bool]:
    """Whether the words hold one of the theme's keywords of their language, or of any."""
    cases = [
        and_(
            true() if language == ANY else func.substr(func.coalesce(where.language, ""), 1, 2) == language[:2],
            matching(session, keywords, where),
        )
        for language, keywords in theme.by_language().items()
    ]
    return or_(*cases) if cases else false()


def matching(session: Database, alternatives: Sequence[Terms], where: Indexed) -> ColumnElement[bool]:
    """Whether the row holds all words of one of the alternatives. Words are letters and digits only."""
    if session.get_bind().dialect.name == "sqlite":
        query = " OR ".join(
            "(" + " AND ".join(f'"{term.word}"' + ("*" if term.open else "") for term in terms) + ")"
            for terms in alternatives
        )
        index = table(where.name, column("rowid"))
        return where.number.in_(select(index.c.rowid).where(literal_column(where.name).op("MATCH")(query)))
    joined = (" & ".join(f"'{term.word}'" + (":*" if term.open else "") for term in terms) for terms in alternatives)
    query = " | ".join(f"({terms})" for terms in joined)
    words = func.array_to_tsvector(func.string_to_array(where.words, " ", type_=ARRAY(Text)), type_=TSVECTOR)
    return words.op("@@")(cast(literal(query), TSQUERY))


def narrowed(wanted: Wanted, theme: verbatims.Theme | None) -> Wanted:
    """The same, of one theme only where one is given."""
    return wanted if theme is None else replace(wanted, theme=theme)
