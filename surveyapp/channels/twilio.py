"""Twilio: text messages out and in, signed hooks, and its error codes in our words.

The real service was never called while this was written: the codes come from its specification and library.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress as ignoring
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.util import make_headers

from surveyapp.channels.base import (
    DeliveryEvent,
    DeliveryKind,
    InboundText,
    Now,
    OutgoingMessage,
    Receipt,
    ReceiptKind,
    Store,
)
from surveyapp.channels.calls import Answer, Caller, seconds_to_wait
from surveyapp.channels.deadlines import TOTAL, Doubtful, NotSent, handover
from surveyapp.domain import tokens
from surveyapp.domain.vocabulary import Channel

NAME = "twilio"
STATUS_PATH = "/hooks/twilio/status"
CALLBACK = "sms_status"  # what a callback's token is for
LONGEST_VALIDITY = timedelta(hours=10)


@dataclass(frozen=True, slots=True)
class Code:
    """What one of its error codes means: for a call that fails with it, and for the address."""

    kind: ReceiptKind
    words: str
    suppress: str | None = None
    alone: bool = False  # it lies with this phone: everybody else's texts go on


CODES = {
    # the number cannot be reached by text, now or later
    21211: Code(ReceiptKind.REFUSED, "no valid number", "bounced"),
    21614: Code(ReceiptKind.REFUSED, "no mobile number", "bounced"),
    21635: Code(ReceiptKind.REFUSED, "a landline", "bounced"),
    30005: Code(ReceiptKind.REFUSED, "unknown number", "bounced"),
    30006: Code(ReceiptKind.REFUSED, "landline or unreachable carrier", "bounced"),
    # the person has opted out with the provider
    21610: Code(ReceiptKind.REFUSED, "opted out with the provider", "opted_out"),
    # this text is not let through: not to be tried again as it is
    21408: Code(ReceiptKind.REFUSED, "texts to this country are not enabled"),
    30004: Code(ReceiptKind.REFUSED, "blocked"),
    30007: Code(ReceiptKind.REFUSED, "filtered as spam"),
    30036: Code(ReceiptKind.REFUSED, "validity expired"),
    30610: Code(ReceiptKind.REFUSED, "blocked for quiet hours"),
    # for now
    20429: Code(ReceiptKind.RETRY, "too many requests"),
    21611: Code(ReceiptKind.RETRY, "the sender's queue is full"),
    30001: Code(ReceiptKind.RETRY, "queue overflow"),
    30003: Code(ReceiptKind.RETRY, "handset unreachable", alone=True),
    30008: Code(ReceiptKind.RETRY, "unknown carrier error", alone=True),
    # our account
    20003: Code(ReceiptKind.CONFIGURATION, "wrong credentials"),
    20404: Code(ReceiptKind.CONFIGURATION, "no such account"),
    21606: Code(ReceiptKind.CONFIGURATION, "the sender is not ours"),
    21608: Code(ReceiptKind.CONFIGURATION, "a trial account"),
    30034: Code(ReceiptKind.CONFIGURATION, "the sender is not registered"),
}
# Where the answer carries no code we know. Other 4xx are refusals of this text; 5xx is unknown.
STATUSES = {
    301: ReceiptKind.CONFIGURATION,
    302: ReceiptKind.CONFIGURATION,
    307: ReceiptKind.CONFIGURATION,
    308: ReceiptKind.CONFIGURATION,
    401: ReceiptKind.CONFIGURATION,
    403: ReceiptKind.CONFIGURATION,
    404: ReceiptKind.CONFIGURATION,
    405: ReceiptKind.CONFIGURATION,
    408: ReceiptKind.RETRY,
    429: ReceiptKind.RETRY,
}
MESSAGE_STATES = {
    "accepted": DeliveryKind.ACCEPTED,
    "scheduled": DeliveryKind.ACCEPTED,
    "queued": DeliveryKind.ACCEPTED,
    "sending": DeliveryKind.ACCEPTED,
    "sent": DeliveryKind.ACCEPTED,
    "delivered": DeliveryKind.DELIVERED,
    "read": DeliveryKind.DELIVERED,
    "undelivered": DeliveryKind.FAILED,
    "failed": DeliveryKind.FAILED,
    "canceled": DeliveryKind.FAILED,
}


def build(settings: Mapping[str, Any], store: Store, now: Now) -> "Twilio":
    """The sender for this account; `TWILIO_API_URL` points it at a stand-in."""
    service, number = settings["TWILIO_MESSAGING_SERVICE_SID"], settings["TWILIO_FROM"]
    return Twilio(
        settings["TWILIO_ACCOUNT_SID"],
        settings["TWILIO_AUTH_TOKEN"],
        {"messaging_service_sid": service} if service else {"from_": number},
        _Kept(settings["TWILIO_API_URL"]),
        status_callback=settings["BASE_URL"] + STATUS_PATH,
        keys=[settings["SECRET_KEY"], *settings["SECRET_KEY_FALLBACKS"]],
        now=now,
    )


class _Kept(HttpClient):  # type: ignore[misc]
    """The library's transport over kept connections with a deadline; its own waits for ever."""

    def __init__(self, address: str) -> None:
        self._elsewhere = urlsplit(address) if address else None
        self._caller = Caller()

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        parts = urlsplit(uri)
        if self._elsewhere is not None:
            parts = parts._replace(scheme=self._elsewhere.scheme, netloc=self._elsewhere.netloc)
        sent = dict(headers or {}) | {"Content-Type": "application/x-www-form-urlencoded"}
        if auth is not None:
            sent |= make_headers(basic_auth=":".join(auth))
        body = urlencode(data or {}, doseq=True).encode()
        answer = self._caller.call(method, parts.geturl(), sent, body)
        return Response(answer.status, answer.body.decode(errors="replace"), answer.headers)


class Twilio:
    """The sender: one call, one text."""

    name = NAME
    channel = Channel.SMS
    batch_size = 1
    total = TOTAL

    def __init__(
        self,
        account: str,
        secret: str,
        origin: Mapping[str, str],
        transport: HttpClient,
        status_callback: str,
        keys: Sequence[str],
        now: Now,
    ) -> None:
        nothing = {"": ""}  # the library would read more settings from the environment
        self._client = Client(account, secret, http_client=transport, environment=nothing)
        self._origin = origin
        self._status_callback = status_callback
        self._keys = keys
        self._now = now

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        return [self._send(message) for message in messages]

    def _send(self, message: OutgoingMessage) -> Receipt:
        validity = self._validity(message)
        if validity <= 0:  # its window has closed since it was decided: the policy puts it off to the next one
            return Receipt(message.uid, ReceiptKind.RETRY, NAME, error="its window has closed", alone=True)
        with handover(self.total) as call:
            try:
                created = self._client.messages.create(
                    to=message.recipient,
                    body=message.text,
                    status_callback=f"{self._status_callback}?m={tokens.mint(CALLBACK, message.uid, self._keys)}",
                    validity_period=validity,
                    **self._origin,
                )
            except NotSent as problem:
                return Receipt(message.uid, ReceiptKind.RETRY, NAME, error=f"not sent: {problem}")
            except Doubtful as problem:
                return Receipt(message.uid, ReceiptKind.UNKNOWN, NAME, error=f"no answer: {problem}")
            except (TwilioException, ValueError, AttributeError, TypeError):
                return _receipt(message.uid, call.answer)
        if not isinstance(created.sid, str) or not created.sid:
            return _receipt(message.uid, call.answer)
        return Receipt(message.uid, ReceiptKind.ACCEPTED, NAME, reference=created.sid)

    def _validity(self, message: OutgoingMessage) -> int:
        """Whole seconds in which the text may still be delivered, so that a full queue cannot deliver at night."""
        if message.valid_until is None:
            return int(LONGEST_VALIDITY.total_seconds())
        return int(min(LONGEST_VALIDITY, message.valid_until - self._now()).total_seconds())


def _receipt(uid: str, answer: Answer) -> Receipt:
    """What an answer means that created no message. A 2xx we cannot read may have created one."""
    code = _code(answer.body)
    known = CODES.get(code or 0)
    error = f"status {answer.status}" + (f", code {code}" if code else "") + (f": {known.words}" if known else "")
    if 200 <= answer.status < 300:
        return Receipt(uid, ReceiptKind.UNKNOWN, NAME, error=error)
    wait = seconds_to_wait(answer.headers)
    if answer.status >= 500:
        kind = ReceiptKind.RETRY if answer.status == 503 and wait is not None else ReceiptKind.UNKNOWN
    else:
        kind = known.kind if known else STATUSES.get(answer.status, ReceiptKind.REFUSED)
    return Receipt(
        uid,
        kind,
        NAME,
        error=error,
        retry_after=wait if kind is ReceiptKind.RETRY else None,
        suppress=known.suppress if known and kind is ReceiptKind.REFUSED else None,
        alone=bool(known and known.alone and kind is ReceiptKind.RETRY),
    )


def _code(body: bytes) -> int | None:
    with ignoring(ValueError, KeyError, TypeError):
        code = json.loads(body)["code"]
        return code if type(code) is int else None
    return None


def verify(url: str, form: Any, signature: str | None, token: str, body: str | None = None) -> bool:
    """Whether Twilio signed this call. `url` is ours as configured, with its query; `form` a multi-dict.

    `body` is given instead for a JSON call, whose hash stands in the query.
    """
    if not signature or not signature.isascii():
        return False
    validator = RequestValidator(token)
    try:
        return bool(validator.validate(url, form if body is None else body, signature))
    except (ValueError, TypeError):
        return False


def sign(url: str, form: Any, token: str) -> str:
    """The signature Twilio would send: for calls of our own that take the provider's way in."""
    return str(RequestValidator(token).compute_signature(url, form))


def message_of(token: str, keys: Sequence[str]) -> str | None:
    """Our message a status call speaks of, from the token in its address; None when the token is not ours."""
    return tokens.read(CALLBACK, token, keys)


def read_events(form: Mapping[str, str], uid: str | None) -> list[DeliveryEvent]:
    """What a status call says; nothing when it names no message."""
    reference, state = form.get("MessageSid", "")[:64], form.get("MessageStatus", "")[:20].lower()
    if not reference or not state:
        return []
    number = form.get("ErrorCode", "")
    code = CODES.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 7 else None
    kind = MESSAGE_STATES.get(state, DeliveryKind.OTHER)
    failed = kind is DeliveryKind.FAILED
    return [
        DeliveryEvent(
            provider=NAME,
            event_id=f"{reference}:{state}",
            kind=kind,
            uid=uid,
            reference=reference,
            suppress=code.suppress if code and failed else None,
            error=f"{state} {number[:6]}".strip() if failed else None,
            configuration=failed and code is not None and code.kind is ReceiptKind.CONFIGURATION,
        )
    ]


def read_text(form: Mapping[str, str]) -> InboundText | None:
    """The text a person sent, or None when the call holds none."""
    reference, sender = form.get("MessageSid", "")[:64], form.get("From", "")[:40]
    if not reference or not sender:
        return None
    return InboundText(
        reference=reference,
        sender=sender,
        recipient=form.get("To", "")[:40],
        body=form.get("Body", "")[:1600],
        provider_opt_out=form.get("OptOutType", "")[:10].upper() or None,
    )
