"""Hands claimed messages to their channel and writes down what became of them.

START marks a message as begun and looks a last time for an opt-out; the call itself runs with no transaction
open; OUTCOME is written only by the holder of the lease. What may have left is never sent again by itself.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import ScalarSelect, and_, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints, logs
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind, Sender, later
from surveyapp.domain.facts import KIND, kind_of
from surveyapp.domain.policy import Policy
from surveyapp.domain.validity import valid_until
from surveyapp.domain.vocabulary import Channel, LedgerState, MessageState, Outcome, Reason
from surveyapp.extensions import db
from surveyapp.models import Brand, ContactKey, Message, Suppression, Survey
from surveyapp.queries import contact_history
from surveyapp.queries import policy as policies
from surveyapp.queries.recipients import recipient_country, recipient_zones
from surveyapp.services import draining, handed_over, outcome_journal, pacing
from surveyapp.services.dispatch import Claim, claim
from surveyapp.services.messages import MessageNotRenderable, compose
from surveyapp.services.outcomes import Tally, record, retry_later, set_ledger
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
CALL_WITHIN = 5.0  # seconds after START in which the call must begin
START_MARGIN = timedelta(seconds=25)
CLOCKS_APART = timedelta(seconds=60)


def send_due(senders: Mapping[str, Sender], batch: int = 50, most: int | None = None) -> Tally:
    """Handle everything that is due now (at most `most` messages), batch by batch.

    Begins nothing while this machine's clock and the database's differ by more than a minute, and nothing more once
    the process has been asked to stop.
    """
    tally = Tally()
    if not _clocks_agree():
        return tally
    handed_over.check()
    outcome_journal.replay()
    batch = pacing.portion(batch)
    while (most is None or tally.claimed < most) and not draining.under_way():
        claimed = claim(batch)
        if not claimed.seen:
            return tally
        tally.claimed += claimed.seen
        tally.refused += claimed.refused
        tally.postponed += claimed.postponed
        tally.failed += claimed.dead
        deliver(claimed, senders, tally)
        if claimed.seen < batch:
            return tally
    return tally


def _clocks_agree() -> bool:
    """A clock that runs ahead would open caps early: then nothing is sent until somebody has looked."""
    with transaction() as session:
        apart = abs(clock.database_now(session) - clock.now())
    if apart > CLOCKS_APART:
        log.error("clocks_differ", seconds=round(apart.total_seconds()))
    return apart <= CLOCKS_APART


def deliver(claimed: Claim, senders: Mapping[str, Sender], tally: Tally) -> None:
    """Send the messages of one claim, channel by channel, in batches the channel can take."""
    tokens = dict(claimed.messages)
    for channel in sorted(set(claimed.channels.values())):
        ids = [i for i in tokens if claimed.channels[i] == channel]
        sender = senders.get(channel)
        if sender is None:
            _give_back(ids, tokens, channel, f"no sender is configured for {channel}", tally)
            continue
        for start in range(0, len(ids), sender.batch_size):
            if draining.under_way():
                _hand_back(ids[start:], tokens, tally)
                break
            _send_batch(ids[start : start + sender.batch_size], tokens, sender, tally)


def _send_batch(ids: Sequence[int], tokens: Mapping[int, int], sender: Sender, tally: Tally) -> None:
    outgoing = _render(ids, tokens, tally)
    failpoints.reached("rendered")
    began = time.monotonic()
    started = _start(list(outgoing), tokens, tally)
    failpoints.reached("call_started")
    ready = [outgoing[i] for i in started]
    if not ready:
        return
    by_uid = {outgoing[i].uid: i for i in started}
    if time.monotonic() - began > CALL_WITHIN:
        receipts = [later(m.uid, sender.name) for m in ready]
    else:
        handed_over.note(ready[-1].uid, tokens[started[-1]])
        failpoints.reached("before_send")
        receipts = sender.send(ready)
        failpoints.reached("after_send")
    _record({by_uid[r.uid]: r for r in receipts if r.uid in by_uid}, started, tokens, sender, tally)


def _record(
    receipts: Mapping[int, Receipt], ids: Sequence[int], tokens: Mapping[int, int], sender: Sender, tally: Tally
) -> None:
    """Write the outcomes of one call; where the database is away, into the journal beside it."""
    failpoints.reached("before_outcome_commit")
    try:
        record(receipts, ids, tokens, sender.name, tally)
    except outcome_journal.AWAY as problem:
        outcome_journal.keep([(receipt, tokens[i]) for i, receipt in receipts.items()])
        log.error("outcomes_kept_in_journal", messages=len(receipts), error=type(problem).__name__)
        raise
    failpoints.reached("after_commit")


def _render(ids: Sequence[int], tokens: Mapping[int, int], tally: Tally) -> dict[int, OutgoingMessage]:
    """The messages as they leave, by row id. One that cannot be rendered is dead at once and counts no contact."""
    session = db.session
    session.expire_all()  # whoever still holds a message holds it as it was before its claim
    made: dict[int, OutgoingMessage] = {}
    broken: dict[int, str] = {}
    brand = session.get_one(Brand, 1)
    now = clock.now()
    policy = policies.policy_in_force(session, now)
    for message in contact_history.load(session, ids, contact_history.rendered()):
        try:
            until = _valid_until(message, policy, brand, now) if message.channel == Channel.SMS else None
            made[message.id] = compose(message, current_app.config, brand, policy, valid_until=until)
        except MessageNotRenderable as problem:
            broken[message.id] = str(problem)
    session.rollback()
    if broken:
        with transaction() as writing:
            now = clock.database_now(writing)
            for message_id, error in broken.items():
                held = _held(writing, message_id, tokens)
                if held is not None:
                    _finish(writing, held, MessageState.DEAD, now, error)
                    tally.failed += 1
        log.error("messages_not_renderable", messages=len(broken))
    return {i: made[i] for i in ids if i in made}


def _valid_until(message: Message, policy: Policy, brand: Brand, now: datetime) -> datetime:
    """Until when the network may deliver this text to its recipient, wherever they may be."""
    customer = message.customer
    zones, _ = recipient_zones(customer.timezone, customer.phone, brand.timezone)
    country = recipient_country(customer.timezone, customer.phone)
    return valid_until(contact_history.candidate_of(message, frozenset(), now), zones, country, policy, now)


def _start(ids: Sequence[int], tokens: Mapping[int, int], tally: Tally) -> list[int]:
    """Mark the calls as begun. A message whose lease is lost, or whose person opted out, is left out."""
    if not ids:
        return []
    with transaction() as session:
        now = clock.database_now(session)
        margin = min(START_MARGIN, timedelta(seconds=current_app.config["LEASE_SECONDS"]) * 0.4)
        blocked = exists(
            select(Suppression.id)
            .join(ContactKey, ContactKey.key == Suppression.key)
            .where(
                ContactKey.customer_id == Message.customer_id,
                ContactKey.until.is_(None),
                or_(
                    Suppression.channel == Message.channel,
                    Suppression.channel == "all",
                    Suppression.channel == _own_kind(),
                ),
                or_(Suppression.until.is_(None), Suppression.until > now),
            )
        ).correlate(Message)
        mine = and_(
            tuple_(Message.id, Message.lease_token).in_([(i, tokens[i]) for i in ids]),
            Message.state == MessageState.SENDING,
            Message.lease_until > now + margin,
        )
        statement = (
            update(Message)
            .where(mine, ~blocked)
            .values(call_started_at=now)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
        started = set(session.scalars(statement))
        for message_id in ids:
            if message_id not in started:
                _stop_before_call(session, message_id, tokens, now, tally)
    return [i for i in ids if i in started]


def _own_kind() -> ScalarSelect[str]:
    """The kind of question a message asks, as `kind_of` says it."""
    named = literal(KIND) + func.coalesce(Survey.group, Survey.key)
    return select(named).where(Survey.id == Message.survey_id).correlate(Message).scalar_subquery()


def _stop_before_call(
    session: AnySession, message_id: int, tokens: Mapping[int, int], now: datetime, tally: Tally
) -> None:
    """An opt-out that came after the decision turns it into a refusal; a lost lease is left to its new holder."""
    message = _held(session, message_id, tokens)
    if message is None or message.lease_until is None:
        return
    keys = select(ContactKey.key).where(ContactKey.customer_id == message.customer_id, ContactKey.until.is_(None))
    found = session.scalars(select(Suppression).where(Suppression.key.in_(keys))).all()
    kind = kind_of(message.survey.group, message.survey.key)
    reasons = {s.reason for s in found if s.channel in (message.channel, "all", kind)}
    if not reasons:
        return  # the lease ran short: the reaper takes it from here
    reason = Reason.OPTED_OUT if "opted_out" in reasons else Reason.SUPPRESSED_ADDRESS
    reason = Reason.PAUSED if reasons == {"paused"} else reason
    _finish(session, message, MessageState.REFUSED, now, None)
    message.reason = reason
    decision = message.decision
    if decision is not None and message.settles_decision:
        decision.outcome, decision.reason, decision.channel = Outcome.REFUSED, reason, None
        late = {"rule": str(reason), "allowed": False, "why": "withdrawn between the decision and the hand-over"}
        decision.verdicts = [*(decision.verdicts or []), late]
    tally.refused += 1


def _held(session: AnySession, message_id: int, tokens: Mapping[int, int]) -> Message | None:
    """The message, locked, if the lease is still ours."""
    query = (
        select(Message)
        .where(
            Message.id == message_id,
            Message.lease_token == tokens[message_id],
            Message.state == MessageState.SENDING,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one_or_none()


def _finish(session: AnySession, message: Message, state: MessageState, now: datetime, error: str | None) -> None:
    """Nothing left the house: the ledger rows of this claim count no more."""
    message.state, message.lease_until, message.last_error = state, None, error and error[:500]
    set_ledger(session, message.id, message.lease_token, LedgerState.RELEASED)


def _give_back(ids: Sequence[int], tokens: Mapping[int, int], channel: str, why: str, tally: Tally) -> None:
    with transaction() as session:
        now = clock.database_now(session)
        for message_id in ids:
            message = _held(session, message_id, tokens)
            if message is not None:
                retry_later(session, message, Receipt(message.uid, ReceiptKind.CONFIGURATION, "none", error=why), now)
                set_ledger(session, message_id, tokens[message_id], LedgerState.RELEASED)
                tally.postponed += 1


def _hand_back(ids: Sequence[int], tokens: Mapping[int, int], tally: Tally) -> None:
    """This process stops: what it had claimed and not begun is due again at once, for whoever goes on."""
    with transaction() as session:
        now = clock.database_now(session)
        for message_id in ids:
            message = _held(session, message_id, tokens)
            if message is not None:
                retry_later(session, message, later(message.uid, "none"), now)
                set_ledger(session, message_id, tokens[message_id], LedgerState.RELEASED)
                tally.postponed += 1
