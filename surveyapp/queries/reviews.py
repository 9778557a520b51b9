"""Reviews that others publish: lists, the search among their words, ratings and themes by source. Read only.

What is counted here is never added to answers: a source stays a column of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.reviews import PART, RatingFigure, rating_figure
from surveyapp.domain.verbatims import Terms, Theme
from surveyapp.models import Review
from surveyapp.queries import verbatims
from surveyapp.queries.console.paging import Mark, Page, after_mark, paged
from surveyapp.queries.verbatims import Indexed, fitting, matching

Database = Session | scoped_session[Session]
REVIEWS = Indexed("review_words", Review.id.expression, Review.words.expression, Review.language.expression)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews; None leaves a field open. Days are reporting days, both included."""

    terms: Terms = ()
    theme: Theme | None = None
    source: str | None = None
    step: str | None = None
    language: str | None = None
    first: date | None = None
    last: date | None = None


class Listed(NamedTuple):
    """A review as the API tells it; `id` is the source's own."""

    source: str
    id: str
    rating: float | None
    scale_min: int | None
    scale_max: int | None
    title: str
    text: str
    language: str | None
    url: str | None
    step: str | None
    timezone: str | None
    reviewed_at: datetime
    reporting_day: date
    imported_at: datetime
    context: dict[str, Any]


class Shown(NamedTuple):
    uid: str
    source: str
    rating: float | None
    scale_min: int | None
    scale_max: int | None
    title: str
    text: str
    language: str | None
    url: str | None
    step: str | None
    reviewed_at: datetime


@dataclass(frozen=True, slots=True)
class SourceFigure:
    """What one source's ratings on one scale say: `n` of them, by their own mean. `low` and `high` are the scale's."""

    source: str
    low: int
    high: int
    figure: RatingFigure


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """A theme with the comments on our own questions that it fits, and, apart from them, the reviews by source."""

    uid: str
    theme: Theme
    comments: int
    reviews: dict[str, int]


def any_review(session: Database) -> bool:
    return bool(session.scalar(select(exists(select(Review.id)))))


def sources(session: Database) -> list[str]:
    """The keys of all sources that reviews came from."""
    return list(session.scalars(select(Review.source).distinct().order_by(Review.source)))


def languages(session: Database) -> list[str]:
    """The languages that reviews say they are in."""
    told = select(Review.language).where(Review.language.is_not(None)).distinct()
    return sorted(language for language in session.scalars(told) if language)


def listed_reviews(session: Database, wanted: Wanted, after: int, limit: int) -> tuple[list[Listed], int | None]:
    """Up to `limit` reviews in the order of their storing, and the mark to go on after; None on the last page."""
    columns: dict[str, Any] = {name: getattr(Review, name) for name in Listed._fields if name != "id"}
    columns = {"source": columns.pop("source"), "id": Review.external_id} | columns
    query = (
        select(*columns.values(), Review.id)
        .where(Review.id > after, *_conditions(session, wanted))
        .order_by(Review.id)
        .limit(limit + 1)
    )
    rows = session.execute(query).all()
    return [Listed(*row[:-1]) for row in rows[:limit]], rows[limit - 1][-1] if len(rows) > limit else None


def review_page(session: Database, wanted: Wanted, mark: Mark | None) -> Page[Shown]:
    """One page of the reviews that match, newest first."""
    columns: list[Any] = [getattr(Review, name) for name in Shown._fields]
    query = after_mark(
        select(*columns).where(*_conditions(session, wanted)),
        Review.reviewed_at.expression,
        Review.uid.expression,
        mark,
    )
    return paged([Shown(*row) for row in session.execute(query)], lambda row: Mark(row.reviewed_at, row.uid))


def counts(session: Database, wanted: Wanted) -> dict[str, int]:
    """How many reviews match, by source, those with most first."""
    n = func.count().label("n")
    query = select(Review.source, n).where(*_conditions(session, wanted)).group_by(Review.source)
    return {source: int(many) for source, many in session.execute(query.order_by(n.desc(), Review.source))}


def source_figures(session: Database, wanted: Wanted) -> list[SourceFigure]:
    """The figure of each source, and of each scale where a source has used several; never one of all."""
    query = (
        select(Review.source, Review.scale_min, Review.scale_max, Review.rating, func.count())
        .where(Review.rating.is_not(None), *_conditions(session, wanted))
        .group_by(Review.source, Review.scale_min, Review.scale_max, Review.rating)
    )
    found: dict[tuple[str, int, int], dict[int, int]] = {}
    for source, low, high, rating, n in session.execute(query):
        if rating is None or low is None or high is None:
            continue
        histogram = found.setdefault((source, low, high), {})
        histogram[round(rating * PART)] = histogram.get(round(rating * PART), 0) + n
    return [SourceFigure(*key, rating_figure(histogram, *key[1:])) for key, histogram in sorted(found.items())]


def theme_rows(session: Session, wanted: Wanted) -> list[ThemeRow]:
    """Every theme with the comments and the reviews it fits among those wanted, counted apart; by its name.

    The words, the step, the language and the days narrow both; a source narrows reviews only.
    """
    own = verbatims.Wanted(
        terms=wanted.terms, step=wanted.step, language=wanted.language, first=wanted.first, last=wanted.last
    )
    return [
        ThemeRow(uid, theme, _comments(session, own, theme), counts(session, replace(wanted, theme=theme)))
        for uid, theme in verbatims.themes(session)
    ]


def _comments(session: Session, own: verbatims.Wanted, theme: Theme) -> int:
    found = verbatims.counts(session, replace(own, theme=theme))
    return sum(sum(sums.n.values()) for sums in found.values())


def _conditions(session: Database, wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    equal = ((Review.source, wanted.source), (Review.step, wanted.step), (Review.language, wanted.language))
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.first is not None:
        found.append(Review.reporting_day >= wanted.first)
    if wanted.last is not None:
        found.append(Review.reporting_day <= wanted.last)
    if wanted.terms:
        found.append(matching(session, [wanted.terms], REVIEWS))
    if wanted.theme is not None:
        found.append(fitting(session, wanted.theme, REVIEWS))
    return found
