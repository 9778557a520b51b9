"""What every way out speaks: a message out, a receipt back. No provider, database or Flask here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from surveyapp.domain.vocabulary import Channel


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message for one recipient, ready to leave. `uid` is our opaque id, the only one a provider may keep."""

    uid: str
    channel: Channel
    recipient: str
    sender: str
    subject: str | None
    text: str
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    valid_until: datetime | None = None
    merge: Mapping[str, str] = field(default_factory=dict)  # what only this recipient's text holds, by name


class ReceiptKind(StrEnum):
    """How a hand-over ended."""

    ACCEPTED = "accepted"  # the provider has it
    REFUSED = "refused"  # definitely not sent: this recipient or content
    RETRY = "retry"  # definitely not sent: try later (429, refused connection)
    CONFIGURATION = "configuration"  # definitely not sent: our account or credentials; stop the channel
    UNKNOWN = "unknown"  # may have been sent; never sent again by itself


@dataclass(frozen=True, slots=True)
class Receipt:
    uid: str
    kind: ReceiptKind
    provider: str
    reference: str | None = None
    error: str | None = None
    retry_after: float | None = None
    suppress: str | None = None  # a Suppression reason when the address itself must not be used again
    alone: bool = False  # a RETRY that lies with this recipient: the channel goes on for everybody else


def later(uid: str, provider: str) -> Receipt:
    """The receipt of a message whose call was not begun because the pass had used up its time."""
    return Receipt(uid, ReceiptKind.RETRY, provider, error="no time left in this pass", retry_after=1.0, alone=True)


class DeliveryKind(StrEnum):
    """What a provider tells us later about a message it took."""

    ACCEPTED = "accepted"  # it has it, and is on its way
    DELIVERED = "delivered"
    DEFERRED = "deferred"  # not yet; it keeps trying
    FAILED = "failed"  # it gave up, or never tried
    COMPLAINT = "complaint"
    OPTED_OUT = "opted_out"
    OTHER = "other"  # an open, a click, a word we do not know: nothing follows from it


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One thing a provider says, in our words. `event_id` is the same each time it says it again."""

    provider: str
    event_id: str
    kind: DeliveryKind
    uid: str | None = None  # our message
    reference: str | None = None  # the provider's id of it
    at: datetime | None = None
    suppress: str | None = None  # a Suppression reason when the address itself must not be used again
    error: str | None = None  # the provider's code, never an address
    configuration: bool = False  # the fault lies with our account: nothing more should leave on this channel


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text message that a person sent us."""

    reference: str
    sender: str
    recipient: str
    body: str
    provider_opt_out: str | None = None  # STOP, START or HELP when the provider has already answered it


class Sender(Protocol):
    """A way out. `send` hands over up to `batch_size` messages and returns one receipt each, in any order.

    It never raises for a provider's answer; a failure it cannot classify is `unknown`.
    """

    name: str
    channel: Channel
    batch_size: int

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]: ...


class Store(Protocol):
    """Keeps what a local stand-in receives, all of it or nothing."""

    def __call__(self, *messages: OutgoingMessage) -> None: ...


Now = Callable[[], datetime]
Build = Callable[[Mapping[str, Any], Store, Now], Sender]
