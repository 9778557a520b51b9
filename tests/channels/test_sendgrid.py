"""SendGrid against a stand-in process: what it is sent, what its answers mean, and what its events say."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from surveyapp.channels.base import DeliveryEvent, DeliveryKind, Receipt, ReceiptKind
from surveyapp.channels.sendgrid import SendGrid, read_events, verify
from tests.channels.conftest import NOW, make_email
from tests.providers import StandIn


@pytest.fixture
def sender(providers: StandIn) -> SendGrid:
    return SendGrid("SG.key", f"http://127.0.0.1:{providers.port}", 50)


def kinds(receipts: list[Receipt]) -> dict[str, ReceiptKind]:
    return {receipt.uid: receipt.kind for receipt in receipts}


def test_a_batch_is_one_call_with_a_personalization_for_each(sender: SendGrid, providers: StandIn) -> None:
    messages = [make_email(n) for n in range(3)]
    receipts = sender.send(messages)
    assert receipts == [Receipt(f"m-{n}", ReceiptKind.ACCEPTED, "sendgrid", reference="sg-1") for n in range(3)]
    (call,) = providers.log()
    assert call["path"] == "/v3/mail/send"
    assert call["headers"]["Authorization"] == "Bearer SG.key"
    body = call["body"]
    assert body["from"] == {"email": "ask@example.org", "name": "Oddjob Airways"}
    assert body["subject"] == "One question about check-in"
    assert body["personalizations"][1] == {
        "to": [{"email": "ada1@example.org"}],
        "headers": dict(messages[1].headers),
        "custom_args": {"message_uid": "m-1"},
        "substitutions": {"[%answer%]": "token000001"},
    }
    assert [c["type"] for c in body["content"]] == ["text/plain", "text/html"]
    for content, original in zip(body["content"], (messages[1].text, messages[1].html), strict=True):
        assert content["value"].replace("[%answer%]", "token000001") == original
    assert body["tracking_settings"]["click_tracking"] == {"enable": False, "enable_text": False}


def test_every_request_fits_the_providers_specification(
    sender: SendGrid, providers: StandIn, specification: Callable[[str, str], Any]
) -> None:
    pointer = "#/components/requestBodies/PostMailSend/content/application~1json/schema"
    schema = specification("sendgrid_mail_v3.json", pointer)
    sender.send([make_email(n) for n in range(50)])
    sender.send([make_email(60, html=None, merge={})])
    for call in providers.log():
        schema.validate(call["body"])


def test_only_what_a_recipient_may_not_share_splits_a_batch(sender: SendGrid, providers: StandIn) -> None:
    messages = [
        make_email(1),
        make_email(2),
        make_email(3, subject="Une question"),
        make_email(4, recipient="ada1@example.org"),
        make_email(5, text="Entirely [%answer%] different", html=None),
    ]
    assert set(kinds(sender.send(messages)).values()) == {ReceiptKind.ACCEPTED}
    batches = [[p["custom_args"]["message_uid"] for p in call["body"]["personalizations"]] for call in providers.log()]
    assert sorted(batches) == [["m-1", "m-2"], ["m-3"], ["m-4"], ["m-5"]]
    last = next(
        c["body"] for c in providers.log() if c["body"]["personalizations"][0]["custom_args"]["message_uid"] == "m-5"
    )
    assert last["content"][0]["value"] == "Entirely [%answer%] different"
    assert last["personalizations"][0]["substitutions"] == {}


def test_a_hundred_calls_keep_one_connection(sender: SendGrid, providers: StandIn) -> None:
    for number in range(100):
        sender.send([make_email(number)])
    assert {call["connection"] for call in providers.log()} == {1}


def test_a_refused_batch_is_halved_until_the_bad_member_is_alone(sender: SendGrid, providers: StandIn) -> None:
    providers.next({"refuse": "ada5@example.org"})
    receipts = sender.send([make_email(n) for n in range(8)])
    assert kinds(receipts) == {f"m-{n}": ReceiptKind.REFUSED if n == 5 else ReceiptKind.ACCEPTED for n in range(8)}
    refused = next(r for r in receipts if r.uid == "m-5")
    assert refused.error == "status 400: personalizations.0.to.0.email"
    assert refused.suppress is None
    sent = [
        p["custom_args"]["message_uid"]
        for call in providers.log()
        if call["status"] == 202
        for p in call["body"]["personalizations"]
    ]
    assert sorted(sent) == sorted(f"m-{n}" for n in range(8) if n != 5)


@pytest.mark.parametrize(
    ("behaviour", "kind", "retry_after"),
    [
        ({"status": 429, "headers": {"Retry-After": "17"}}, ReceiptKind.RETRY, 17.0),
        ({"status": 429}, ReceiptKind.RETRY, None),
        ({"status": 429, "headers": {"Retry-After": "-3"}}, ReceiptKind.RETRY, None),
        ({"status": 503, "headers": {"Retry-After": "60"}}, ReceiptKind.RETRY, 60.0),
        ({"status": 503}, ReceiptKind.UNKNOWN, None),
        ({"status": 500}, ReceiptKind.UNKNOWN, None),
        ({"status": 200}, ReceiptKind.UNKNOWN, None),
        ({"status": 401}, ReceiptKind.CONFIGURATION, None),
        ({"status": 403}, ReceiptKind.CONFIGURATION, None),
        ({"status": 404}, ReceiptKind.CONFIGURATION, None),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, ReceiptKind.CONFIGURATION, None),
        ({"status": 400}, ReceiptKind.REFUSED, None),
        ({"status": 413}, ReceiptKind.REFUSED, None),
        ({"do": "close"}, ReceiptKind.UNKNOWN, None),
        ({"do": "reset"}, ReceiptKind.UNKNOWN, None),
        ({"do": "large"}, ReceiptKind.ACCEPTED, None),
    ],
    ids=str,
)
def test_each_answer_has_one_meaning(
    sender: SendGrid, providers: StandIn, behaviour: dict[str, Any], kind: ReceiptKind, retry_after: float | None
) -> None:
    providers.next(behaviour)
    (receipt,) = sender.send([make_email(1)])
    assert (receipt.kind, receipt.retry_after, receipt.suppress) == (kind, retry_after, None)
    assert "ada1@" not in (receipt.error or "")
    assert kinds(sender.send([make_email(2)])) == {"m-2": ReceiptKind.ACCEPTED}


@pytest.mark.parametrize("what", ["hang", "trickle"])
def test_f58_a_provider_that_never_finishes_is_left_at_the_deadline(
    sender: SendGrid, providers: StandIn, what: str
) -> None:
    providers.next({"do": what})
    sender.total = 2.5
    began = time.monotonic()
    receipts = sender.send([make_email(1), make_email(2)])
    assert 2.4 <= time.monotonic() - began < 90
    assert kinds(receipts) == {"m-1": ReceiptKind.UNKNOWN, "m-2": ReceiptKind.UNKNOWN}


def test_what_there_was_no_time_for_is_left_for_later(sender: SendGrid, providers: StandIn) -> None:
    providers.next({"do": "hang"})
    sender.total = 2.5
    first, second = sender.send([make_email(1), make_email(2, subject="Another")])
    assert (first.uid, first.kind) == ("m-1", ReceiptKind.UNKNOWN)
    assert (second.uid, second.kind, second.alone) == ("m-2", ReceiptKind.RETRY, True)
    assert [p["custom_args"]["message_uid"] for call in providers.log() for p in call["body"]["personalizations"]] == [
        "m-1"
    ]


@pytest.mark.parametrize("host", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://127.0.0.1:{port}"])
def test_what_never_left_may_be_tried_again(providers: StandIn, host: str) -> None:
    sender = SendGrid("SG.key", host.format(port=providers.port), 50)
    (receipt,) = sender.send([make_email(1)])
    assert receipt.kind is ReceiptKind.RETRY
    assert providers.log() == []


def test_a_full_batch_is_never_larger_than_the_provider_takes() -> None:
    assert SendGrid("k", "http://127.0.0.1:1", 5000).batch_size == 1000
    assert SendGrid("k", "http://127.0.0.1:1", 0).batch_size == 1


KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
BODY = json.dumps([{"event": "delivered", "email": "adé@example.org"}]).encode()


def signed(body: bytes, at: datetime) -> tuple[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signature).decode(), timestamp


def test_what_sendgrid_signed_is_verified() -> None:
    for age in (timedelta(0), timedelta(hours=24), timedelta(minutes=-4)):
        assert verify(BODY, *signed(BODY, NOW - age), PUBLIC, NOW)


def test_what_it_did_not_sign_or_signed_long_ago_is_refused() -> None:
    signature, timestamp = signed(BODY, NOW)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    foreign = base64.b64encode(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    assert not verify(BODY + b" ", signature, timestamp, PUBLIC, NOW)
    assert not verify(BODY, signature, str(int(timestamp) + 1), PUBLIC, NOW)
    assert not verify(BODY, signature, timestamp, foreign, NOW)
    assert not verify(BODY, *signed(BODY, NOW - timedelta(days=2)), PUBLIC, NOW)
    assert not verify(BODY, *signed(BODY, NOW + timedelta(hours=1)), PUBLIC, NOW)
    assert not verify(b"\xff\xfe", *signed(b"\xff\xfe", NOW), PUBLIC, NOW)


@pytest.mark.parametrize(
    ("signature", "timestamp"),
    [
        (None, "1"),
        ("x", None),
        ("", ""),
        ("!!!", "GOOD"),
        ("AAAA", "GOOD"),
        ("é", "GOOD"),
        ("AAAA", "٣"),
        ("AAAA", "9" * 30),
    ],
)
def test_a_missing_or_malformed_signature_is_refused_and_never_raises(
    signature: str | None, timestamp: str | None
) -> None:
    timestamp = str(int(NOW.timestamp())) if timestamp == "GOOD" else timestamp
    assert verify(BODY, signature, timestamp, PUBLIC, NOW) is False


@pytest.mark.parametrize(
    ("item", "kind", "suppress"),
    [
        ({"event": "processed"}, DeliveryKind.ACCEPTED, None),
        ({"event": "delivered"}, DeliveryKind.DELIVERED, None),
        ({"event": "deferred"}, DeliveryKind.DEFERRED, None),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, DeliveryKind.FAILED, "bounced"),
        ({"event": "bounce", "type": "blocked", "status": "5.7.1"}, DeliveryKind.FAILED, None),
        ({"event": "dropped", "reason": "Bounced Address"}, DeliveryKind.FAILED, "bounced"),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, DeliveryKind.FAILED, "complaint"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, DeliveryKind.FAILED, "opted_out"),
        ({"event": "dropped", "reason": "Invalid"}, DeliveryKind.FAILED, "bounced"),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, DeliveryKind.FAILED, None),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, DeliveryKind.FAILED, None),
        ({"event": "spamreport"}, DeliveryKind.COMPLAINT, "complaint"),
        ({"event": "unsubscribe"}, DeliveryKind.OPTED_OUT, "opted_out"),
        ({"event": "group_unsubscribe"}, DeliveryKind.OPTED_OUT, "opted_out"),
        ({"event": "group_resubscribe"}, DeliveryKind.OTHER, None),
        ({"event": "open", "sg_machine_open": True}, DeliveryKind.OTHER, None),
        ({"event": "click"}, DeliveryKind.OTHER, None),
        ({"event": "something_new"}, DeliveryKind.OTHER, None),
    ],
    ids=str,
)
def test_each_event_has_one_meaning(item: dict[str, Any], kind: DeliveryKind, suppress: str | None) -> None:
    whole = item | {
        "email": "ada@example.org",
        "timestamp": 1793610000,
        "sg_event_id": "event-1",
        "sg_message_id": "sg-1.filter",
        "message_uid": "m-1",
    }
    (event,), unreadable = read_events(json.dumps([whole]).encode())
    assert unreadable == 0
    assert (event.kind, event.suppress) == (kind, suppress)
    assert (event.event_id, event.uid, event.reference) == ("event-1", "m-1", "sg-1.filter")
    assert event.at == datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    assert "@" not in (event.error or "")


def test_one_bad_item_harms_none_of_its_neighbours() -> None:
    good = [{"event": "delivered", "sg_event_id": f"e-{n}", "message_uid": f"m-{n}"} for n in range(3)]
    body = [good[0], None, "x", {"no": "event"}, {"event": 7}, good[1], [], good[2]]
    events, unreadable = read_events(json.dumps(body).encode())
    assert [event.uid for event in events] == ["m-0", "m-1", "m-2"]
    assert unreadable == 5


def test_an_event_without_an_id_is_known_by_what_it_says() -> None:
    item = {"event": "dropped", "email": "ada@example.org", "timestamp": 1, "sg_message_id": "sg-1"}
    again, other = dict(item), item | {"timestamp": 2}
    (first, second, third), _ = read_events(json.dumps([item, again, other]).encode())
    assert first.event_id == second.event_id != third.event_id
    assert len(first.event_id) == 64


def test_odd_values_become_nothing() -> None:
    item = {"event": "delivered", "sg_event_id": "e", "message_uid": 7, "timestamp": "soon", "sg_message_id": "a\nb"}
    (event,), _ = read_events(json.dumps([item]).encode())
    assert event == DeliveryEvent("sendgrid", "e", DeliveryKind.DELIVERED, error="delivered")


@pytest.mark.parametrize("body", [b"", b"{}", b"x", b"null", b"\xff"])
def test_a_body_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_events(body)
