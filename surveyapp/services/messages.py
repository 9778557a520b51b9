"""Turns a planned message into what leaves: subject, HTML, text and headers. A pure function of the rows it is given.

The same rows, settings and policy give the same bytes; nothing is read from the database, the clock or a request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import TemplateError

from surveyapp.channels.base import OutgoingMessage
from surveyapp.domain import promise, segments, tokens
from surveyapp.domain.messages import UnsafeHeader, header, one_line
from surveyapp.domain.palette import DEFAULT, palette
from surveyapp.domain.policy import Policy
from surveyapp.domain.scores import METRICS, Metric
from surveyapp.domain.vocabulary import Channel, MessageKind
from surveyapp.domain.wording import as_text_message, fill, in_language
from surveyapp.models import Brand, Invitation, Message
from surveyapp.queries import catalog
from surveyapp.queries.message_templates import template
from surveyapp.queries.words import Words, words

PATHS = {"answer": "s", "opt_out": "u", "preferences": "p"}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class MessageNotRenderable(Exception):
    """The message cannot be built from its rows, now or later; trying again gives the same."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of the scale as a link. `spoken` is its name for a screen reader."""

    value: int
    label: str
    link: str

    @property
    def spoken(self) -> str:
        return f"{self.value}, {self.label}" if self.label else str(self.value)


def compose(
    message: Message,
    settings: Mapping[str, Any],
    brand: Brand,
    policy: Policy | None = None,
    valid_until: datetime | None = None,
) -> OutgoingMessage:
    """What leaves for this message. `valid_until` is when a text message must no longer be delivered.

    Raises MessageNotRenderable when the rows do not make a message: no address, an unknown metric, a value that
    would break a header.
    """
    try:
        ask = _Ask(message, settings, brand, policy)
        if message.kind == MessageKind.FOLLOW_UP:
            raise MessageNotRenderable("a follow-up is written when its answer comes in, not planned")
        if message.channel == Channel.EMAIL:
            return _email(ask)
        if message.channel == Channel.SMS:
            return _text_message(ask, valid_until or message.expires_at)
    except (KeyError, TypeError, UnsafeHeader, MessageError, TemplateError) as problem:
        raise MessageNotRenderable(f"{type(problem).__name__}: {problem}") from problem
    raise MessageNotRenderable(f"nothing is sent by {message.channel}")


class _Ask:
    """Everything the templates need of one ask, cleaned once."""

    def __init__(self, message: Message, settings: Mapping[str, Any], brand: Brand, policy: Policy | None) -> None:
        if message.invitation is None:
            raise MessageNotRenderable("the message has no invitation")
        self.message = message
        self.invitation: Invitation = message.invitation
        self.settings = settings
        self.brand_row = brand
        self.brand = one_line(brand.name)
        self.policy = policy
        definition = self.invitation.survey_version.definition
        self.metric: Metric = METRICS[definition["metric"]]
        self.words: Words = words(self.invitation.language)
        self.texts = catalog.read_yaml(f"messages/{self.words.texts['language']}.yaml")
        self.about = one_line(in_language(definition.get("about") or {}, self.invitation.language, brand.language))
        self.question = self.words.question(self.metric.key, self.brand, self.about)
        self.labels = self.words.labels(self.metric.key)
        self.further = _further(definition.get("follow_up"))
        keys = [settings["SECRET_KEY"], *settings["SECRET_KEY_FALLBACKS"]]
        self.tokens = {purpose: tokens.mint(purpose, self.invitation.uid, keys) for purpose in PATHS}
        self.links = {purpose: f"{settings['BASE_URL']}/{PATHS[purpose]}/{self.tokens[purpose]}" for purpose in PATHS}
        short = self.invitation.short_slug
        self.short_link = f"{settings['BASE_URL']}/t/{short}" if short else self.links["answer"]

    @cached_property
    def day(self) -> str | None:
        """The day of the event where it happened, or None for an ask without a step."""
        event = self.invitation.event
        if event is None or event.step_id is None:
            return None
        return self.words.day(event.occurred_at.astimezone(_zone(event.timezone, self.brand_row.timezone)).date())

    def say(self, section: str, name: str, **values: object) -> str:
        return fill(str(self.texts[section][name]), {"brand": self.brand, "about": self.about, **values})

    def choose(self, section: str, name: str, form: str, **values: object) -> str:
        return fill(str(self.texts[section][name][form]), {"brand": self.brand, "about": self.about, **values})

    def choices(self) -> list[Choice]:
        """The scale, lowest first."""
        link = self.links["answer"]
        return [Choice(value, self.labels.get(value, ""), f"{link}?score={value}") for value in self.metric.scale]


def _further(follow_up: object) -> int:
    """How many questions may follow the first; a box for a comment alone is none, since nothing is asked with it."""
    listed = follow_up if isinstance(follow_up, list) else []
    asked = [one for one in listed if one != "comment" and not (isinstance(one, dict) and one.get("kind") == "comment")]
    return len(listed) if asked else 0


def _email(ask: _Ask) -> OutgoingMessage:
    recipient = ask.message.customer.email
    if not recipient:
        raise MessageNotRenderable("the customer has no e-mail address")
    values = _email_values(ask)
    sender = _sender(ask.settings["EMAIL_FROM"], ask.brand)
    return OutgoingMessage(
        uid=ask.message.uid,
        channel=Channel.EMAIL,
        recipient=header("To", recipient),
        sender=header("From", str(sender)),
        subject=header("Subject", str(values["subject"])),
        text=template("email/ask.txt").render(values),
        html=template("email/ask.html").render(values),
        headers=_headers(ask, sender),
        merge=ask.tokens,
    )


def _email_values(ask: _Ask) -> dict[str, Any]:
    choices = ask.choices()
    flat = ask.metric.layout == "horizontal"
    form, about = "number" if flat else "label", "about" if ask.about else "plain"
    subject = "reminder_subject" if ask.message.kind == MessageKind.REMINDER else "subject"
    more, n = "_more" if ask.further else "", ask.further
    dated = "dated" if ask.day else "plain"
    intro = "dated" if ask.day and ask.about else about
    own = {name: colour for name, colour in ask.brand_row.palette.items() if _is_colour(colour)}
    return (
        palette(DEFAULT)
        | own
        | {
            "lang": ask.words.language,
            "dir": ask.words.direction,
            "start": "right" if ask.words.direction == "rtl" else "left",
            "end": "left" if ask.words.direction == "rtl" else "right",
            "tracking": "normal" if ask.words.direction == "rtl" else "-.3px",
            "subject": one_line(ask.choose("email", subject + more, about)),
            "preheader": ask.choose("email", "preheader" + more, form, low=ask.metric.low, high=ask.metric.high, n=n),
            "brand": ask.brand,
            "initial": ask.brand[:1].upper(),
            "logo": _web_address(ask.brand_row.logo),
            "intro": ask.choose("email", "intro" + more, intro, date=ask.day, n=n),
            "question": ask.question,
            "layout": ask.metric.layout,
            "choices": choices if flat else choices[::-1],
            "choices_down": choices[::-1],
            "hint": ask.choose("email", "hint", form),
            "open": ask.say("email", "open"),
            "because": ask.choose("email", "because", dated, date=ask.day),
            "promise": promise.in_words(promise.at_most(ask.policy) if ask.policy else None, ask.texts["promise"]),
            "links": {**ask.links, "privacy": _web_address(ask.brand_row.privacy_url)},
            "opt_out": ask.words.say("short.opt_out"),
            "preferences": ask.words.say("page.preferences"),
            "privacy": ask.words.say("page.privacy"),
            "postal_address": _postal_address(ask),
        }
    )


def _postal_address(ask: _Ask) -> str:
    """The brand's name and address on one line; empty when the brand gave none."""
    address = one_line(ask.brand_row.postal_address or "")
    return address if not address or address.startswith(ask.brand) else f"{ask.brand}, {address}"


def _headers(ask: _Ask, sender: Address) -> dict[str, str]:
    host = urlsplit(ask.settings["BASE_URL"]).hostname or "localhost"
    headers = {
        "Message-ID": f"<{ask.message.uid}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": f"<{ask.links['opt_out']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<questions.{host}>",
    }
    return {name: header(name, value) for name, value in headers.items()}


@lru_cache(maxsize=8)
def _sender(configured: str, brand: str) -> Address:
    """The configured sender; a bare address is shown under the brand's name."""
    name, address = parseaddr(configured)
    return Address(display_name=one_line(name) or brand, addr_spec=header("From", address))


def _text_message(ask: _Ask, valid_until: datetime | None) -> OutgoingMessage:
    recipient = ask.message.customer.phone
    if not recipient:
        raise MessageNotRenderable("the customer has no phone number")
    named = ask.brand in ask.question
    ends = {
        "low": ask.metric.low,
        "high": ask.metric.high,
        "low_label": _lower_first(ask.labels.get(ask.metric.low, "")),
        "high_label": _lower_first(ask.labels.get(ask.metric.high, "")),
    }
    text = template("sms/ask.txt").render(
        asked=ask.question if named else ask.say("sms", "named", text=ask.question),
        how=ask.say("sms", "how", **ends),
        stop=ask.say("sms", "stop"),
        link=ask.short_link,
    )
    text = as_text_message(text.strip())
    if segments.count(text).too_long:
        raise MessageNotRenderable(f"the text is longer than {segments.LONGEST} characters")
    settings = ask.settings
    sender = settings["TWILIO_FROM"] or settings["TWILIO_MESSAGING_SERVICE_SID"] or ask.brand
    return OutgoingMessage(
        uid=ask.message.uid,
        channel=Channel.SMS,
        recipient=recipient,
        sender=sender,
        subject=None,
        text=text,
        valid_until=valid_until,
    )


def _lower_first(label: str) -> str:
    return label[:1].lower() + label[1:]


def _zone(*names: str | None) -> ZoneInfo:
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def _web_address(address: str | None) -> str | None:
    return address if address and address.startswith(("https://", "http://")) else None


def _is_colour(value: object) -> bool:
    return isinstance(value, str) and _COLOUR.fullmatch(value) is not None
