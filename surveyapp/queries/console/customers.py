"""A customer found by an exact id or address, and everything that happened between them and us. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from surveyapp.models import (
    ContactKey,
    Customer,
    Decision,
    Event,
    Journey,
    Response,
    Step,
    Suppression,
    Survey,
    Trigger,
)

LENGTH = 60
FOUND = 20


@dataclass(frozen=True, slots=True)
class Found:
    external_id: str | None
    created_at: datetime
    language: str | None
    events: int
    last_event: datetime | None


def customers_matching(session: Session, external_id: str, email: str | None, phone: str | None) -> list[Found]:
    """The customers with exactly this id or one of these addresses, longest known first; at most twenty."""
    ways = [Customer.external_id == external_id]
    ways += [Customer.email == email] if email else []
    ways += [Customer.phone == phone] if phone else []
    query = (
        select(
            Customer.external_id,
            Customer.created_at,
            Customer.language,
            func.count(Event.id),
            func.max(Event.occurred_at),
        )
        .outerjoin(Event, Event.customer_id == Customer.id)
        .where(or_(*ways), Customer.external_id.is_not(None))
        .group_by(Customer.id)
        .order_by(Customer.created_at, Customer.id)
        .limit(FOUND)
    )
    return [Found(*row) for row in session.execute(query)]


def recent_customers(session: Session, now: datetime) -> list[Found]:
    """The customers with the latest events so far, each once; at most ten. A recurring survey's lie ahead."""
    latest = (
        select(Event.customer_id, Event.occurred_at)
        .where(Event.occurred_at <= now)
        .order_by(Event.received_at.desc())
        .limit(120)
        .subquery()
    )
    grouped = (
        select(latest.c.customer_id, func.max(latest.c.occurred_at).label("last"), func.count().label("n"))
        .group_by(latest.c.customer_id)
        .order_by(func.max(latest.c.occurred_at).desc())
        .limit(10)
        .subquery()
    )
    query = (
        select(Customer.external_id, Customer.created_at, Customer.language, grouped.c.n, grouped.c.last)
        .join(grouped, grouped.c.customer_id == Customer.id)
        .where(Customer.external_id.is_not(None))
        .order_by(grouped.c.last.desc())
    )
    return [Found(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline. `kind` is event, asked, waiting, refused or answer."""

    kind: str
    at: datetime
    id: str
    step: Mapping[str, Any] | None = None
    name: str | None = None
    journey: str | None = None
    step_key: str | None = None
    instance: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    channel: str | None = None
    trigger: str | None = None
    policy_version: int | None = None
    not_before: datetime | None = None
    why: str | None = None
    metric: str | None = None
    score: int | None = None
    comment: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Newest first; `older` is the instant to go on from, None when nothing is older."""

    entries: tuple[Entry, ...]
    older: datetime | None


def customer_named(session: Session, external_id: str) -> Customer | None:
    """The customer with that id; None if unknown."""
    return session.scalars(select(Customer).where(Customer.external_id == external_id)).first()


def external_id_of(session: Session, customer_id: int) -> str | None:
    """The id under which the row's customer is known outside."""
    return session.scalar(select(Customer.external_id).where(Customer.id == customer_id))


def blocks_of(session: Session, customer: Customer) -> list[Suppression]:
    """What must not be sent to this person, on any of their contact keys, latest first."""
    keys = select(ContactKey.key).where(ContactKey.customer_id == customer.id, ContactKey.until.is_(None))
    query = select(Suppression).where(Suppression.key.in_(keys)).order_by(Suppression.at.desc(), Suppression.id.desc())
    seen: dict[tuple[str, str], Suppression] = {}
    for row in session.scalars(query):
        seen.setdefault((row.channel, row.reason), row)
    return list(seen.values())


def timeline(session: Session, customer_id: int, kinds: frozenset[str], before: datetime | None) -> Timeline:
    """The last happenings with this customer before that instant: events, decisions and answers of the wanted kinds."""
    entries: list[Entry] = []
    if "event" in kinds:
        entries += _events(session, customer_id, before)
    decided = kinds & {"asked", "waiting", "refused"}
    if decided:
        entries += _decisions(session, customer_id, decided, before)
    if "answer" in kinds:
        entries += _answers(session, customer_id, before)
    rank = {"answer": 3, "asked": 2, "waiting": 2, "refused": 2, "event": 1}
    entries.sort(key=lambda entry: (entry.at, rank[entry.kind]), reverse=True)
    if len(entries) <= LENGTH:
        return Timeline(tuple(entries), None)
    last = entries[LENGTH - 1].at
    return Timeline(tuple(entry for entry in entries if entry.at >= last), last)


def _events(session: Session, customer_id: int, before: datetime | None) -> list[Entry]:
    query = (
        select(Event, Step.name, Step.key, Journey.key)
        .outerjoin(Step, Step.id == Event.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Event.customer_id == customer_id)
        .order_by(Event.occurred_at.desc())
        .limit(LENGTH + 1)
    )
    query = query.where(Event.occurred_at < before) if before else query
    return [
        Entry(
            "event",
            event.occurred_at,
            event.event_id,
            step=name,
            name=event.name,
            journey=journey,
            step_key=step,
            instance=event.instance,
            detail=event.properties or {},
        )
        for event, name, step, journey in session.execute(query)
    ]


def _decisions(session: Session, customer_id: int, outcomes: frozenset[str], before: datetime | None) -> list[Entry]:
    at = func.coalesce(Decision.decided_at, Decision.at)
    query = (
        select(Decision, Trigger.key, Step.name, Step.key, Journey.key)
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Decision.customer_id == customer_id, Decision.outcome.in_(sorted(outcomes)))
        .order_by(Decision.at.desc())
        .limit(LENGTH + 1)
    )
    query = query.where(at < before) if before else query
    return [
        Entry(
            decision.outcome,
            decision.decided_at or decision.at,
            decision.uid,
            step=name,
            journey=journey,
            step_key=step,
            reason=decision.reason,
            channel=decision.channel,
            trigger=trigger,
            policy_version=decision.policy_version,
            not_before=decision.not_before,
            why=_why(decision),
        )
        for decision, trigger, name, step, journey in session.execute(query)
    ]


def _why(decision: Decision) -> str | None:
    """The sentence of the rule that gave the reason."""
    for verdict in decision.verdicts or ():
        if verdict.get("rule") == decision.reason and not verdict.get("allowed"):
            return str(verdict.get("why") or "")
    return None


def _answers(session: Session, customer_id: int, before: datetime | None) -> list[Entry]:
    query = (
        select(Response, Survey.key)
        .join(Survey, Survey.id == Response.survey_id)
        .where(Response.customer_id == customer_id)
        .order_by(Response.answered_at.desc())
        .limit(LENGTH + 1)
    )
    query = query.where(Response.answered_at < before) if before else query
    return [
        Entry(
            "answer",
            response.answered_at,
            response.uid,
            name=survey,
            journey=response.journey,
            step_key=response.step,
            channel=response.channel,
            metric=response.metric,
            score=response.score,
            comment=response.comment,
            status=response.status,
        )
        for response, survey in session.execute(query)
    ]
