"""The local mailbox: takes every e-mail and keeps it to be looked at. Nothing leaves the machine."""

from collections.abc import Mapping, Sequence
from typing import Any

from surveyapp.channels.base import Now, OutgoingMessage, Receipt, ReceiptKind, Store
from surveyapp.domain.vocabulary import Channel


class Local:
    """A sender that hands messages to `store`, a batch at a time, and accepts what was kept."""

    batch_size = 50

    def __init__(self, name: str, channel: Channel, store: Store) -> None:
        self.name = name
        self.channel = channel
        self._store = store

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        try:
            self._store(*messages)
        except Exception as problem:  # a commit that failed may have happened: the same doubt as with a provider
            error = type(problem).__name__
            return [Receipt(m.uid, ReceiptKind.UNKNOWN, self.name, error=error) for m in messages]
        return [Receipt(m.uid, ReceiptKind.ACCEPTED, self.name, reference=f"{self.name}-{m.uid}") for m in messages]


def build(settings: Mapping[str, Any], store: Store, now: Now) -> Local:
    """The mailbox as the sender of e-mail."""
    return Local("mailbox", Channel.EMAIL, store)
