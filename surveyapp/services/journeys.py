"""Events come in: kept once each, their customers with them, their triggers planned, all in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints
from surveyapp.domain.events import EventIn
from surveyapp.domain.vocabulary import Reason
from surveyapp.models import Customer, Decision, Event, Journey, Step
from surveyapp.services import outreach
from surveyapp.services.cancellation import drop_waiting
from surveyapp.services.customers import (
    again_if_erased,
    refuse_erased,
    upsert_customers,
    with_parsed_phone,
    without_bad_phone,
)
from surveyapp.services.inserts import insert_new
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
ERASED = "customer: this person was erased; nothing about them is kept"
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Rejected:
    """One event that was not kept: its place in the call and a sentence for each thing wrong."""

    index: int
    errors: list[str]


@dataclass(slots=True)
class IntakeResult:
    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps in force: by journey and key, and by the event name that reaches them."""

    by_path: Mapping[str, Mapping[str, int]]
    by_event: Mapping[str, int]


def record_events(events: Sequence[EventIn], *, source: str, lenient: bool = False) -> IntakeResult:
    """What became of the events. A repeated id changes nothing, in one call or between calls.

    One transaction: on return the good events are durable and every matching trigger has its waiting decision.
    The number of statements does not grow with the number of events. With `lenient` a phone number that cannot be
    used is left out, instead of its event.
    """
    return again_if_erased(lambda: _record(events, source, lenient)) if events else IntakeResult()


def _record(events: Sequence[EventIn], source: str, lenient: bool) -> IntakeResult:
    result = IntakeResult()
    with transaction() as session:
        steps = _steps(session)
        good: dict[str, tuple[int, EventIn, int | None]] = {}
        for index, event in enumerate(events):
            read = _resolve(event, steps, lenient)
            if isinstance(read, list):
                result.rejected.append(Rejected(index, read))
            elif event.id in good:
                result.duplicates += 1
            else:
                good[event.id] = (index, *read)
        _keep(session, good, source, result)
    result.rejected.sort(key=lambda one: one.index)
    return result


def _keep(
    session: AnySession, good: dict[str, tuple[int, EventIn, int | None]], source: str, result: IntakeResult
) -> None:
    known = set(session.scalars(select(Event.event_id).where(Event.event_id.in_(list(good)))))
    result.duplicates += len(known)
    fresh = {event_id: one for event_id, one in good.items() if event_id not in known}
    if not fresh:
        return
    now = clock.database_now(session)
    customers = upsert_customers(session, [event.customer for _, event, _ in fresh.values()])
    rows = []
    for event_id in sorted(fresh):
        index, event, step_id = fresh[event_id]
        customer = customers.get(event.customer.external_id)
        if customer is None:
            result.rejected.append(Rejected(index, [ERASED]))
        else:
            rows.append(_row(event, customer, step_id, source, now))
    failpoints.reached("customers_known")
    kept = insert_new(session, Event, rows, ["event_id"])
    refuse_erased(session, customers.values())
    result.accepted += len(kept)
    result.duplicates += len(rows) - len(kept)
    by_id = {customer.id: customer for customer in customers.values()}
    outreach.plan(session, [(event, by_id[event.customer_id]) for event in kept])
    _cancel(session, kept, now)


def _row(event: EventIn, customer: Customer, step_id: int | None, source: str, now: datetime) -> dict[str, Any]:
    attributes = customer.attributes
    if event.customer.attributes:
        attributes = {k: v for k, v in {**attributes, **event.customer.attributes}.items() if v is not None}
    return {
        "event_id": event.id,
        "customer_id": customer.id,
        "step_id": step_id,
        "name": event.name,
        "instance": event.instance,
        "occurred_at": event.occurred_at,
        "received_at": now,
        "timezone": event.timezone,
        "cancels": event.cancels,
        "properties": event.properties,
        "attributes": attributes,
        "source": source,
    }


def _cancel(session: AnySession, kept: Sequence[Event], now: datetime) -> None:
    """Drop the asks of events that another event takes back, whichever of the two came first."""
    named = {event.cancels for event in kept if event.cancels}
    fresh = [event.event_id for event in kept]
    taken_back = select(Event.cancels, Event.event_id).where(Event.cancels.in_(fresh))
    pairs = {str(cancelled): event_id for cancelled, event_id in session.execute(taken_back)}
    pairs |= {event.cancels: event.event_id for event in kept if event.cancels}
    if not pairs:
        return
    cancelled = session.execute(select(Event.id, Event.event_id).where(Event.event_id.in_(named | set(pairs)))).all()
    for row in cancelled:
        why = f"Cancelled by the event {pairs[row.event_id]}."
        drop_waiting(session, Decision.event_id == row.id, Reason.EXPIRED, why, now)


def _steps(session: AnySession) -> _Steps:
    rows = session.execute(
        select(Journey.key, Step.key, Step.event, Step.id)
        .join(Step, Step.journey_id == Journey.id)
        .where(Journey.archived_at.is_(None), Step.archived_at.is_(None))
        .order_by(Journey.position, Step.position)
    ).all()
    by_path: dict[str, dict[str, int]] = {}
    by_event: dict[str, int] = {}
    for journey, step, name, step_id in rows:
        by_path.setdefault(journey, {})[step] = step_id
        if name:
            by_event.setdefault(name, step_id)
    return _Steps(by_path, by_event)


def _resolve(event: EventIn, steps: _Steps, lenient: bool) -> tuple[EventIn, int | None] | list[str]:
    """The event with its phone parsed and its step found, or what is wrong with it."""
    problems: list[str] = []
    step_id = None
    if event.journey is not None:
        step_id = _step_of(event, steps, problems)
    elif event.name is not None:
        step_id = steps.by_event.get(event.name)
    if event.customer.phone is not None:
        try:
            customer = without_bad_phone(event.customer) if lenient else with_parsed_phone(event.customer)
            event = event if customer is event.customer else replace(event, customer=customer)
        except ValueError as problem:
            problems.append(f"customer.{problem}")
    return problems or (event, step_id)


def _step_of(event: EventIn, steps: _Steps, problems: list[str]) -> int | None:
    known = steps.by_path.get(event.journey or "")
    if known is None:
        problems.append(f"journey: there is no journey '{event.journey}'; {_choices(steps.by_path)}")
        return None
    step_id = known.get(event.step or "")
    if step_id is None:
        problems.append(f"step: the journey '{event.journey}' has no step '{event.step}'; {_choices(known)}")
    return step_id


def _choices(known: Mapping[str, object]) -> str:
    return f"known are {', '.join(list(known)[:SHOWN])}" if known else "none is set up yet"
