"""The local mailbox and phone: they keep what they are given, and never raise."""

import pytest

from surveyapp import clock
from surveyapp.channels import registry
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.domain.vocabulary import Channel

LOCAL = {"EMAIL_BACKEND": "mailbox", "EMAIL_FALLBACK": "", "SMS_BACKEND": "phone"}


def message(uid: str, channel: Channel = Channel.EMAIL) -> OutgoingMessage:
    return OutgoingMessage(uid, channel, "ada@example.org", "brand@example.org", "One question", "How was it?")


def ignore(*kept: OutgoingMessage) -> None:
    """A store that keeps nothing."""


@pytest.mark.parametrize(("channel", "name"), [(Channel.EMAIL, "mailbox"), (Channel.SMS, "phone")])
def test_every_message_is_kept_once_and_accepted(channel: Channel, name: str) -> None:
    kept: list[OutgoingMessage] = []
    sender = registry.senders(LOCAL, lambda *given: kept.extend(given), clock.now)[channel]
    messages = [message("m-1", channel), message("m-2", channel)]
    assert sender.send(messages) == [
        Receipt("m-1", ReceiptKind.ACCEPTED, name, reference=f"{name}-m-1"),
        Receipt("m-2", ReceiptKind.ACCEPTED, name, reference=f"{name}-m-2"),
    ]
    assert kept == messages


def full(*kept: OutgoingMessage) -> None:
    raise OSError("the disk is full")


def test_a_batch_that_may_have_been_kept_is_unknown_as_a_whole() -> None:
    receipts = registry.senders(LOCAL, full, clock.now)[Channel.EMAIL].send([message("m-1"), message("m-2")])
    assert [(r.uid, r.kind, r.error) for r in receipts] == [
        ("m-1", ReceiptKind.UNKNOWN, "OSError"),
        ("m-2", ReceiptKind.UNKNOWN, "OSError"),
    ]


def test_each_channel_has_the_sender_its_setting_names() -> None:
    built = registry.senders(LOCAL, ignore, clock.now)
    assert {channel: sender.name for channel, sender in built.items()} == {"email": "mailbox", "sms": "phone"}
