"""How sending stands: each channel's messages and holds, what waits for a person, the hooks' last calls. Read only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from surveyapp.domain.vocabulary import MessageKind, MessageState
from surveyapp.models import (
    ChannelState,
    Customer,
    Decision,
    HookState,
    InboundText,
    Message,
    Suppression,
    Survey,
    Trigger,
)

RATE_OVER = timedelta(minutes=5)
MOST = 50
UNKNOWN = (MessageState.UNKNOWN, MessageState.UNKNOWN_FINAL)
GIVEN_UP = (MessageState.DEAD, MessageState.FAILED)


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """One channel: what stands in the queue now, and what became of the messages due since the start of the span."""

    channel: str
    later: int = 0
    queued: int = 0
    sending: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    last_minutes: int = 0
    oldest_due: datetime | None = None

    @property
    def per_minute(self) -> float:
        """Messages handed over in a minute, over the last five."""
        return self.last_minutes / (RATE_OVER.total_seconds() / 60)

    @property
    def handed_over(self) -> int:
        """How many left: sent, and those of them that are known to have arrived."""
        return self.sent + self.delivered


def channels(session: Session, start: datetime, now: datetime) -> dict[str, ChannelFacts]:
    """The facts of every channel that has messages, in one statement. Unknown ones count however old they are."""
    state, recent = Message.state, Message.due_at >= start

    def counted(*conditions: object) -> object:
        return func.sum(case((and_(*conditions), 1), else_=0))  # type: ignore[arg-type]

    planned = state == MessageState.PLANNED
    query = (
        select(
            Message.channel,
            counted(planned, Message.due_at > now),
            counted(planned, Message.due_at <= now),
            counted(state == MessageState.SENDING),
            counted(state == MessageState.SENT, recent),
            counted(state == MessageState.DELIVERED, recent),
            counted(state.in_(GIVEN_UP), recent),
            counted(state.in_(UNKNOWN)),
            counted(Message.sent_at > now - RATE_OVER),
            func.min(case((and_(planned, Message.due_at <= now), Message.due_at))),
        )  # type: ignore[call-overload]
        .where(or_(recent, planned, state == MessageState.SENDING, state.in_(UNKNOWN)))
        .group_by(Message.channel)
    )
    return {row[0]: ChannelFacts(*row) for row in session.execute(query)}


def holds(session: Session) -> dict[str, ChannelState]:
    """What holds each channel back; `all` stands for every one."""
    return {row.channel: row for row in session.scalars(select(ChannelState))}


def hooks(session: Session) -> dict[str, HookState]:
    """The counters and the last sign of life of each hook that has ever called."""
    return {row.hook: row for row in session.scalars(select(HookState))}


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message that waits for a person. `at` is when its call began, else when it was due."""

    uid: str
    state: str
    kind: str
    channel: str
    trigger: str
    customer: str | None
    decision: str | None
    error: str | None
    reason: str | None
    at: datetime


def unknown_outcomes(session: Session) -> list[MessageRow]:
    """Messages that may have left, oldest first. They count as contacts."""
    return _rows(session, UNKNOWN, None)


def given_up(session: Session, start: datetime) -> list[MessageRow]:
    """Messages that did not leave or arrive and were due since `start`, newest first.

    One whose ask went on by another channel is not given up.
    """
    return _rows(session, GIVEN_UP, start)


def message(session: Session, uid: str) -> MessageRow | None:
    """One message, whatever its state."""
    row = session.execute(_select().where(Message.uid == uid)).one_or_none()
    return MessageRow(*tuple(row)) if row else None


def _rows(session: Session, states: tuple[MessageState, ...], start: datetime | None) -> list[MessageRow]:
    query = _select().where(Message.state.in_(states), Customer.erased_at.is_(None)).limit(MOST)
    if start is None:
        query = query.order_by(Message.id)
    else:
        follow_up = Message.kind != MessageKind.FOLLOW_UP
        later = aliased(Message)
        went_on = select(later.id).where(
            later.decision_id == Message.decision_id,
            later.kind == MessageKind.FIRST,
            later.id > Message.id,
            Message.kind == MessageKind.FIRST,
        )
        query = query.where(Message.due_at >= start, follow_up, ~went_on.exists()).order_by(Message.id.desc())
    return [MessageRow(*tuple(row)) for row in session.execute(query)]


def _select() -> Any:
    return (
        select(
            Message.uid,
            Message.state,
            Message.kind,
            Message.channel,
            Trigger.key,
            Customer.external_id,
            Decision.uid,
            Message.last_error,
            Message.reason,
            func.coalesce(Message.call_started_at, Message.due_at),
        )
        .join(Trigger, Trigger.id == Message.trigger_id)
        .join(Customer, Customer.id == Message.customer_id)
        .outerjoin(Decision, Decision.id == Message.decision_id)
    )


@dataclass(frozen=True, slots=True)
class Switch:
    """A survey or trigger that can be stopped."""

    key: str
    stopped_at: datetime | None


def surveys(session: Session) -> list[Switch]:
    """The surveys in use."""
    query = select(Survey.key, Survey.stopped_at).where(Survey.archived_at.is_(None)).order_by(Survey.key)
    return [Switch(row[0], row[1]) for row in session.execute(query)]


def triggers(session: Session) -> list[Switch]:
    """The triggers in use."""
    query = select(Trigger.key, Trigger.stopped_at).where(Trigger.archived_at.is_(None)).order_by(Trigger.key)
    return [Switch(row[0], row[1]) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class PeaceRow:
    """Somebody who asked in a text to be left alone; paused until a person has looked."""

    id: int
    customer: str | None
    at: datetime


def asked_for_peace(session: Session) -> list[PeaceRow]:
    """Who asked to be left alone and has not been looked after, oldest first."""
    query = (
        select(InboundText.id, Customer.external_id, InboundText.at)
        .outerjoin(Customer, Customer.id == InboundText.customer_id)
        .where(InboundText.kind == "peace", InboundText.handled_at.is_(None))
        .order_by(InboundText.id)
        .limit(MOST)
    )
    return [PeaceRow(row[0], row[1], row[2]) for row in session.execute(query)]


def sent_between(session: Session, bounds: list[datetime]) -> list[int]:
    """How many messages left between each two neighbouring instants, in one statement."""
    pairs = list(zip(bounds, bounds[1:], strict=False))
    sums = [func.sum(case((and_(Message.sent_at >= a, Message.sent_at < b), 1), else_=0)) for a, b in pairs]
    row = session.execute(select(*sums).where(Message.sent_at >= bounds[0], Message.sent_at < bounds[-1])).one()
    return [int(n or 0) for n in row]


@dataclass(frozen=True, slots=True)
class Leaving:
    """Of the e-mails sent: how many people opted out of them, addresses bounced, and people complained."""

    sent: int
    opted_out: int
    bounced: int
    complained: int


def leaving(session: Session, start: datetime) -> Leaving:
    """Who left since `start`, each person or address once."""
    sent = select(func.count()).where(Message.channel == "email", Message.sent_at >= start).scalar_subquery()

    def gone(reason: str, key: str) -> object:
        return (
            select(func.count())
            .where(
                Suppression.reason == reason,
                Suppression.key.startswith(key),
                Suppression.channel.in_(("email", "all")),
                Suppression.at >= start,
            )
            .scalar_subquery()
        )

    row = session.execute(
        select(sent, gone("opted_out", "c:"), gone("bounced", "e:"), gone("complaint", "e:"))  # type: ignore[call-overload]
    ).one()
    return Leaving(*tuple(row))
