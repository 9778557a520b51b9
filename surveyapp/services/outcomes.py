"""What becomes of a message after its hand-over: the outcome on message, decision, ledger, address and channel.

Every function here runs in the caller's transaction, but `record`. Sends nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, logs
from surveyapp.channels.base import Receipt, ReceiptKind
from surveyapp.domain.retries import wait_after
from surveyapp.domain.vocabulary import LedgerState, MessageKind, MessageState, Outcome
from surveyapp.models import ChannelState, ContactKey, Decision, Invitation, LedgerEntry, Message, Suppression
from surveyapp.queries import contact_history
from surveyapp.queries.triggers import as_rule
from surveyapp.services import webhooks
from surveyapp.services.dispatch import OPEN_FOR
from surveyapp.services.failing_over import UNWANTED, fail_over
from surveyapp.services.inserts import insert_new, insert_quietly
from surveyapp.services.outreach import new_uid
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
CONFIGURATION_PAUSE = timedelta(minutes=15)
DEFAULT_PAUSE = timedelta(seconds=30)
LONGEST_HOLD = timedelta(minutes=5)  # a channel that only does not answer is looked at again this soon


@dataclass(slots=True)
class Tally:
    """What one dispatch pass did."""

    claimed: int = 0
    sent: int = 0
    refused: int = 0
    postponed: int = 0
    failed: int = 0
    unknown: int = 0

    def __str__(self) -> str:
        names = ("claimed", "sent", "refused", "postponed", "failed", "unknown")
        return " ".join(f"{name}={getattr(self, name)}" for name in names)


def record(
    receipts: Mapping[int, Receipt],
    ids: Sequence[int],
    tokens: Mapping[int, int],
    provider: str,
    tally: Tally,
) -> None:
    """Write the outcomes of one call. A message without a receipt may have left: it is `unknown`."""
    with transaction() as session:
        now = clock.database_now(session)
        query = (
            select(Message)
            .where(Message.id.in_(ids), Message.state == MessageState.SENDING)
            .order_by(Message.id)
            .with_for_update(of=Message)
            .options(*contact_history.written_down())
            .execution_options(populate_existing=True)
        )
        released: list[tuple[int, int]] = []
        kept: dict[LedgerState, list[tuple[int, int]]] = {}
        for message in session.scalars(query).unique().all():
            if message.lease_token != tokens[message.id]:
                continue
            receipt = receipts.get(message.id) or Receipt(message.uid, ReceiptKind.UNKNOWN, provider)
            state = apply_receipt(session, message, receipt, now, tally)
            claim_row = (message.id, message.lease_token)
            if state is LedgerState.RELEASED:
                released.append(claim_row)
            else:
                kept.setdefault(state, []).append(claim_row)
        for ledger_state, rows in (*kept.items(), (LedgerState.RELEASED, released)):
            if rows:
                session.execute(
                    update(LedgerEntry)
                    .where(tuple_(LedgerEntry.message_id, LedgerEntry.claim_no).in_(rows))
                    .values(state=ledger_state)
                    .execution_options(synchronize_session=False)
                )


def set_ledger(session: AnySession, message_id: int, claim_no: int, state: LedgerState) -> None:
    """Change what the ledger rows of one claim stand for."""
    session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.message_id == message_id, LedgerEntry.claim_no == claim_no)
        .values(state=state)
        .execution_options(synchronize_session=False)
    )


def set_last_claim(session: AnySession, message_id: int, state: LedgerState) -> None:
    """The same for the claim that led to the call, which a reaper may have followed: the last one that booked."""
    last = select(func.max(LedgerEntry.claim_no)).where(LedgerEntry.message_id == message_id).scalar_subquery()
    session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.message_id == message_id, LedgerEntry.claim_no == last)
        .values(state=state)
        .execution_options(synchronize_session=False)
    )


def apply_receipt(session: AnySession, message: Message, receipt: Receipt, now: datetime, tally: Tally) -> LedgerState:
    """Put one receipt on its message and its decision; the state its ledger rows take.

    Whoever says that it was refused (a provider, its later event, a person), the ask may go on by the next channel.
    """
    message.provider, message.lease_until = receipt.provider, None
    message.last_error = receipt.error and receipt.error[:500]
    if message.fails_over and message.invitation and receipt.kind in (ReceiptKind.ACCEPTED, ReceiptKind.UNKNOWN):
        message.invitation.channel = message.channel
    if receipt.kind is ReceiptKind.ACCEPTED:
        message.state, message.sent_at, message.provider_ref = MessageState.SENT, now, receipt.reference
        if message.invitation is not None and message.kind == MessageKind.FIRST:
            message.invitation.open_until = now + OPEN_FOR[message.channel]
            plan_reminder(session, message, message.invitation, now)
        tally.sent += 1
        return LedgerState.SENT
    if receipt.kind is ReceiptKind.UNKNOWN:
        message.state = MessageState.UNKNOWN
        tally.unknown += 1
        return LedgerState.UNKNOWN
    if receipt.kind is ReceiptKind.REFUSED:
        message.state, message.reason = MessageState.FAILED, receipt.suppress or "refused by the provider"
        if receipt.suppress:
            suppress_address(session, message.customer_id, message.channel, receipt.suppress, receipt.provider, now)
        fail_over(session, message, receipt.suppress, now)
        tally.failed += 1
        return LedgerState.RELEASED
    retry_later(session, message, receipt, now)
    if message.state == MessageState.DEAD:
        tally.failed += 1
    else:
        tally.postponed += 1
    return LedgerState.RELEASED


def retry_later(session: AnySession, message: Message, receipt: Receipt, now: datetime) -> None:
    """Definitely not sent: back to planned, the attempt given back, the channel paused as the provider says.

    Without a word from the provider each failure waits longer than the one before, and the last is `dead`.
    """
    configuration = receipt.kind is ReceiptKind.CONFIGURATION
    pause = CONFIGURATION_PAUSE
    if receipt.retry_after is not None and not configuration:
        pause = timedelta(seconds=min(max(receipt.retry_after, 1.0), 3600.0))
    elif not configuration:
        message.retries += 1
        wait = wait_after(message.retries, message.uid)
        if wait is None:
            message.state = MessageState.DEAD
            log.error("message_given_up", failures=message.retries)
        pause = wait or DEFAULT_PAUSE
    if message.state != MessageState.DEAD:
        message.state, message.call_started_at, message.due_at = MessageState.PLANNED, None, now + pause
        message.attempts = max(0, message.attempts - 1)
        if message.decision is not None and message.settles_decision:
            message.decision.outcome, message.decision.not_before = Outcome.WAITING, now + pause
    if receipt.alone:
        return
    held = min(pause, LONGEST_HOLD) if receipt.retry_after is None and not configuration else pause
    pause_channel(session, message.channel, now + held, receipt.error or "the provider asked for a pause")
    if configuration:
        log.error("channel_misconfigured", channel=message.channel, error=receipt.error)
    else:
        log.warning("channel_paused", channel=message.channel)


def pause_channel(session: AnySession, channel: str, until: datetime, reason: str) -> None:
    """Hold a channel back until `until`; a longer pause stays."""
    insert_quietly(session, ChannelState, [{"channel": channel}], ["channel"])
    session.execute(
        update(ChannelState)
        .where(ChannelState.channel == channel)
        .where(or_(ChannelState.paused_until.is_(None), ChannelState.paused_until < until))
        .values(paused_until=until, reason=reason[:500])
        .execution_options(synchronize_session=False)
    )


def suppress_address(
    session: AnySession, customer_id: int, channel: str, reason: str, source: str, now: datetime
) -> None:
    """Never use this address on this channel again; a complaint closes every channel of the person."""
    prefix = {"email": "e:", "sms": "p:"}[channel]
    own = select(ContactKey.key).where(ContactKey.customer_id == customer_id, ContactKey.until.is_(None))
    keys = session.scalars(own).all()
    scope = "all" if reason == "complaint" else channel
    rows = [
        {"key": key, "channel": scope, "reason": reason, "source": source, "at": now}
        for key in sorted(keys)
        if key.startswith(prefix)
    ]
    new = insert_new(session, Suppression, rows, ["key", "channel", "reason"])
    if new and reason in UNWANTED:
        webhooks.tell_opt_out(session, customer_id, {scope: source})


def plan_reminder(session: AnySession, message: Message, invitation: Invitation, now: datetime) -> None:
    """Queue the one reminder of an ask, where its trigger has one. Texts are never repeated."""
    rule = as_rule(message.trigger)
    if rule.reminder_after is None or message.channel == "sms" or invitation.answered_at:
        return
    decision: Decision | None = message.decision
    assert decision is not None
    session.execute(
        insert(Message),
        [
            {
                "uid": new_uid(),
                "idem_key": f"{rule.key}:{decision.event.event_id}:{message.channel}:{MessageKind.REMINDER}",
                "decision_id": decision.id,
                "invitation_id": invitation.id,
                "customer_id": message.customer_id,
                "trigger_id": message.trigger_id,
                "survey_id": message.survey_id,
                "channel": message.channel,
                "kind": MessageKind.REMINDER,
                "tier": message.tier,
                "priority": message.priority,
                "due_at": now + rule.reminder_after,
                "expires_at": invitation.open_until,
                "state": MessageState.PLANNED,
                "attempts": 0,
                "lease_token": 0,
                "created_at": now,
            }
        ],
    )
