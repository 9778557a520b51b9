"""Texts from people: answers, opt-outs, calls for help. Each is dealt with once; at most one text goes back.

What we say answers the person's own message, so it is no ask and no contact. Nothing is said to machines, to people
who have left, or more than a few times a day to one number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, logs
from surveyapp.channels.base import InboundText as Text
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.domain.conversation import Act, Meaning, meaning
from surveyapp.domain.identity import hashed
from surveyapp.domain.questions import (
    KINDS,
    TEXT_LIMIT,
    Definition,
    Kind,
    Question,
    applies,
    known,
    parse_definition,
    read_words,
)
from surveyapp.domain.replies import ReplyKind, read_choices, read_order
from surveyapp.domain.vocabulary import Channel, MessageKind, MessageState, Reason, ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import Brand, Customer, InboundText, Invitation, Message, Response, Suppression
from surveyapp.queries import conversations, respond
from surveyapp.queries import policy as policies
from surveyapp.queries.conversations import Texter
from surveyapp.services import customers, preferences, responses
from surveyapp.services.delivery_events import OWN_REPLY, Applied, note_call
from surveyapp.services.inserts import insert_new, insert_quietly
from surveyapp.services.outcomes import Tally, apply_receipt
from surveyapp.services.outreach import new_uid
from surveyapp.services.phones import normalise_phone
from surveyapp.services.reply_texts import ReplyTexts
from surveyapp.services.senders import configured
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
HOOK = "twilio_sms"
SOURCE = "text"
MOST_SAID = 6  # in a day, to one number
LEFT_ALONE_DAYS = 365
TAKEN_OVER_AFTER = timedelta(seconds=60)
ORDERS = {"STOP": ReplyKind.OPT_OUT, "START": ReplyKind.OPT_IN, "HELP": ReplyKind.HELP}
CLOSED = (responses.InvitationClosed, responses.AnswerWindowClosed, responses.AnswerRefused)


@dataclass(slots=True)
class Outcome:
    """What a text was taken for, and what is said back (`said` names the sentence, `text` is it)."""

    kind: str
    said: str | None = None
    text: str = ""
    customer: int | None = None
    invitation: Invitation | None = None
    open_asks: int = 0
    question: str | None = None


def receive_text(text: Text, provider: str) -> str:
    """Deal with a text from a person; answers what it was taken for, `repeated` for one that we have had.

    A text whose handling failed half-way may be delivered again: every step changes nothing the second time.
    """
    number = _number(text.sender)
    key = hashed("p", number or text.sender, current_app.config["CONTACT_PEPPER"])
    row = _take(text, provider, key)
    if row is None:
        return "repeated"
    try:
        outcome = _deal_with(text, key)
        message = _finish(row, outcome)
    except BaseException:
        _give_back(row)
        raise
    if outcome.said and number:
        _say(number, outcome, message)
    log.info("text_taken", kind=outcome.kind, said=outcome.said, ambiguous=outcome.open_asks > 1)
    return outcome.kind


def _number(sender: str) -> str | None:
    try:
        return normalise_phone(sender)
    except ValueError:
        return None


def _take(text: Text, provider: str, key: str) -> int | None:
    """The row of this text, ours to deal with; None when it has been, or is being, dealt with."""
    with transaction() as session:
        now = clock.database_now(session)
        values = {"provider": provider, "reference": text.reference, "number_key": key, "at": now, "open_asks": 0}
        new = insert_new(session, InboundText, [values], ["provider", "reference"])
        note_call(session, HOOK, now, Applied(taken=len(new), repeated=1 - len(new)))
        if new:
            return new[0].id
        known = session.scalars(
            select(InboundText)
            .where(InboundText.provider == provider, InboundText.reference == text.reference)
            .with_for_update()
        ).one()
        if known.kind is None and known.at < now - TAKEN_OVER_AFTER:
            known.at = now
            return known.id
    return None


def _give_back(row: int) -> None:
    """Let the provider's repetition try again, where the database still answers."""
    try:
        with transaction() as session:
            session.execute(delete(InboundText).where(InboundText.id == row, InboundText.kind.is_(None)))
    except Exception as problem:
        log.warning("text_not_given_back", error=type(problem).__name__)


def _deal_with(text: Text, key: str) -> Outcome:
    session = db.session
    now = clock.database_now(session)
    who = conversations.texter(session, key, now)
    order = ORDERS.get(text.provider_opt_out or "") or read_order(text.body)
    brand = session.get(Brand, 1)
    texts = ReplyTexts(brand, who.language) if brand else None
    outcome = _obey(order, who, key) if order else _answer(text, who, texts, now)
    outcome.customer = outcome.customer or (who.customers[0].id if who.customers else None)
    left = who.opted_out and outcome.kind not in (ReplyKind.OPT_IN, ReplyKind.HELP)
    if text.provider_opt_out or texts is None or who.erased or left or who.said_today >= MOST_SAID:
        outcome.said = outcome.question = None
    elif outcome.said and not outcome.text and texts:
        outcome.text = texts.say(outcome.said)
    return outcome


def _obey(order: ReplyKind, who: Texter, key: str) -> Outcome:
    """Do what the text asks besides an answer. Opting out is written before anything is said."""
    outcome = Outcome(order.value)
    if order is ReplyKind.OPT_OUT:
        for customer in who.customers:
            customers.opt_out(customer, Channel.SMS, SOURCE)
        _close_number(key)
        outcome.said = "stopped"
    elif order is ReplyKind.OPT_IN:
        closed = who.closed | ({*Channel} if "all" in who.closed else set())
        for customer in who.customers:
            preferences.save_preferences(customer, {*Channel} - closed | {Channel.SMS}, 0)
        _open_number(key)
        outcome.said = "started" if who.opted_out else None
    elif order is ReplyKind.HELP:
        outcome.said = None if who.helped_today else "help"
    elif order is ReplyKind.PEACE:
        closed = who.closed | ({*Channel} if "all" in who.closed else set())
        for customer in who.customers:
            preferences.save_preferences(customer, {*Channel} - closed, LEFT_ALONE_DAYS)
        if not who.customers:
            _close_number(key)
    return outcome


def _close_number(key: str) -> None:
    """The number itself takes no texts, whoever it will belong to."""
    with transaction() as session:
        now = clock.database_now(session)
        row = {"key": key, "channel": Channel.SMS, "reason": Reason.OPTED_OUT, "source": SOURCE, "at": now}
        insert_quietly(session, Suppression, [row], ["key", "channel", "reason"])


def _open_number(key: str) -> None:
    with transaction() as session:
        session.execute(
            delete(Suppression).where(
                Suppression.key == key,
                Suppression.channel.in_((Channel.SMS, "all")),
                Suppression.reason.in_((Reason.OPTED_OUT, Reason.PAUSED)),
            )
        )


def _answer(text: Text, who: Texter, texts: ReplyTexts | None, now: datetime) -> Outcome:
    """Bind the text to an open question and record what it says."""
    hours = int(current_app.config["RESPONSE_EDIT_HOURS"])
    asks, invitations = conversations.open_asks(db.session, [c.id for c in who.customers], now, hours)
    languages = [who.language or "en", *(texts.brand.languages if texts else ())]
    meant = meaning(text.body, asks, languages)
    if meant.ask is None or texts is None:
        return Outcome(Act.UNBOUND)
    invitation = invitations[meant.ask.invitation]
    outcome = Outcome(meant.act, customer=invitation.customer_id, invitation=invitation, open_asks=meant.open_asks)
    definition = parse_definition(invitation.survey_version.definition)
    try:
        if meant.act is Act.UNCLEAR:
            outcome.said = None if meant.ask.asked_again else "again"
            outcome.text = texts.again(definition.metric)
        elif meant.act is Act.SCORE:
            _record_score(outcome, meant, definition, text.body, texts)
        elif meant.act is Act.CORRECTION:
            _record(invitation, score=meant.score)
        else:
            _record_words(outcome, definition, text.body, languages)
            if meant.act is Act.WORDS:
                _close(outcome, texts)
    except CLOSED:
        return Outcome("too_late", customer=invitation.customer_id, invitation=invitation)
    return outcome


def _record(invitation: Invitation, **given: Any) -> Response:
    return responses.record(
        invitation,
        status=ResponseStatus.CONFIRMED,
        channel=Channel.SMS,
        language=invitation.language,
        **given,
    )


def _record_score(outcome: Outcome, meant: Meaning, definition: Definition, body: str, texts: ReplyTexts) -> None:
    """Keep the score, and the words around it if there are any; then ask the next question or say thank you."""
    assert outcome.invitation is not None
    assert meant.score is not None
    response = _record(outcome.invitation, score=meant.score, comment=None if meant.alone else body)
    definition = respond.without_known(db.session, definition, outcome.invitation, clock.now())
    question = _next_question(definition, response)
    if question is None:
        _close(outcome, texts)
    else:
        outcome.said, outcome.question = "saved", question.key
        outcome.text = texts.saved(meant.score, question, definition.group(meant.score))


def _next_question(definition: Definition, response: Response) -> Question | None:
    """The one further question that is asked by text: the first that a text can ask, applies and has no answer yet."""
    said = known(response.score, response.answers, response.context)
    asked = (q for q in definition.wanted if KINDS[q.kind].by_text and q.key not in response.answers)
    return next((question for question in asked if applies(question, said)), None)


def _record_words(outcome: Outcome, definition: Definition, body: str, languages: list[str]) -> None:
    """The words answer the question that followed; where they fit no option they are kept as the comment."""
    invitation = outcome.invitation
    assert invitation is not None
    texts = db.session.scalars(
        select(InboundText).where(InboundText.invitation_id == invitation.id).order_by(InboundText.id)
    ).all()
    awaited = conversations.awaited(texts)
    question = next((q for q in definition.questions if awaited and q.key == awaited.question), None)
    words, _ = read_words(body, TEXT_LIMIT)
    if question is not None and question.kind in (Kind.TEXT, Kind.LONG):
        _record(invitation, answers={question.key: words[:TEXT_LIMIT]})
        return
    if question is not None and question.options:
        chosen = [question.options[n - 1].key for n in read_choices(body, len(question.options), languages)]
        several = question.kind is not Kind.ONE
        if chosen and (several or len(chosen) == 1):
            _record(invitation, answers={question.key: chosen if several else chosen[0]})
            return
    before = db.session.scalar(select(Response.comment).where(Response.invitation_id == invitation.id))
    _record(invitation, comment=f"{before}\n{words}" if before else words)


def _close(outcome: Outcome, texts: ReplyTexts) -> None:
    session = db.session
    assert outcome.customer is not None
    now = clock.database_now(session)
    until = respond.earliest_ask(session, outcome.customer, policies.policy_in_force(session, now), now)
    outcome.said = "closing"
    outcome.text = texts.closing(until, session.get(Customer, outcome.customer))


def _finish(row: int, outcome: Outcome) -> Message | None:
    """Write down what the text was; with the next question, its message, begun. From here on nothing is done twice."""
    with transaction() as session:
        now = clock.database_now(session)
        text = session.get_one(InboundText, row)
        message = None
        if outcome.question and outcome.invitation:
            message = _follow_up(session, outcome.invitation.id, now)
            if message is None:  # it was asked before
                outcome.said = outcome.question = None
        text.kind, text.said, text.question = outcome.kind, outcome.said, outcome.question
        text.customer_id, text.open_asks = outcome.customer, outcome.open_asks
        text.invitation_id = outcome.invitation.id if outcome.invitation else None
    return message


def _follow_up(session: AnySession, invitation_id: int, now: datetime) -> Message | None:
    """The message that carries the next question: no contact, so nothing is booked. None when there is one."""
    first = session.scalars(
        select(Message).where(Message.invitation_id == invitation_id, Message.kind == MessageKind.FIRST)
    ).one()
    values = {
        "uid": new_uid(),
        "idem_key": f"{first.idem_key.rpartition(':')[0]}:{MessageKind.FOLLOW_UP}",
        "decision_id": first.decision_id,
        "invitation_id": invitation_id,
        "customer_id": first.customer_id,
        "trigger_id": first.trigger_id,
        "survey_id": first.survey_id,
        "channel": Channel.SMS,
        "kind": MessageKind.FOLLOW_UP,
        "tier": first.tier,
        "priority": first.priority,
        "due_at": now,
        "state": MessageState.SENDING,
        "attempts": 1,
        "lease_token": 1,
        "lease_until": now + timedelta(seconds=current_app.config["LEASE_SECONDS"]),
        "call_started_at": now,
        "created_at": now,
    }
    made = insert_new(session, Message, [values], ["idem_key"])
    return made[0] if made else None


def _say(number: str, outcome: Outcome, message: Message | None) -> None:
    """Hand the text over; never tried again, whatever becomes of it."""
    uid = message.uid if message else OWN_REPLY + new_uid()
    sender = configured().get(Channel.SMS)
    if sender is None:
        return
    settings = current_app.config
    name = settings["TWILIO_FROM"] or settings["TWILIO_MESSAGING_SERVICE_SID"] or "surveyapp"
    db.session.rollback()
    outgoing = OutgoingMessage(uid, Channel.SMS, number, name, None, outcome.text)
    receipt = next(iter(sender.send([outgoing])), Receipt(uid, ReceiptKind.UNKNOWN, sender.name))
    if receipt.kind is not ReceiptKind.ACCEPTED:
        log.warning("reply_not_sent", said=outcome.said, kind=receipt.kind)
    if message is not None:
        _settle(message.id, receipt)


def _settle(message_id: int, receipt: Receipt) -> None:
    """What became of the next question. A definite failure ends it: the person may still use the link."""
    with transaction() as session:
        held = session.scalars(
            select(Message)
            .where(Message.id == message_id, Message.state == MessageState.SENDING)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if held is None:
            return
        if receipt.kind in (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION):
            receipt = Receipt(receipt.uid, ReceiptKind.REFUSED, receipt.provider, error=receipt.error)
        apply_receipt(session, held, receipt, clock.database_now(session), Tally())
