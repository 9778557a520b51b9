"""Claims due messages: locks the people, decides, books the contact, leases the message. Sends nothing.

One transaction holds the whole of it, so that checking and counting can never come apart. Message rows are
taken first (skipping those another dispatcher holds), then the people's keys in sorted order; nobody locks the
other way round.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Select, insert, or_, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints, logs
from surveyapp.domain.eligibility import decide, rank
from surveyapp.domain.facts import Ask, Facts, verdict_json
from surveyapp.domain.facts import Decision as Ruling
from surveyapp.domain.policy import Policy
from surveyapp.domain.tokens import short_slug
from surveyapp.domain.vocabulary import Channel, LedgerState, MessageKind, MessageState, Outcome, Reason
from surveyapp.domain.wording import choose_language
from surveyapp.models import Brand, ChannelState, ContactSubject, Customer, Invitation, LedgerEntry, Message
from surveyapp.queries import contact_clock, contact_history, rivals
from surveyapp.queries import policy as policies
from surveyapp.queries.contact_history import History
from surveyapp.services import pacing
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
MOST_CLAIMS = 3
OPEN_FOR = {"email": timedelta(days=14), "sms": timedelta(days=3), "web": timedelta(minutes=30)}


class PeopleChanged(Exception):
    """Records were united or an address changed between reading whose keys to lock and holding them."""


@dataclass(slots=True)
class Claim:
    """What one claim did. `messages` are ours to send: row id and the lease token that proves it."""

    messages: list[tuple[int, int]] = field(default_factory=list)
    channels: dict[int, str] = field(default_factory=dict)
    seen: int = 0
    refused: int = 0
    postponed: int = 0
    dead: int = 0


def claim(limit: int) -> Claim:
    """Decide up to `limit` due messages in one transaction and lease those that are to be sent.

    A lock that cannot be had within two seconds gives the batch up; its messages are tried one at a time, and
    one that still cannot be locked is put off by five seconds.
    """
    try:
        return _claim(limit, None)
    except (OperationalError, PeopleChanged):
        log.warning("claim_gave_way", limit=limit)
    total = Claim()
    for message_id in _due_ids(limit):
        try:
            one = _claim(1, message_id)
        except (OperationalError, PeopleChanged):
            _put_off(message_id)
            continue
        total.messages += one.messages
        total.channels |= one.channels
        for name in ("seen", "refused", "postponed", "dead"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return total


def _claim(limit: int, only: int | None) -> Claim:
    done = Claim()
    with transaction() as session:
        short_waits(session)
        pacing.hold(session)
        messages = _take_due(session, limit, only)
        if not messages:
            return done
        done.seen = len(messages)
        batch = Batch(read_setting(session, messages), done)
        for message in messages:
            batch.settle(message)
        batch.write()
        pacing.charge(session, done.channels.values(), batch.now)
    failpoints.reached("claim_committed")
    return done


@dataclass(frozen=True, slots=True)
class Setting:
    """All that is read for a batch, once, while the people's keys are held; `now` is the instant that counts."""

    session: AnySession
    policy: Policy
    history: History
    planned: Sequence[Message]
    now: datetime
    brand: Brand | None


def read_setting(session: AnySession, messages: Sequence[Message]) -> Setting:
    """Lock the people behind these messages (loaded, their rows locked) and read what is known of them.

    Raises PeopleChanged when somebody's keys changed while they were waited for.
    """
    _follow_merges(session, messages)
    customers = sorted({m.customer_id for m in messages})
    keys = contact_history.keys_of(session, customers)
    now = lock_people(session, sorted({key for one in keys.values() for key in one}))
    if contact_history.keys_of(session, customers) != keys:
        raise PeopleChanged
    policy = policies.policy_in_force(session, now)
    brand = session.get(Brand, 1)
    planned = rivals.planned_for(session, customers, policy, now)
    keys |= contact_history.keys_of(session, sorted({m.customer_id for m in planned} - set(customers)))
    everything = [*messages, *(m for m in planned if m not in messages)]
    zone = brand.timezone if brand else "UTC"
    history = contact_history.read_history(session, everything, keys, policy, now, zone)
    return Setting(session, policy, history, planned, now, brand)


def _follow_merges(session: AnySession, messages: Sequence[Message]) -> None:
    """A message whose record was united with another while it was held goes to the person now."""
    for message in messages:
        if message.customer.merged_into_id is not None:
            head = session.get_one(Customer, message.customer.merged_into_id)
            message.customer, message.customer_id = head, head.id
            if message.decision is not None and message.kind == MessageKind.FIRST:
                message.decision.customer_id = head.id


def short_waits(session: AnySession) -> None:
    """Give up on a lock that cannot be had within two seconds."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL lock_timeout = '2s'"))


def _take_due(session: AnySession, limit: int, only: int | None) -> list[Message]:
    """Due messages, moments of truth first, locked; those held by another dispatcher are left to it."""
    now = clock.database_now(session)
    taken: list[int] = []
    for tier in (1, 2, 3):
        query = _due(now).where(Message.tier == tier).limit(limit - len(taken))
        if only is not None:
            query = query.where(Message.id == only)
        taken += session.scalars(query.with_for_update(skip_locked=True)).all()
        if len(taken) >= limit:
            break
    return sorted(contact_history.load(session, taken), key=_turn) if taken else []


def _turn(message: Message) -> tuple[Any, ...]:
    """Moments of truth first, then what was due earlier; asks due at one instant by their rank, on every database."""
    assert message.decision is not None
    occurred_at = message.decision.event.occurred_at
    tier, *better = rank(message.tier, message.priority, message.expires_at, occurred_at)
    return (tier, message.due_at, *better, message.id)


def _due(now: datetime) -> Select[int]:
    """Planned messages whose time has come, on channels that are open."""
    everything = select(ChannelState.channel).where(ChannelState.channel == "all", ChannelState.paused_until > now)
    return (
        select(Message.id)
        .where(Message.state == MessageState.PLANNED, Message.due_at <= now, Message.channel.not_in(pacing.closed(now)))
        .where(~everything.exists())
        .order_by(Message.due_at)
    )


def _due_ids(limit: int) -> list[int]:
    with transaction() as session:
        return list(session.scalars(_due(clock.database_now(session)).limit(limit)))


def _put_off(message_id: int) -> None:
    with transaction() as session:
        later = clock.database_now(session) + timedelta(seconds=5)
        session.execute(
            update(Message).where(Message.id == message_id, Message.state == MessageState.PLANNED).values(due_at=later)
        )


def lock_people(session: AnySession, keys: Sequence[str]) -> datetime:
    """Lock the contact keys, in order, until the transaction ends; the instant that counts from here on.

    The rows are changed, not only locked, so that no snapshot older than the lock can count. The instant is
    never earlier than the last contact of any of the keys, whatever the clocks say.
    """
    insert_quietly(session, ContactSubject, [{"key": key, "ver": 0} for key in keys], ["key"])
    subject = ContactSubject
    if session.get_bind().dialect.name == "postgresql":
        held = select(subject.key).where(subject.key.in_(keys)).order_by(subject.key).with_for_update()
        session.execute(held).all()
    session.execute(
        update(subject)
        .where(subject.key.in_(keys))
        .values(ver=subject.ver + 1)
        .execution_options(synchronize_session=False)
    )
    return contact_clock.instant_for(session, keys)


class Batch:
    """One claim while it is being decided: later messages see what earlier ones booked."""

    def __init__(self, setting: Setting, done: Claim) -> None:
        self.session, self.policy, self.history = setting.session, setting.policy, setting.history
        self.now, self.brand = setting.now, setting.brand
        self.done = done
        self.pepper: str = current_app.config["CONTACT_PEPPER"]
        self.lease = timedelta(seconds=current_app.config["LEASE_SECONDS"])
        self.ledger: list[dict[str, Any]] = []
        self.invitations: list[tuple[Message, dict[str, Any]]] = []
        self.touched: set[str] = set()
        self.rivals = rivals.Rivals(self.policy, self.history, setting.planned, self.now, self.pepper)

    def settle(self, message: Message) -> None:
        """Decide one message and write down what follows."""
        if message.state != MessageState.PLANNED:
            return  # it yielded to an earlier one of this batch
        if message.attempts >= MOST_CLAIMS:
            message.state, message.last_error = MessageState.DEAD, "claimed three times without an outcome"
            self.done.dead += 1
            return
        if message.kind != MessageKind.FIRST and message.invitation and message.invitation.answered_at:
            message.state, message.reason = MessageState.CANCELLED, "answered"
            self.done.refused += 1
            return
        facts, ruling = self.ruling(message)
        if ruling.outcome is Outcome.ASKED:
            if not self._queued_on(message, ruling.channel):
                self.done.postponed += 1  # the channel chosen is closed: decided anew when it opens
                return
            self.ask(message, facts, ruling)
        elif ruling.outcome is Outcome.WAITING:
            assert ruling.not_before is not None
            message.due_at, message.reason = ruling.not_before, ruling.reason
            self.done.postponed += 1
        else:
            message.state, message.reason = MessageState.REFUSED, ruling.reason
            self.done.refused += 1
        if message.settles_decision or message.fails_over and ruling.outcome is Outcome.ASKED:
            write_ruling(message, ruling, self.policy, self.now)

    def ruling(self, message: Message) -> tuple[Facts, Ruling]:
        """What is known of the ask and what `decide` says to it."""
        facts = contact_history.facts_of(self.history, message, self.now, self.rivals.of(message))
        return facts, decide(facts, self.policy, self.now, self.pepper)

    def ask(self, message: Message, facts: Facts, ruling: Ruling) -> None:
        """Reserve the contact and lease the message."""
        assert ruling.channel is not None
        if message.kind == MessageKind.FIRST:
            self._yield_lesser(message)
            if message.invitation_id is None:
                self.invitations.append((message, self.invitation(message, ruling)))
        if ruling.channel == Channel.SMS and message.invitation and message.invitation.short_slug is None:
            message.invitation.short_slug = short_slug()
        self._queued_on(message, ruling.channel)
        message.state, message.reason = MessageState.SENDING, None
        message.attempts += 1
        message.lease_token += 1
        message.lease_until = self.now + self.lease
        message.call_started_at = None
        self._book(message, facts, ruling.channel)
        self.done.messages.append((message.id, message.lease_token))
        self.done.channels[message.id] = ruling.channel

    def _queued_on(self, message: Message, channel: str | None) -> bool:
        """Queue the message on the channel chosen; whether that is open, as the one it was queued on is."""
        if message.channel == channel or channel is None:
            return True
        message.channel = channel
        if message.invitation is not None:
            message.invitation.channel = channel
        message.idem_key = f"{message.idem_key.rsplit(':', 2)[0]}:{channel}:{message.kind}"
        return channel == Channel.WEB or channel not in self.session.scalars(pacing.closed(self.now)).all()

    def _yield_lesser(self, message: Message) -> None:
        for loser, verdicts in self.rivals.beaten_by(message):
            if not self._still_planned(loser):
                continue
            ruling = Ruling(Outcome.REFUSED, Reason.YIELDED, loser.channel, verdicts, None, 1.0)
            loser.state, loser.reason = MessageState.REFUSED, Reason.YIELDED
            if loser.settles_decision:
                write_ruling(loser, ruling, self.policy, self.now)
            self.done.refused += 1

    def _still_planned(self, message: Message) -> bool:
        """Whether the message is ours to settle; one that another dispatcher holds is left to it."""
        held = select(Message.state).where(Message.id == message.id).with_for_update(skip_locked=True)
        return self.session.scalar(held) == MessageState.PLANNED

    def invitation(self, message: Message, ruling: Ruling) -> dict[str, Any]:
        """The row of the invitation that the ask makes."""
        assert message.decision is not None
        assert ruling.channel is not None
        return {
            "uid": secrets.token_urlsafe(16),
            "short_slug": short_slug() if ruling.channel == Channel.SMS else None,
            "customer_id": message.customer_id,
            "survey_version_id": self.history.versions[message.survey_id],
            "trigger_id": message.trigger_id,
            "event_id": message.decision.event_id,
            "decision_id": message.decision_id,
            "channel": ruling.channel,
            "language": language_for(message.customer.language, self.brand),
            "inclusion": ruling.inclusion,
            "created_at": self.now,
            "open_until": self.now + OPEN_FOR[ruling.channel],
        }

    def _book(self, message: Message, facts: Facts, channel: str) -> None:
        """One ledger row per contact key of the person; it counts from now on."""
        candidate = facts.candidate
        keys = self.history.keys[message.customer_id]
        for key in keys:
            self.ledger.append(
                {
                    "message_id": message.id,
                    "subject_key": key,
                    "claim_no": message.lease_token,
                    "channel": channel,
                    "at": self.now,
                    "state": LedgerState.RESERVED,
                    "kind": message.kind,
                    "decision": candidate.decision,
                    "tier": candidate.tier,
                    "survey": candidate.survey,
                    "survey_group": candidate.group,
                    "step": candidate.step,
                    "instance": candidate.instance,
                    "policy_version": self.policy.version,
                }
            )
        self.touched.update(keys)
        ask = Ask(
            f"m{message.id}",
            candidate.decision,
            self.now,
            channel,
            message.kind,
            candidate.tier,
            candidate.survey,
            candidate.group,
            candidate.step,
            candidate.instance,
        )
        self.history.remember(keys, ask)
        if candidate.instance is not None:
            taken = self.history.already.setdefault((message.customer_id, message.survey_id, candidate.instance), [])
            taken.append((message.decision_id, candidate.decision))

    def write(self) -> None:
        """Put the invitations, the ledger rows and the keys' last contact into the database."""
        if self.invitations:
            new = insert(Invitation).returning(Invitation.uid, Invitation.id)
            made = self.session.execute(new, [row for _, row in self.invitations])
            ids = {row.uid: row.id for row in made}
            for message, row in self.invitations:
                message.invitation_id = ids[row["uid"]]
        if self.ledger:
            self.session.execute(insert(LedgerEntry), self.ledger)
            self.session.execute(
                update(ContactSubject)
                .where(ContactSubject.key.in_(self.touched))
                .where(or_(ContactSubject.last_at.is_(None), ContactSubject.last_at < self.now))
                .values(last_at=self.now)
                .execution_options(synchronize_session=False)
            )


def write_ruling(message: Message, ruling: Ruling, policy: Policy, now: datetime) -> None:
    """Keep the decision of a first message: outcome, reason, channel and every verdict."""
    decision = message.decision
    assert decision is not None
    decision.outcome = ruling.outcome
    decision.reason = ruling.reason
    decision.channel = ruling.channel if ruling.outcome is Outcome.ASKED else None
    decision.verdicts = [verdict_json(v) for v in ruling.verdicts]
    decision.policy_version = policy.version
    decision.inclusion = ruling.inclusion
    decision.not_before = ruling.not_before
    decision.decided_at = now


def language_for(wanted: str | None, brand: Brand | None) -> str:
    """The brand language nearest to the customer: the same, then the same without its region, else its own."""
    return choose_language([wanted], brand.languages, brand.language) if brand else wanted or "en"
