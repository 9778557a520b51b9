"""A second provider for the same channel, used for what the first has definitely not taken. Knows no provider.

What may have left by the first is `unknown` and never reaches the second. A refusal of a recipient is that recipient's,
whoever is asked; one who is put off waits for the provider that did so.
"""

import time
from collections.abc import Sequence

from surveyapp import logs
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind, Sender
from surveyapp.channels.deadlines import ENOUGH, TOTAL, handover, present

log = logs.get(__name__)
AWAY = {ReceiptKind.RETRY: 30.0, ReceiptKind.CONFIGURATION: 900.0}  # seconds in which the first is not tried again
LONGEST = 3600.0


class FailOver:
    """The sender: the first provider while it takes messages, else the second, all within one hand-over."""

    def __init__(self, first: Sender, second: Sender) -> None:
        self.name = first.name
        self.channel = first.channel
        self.batch_size = first.batch_size
        self._first, self._second = first, second
        self._away_until = 0.0

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        with handover(TOTAL):
            if time.monotonic() < self._away_until:
                return self._second.send(messages)
            receipts = {receipt.uid: receipt for receipt in self._first.send(messages)}
            turned_away = {uid: receipt for uid, receipt in receipts.items() if _turned_away(receipt)}
            if not turned_away or present().left < ENOUGH:
                return list(receipts.values())
            self._leave_alone(next(iter(turned_away.values())))
            again = self._second.send([message for message in messages if message.uid in turned_away])
            return list((receipts | {r.uid: _better(receipts[r.uid], r) for r in again}).values())

    def _leave_alone(self, receipt: Receipt) -> None:
        wait = receipt.retry_after if receipt.retry_after is not None else AWAY[receipt.kind]
        self._away_until = time.monotonic() + min(wait, LONGEST)
        log.error("provider_failed_over", before=self._first.name, now=self._second.name, error=receipt.error)


def _turned_away(receipt: Receipt) -> bool:
    """Whether the provider definitely did not take it, for reasons that lie with the provider or our account there."""
    return receipt.kind in AWAY and not receipt.alone


def _better(first: Receipt, second: Receipt) -> Receipt:
    """Where neither takes it, a wait is better than a stop for an operator."""
    return first if second.kind is ReceiptKind.CONFIGURATION and first.kind is ReceiptKind.RETRY else second
