"""Counts of answers by what cells do not hold: the hour of the event, a further question. Read only.

Raw answers are read, so only so many: beyond that nothing is counted, since a part would be no exact figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from surveyapp.domain.reporting_values import reporting_text
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Partner, ReportingValue, Response, Survey, SurveyVersion
from surveyapp.models.metrics import OTHER, VALUES
from surveyapp.queries.console.figures import Pair, Period
from surveyapp.queries.console.responses import ResponseFilter, conditions_of
from surveyapp.queries.context_values import json_at
from surveyapp.queries.metrics import CONTEXT, PERIODS, Key, Sums, part_of

MOST = 100_000
HOUR = "hour"
QUESTION = "answers."
COUNTED = (ResponseStatus.CONFIRMED.value, ResponseStatus.PROVISIONAL.value)


class TooManyAnswers(Exception):
    """More than MOST answers match."""


class Tally(NamedTuple):
    """So many answers with this score and these parts, one for each name asked for; None where nothing is said.

    The part of a further question is what was answered: a text, a number or a list of options.
    """

    parts: tuple[Any, ...]
    status: str
    score: int
    n: int


def tallies(session: Session, wanted: ResponseFilter, names: Sequence[str], most: int = MOST) -> list[Tally]:
    """The confirmed and provisional answers with a score that match. Raises TooManyAnswers.

    Names are those of `metrics.PLAIN` and `PERIODS`, `context.NAME`, `hour` and `answers.QUESTION`.
    """
    conditions = [*conditions_of(session, replace(wanted, scored=True)), Response.status.in_(COUNTED)]
    some = select(Response.id).join(Survey, Survey.id == Response.survey_id).where(*conditions).limit(most + 1)
    if (session.scalar(select(func.count()).select_from(some.subquery())) or 0) > most:
        raise TooManyAnswers
    by = [_column(session, name).label(f"part{place}") for place, name in enumerate(names)]
    query = (
        select(*by, Response.status, Response.score, func.count().label("n"))
        .join(Survey, Survey.id == Response.survey_id)
        .join(SurveyVersion, SurveyVersion.id == Response.survey_version_id)
        .outerjoin(Partner, Partner.id == Response.partner_id)
        .where(*conditions)
        .group_by(*(column.name for column in by), Response.status, Response.score)
    )
    kept = {name: _kept(session, name) for name in names if name.startswith(CONTEXT)}
    return [
        Tally(tuple(_part(*pair, kept) for pair in zip(names, row, strict=False)), *row[len(names) :])
        for row in session.execute(query)
    ]


def pairs_by_tally(
    session: Session, wanted: ResponseFilter, now: Period, before: Period | None, names: Sequence[str]
) -> dict[Key, Pair]:
    """The sums of one period or two by group, as `dashboard.pairs_by` reads them from cells. Raises TooManyAnswers."""
    found: dict[Key, Pair] = {}
    for period in (now, before) if before else (now,):
        dated = replace(wanted, first_day=period.first, last_day=period.last)
        for tally in tallies(session, dated, names):
            pair = found.setdefault(tally.parts, Pair(Sums(), Sums()))
            sums = pair.now if period is now else pair.before
            if tally.status == ResponseStatus.CONFIRMED:
                sums.add(tally.score, tally.n, 0, 0)
            else:
                sums.provisional += tally.n
    return found


def _column(session: Session, name: str) -> ColumnElement[Any]:
    kind, dot, key = name.partition(".")
    if dot:
        return json_at(session, Response.context if name.startswith(CONTEXT) else Response.answers, key)
    others: Mapping[str, Any] = {
        "survey": Survey.key,
        "version": SurveyVersion.number,
        "partner": Partner.key,
        HOUR: Response.reporting_hour,
        **dict.fromkeys(PERIODS, Response.reporting_day),
    }
    column: ColumnElement[Any] = (others.get(kind) or getattr(Response, kind)).expression
    return column


def _kept(session: Session, name: str) -> frozenset[str]:
    """The values of an attribute that figures count under their own name."""
    values = select(ReportingValue.value).where(ReportingValue.name == name.removeprefix(CONTEXT))
    return frozenset(session.scalars(values))


def _part(name: str, value: Any, kept: Mapping[str, frozenset[str]]) -> Any:
    """What a group is called of which this is the stored value; further questions keep it as it is."""
    if name in kept:
        text = reporting_text(value)
        return OTHER if text and text not in kept[name] and len(kept[name]) >= VALUES else text or None
    return value if name.startswith(QUESTION) else part_of(name, value)
