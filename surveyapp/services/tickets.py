"""Tickets of questions on partners' pages: shown once, answered, dismissed, or given back when nobody saw them.

A ticket holds for one question, one partner and one origin. Who may be asked at all is `services/offers`.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain import tokens
from surveyapp.domain import triggers as rules
from surveyapp.domain.questions import Definition, applies, parse_definition, read_answers
from surveyapp.domain.vocabulary import Channel, LedgerState, MessageKind, MessageState, Outcome, ResponseStatus
from surveyapp.models import Customer, Invitation, Message, Response
from surveyapp.queries import contact_history
from surveyapp.queries import partners as queries
from surveyapp.queries.triggers import as_rule
from surveyapp.services import responses
from surveyapp.services.outcomes import set_ledger
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
TO_SHOW = timedelta(seconds=60)
TO_ANSWER = timedelta(minutes=30)
OWN_EVENT_LIVES = timedelta(days=1)
OWN_SOURCE = "widget"
PURPOSE = "widget"
TRAP = "web-page"  # a field that no person sees; no question can have this key


class TicketRefused(Exception):
    """The ticket is not ours, came from another origin, or its time is over."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a page sends as an answer; `answers` as a form's fields: values by the question's key."""

    score: int | None = None
    comment: str | None = None
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def trapped(self) -> bool:
        """Whether the field that no person sees was filled in."""
        return any(value.strip() for value in self.answers.get(TRAP, ()))


def on_page_only(rule: rules.Trigger) -> rules.Trigger:
    """The trigger as a visit plans it: for the page alone, and for today."""
    lives = min(rule.expires or OWN_EVENT_LIVES, OWN_EVENT_LIVES)
    return replace(rule, channels=(str(Channel.WEB),), expires=max(lives, rule.delay + TO_SHOW))


def ticket(partner_id: int, origin: str, invitation: str) -> str:
    """What lets a page show and answer one question, on that origin only."""
    return tokens.mint(PURPOSE, f"{invitation}.{partner_id}.{_mark(origin)}", _keys())


def _read_ticket(session: AnySession, text: str, origin: str, now: datetime) -> str:
    """The invitation's uid. Raises TicketRefused for another origin's ticket, one of ours that was altered, or a
    partner who may no longer ask there."""
    partner = queries.by_id(session, partner_of(text, origin), now)
    if partner is None or origin not in partner.origins:
        raise TicketRefused
    return text.split(".", 1)[0]


def partner_of(text: str, origin: str) -> int:
    """The partner whose page holds the ticket. Raises TicketRefused for one that was altered or is another origin's."""
    carried = tokens.read(PURPOSE, text, _keys())
    if carried is None:
        raise TicketRefused
    _, partner_id, mark = carried.rsplit(".", 2)
    if not hmac.compare_digest(mark, _mark(origin)):
        raise TicketRefused
    return int(partner_id)


def _mark(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()[:12]


def _keys() -> list[str]:
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def seen(text: str, what: str, origin: str) -> timedelta:
    """How long the question has been in sight, now that it was `shown` (the contact counts as made) or `dismissed`.

    Repeat-safe. Raises TicketRefused, also when the minute to show it is over: the reservation then goes back.
    """
    late = False
    with transaction() as session:
        now = clock.database_now(session)
        message = _held(session, _read_ticket(session, text, origin, now))
        invitation = message.invitation
        assert invitation is not None
        if message.state == MessageState.SENDING:
            late = message.lease_until is None or message.lease_until < now
            if late:
                _release(session, message, now)
            else:
                _show(session, message, invitation, now)
        elif message.state not in queries.REACHED:
            raise TicketRefused
        if not late and invitation.open_until and invitation.open_until < now:
            raise TicketRefused
        if not late and what == "dismissed" and invitation.answered_at is None:
            message.reason = what
        in_sight = now - (message.sent_at or now)
    if late:
        raise TicketRefused
    return in_sight


def _held(session: AnySession, uid: str) -> Message:
    query = (
        select(Message)
        .join(Message.invitation)
        .where(Invitation.uid == uid, Message.channel == Channel.WEB)
        .options(*contact_history.loaded())
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    )
    message = session.scalars(query).unique().one_or_none()
    if message is None:
        raise TicketRefused
    return message


def _show(session: AnySession, message: Message, invitation: Invitation, now: datetime) -> None:
    message.state, message.lease_until, message.provider = MessageState.SENT, None, OWN_SOURCE
    message.sent_at = message.delivered_at = now
    invitation.open_until = now + TO_ANSWER
    set_ledger(session, message.id, message.lease_token, LedgerState.SENT)


def answer(
    text: str, given: Given, origin: str, suspicious: Callable[[timedelta], bool] = lambda in_sight: False
) -> Response:
    """The answer given on the page; a first tap shows, too. Safe to repeat.

    `suspicious` says of a first answer, by how long the question was in sight, whether a machine gave it; that one and
    all that follows it is kept apart from the figures. Raises TicketRefused and what `responses.record` raises.
    """
    in_sight = seen(text, "shown", origin)
    with transaction() as session:
        uid = text.split(".", 1)[0]
        invitation = session.scalars(select(Invitation).where(Invitation.uid == uid)).one()
        before = session.scalars(select(Response).where(Response.invitation_id == invitation.id)).one_or_none()
        definition = parse_definition(invitation.survey_version.definition)
        status = ResponseStatus(before.status) if before is not None else None
        known = dict(before.answers) if before is not None else {}
        known["score"] = before.score if before is not None and given.score is None else given.score
    further = _further(definition, known, given)
    if status is None:
        status = ResponseStatus.SUSPECTED_BOT if suspicious(in_sight) else ResponseStatus.CONFIRMED
    return responses.record(
        invitation,
        score=given.score,
        comment=given.comment if given.comment is not None else next(iter(given.answers.get("comment", ())), None),
        answers=further,
        status=ResponseStatus.SUSPECTED_BOT if given.trapped else status,
        channel=str(Channel.WEB),
        trapped=given.trapped,
    )


def _further(definition: Definition, known: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """The answers to further questions, read strictly; to a question that does not apply there is none.

    Raises AnswerRefused.
    """
    answers: dict[str, Any] = {}
    for question in definition.questions:
        if question.key in given.answers and applies(question, {**known, **answers}):
            read, problems = read_answers([question], given.answers)
            if problems:
                raise responses.AnswerRefused(problems)
            answers |= {key: value for key, value in read.items() if value is not None}
    return answers


def release_unseen(limit: int = 500) -> int:
    """Give back the contacts of questions that no visitor saw within their minute; answers how many."""
    with transaction() as session:
        now = clock.database_now(session)
        messages = _stale(session, now, limit)
        for message in messages:
            _release(session, message, now)
    return len(messages)


def release_stale(session: AnySession, customer: Customer, triggers: Sequence[int], now: datetime) -> None:
    """Give back what this customer did not see in time, so that it can be offered again at once."""
    for message in _stale(session, now, 20, customer.id):
        if message.trigger_id in triggers:
            _release(session, message, now)
    session.flush()


def _stale(session: AnySession, now: datetime, limit: int, customer_id: int | None = None) -> Sequence[Message]:
    query = (
        select(Message)
        .where(Message.state == MessageState.SENDING, Message.channel == Channel.WEB, Message.lease_until < now)
        .order_by(Message.id)
        .limit(limit)
        .with_for_update(of=Message, skip_locked=True)
        .options(*contact_history.loaded())
        .execution_options(populate_existing=True)
    )
    if customer_id is not None:
        query = query.where(Message.customer_id == customer_id)
    return session.scalars(query).unique().all()


def _release(session: AnySession, message: Message, now: datetime) -> None:
    """Back to waiting as it was planned, the contact uncounted, the ticket void."""
    decision = message.decision
    assert decision is not None
    set_ledger(session, message.id, message.lease_token, LedgerState.RELEASED)
    rule = as_rule(message.trigger)
    if decision.event.source == OWN_SOURCE:
        rule = on_page_only(rule)
    customer = message.customer
    planned = rules.plan(rule, decision.event.occurred_at, customer.preferred_channel, customer.reachable)
    decision.outcome, decision.reason, decision.channel = Outcome.WAITING, None, None
    decision.not_before = max(planned.due_at, now)
    message.state, message.lease_until, message.due_at = MessageState.PLANNED, None, decision.not_before
    message.attempts = max(0, message.attempts - 1)
    message.channel = planned.channel
    message.idem_key = f"{rule.key}:{decision.event.event_id}:{planned.channel}:{MessageKind.FIRST}"
    invitation, message.invitation = message.invitation, None
    session.flush()
    if invitation is not None:
        session.delete(invitation)
        session.flush()
