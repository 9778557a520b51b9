"""What we know of a customer: the record, its opt-outs, and everything that happened, newest first. Read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, scoped_session

from surveyapp.models import (
    ContactKey,
    Customer,
    Decision,
    Event,
    Journey,
    Message,
    Response,
    Step,
    Suppression,
    Survey,
    Trigger,
)

AnySession = Session | scoped_session[Session]
Place = tuple[datetime, str, int]  # where in a timeline: time, kind, row


def customer(session: AnySession, external_id: str) -> Customer | None:
    """The customer, or the one whom this record was united with."""
    found = session.scalar(select(Customer).where(Customer.external_id == external_id))
    while found is not None and found.merged_into_id is not None:
        found = session.get(Customer, found.merged_into_id)
    return found


def opted_out_channels(session: AnySession, customer_id: int) -> list[str]:
    """The channels on which nothing may be sent to any of the customer's keys, sorted."""
    keys = select(ContactKey.key).where(ContactKey.customer_id == customer_id, ContactKey.until.is_(None))
    rows = select(Suppression.channel).where(Suppression.key.in_(keys), Suppression.reason == "opted_out").distinct()
    return sorted(session.scalars(rows))


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a timeline; `detail` holds what its kind has to tell, ready for JSON."""

    at: datetime
    kind: str
    id: str
    row: int
    detail: dict[str, Any]

    @property
    def order(self) -> Place:
        return (self.at, self.kind, self.row)


def timeline(session: AnySession, customer_id: int, limit: int, before: Place | None = None) -> list[Happening]:
    """Events, decisions, messages and responses of the customer and the records united with them, newest first.

    `before` is the `order` of the last one already seen.
    """
    records = select(Customer.id).where((Customer.id == customer_id) | (Customer.merged_into_id == customer_id))
    ids = list(session.scalars(records))
    found: list[Happening] = []
    for read in (_events, _decisions, _messages, _responses):
        found += read(session, ids, limit, before)
    return sorted(found, key=lambda one: one.order, reverse=True)[:limit]


def unmapped_names(session: AnySession, limit: int = 50) -> list[tuple[str, int, datetime]]:
    """Names of events that no step listens to, most frequent first, with their number and the latest arrival."""
    rows = session.execute(
        select(Event.name, func.count(), func.max(Event.received_at))
        .where(Event.step_id.is_(None), Event.name.is_not(None))
        .group_by(Event.name)
        .order_by(func.count().desc(), Event.name)
        .limit(limit)
    )
    return [(name or "", number, latest) for name, number, latest in rows]


def _page(query: Any, kind: str, at: Any, row: Any, limit: int, before: Place | None) -> Any:
    if before is not None:
        moment, last_kind, last_row = before
        tie = (at == moment) & ((row < last_row) if kind == last_kind else (kind < last_kind))
        query = query.where((at < moment) | tie)
    return query.order_by(at.desc(), row.desc()).limit(limit)


def _events(session: AnySession, ids: Sequence[int], limit: int, before: Place | None) -> list[Happening]:
    query = (
        select(Event, Journey.key, Step.key)
        .outerjoin(Step, Event.step_id == Step.id)
        .outerjoin(Journey, Step.journey_id == Journey.id)
        .where(Event.customer_id.in_(ids))
    )
    return [
        Happening(
            event.occurred_at,
            "event",
            event.event_id,
            event.id,
            {
                "journey": journey,
                "step": step,
                "name": event.name,
                "instance": event.instance,
                "properties": event.properties,
                "received_at": event.received_at.isoformat().replace("+00:00", "Z"),
            },
        )
        for event, journey, step in session.execute(_page(query, "event", Event.occurred_at, Event.id, limit, before))
    ]


def _decisions(session: AnySession, ids: Sequence[int], limit: int, before: Place | None) -> list[Happening]:
    query = (
        select(Decision, Event.event_id, Trigger.key, Survey.key)
        .join(Event, Decision.event_id == Event.id)
        .join(Trigger, Decision.trigger_id == Trigger.id)
        .join(Survey, Decision.survey_id == Survey.id)
        .where(Decision.customer_id.in_(ids))
    )
    return [
        Happening(
            decision.at,
            "decision",
            decision.uid,
            decision.id,
            {
                "event": event,
                "trigger": trigger,
                "survey": survey,
                "outcome": decision.outcome,
                "reason": decision.reason,
                "channel": decision.channel,
            },
        )
        for decision, event, trigger, survey in session.execute(
            _page(query, "decision", Decision.at, Decision.id, limit, before)
        )
    ]


def _messages(session: AnySession, ids: Sequence[int], limit: int, before: Place | None) -> list[Happening]:
    decision = aliased(Decision)
    query = (
        select(Message, decision.uid)
        .outerjoin(decision, Message.decision_id == decision.id)
        .where(Message.customer_id.in_(ids), Message.sent_at.is_not(None))
    )
    return [
        Happening(
            message.sent_at or message.due_at,
            "message",
            message.uid,
            message.id,
            {"channel": message.channel, "kind": message.kind, "state": message.state, "decision": uid},
        )
        for message, uid in session.execute(_page(query, "message", Message.sent_at, Message.id, limit, before))
    ]


def _responses(session: AnySession, ids: Sequence[int], limit: int, before: Place | None) -> list[Happening]:
    query = (
        select(Response, Survey.key).join(Survey, Response.survey_id == Survey.id).where(Response.customer_id.in_(ids))
    )
    return [
        Happening(
            response.answered_at,
            "response",
            response.uid,
            response.id,
            {
                "survey": survey,
                "metric": response.metric,
                "score": response.score,
                "comment": response.comment,
                "status": response.status,
                "channel": response.channel,
                "step": response.step,
            },
        )
        for response, survey in session.execute(
            _page(query, "response", Response.answered_at, Response.id, limit, before)
        )
    ]
