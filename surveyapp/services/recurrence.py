"""Recurring triggers: one internal event per customer and period, spread evenly, made ahead of a reserved slot."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain import triggers as rules
from surveyapp.domain.sampling import coin
from surveyapp.models import Customer, Event
from surveyapp.queries import triggers as trigger_queries
from surveyapp.queries.triggers import Planned
from surveyapp.services import draining
from surveyapp.services.inserts import insert_new
from surveyapp.services.outreach import write_plans
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
PAGE = 1000
LATE = timedelta(days=1)  # a moment missed by more than this (a long stop) waits for the next period
AHEAD = timedelta(hours=1)


def plan_recurring() -> int:
    """Make the events whose moment is near, and plan their asks; answers how many. Repeating it changes nothing."""
    with transaction() as session:
        recurring = [trigger.id for trigger in trigger_queries.active(session) if trigger.rule.every]
    return sum(_plan_trigger(trigger_id) for trigger_id in recurring)


def _plan_trigger(trigger_id: int) -> int:
    last, made = 0, 0
    while True:
        with transaction() as session:
            found = next((t for t in trigger_queries.active(session) if t.id == trigger_id), None)
            query = (
                select(Customer)
                .where(Customer.id > last, Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
                .where(Customer.external_id.is_not(None))
                .order_by(Customer.id)
                .limit(PAGE)
            )
            customers = session.scalars(query).all()
            if not customers or found is None or draining.under_way():
                return made
            last = customers[-1].id
            now = clock.database_now(session)
            made += _plan_page(session, found, list(customers), now)


def _plan_page(session: AnySession, trigger: Planned, customers: list[Customer], now: datetime) -> int:
    by_id = {customer.id: customer for customer in customers}
    rows = list(_events(trigger.rule, customers, now))
    known = set(session.scalars(select(Event.event_id).where(Event.event_id.in_([r["event_id"] for r in rows]))))
    kept = insert_new(session, Event, [r for r in rows if r["event_id"] not in known], ["event_id"])
    return write_plans(session, [(event, by_id[event.customer_id], trigger) for event in kept], now)


def _events(rule: rules.Trigger, customers: list[Customer], now: datetime) -> Iterator[dict[str, object]]:
    assert rule.every is not None
    key: str = current_app.config["CONTACT_PEPPER"]
    ahead = max(rule.reserve or timedelta(0), AHEAD)
    for customer in customers:
        number, moment = next_moment(rule.every, coin(key, f"every:{rule.key}:{customer.external_id}"), now - LATE)
        if moment > now + ahead or moment < customer.created_at:
            continue
        if not all(rules.same(customer.attributes.get(name), wanted) for name, wanted in rule.where.items()):
            continue
        yield {
            "event_id": f"every:{rule.key}:{customer.external_id}:{number}",
            "customer_id": customer.id,
            "occurred_at": moment,
            "received_at": now,
            "properties": {},
            "attributes": customer.attributes,
            "source": "recurring",
        }


def next_moment(every: timedelta, share: float, after: datetime) -> tuple[int, datetime]:
    """The first moment after `after` of someone who stands at `share` (0–1) of each period, and the period's number."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    offset = every * share
    number = int((after - epoch - offset) // every) + 1
    return number, epoch + every * number + offset
