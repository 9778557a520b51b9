"""SendGrid: batches of e-mails through its Mail Send API, its signed events, and its codes in our words.

Only our opaque message id goes into `custom_args`; nothing of the provider's tracking is used. The real service was
never called while this was written: the codes come from its specification and library.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any

from python_http_client import Client
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook

from surveyapp.channels.base import (
    DeliveryEvent,
    DeliveryKind,
    Now,
    OutgoingMessage,
    Receipt,
    ReceiptKind,
    Store,
    later,
)
from surveyapp.channels.calls import Answer, Caller, seconds_to_wait
from surveyapp.channels.deadlines import ENOUGH, TOTAL, Doubtful, NotSent, handover, present
from surveyapp.domain.vocabulary import Channel

NAME = "sendgrid"
HOST = "https://api.sendgrid.com"
MOST = 1000  # personalizations the provider takes in one call
UID = "message_uid"  # the one custom argument
OLDEST_EVENT = timedelta(hours=25)  # it repeats an event for up to a day
AHEAD = timedelta(minutes=5)

# Statuses other than these: 5xx is unknown, any other answer is a refusal of this request.
STATUSES = {
    202: ReceiptKind.ACCEPTED,
    301: ReceiptKind.CONFIGURATION,
    302: ReceiptKind.CONFIGURATION,
    307: ReceiptKind.CONFIGURATION,
    308: ReceiptKind.CONFIGURATION,
    400: ReceiptKind.REFUSED,
    401: ReceiptKind.CONFIGURATION,
    403: ReceiptKind.CONFIGURATION,
    404: ReceiptKind.CONFIGURATION,
    405: ReceiptKind.CONFIGURATION,
    408: ReceiptKind.RETRY,
    413: ReceiptKind.REFUSED,
    415: ReceiptKind.CONFIGURATION,
    429: ReceiptKind.RETRY,
}
# event: our kind, and the suppression it means for the address
EVENTS = {
    "processed": (DeliveryKind.ACCEPTED, None),
    "delivered": (DeliveryKind.DELIVERED, None),
    "deferred": (DeliveryKind.DEFERRED, None),
    "bounce": (DeliveryKind.FAILED, "bounced"),
    "blocked": (DeliveryKind.FAILED, None),  # a bounce of type `blocked`: the address may well be good
    "dropped": (DeliveryKind.FAILED, None),
    "spamreport": (DeliveryKind.COMPLAINT, "complaint"),
    "unsubscribe": (DeliveryKind.OPTED_OUT, "opted_out"),
    "group_unsubscribe": (DeliveryKind.OPTED_OUT, "opted_out"),
}
# why it dropped a message (the start of its reason, lower case): the suppression it means
DROPS = {
    "bounced address": "bounced",
    "invalid smtpapi": None,  # it finds fault with our request, not with the address
    "invalid": "bounced",
    "spam reporting address": "complaint",
    "unsubscribed address": "opted_out",
}
UNTRACKED = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}


def build(settings: Mapping[str, Any], store: Store, now: Now) -> "SendGrid":
    """The sender for this account; `SENDGRID_API_URL` points it at a stand-in."""
    return SendGrid(settings["SENDGRID_API_KEY"], settings["SENDGRID_API_URL"] or HOST, settings["SEND_BATCH"])


class _Response:
    """What the provider's library expects of an answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def getcode(self) -> int:
        return self._answer.status

    def read(self) -> bytes:
        return self._answer.body

    def info(self) -> Mapping[str, str]:
        return self._answer.headers


class _KeptClient(Client):  # type: ignore[misc]
    """The library's client over kept connections: its own opens one per call and waits for ever."""

    caller: Caller

    def _build_client(self, name: str | None = None) -> "_KeptClient":
        path = [*self._url_path, name] if name else self._url_path
        child = type(self)(self.host, dict(self.request_headers), self._version, path)
        child.caller = self.caller
        return child

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> _Response:
        headers = dict(request.header_items())
        return _Response(self.caller.call(request.get_method(), request.full_url, headers, request.data))


class SendGrid:
    """The sender. One call takes many recipients of one text; what differs between them is merged in by name."""

    name = NAME
    channel = Channel.EMAIL
    total = TOTAL

    def __init__(self, key: str, host: str, batch_size: int) -> None:
        self.batch_size = max(1, min(batch_size, MOST))
        library = SendGridAPIClient(key, host=host.rstrip("/"))
        self._client = _KeptClient(library.host, library._default_headers, 3)
        self._client.caller = Caller()

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        with handover(self.total):
            return [receipt for batch in _batches(messages) for receipt in self._hand_over(batch)]

    def _hand_over(self, batch: Sequence[OutgoingMessage]) -> list[Receipt]:
        """One receipt each. A batch that is refused says nothing about its members: it is halved until one is alone."""
        if present().left < ENOUGH:
            return [later(message.uid, NAME) for message in batch]
        try:
            response = self._client.mail.send.post(request_body=_request(batch))
        except NotSent as problem:
            return [Receipt(m.uid, ReceiptKind.RETRY, NAME, error=f"not sent: {problem}") for m in batch]
        except Doubtful as problem:
            return [Receipt(m.uid, ReceiptKind.UNKNOWN, NAME, error=f"no answer: {problem}") for m in batch]
        answer = Answer(response.status_code, dict(response.headers), response.body)
        kind = _kind(answer)
        if kind is ReceiptKind.REFUSED and len(batch) > 1:
            half = len(batch) // 2
            return self._hand_over(batch[:half]) + self._hand_over(batch[half:])
        return [_receipt(message.uid, kind, answer) for message in batch]


def _batches(messages: Sequence[OutgoingMessage]) -> list[list[OutgoingMessage]]:
    """The messages by sender and text, an address at most once in each batch."""
    batches: dict[tuple[Any, ...], list[list[OutgoingMessage]]] = {}
    for message in messages:
        key = (message.sender, message.subject, _shared(message, message.text), _shared(message, message.html or ""))
        alike = batches.setdefault(key, [])
        for batch in alike:
            if all(message.recipient != other.recipient for other in batch):
                batch.append(message)
                break
        else:
            alike.append([message])
    return [batch for alike in batches.values() for batch in alike]


def _tag(name: str) -> str:
    return f"[%{name}%]"


def _merged(message: OutgoingMessage) -> Mapping[str, str]:
    """What is this recipient's own; nothing when the text itself holds one of the tags."""
    whole = message.text + (message.html or "") + (message.subject or "")
    return {} if any(_tag(name) in whole for name in message.merge) else message.merge


def _shared(message: OutgoingMessage, text: str) -> str:
    """`text` with a tag in the place of everything that is this recipient's own."""
    for name, value in _merged(message).items():
        text = text.replace(value, _tag(name))
    return text


def _request(batch: Sequence[OutgoingMessage]) -> dict[str, Any]:
    first = batch[0]
    name, address = parseaddr(first.sender)
    content = [{"type": "text/plain", "value": _shared(first, first.text)}]
    if first.html is not None:
        content.append({"type": "text/html", "value": _shared(first, first.html)})
    return {
        "personalizations": [
            {
                "to": [{"email": message.recipient}],
                "headers": dict(message.headers),
                "custom_args": {UID: message.uid},
                "substitutions": {_tag(name): value for name, value in _merged(message).items()},
            }
            for message in batch
        ],
        "from": {"email": address} | ({"name": name} if name else {}),
        "subject": first.subject,
        "content": content,
        "tracking_settings": UNTRACKED,
    }


def _kind(answer: Answer) -> ReceiptKind:
    if answer.status in STATUSES:
        return STATUSES[answer.status]
    if answer.status == 503 and seconds_to_wait(answer.headers) is not None:
        return ReceiptKind.RETRY
    return ReceiptKind.REFUSED if 400 <= answer.status < 500 else ReceiptKind.UNKNOWN


def _receipt(uid: str, kind: ReceiptKind, answer: Answer) -> Receipt:
    if kind is ReceiptKind.ACCEPTED:
        known = {name.lower(): value for name, value in answer.headers.items()}
        return Receipt(uid, kind, NAME, reference=known.get("x-message-id"))
    wait = seconds_to_wait(answer.headers) if kind is ReceiptKind.RETRY else None
    return Receipt(uid, kind, NAME, error=f"status {answer.status}{_field(answer.body)}", retry_after=wait)


def _field(body: bytes) -> str:
    """Which field it found fault with. Its sentence is left out: it may repeat an address."""
    try:
        field = json.loads(body)["errors"][0]["field"]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
    return f": {field[:100]}" if isinstance(field, str) and "@" not in field else ""


def verify(body: bytes, signature: str | None, timestamp: str | None, public_key: str, now: datetime) -> bool:
    """Whether SendGrid signed exactly these bytes with this key, at most 25 hours ago."""
    if not signature or not timestamp or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    signed = datetime.fromtimestamp(int(timestamp), UTC)
    if not now - OLDEST_EVENT <= signed <= now + AHEAD:
        return False
    try:
        base64.b64decode(signature, validate=True)
        return bool(EventWebhook(public_key).verify_signature(body.decode(), signature, timestamp))
    except (binascii.Error, ValueError, TypeError):
        return False


def read_events(body: bytes) -> tuple[list[DeliveryEvent], int]:
    """The events in a verified body, and how many of its items could not be read. Raises ValueError for no list."""
    items = json.loads(body)
    if not isinstance(items, list):
        raise ValueError("not a list of events")
    events = [event for item in items if (event := _event(item)) is not None]
    return events, len(items) - len(events)


def _event(item: Any) -> DeliveryEvent | None:
    if not isinstance(item, dict) or not isinstance(item.get("event"), str):
        return None
    word = item["event"]
    if word == "bounce" and item.get("type") == "blocked":
        word = "blocked"
    kind, suppress = EVENTS.get(word, (DeliveryKind.OTHER, None))
    if word == "dropped":
        reason = str(item.get("reason") or "").strip().lower()
        suppress = next((mean for start, mean in DROPS.items() if reason.startswith(start)), None)
    status = item.get("status")
    return DeliveryEvent(
        provider=NAME,
        event_id=_event_id(item),
        kind=kind,
        uid=_text(item.get(UID)),
        reference=_text(item.get("sg_message_id")),
        at=_moment(item.get("timestamp")),
        suppress=suppress,
        error=f"{word} {status}"[:100] if isinstance(status, str) else word[:100],
    )


def _event_id(item: Mapping[str, Any]) -> str:
    """Its own id; events it made up itself may lack one, so that what they say stands in."""
    own = _text(item.get("sg_event_id"))
    if own:
        return own
    said = [item.get(name) for name in ("sg_message_id", "event", "timestamp", "email")]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value.isprintable() and value else None


def _moment(value: Any) -> datetime | None:
    if type(value) is not int or not 0 < value < 10**11:
        return None
    return datetime.fromtimestamp(value, UTC)
