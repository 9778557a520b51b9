"""Who reached a step within so many days of an answer. Read only; person by person, so capped."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.domain.afterwards import Done
from surveyapp.models import Event, Journey, Response, Step, Survey
from surveyapp.queries.console.responses import ResponseFilter, conditions_of

MOST = 5_000


@dataclass(frozen=True, slots=True)
class Afterwards:
    """By score, the people and how many of them reached the step. `capped`: there were more answers to read."""

    done: Done
    read: int
    capped: bool


def reached(session: Session, wanted: ResponseFilter, step: str, days: int, most: int = MOST) -> Afterwards:
    """Each person's newest answer that matches, and whether the person reached `step` in the days after it.

    `step` in its long form. Two statements.
    """
    query = (
        select(Response.customer_id, Response.score, Response.answered_at)
        .join(Survey, Survey.id == Response.survey_id)
        .where(
            *conditions_of(session, replace(wanted, status="confirmed", scored=True)), Response.customer_id.is_not(None)
        )
        .order_by(Response.reporting_day.desc(), Response.id.desc())
        .limit(most + 1)
    )
    rows = session.execute(query).all()
    newest: dict[int, tuple[int, datetime]] = {}
    for who, score, at in rows[:most]:
        newest.setdefault(who or 0, (score or 0, at))
    if not newest:
        return Afterwards({}, 0, False)
    last = max(at for _, at in newest.values()) + timedelta(days=days)
    chosen = query.limit(most).subquery()
    events = (
        select(Event.customer_id, Event.occurred_at)
        .join(Step, Step.id == Event.step_id)
        .join(Journey, Journey.id == Step.journey_id)
        .where(
            Journey.key + "." + Step.key == step,
            Event.customer_id.in_(select(chosen.c.customer_id)),
            Event.occurred_at > min(at for _, at in newest.values()),
            Event.occurred_at <= last,
        )
        .order_by(Event.occurred_at)
    )
    moments: dict[int, list[datetime]] = {}
    for who, at in session.execute(events):
        moments.setdefault(who, []).append(at)
    found: dict[int, tuple[int, int]] = {}
    for who, (score, at) in newest.items():
        n, did = found.get(score, (0, 0))
        found[score] = (n + 1, did + _within(moments.get(who, []), at, at + timedelta(days=days)))
    return Afterwards(found, len(rows[:most]), len(rows) > most)


def _within(moments: list[datetime], start: datetime, end: datetime) -> bool:
    """Whether one of the moments, in order of time, lies after the start and up to the end."""
    place = bisect_right(moments, start)
    return place < len(moments) and moments[place] <= end
