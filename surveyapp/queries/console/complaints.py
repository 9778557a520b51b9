"""Complaints and events of two periods, of everything, one journey or one step. Read only."""

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from surveyapp.domain.complaints import INDICATOR, Complaints
from surveyapp.models import Event, Indicator, IndicatorValue, Journey, Step
from surveyapp.queries.console.figures import Period

Instants = tuple[datetime, datetime, datetime]
"""The start of the earlier period, of the later one, and the end of that."""


def complaints(
    session: Session, now: Period, before: Period, instants: Instants, journey: str | None, step: str | None
) -> Complaints | None:
    """The complaints sent as the indicator `complaints`, and the events at the same steps; None where none was sent.

    `step` in its long form. Two statements, or one where there is no complaint.
    """
    value = IndicatorValue
    query = (
        select(
            func.sum(case((value.day >= now.first, value.value), else_=0.0)),
            func.sum(case((value.day < now.first, value.value), else_=0.0)),
        )
        .join(Indicator, Indicator.id == value.indicator_id)
        .where(Indicator.key == INDICATOR, value.day >= before.first, value.day <= now.last)
    )
    if step is not None:
        query = query.where(value.step == step)
    elif journey is not None:
        query = query.where(func.substr(value.step, 1, len(journey) + 1) == f"{journey}.")
    late, early = session.execute(query).one()
    if late is None:
        return None
    start, middle, end = instants
    is_now = case((Event.occurred_at >= middle, 1), else_=0)
    events = (
        select(is_now, func.count())
        .join(Step, Step.id == Event.step_id)
        .join(Journey, Journey.id == Step.journey_id)
        .where(Event.occurred_at >= start, Event.occurred_at < end)
        .group_by(is_now)
    )
    if step is not None:
        events = events.where(Journey.key + "." + Step.key == step)
    elif journey is not None:
        events = events.where(Journey.key == journey)
    counts = {row[0]: row[1] for row in session.execute(events)}
    return Complaints(float(late), float(early), counts.get(1, 0), counts.get(0, 0))
