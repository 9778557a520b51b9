"""What happens between an event and an ask: plans are made here; whether to ask is decided when they are due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session, scoped_session
from uuid_utils import uuid7

from surveyapp import clock
from surveyapp.domain import triggers as rules
from surveyapp.domain.vocabulary import MessageKind, MessageState, Outcome
from surveyapp.models import Customer, Decision, Event, Message
from surveyapp.queries import triggers as trigger_queries
from surveyapp.queries.triggers import Planned


def new_uid() -> str:
    """A public id that sorts by time. It is no secret: links carry a signed random id instead."""
    return uuid7().hex


def plan(session: Session | scoped_session[Session], pairs: Sequence[tuple[Event, Customer]]) -> int:
    """Write one waiting decision and one planned message per event and matching trigger; answers how many.

    Runs inside the caller's transaction, with events that were just inserted for the first time.
    """
    if not pairs:
        return 0
    by_step: dict[int | None, list[Planned]] = {}
    steps = {event.step_id for event, _ in pairs if event.step_id is not None}
    for trigger in trigger_queries.active(session, steps) if steps else ():
        by_step.setdefault(trigger.step_id, []).append(trigger)
    now = clock.database_now(session)
    matched = []
    for event, customer in pairs:
        for trigger in by_step.get(event.step_id, ()) if event.step_id is not None else ():
            context = {**event.attributes, **event.properties}
            if rules.matches(trigger.rule, trigger.rule.step, context):
                matched.append((event, customer, trigger))
    return write_plans(session, matched, now)


def write_plans(
    session: Session | scoped_session[Session],
    matched: Sequence[tuple[Event, Customer, Planned]],
    now: datetime,
) -> int:
    """Insert the waiting decisions and their planned messages in two statements."""
    if not matched:
        return 0
    decisions: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    for event, customer, (trigger_id, _, survey_id, rule) in matched:
        planned = rules.plan(rule, event.occurred_at, customer.preferred_channel, customer.reachable)
        uid = new_uid()
        decisions.append(
            {
                "uid": uid,
                "event_id": event.id,
                "trigger_id": trigger_id,
                "customer_id": customer.id,
                "survey_id": survey_id,
                "outcome": Outcome.WAITING,
                "not_before": planned.due_at,
                "at": now,
            }
        )
        messages.append(
            {
                "uid": new_uid(),
                "idem_key": f"{rule.key}:{event.event_id}:{planned.channel}:{MessageKind.FIRST}",
                "customer_id": customer.id,
                "trigger_id": trigger_id,
                "survey_id": survey_id,
                "channel": planned.channel,
                "kind": MessageKind.FIRST,
                "tier": rule.tier,
                "priority": rule.priority,
                "due_at": planned.due_at,
                "expires_at": planned.expires_at,
                "state": MessageState.PLANNED,
                "attempts": 0,
                "lease_token": 0,
                "created_at": now,
            }
        )
    # Matched by uid: asking for the rows in order would cost SQLite one statement a row.
    inserted = session.execute(insert(Decision).returning(Decision.uid, Decision.id), decisions)
    ids: dict[str, int] = {row.uid: row.id for row in inserted}
    for message, decision in zip(messages, decisions, strict=True):
        message["decision_id"] = ids[decision["uid"]]
    session.execute(insert(Message), messages)
    return len(messages)
