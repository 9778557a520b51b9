"""Applies what providers tell about messages they took. Every event counts once, in whatever order they come.

A message's state only ever moves on: sending and unknown become sent, sent becomes delivered or failed, and those
stay. A failure gives the contact back; the decision stays `asked`. Verifies no signature and reads no request.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints, logs
from surveyapp.channels.base import DeliveryEvent, DeliveryKind, Receipt, ReceiptKind
from surveyapp.domain.vocabulary import LedgerState, MessageKind, MessageState, Outcome, Reason
from surveyapp.models import ContactKey, Decision, HookEvent, HookState, Message, Suppression
from surveyapp.queries import contact_history
from surveyapp.services import audit, webhooks
from surveyapp.services.cancellation import drop_waiting
from surveyapp.services.inserts import insert_new, insert_quietly
from surveyapp.services.outcomes import (
    CONFIGURATION_PAUSE,
    Tally,
    apply_receipt,
    pause_channel,
    set_last_claim,
    suppress_address,
)
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
OWN_REPLY = "reply-"  # the ids of texts that answer a person's own: nothing follows from what becomes of them
DECIDED_NOT_SENT = "decided: not sent"
NEVER_LEFT = frozenset({MessageState.REFUSED, MessageState.DEAD, MessageState.CANCELLED})
OPEN = frozenset({MessageState.SENDING, MessageState.UNKNOWN, MessageState.UNKNOWN_FINAL})
UNREACHABLE = "30003"  # suppressed after so many failures over so long
UNREACHABLE_TIMES = 3
UNREACHABLE_SPAN = timedelta(days=7)
KEPT = timedelta(days=14)


@dataclass(slots=True)
class Applied:
    """What became of the events of one call."""

    taken: int = 0
    repeated: int = 0
    unknown: int = 0
    unreadable: int = 0


def apply_events(hook: str, events: Sequence[DeliveryEvent], unreadable: int = 0) -> Applied:
    """Apply the events of one verified call, all in one transaction; a repetition changes nothing.

    An event about a message that is not ours, or of an erased person, is counted and leaves no row.
    """
    done = Applied(unreadable=unreadable)
    closed: set[int] = set()
    with transaction() as session:
        now = clock.database_now(session)
        wanted = [e for e in events if not (e.uid or "").startswith(OWN_REPLY)]
        messages = _locked(session, wanted)
        known = [e for e in wanted if _find(messages, e) is not None]
        done.unknown = len(wanted) - len(known)
        fresh = _first_seen(session, known, now)
        done.taken, done.repeated = len(fresh), len(known) - len(fresh)
        for event in sorted(fresh, key=lambda e: e.at or now):
            message = _find(messages, event)
            assert message is not None
            _apply(session, message, event, now)
            if event.kind is DeliveryKind.COMPLAINT:
                closed.add(message.customer_id)
        note_call(session, hook, now, done)
        session.flush()
        failpoints.reached("mid_webhook")
    if closed:
        with transaction() as session:
            why = "The customer reported a message as unwanted."
            now = clock.database_now(session)
            drop_waiting(session, Decision.customer_id.in_(closed), Reason.SUPPRESSED_ADDRESS, why, now)
    return done


def note_call(session: AnySession, hook: str, now: datetime, done: Applied) -> None:
    """Keep the hook's last sign of life and add to its counters."""
    insert_quietly(session, HookState, [{"hook": hook, "last_at": now}], ["hook"])
    session.execute(
        update(HookState)
        .where(HookState.hook == hook)
        .values(
            last_at=now,
            taken=HookState.taken + done.taken,
            repeated=HookState.repeated + done.repeated,
            unknown=HookState.unknown + done.unknown,
            unreadable=HookState.unreadable + done.unreadable,
        )
        .execution_options(synchronize_session=False)
    )
    if done.unknown or done.unreadable:
        log.warning("hook_events_passed_over", hook=hook, unknown=done.unknown, unreadable=done.unreadable)


def forget_events() -> int:
    """Drop the memory of events that no provider repeats any more; answers how many."""
    with transaction() as session:
        now = clock.database_now(session)
        old = session.scalars(select(HookEvent).where(HookEvent.at < now - KEPT).limit(5000)).all()
        for row in old:
            session.delete(row)
    return len(old)


def _locked(session: AnySession, events: Iterable[DeliveryEvent]) -> dict[str, Message]:
    """The messages spoken of, locked in order, by our id and (where an event lacks it) by the provider's."""
    uids = {e.uid for e in events if e.uid}
    references = {e.reference for e in events if e.reference and not e.uid}
    if not uids and not references:
        return {}
    query = (
        select(Message)
        .where(or_(Message.uid.in_(uids), Message.provider_ref.in_(references)))
        .order_by(Message.id)
        .with_for_update(of=Message)
        .options(*contact_history.loaded())
        .execution_options(populate_existing=True)
    )
    found: dict[str, Message] = {}
    for message in session.scalars(query).unique().all():
        if message.customer.erased_at is None:
            found[message.uid] = message
            found[f"ref:{message.provider_ref}"] = message
    return found


def _find(messages: dict[str, Message], event: DeliveryEvent) -> Message | None:
    return messages.get(event.uid) if event.uid else messages.get(f"ref:{event.reference}")


def _first_seen(session: AnySession, events: Sequence[DeliveryEvent], now: datetime) -> list[DeliveryEvent]:
    """The events never seen before, each once."""
    named = {(e.provider, e.event_id): e for e in reversed(events)}
    rows = [{"provider": provider, "event_id": event_id, "at": now} for provider, event_id in sorted(named)]
    new = {(row.provider, row.event_id) for row in insert_new(session, HookEvent, rows, ["provider", "event_id"])}
    return [event for key, event in reversed(named.items()) if key in new]


def _apply(session: AnySession, message: Message, event: DeliveryEvent, now: datetime) -> None:
    if event.kind is DeliveryKind.OTHER:
        return
    if event.kind is DeliveryKind.FAILED:
        _has_failed(session, message, event, now)
    else:
        _has_left(session, message, event, now)
        if event.kind is DeliveryKind.DELIVERED and message.state == MessageState.SENT:
            arrived = max(event.at or now, message.sent_at or now)
            message.state, message.delivered_at = MessageState.DELIVERED, min(arrived, now)
    if event.kind is DeliveryKind.OPTED_OUT or event.suppress == "opted_out":
        _opt_out(session, message, event.provider, now)
    elif event.suppress:
        suppress_address(session, message.customer_id, message.channel, event.suppress, event.provider, now)
    if event.suppress:
        _cancel_reminders(session, message)


def _has_left(session: AnySession, message: Message, event: DeliveryEvent, now: datetime) -> None:
    """The provider has it, whatever we believed: it is sent, it counts, and it is not sent again."""
    again = message.state == MessageState.PLANNED and message.lease_token > 0
    wrongly_decided = message.state == MessageState.FAILED and message.reason == DECIDED_NOT_SENT
    if not (message.state in OPEN or again or wrongly_decided):
        if message.state in NEVER_LEFT or message.state == MessageState.PLANNED:
            log.error("event_contradicts_state", state=message.state, event=event.kind)
        return
    reference = message.provider_ref or event.reference
    apply_receipt(session, message, Receipt(message.uid, ReceiptKind.ACCEPTED, event.provider, reference), now, Tally())
    message.sent_at, message.reason = message.call_started_at or now, None
    set_last_claim(session, message.id, LedgerState.SENT)
    decision = message.decision
    if decision is not None and message.kind == MessageKind.FIRST and decision.outcome == Outcome.WAITING:
        decision.outcome, decision.not_before = Outcome.ASKED, None


def _has_failed(session: AnySession, message: Message, event: DeliveryEvent, now: datetime) -> None:
    """It did not arrive: the contact is given back. One that has arrived, or failed before, stays as it is."""
    if message.state == MessageState.SENT or message.state in OPEN:
        receipt = Receipt(message.uid, ReceiptKind.REFUSED, event.provider, error=event.error, suppress=event.suppress)
        apply_receipt(session, message, receipt, now, Tally())
        set_last_claim(session, message.id, LedgerState.RELEASED)
        _cancel_reminders(session, message)
        if (event.error or "").endswith(UNREACHABLE) and _long_unreachable(session, message, now):
            suppress_address(session, message.customer_id, message.channel, "unreachable", event.provider, now)
    if event.configuration:
        pause_channel(session, message.channel, now + CONFIGURATION_PAUSE, f"{event.provider}: {event.error}")
        log.error("channel_misconfigured", channel=message.channel, error=event.error)


def _cancel_reminders(session: AnySession, message: Message) -> None:
    if message.invitation_id is None:
        return
    session.execute(
        update(Message)
        .where(Message.invitation_id == message.invitation_id, Message.kind == MessageKind.REMINDER)
        .where(Message.state == MessageState.PLANNED)
        .values(state=MessageState.CANCELLED, reason="not delivered")
        .execution_options(synchronize_session=False)
    )


def _opt_out(session: AnySession, message: Message, source: str, now: datetime) -> None:
    """The person left by the provider's own way out: closed on this channel for every key they have."""
    keys = session.scalars(
        select(ContactKey.key)
        .where(ContactKey.customer_id == message.customer_id, ContactKey.until.is_(None))
        .order_by(ContactKey.key)
    )
    rows = [
        {"key": key, "channel": message.channel, "reason": "opted_out", "source": source, "at": now} for key in keys
    ]
    if insert_new(session, Suppression, rows, ["key", "channel", "reason"]):
        webhooks.tell_opt_out(session, message.customer_id, {message.channel: source})
    audit.note(session, "customer.opted_out", f"message {message.uid}", {"channel": message.channel, "source": source})


def _long_unreachable(session: AnySession, message: Message, now: datetime) -> bool:
    """Whether this phone could not be reached several times, over a week or more."""
    session.flush()
    count, first = session.execute(
        select(func.count(), func.min(Message.due_at)).where(
            Message.customer_id == message.customer_id,
            Message.channel == message.channel,
            Message.state == MessageState.FAILED,
            Message.last_error.endswith(UNREACHABLE),
        )
    ).one()
    return count >= UNREACHABLE_TIMES and first is not None and now - first >= UNREACHABLE_SPAN
