"""What the contact policy's page asks: refusals by rule, what a rule may cover, whose weeks to draw. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from surveyapp.domain.vocabulary import Outcome
from surveyapp.models import Customer, Decision, Event, Journey, Step, Survey, Trigger

SHOWN = 60
RELATIONSHIP = 3  # the tier of surveys about the relation as a whole


@dataclass(frozen=True, slots=True)
class Refusals:
    """How often one reason refused one kind of ask."""

    reason: str
    journey: str | None
    step: str | None
    survey: str
    group: str | None
    channel: str | None
    count: int

    def covered_by(self, scope: Mapping[str, Any]) -> bool:
        """Whether a rule of that scope may have said so. A segment is not looked at."""
        mine = {
            "journey": self.journey,
            "step": f"{self.journey}.{self.step}",
            "survey": self.survey,
            "group": self.group,
            "channel": self.channel,
        }
        return all(mine[name] == value for name, value in scope.items() if name in mine)


def refusals(session: Session, since: datetime) -> list[Refusals]:
    """Refused decisions since then, by reason and what they were about."""
    columns = (Decision.reason, Journey.key, Step.key, Survey.key, Survey.group, Decision.channel)
    query = (
        select(*columns, func.count())
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .join(Survey, Survey.id == Decision.survey_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Decision.outcome == Outcome.REFUSED, Decision.at >= since, Decision.reason.is_not(None))
        .group_by(*columns)
    )
    return [
        Refusals(str(reason), journey, step, survey, group, channel, n)
        for reason, journey, step, survey, group, channel, n in session.execute(query)
    ]


def waiting(session: Session) -> int:
    """How many asks wait and will be decided under whatever policy is in force then."""
    return session.scalar(select(func.count()).where(Decision.outcome == Outcome.WAITING)) or 0


@dataclass(frozen=True, slots=True)
class Choices:
    """What a rule may cover: keys with what they are called, in the programme's order."""

    journeys: list[tuple[str, Any]] = field(default_factory=list)
    steps: list[tuple[str, Any]] = field(default_factory=list)
    surveys: list[tuple[str, Any]] = field(default_factory=list)
    groups: list[tuple[str, Any]] = field(default_factory=list)
    instances: dict[str, Any] = field(default_factory=dict)


def choices(session: Session) -> Choices:
    """The live journeys, steps, surveys and groups."""
    found = Choices()
    rows = session.execute(
        select(Journey.key, Journey.name, Journey.instance_name, Step.key, Step.name)
        .outerjoin(Step, (Step.journey_id == Journey.id) & Step.archived_at.is_(None))
        .where(Journey.archived_at.is_(None))
        .order_by(Journey.position, Journey.id, Step.position, Step.id)
    )
    for journey, name, instance, step, step_name in rows:
        if journey not in found.instances:
            found.journeys.append((journey, name))
            found.instances[journey] = instance
        if step:
            found.steps.append((f"{journey}.{step}", step_name))
    surveys = session.execute(select(Survey.key, Survey.group).where(Survey.archived_at.is_(None)).order_by(Survey.key))
    for key, group in surveys:
        found.surveys.append((key, key))
        if group and (group, group) not in found.groups:
            found.groups.append((group, group))
    return found


def triggers_by_tier(session: Session, journey_id: int | None = None) -> dict[int, Trigger]:
    """For each tier the first live trigger in the programme's order, its survey, step and journey loaded.

    With a journey: one of it where there is one, and of the relationship's tier a recurring one.
    """
    query = (
        select(Trigger)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Trigger.archived_at.is_(None))
        .order_by(Trigger.step_id.is_(None), Journey.position, Step.position, Trigger.key)
        .options(joinedload(Trigger.survey), joinedload(Trigger.step).joinedload(Step.journey))
    )
    found: dict[int, Trigger] = {}
    rows = list(session.scalars(query).unique())
    for trigger in rows if journey_id is None else sorted(rows, key=lambda one: _distance(one, journey_id)):
        found.setdefault(trigger.tier, trigger)
    return found


def _distance(trigger: Trigger, journey_id: int) -> int:
    """How far a trigger is from standing for its tier."""
    if trigger.step is None:
        return 0 if trigger.tier == RELATIONSHIP else 2
    return 1 if trigger.step.journey_id == journey_id else 2


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    name: str | None
    step: Mapping[str, Any] | None


def happenings(session: Session, customer_id: int, start: datetime, end: datetime) -> list[Happening]:
    """The customer's events between two instants, the latest where there are very many."""
    query = (
        select(Event.occurred_at, Event.name, Step.name)
        .outerjoin(Step, Step.id == Event.step_id)
        .where(Event.customer_id == customer_id, Event.occurred_at >= start, Event.occurred_at < end)
        .order_by(Event.occurred_at.desc())
        .limit(SHOWN)
    )
    return [Happening(*row) for row in session.execute(query)]


def last_decision(session: Session, customer: Customer, trigger: Trigger) -> str | None:
    """The number of the latest decision about this customer by this trigger."""
    query = (
        select(Decision.uid)
        .where(Decision.customer_id == customer.id, Decision.trigger_id == trigger.id)
        .order_by(Decision.at.desc(), Decision.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def live_triggers(session: Session) -> list[tuple[str, Any, Any]]:
    """The live triggers' keys with the names of their steps and journeys, in the programme's order."""
    query = (
        select(Trigger.key, Step.name, Journey.name)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Trigger.archived_at.is_(None))
        .order_by(Trigger.step_id.is_(None), Journey.position, Journey.id, Step.position, Step.id, Trigger.key)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
