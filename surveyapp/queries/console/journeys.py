"""A journey as a map: its steps, who asks there, how much happens, what was decided. No figures. Read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from surveyapp.models import Decision, Event, Journey, Step, Survey, Trigger


@dataclass(frozen=True, slots=True)
class StepTrigger:
    """What asks at a step. `stopped_at` is set when somebody stopped it or its survey."""

    id: int
    key: str
    survey: str
    metric: str
    channels: tuple[str, ...]
    delay_seconds: int
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class MapStep:
    id: int
    key: str
    path: str
    name: Mapping[str, Any]
    phase: str | None
    event: str | None
    moment_of_truth: bool
    details: Mapping[str, Any]
    sensitive_seconds: int | None
    triggers: tuple[StepTrigger, ...] = ()

    @property
    def listened(self) -> bool:
        """Whether anything asks here now."""
        return any(trigger.stopped_at is None for trigger in self.triggers)


@dataclass(frozen=True, slots=True)
class JourneyMap:
    key: str
    name: Mapping[str, Any]
    instance_name: Mapping[str, Any]
    archived: bool
    steps: tuple[MapStep, ...] = field(default=())


def journey_maps(session: Session, key: str | None = None) -> list[JourneyMap]:
    """The journeys in their order, or the one of that key (archived too), each with its live steps and their triggers.

    Three statements, whatever the number of journeys.
    """
    query = select(Journey).order_by(Journey.position, Journey.id)
    query = query.where(Journey.key == key) if key else query.where(Journey.archived_at.is_(None))
    journeys = session.scalars(query).all()
    if not journeys:
        return []
    ids = [journey.id for journey in journeys]
    steps = session.scalars(
        select(Step).where(Step.journey_id.in_(ids), Step.archived_at.is_(None)).order_by(Step.position, Step.id)
    ).all()
    triggers = _triggers(session, [step.id for step in steps])
    keys = {journey.id: journey.key for journey in journeys}
    return [
        JourneyMap(
            journey.key,
            journey.name,
            journey.instance_name,
            journey.archived_at is not None,
            tuple(_map_step(keys, step, triggers) for step in steps if step.journey_id == journey.id),
        )
        for journey in journeys
    ]


def _map_step(keys: Mapping[int, str], step: Step, triggers: Mapping[int, Sequence[StepTrigger]]) -> MapStep:
    path = f"{keys[step.journey_id]}.{step.key}"
    asking = tuple(triggers.get(step.id, ()))
    return MapStep(
        step.id,
        step.key,
        path,
        step.name,
        step.phase,
        step.event,
        step.moment_of_truth,
        step.details or {},
        step.sensitive_seconds,
        asking,
    )


def _triggers(session: Session, step_ids: Sequence[int]) -> dict[int, list[StepTrigger]]:
    query = (
        select(Trigger, Survey.key, Survey.metric, Survey.stopped_at)
        .join(Survey, Survey.id == Trigger.survey_id)
        .where(Trigger.step_id.in_(step_ids), Trigger.archived_at.is_(None))
        .order_by(Trigger.tier, Trigger.key)
    )
    found: dict[int, list[StepTrigger]] = {}
    for trigger, survey, metric, survey_stopped in session.execute(query):
        found.setdefault(trigger.step_id or 0, []).append(
            StepTrigger(
                trigger.id,
                trigger.key,
                survey,
                metric,
                tuple(trigger.channels),
                trigger.delay_seconds,
                trigger.stopped_at or survey_stopped,
            )
        )
    return found


def step_names(session: Session) -> dict[str, Mapping[str, Any]]:
    """The names of all steps, archived ones too, by long path."""
    query = select(Journey.key, Step.key, Step.name).join(Journey, Journey.id == Step.journey_id)
    return {f"{journey}.{step}": name for journey, step, name in session.execute(query)}


def moments(session: Session, step_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, int]:
    """How many events reached each step in that time."""
    query = (
        select(Event.step_id, func.count())
        .where(Event.step_id.in_(step_ids), Event.occurred_at >= start, Event.occurred_at < end)
        .group_by(Event.step_id)
    )
    return {step_id or 0: n for step_id, n in session.execute(query)}


Counts = dict[tuple[str, str | None], int]


def decisions_by_trigger(
    session: Session, trigger_ids: Sequence[int], start: datetime, end: datetime
) -> dict[int, Counts]:
    """How the decisions of that time stand, by trigger, then outcome and reason."""
    query = (
        select(Decision.trigger_id, Decision.outcome, Decision.reason, func.count())
        .where(Decision.trigger_id.in_(trigger_ids), Decision.at >= start, Decision.at < end)
        .group_by(Decision.trigger_id, Decision.outcome, Decision.reason)
    )
    found: dict[int, Counts] = {}
    for trigger_id, outcome, reason, count in session.execute(query):
        found.setdefault(trigger_id, {})[(outcome, reason)] = count
    return found
