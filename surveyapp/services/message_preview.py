"""What a trigger's messages look like to a sample customer, and a test of one to a colleague's own address.

Books no contact and makes no invitation: the rows are never part of a session, and the links open nothing.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import current_app

from surveyapp import clock
from surveyapp.channels.base import OutgoingMessage, Receipt
from surveyapp.domain import segments
from surveyapp.domain.selling import promotions, words_for
from surveyapp.domain.vocabulary import Channel, MessageKind
from surveyapp.extensions import db
from surveyapp.models import Brand, Customer, Event, Invitation, Message, SurveyVersion, Trigger
from surveyapp.queries import message_preview as queries
from surveyapp.queries import policy as policies
from surveyapp.queries.catalog import read_yaml
from surveyapp.services import audit, senders
from surveyapp.services.messages import MessageNotRenderable, compose
from surveyapp.services.transaction import transaction

MARK = "[Test]"
EMAIL = "ada@customers.example"
PHONE = "+447700900123"  # of the range that is kept for fiction
UID = "PreviewPreviewPreview0"  # as long as a real one; no invitation has it
SLUG = "Preview-00"  # as long as a real one, with a character that no real one has
NO_KEY = "a preview opens nothing"


class NothingToTest(Exception):
    """There is no such trigger, it sends no e-mail, or its e-mail cannot be written; the message says which."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text message, what it takes, and what that costs where a price per segment is set."""

    message: OutgoingMessage
    length: segments.Segments
    price: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A trigger's messages in one language. `problem` says why one that should be here cannot be written."""

    email: OutgoingMessage | None
    text: Text | None
    reminds: bool
    problem: str | None
    warnings: tuple[str, ...] = ()
    """What in the messages sells, though nothing in an ask may."""


def preview(key: str, language: str, kind: MessageKind = MessageKind.FIRST) -> Preview | None:
    """The trigger's messages as a sample customer would get them now; None without such a trigger."""
    with db.session.no_autoflush:
        trigger = queries.trigger_named(db.session, key)
        brand = db.session.get(Brand, 1)
        if trigger is None or brand is None:
            return None
        made: dict[str, OutgoingMessage] = {}
        problem = None
        for channel in (Channel.EMAIL, Channel.SMS):
            if channel in trigger.channels:
                try:
                    made[channel] = _composed(trigger, brand, channel, language, kind, EMAIL)
                except MessageNotRenderable as found:
                    problem = str(found)
        text = made.get(Channel.SMS)
        return Preview(
            email=made.get(Channel.EMAIL),
            text=_text(text) if text else None,
            reminds=bool((trigger.definition or {}).get("reminder")),
            problem=problem,
            warnings=_warnings(made.values(), brand, language),
        )


def preview_definition(definition: Mapping[str, Any], language: str, trigger_key: str | None) -> Preview | None:
    """What a survey that need not be published would be sent as, after its trigger's event where there is one."""
    with db.session.no_autoflush:
        trigger = queries.trigger_named(db.session, trigger_key) if trigger_key else None
        brand = db.session.get(Brand, 1)
        if brand is None:
            return None
        made: dict[str, OutgoingMessage] = {}
        problem = None
        for channel in (Channel.EMAIL, Channel.SMS):
            version = SurveyVersion(definition=dict(definition), number=0)
            try:
                made[channel] = _written(version, trigger, brand, channel, language, MessageKind.FIRST, EMAIL)
            except MessageNotRenderable as found:
                problem = str(found)
        text = made.get(Channel.SMS)
        return Preview(made.get(Channel.EMAIL), _text(text) if text else None, False, problem)


def send_test(key: str, language: str, recipient: str, kind: MessageKind = MessageKind.FIRST) -> Receipt:
    """The trigger's e-mail, marked as a test, has been handed to the configured sender once; what the sender said.

    Raises NothingToTest, and then nothing has left.
    """
    trigger, brand = queries.trigger_named(db.session, key), db.session.get(Brand, 1)
    if trigger is None or brand is None or Channel.EMAIL not in trigger.channels:
        raise NothingToTest(f"{key} sends no e-mail")
    try:
        message = _composed(trigger, brand, Channel.EMAIL, language, kind, recipient)
    except MessageNotRenderable as problem:
        raise NothingToTest(str(problem)) from problem
    db.session.rollback()  # no transaction is open while the provider is asked
    [receipt] = senders.configured()[Channel.EMAIL].send([replace(message, subject=f"{MARK} {message.subject}")])
    with transaction() as session:
        detail = {"language": language, "kind": str(kind), "outcome": str(receipt.kind), "provider": receipt.provider}
        audit.note(session, "message.tested", key, detail)
    return receipt


def _warnings(messages: Iterable[OutgoingMessage], brand: Brand, language: str) -> tuple[str, ...]:
    words = words_for(read_yaml("review.yaml"), language).get("promotional", ())
    ours = [current_app.config["BASE_URL"], brand.privacy_url or "", brand.contact or ""]
    said = [text for message in messages for text in (message.subject, message.text)]
    return tuple(promotions([text for text in said if text], words, ours))


def price_of(parts: int, price: str) -> str | None:
    """What that many segments cost at a price such as `0.045 EUR` each; None without a price."""
    amount, _, currency = price.partition(" ")
    return f"{Decimal(amount) * parts} {currency}" if amount else None


def _text(message: OutgoingMessage) -> Text:
    length = segments.count(message.text)
    return Text(message, length, price_of(length.parts, current_app.config["SMS_SEGMENT_PRICE"]))


def _composed(
    trigger: Trigger, brand: Brand, channel: Channel, language: str, kind: MessageKind, recipient: str
) -> OutgoingMessage:
    version = queries.version_asked(db.session, trigger)
    if version is None:
        raise MessageNotRenderable("the survey has no published version")
    return _written(version, trigger, brand, channel, language, kind, recipient)


def _written(
    version: SurveyVersion,
    trigger: Trigger | None,
    brand: Brand,
    channel: Channel,
    language: str,
    kind: MessageKind,
    recipient: str,
) -> OutgoingMessage:
    now = clock.now()
    customer = Customer(email=recipient, phone=PHONE, language=language)
    happened = Event(step_id=trigger.step_id, occurred_at=_happened(trigger, now)) if trigger else None
    invitation = Invitation(
        uid=UID, customer=customer, survey_version=version, event=happened, channel=channel, language=language
    )
    if channel == Channel.SMS:
        invitation.short_slug = SLUG
    uid = f"test-{secrets.token_urlsafe(12)}"
    message = Message(uid=uid, kind=kind, channel=channel, invitation=invitation, customer=customer)
    return compose(message, _inert(current_app.config), brand, policies.policy_in_force(db.session, now))


def _happened(trigger: Trigger, now: datetime) -> datetime:
    """When the sample's event was, for an ask that is due now."""
    return now - timedelta(seconds=trigger.delay_seconds or 0)


def _inert(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings but for the secret, so that the links look as they will and no page opens by them."""
    return {**settings, "SECRET_KEY": NO_KEY, "SECRET_KEY_FALLBACKS": []}
