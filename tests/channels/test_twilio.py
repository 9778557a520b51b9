"""Twilio against a stand-in process: what it is sent, what its answers mean, its signatures and its calls."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from surveyapp.channels.base import DeliveryEvent, DeliveryKind, InboundText, Receipt, ReceiptKind
from surveyapp.channels.twilio import CODES, Twilio, build, message_of, read_events, read_text, sign, verify
from tests.channels.conftest import NOW, make_text
from tests.providers import StandIn

ACCOUNT = "AC" + "0" * 32
SERVICE = "MG" + "a" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
SETTINGS = {
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": "secret",
    "TWILIO_FROM": "+33700000000",
    "TWILIO_MESSAGING_SERVICE_SID": "",
    "BASE_URL": "https://questions.example.org",
    "SECRET_KEY": "a secret of the tests",
    "SECRET_KEY_FALLBACKS": [],
}
TOKEN = "12345"


def made(address: str, **changes: Any) -> Twilio:
    return build(SETTINGS | {"TWILIO_API_URL": address} | changes, lambda message: None, lambda: NOW)


@pytest.fixture
def sender(providers: StandIn) -> Twilio:
    return made(f"http://127.0.0.1:{providers.port}")


def test_a_text_is_one_call_with_its_callback_and_validity(sender: Twilio, providers: StandIn) -> None:
    assert sender.send([make_text(1)]) == [
        Receipt("m-1", ReceiptKind.ACCEPTED, "twilio", reference="SM" + "0" * 31 + "1")
    ]
    (call,) = providers.log()
    assert call["path"] == PATH
    assert call["headers"]["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:secret".encode()).decode()
    callback = call["body"].pop("StatusCallback")
    assert call["body"] == {
        "To": "+33612300001",
        "From": "+33700000000",
        "Body": "How likely? Reply 0 to 10. STOP to opt out",
        "ValidityPeriod": "36000",
    }
    assert callback.startswith("https://questions.example.org/hooks/twilio/status?m=")
    token = parse_qs(urlsplit(callback).query)["m"][0]
    assert message_of(token, ["a secret of the tests"]) == "m-1"
    assert message_of(token + "x", ["a secret of the tests"]) is None


def test_a_messaging_service_stands_in_for_the_number(providers: StandIn) -> None:
    sender = made(f"http://127.0.0.1:{providers.port}", TWILIO_MESSAGING_SERVICE_SID=SERVICE)
    sender.send([make_text(1)])
    (call,) = providers.log()
    assert call["body"]["MessagingServiceSid"] == SERVICE
    assert "From" not in call["body"]


def test_every_request_fits_the_providers_specification(
    providers: StandIn, specification: Callable[[str, str], Any]
) -> None:
    path = PATH.replace(ACCOUNT, "{AccountSid}").replace("/", "~1")
    body_of = f"#/paths/{path}/post/requestBody/content/application~1x-www-form-urlencoded/schema"
    schema = specification("twilio_api_v2010.json", body_of)
    for changes in ({}, {"TWILIO_MESSAGING_SERVICE_SID": SERVICE}):
        made(f"http://127.0.0.1:{providers.port}", **changes).send([make_text(1)])
    for call in providers.log():
        body = dict(call["body"]) | {"ValidityPeriod": int(call["body"]["ValidityPeriod"])}
        schema.validate(body)
        assert body["To"]
        assert body["Body"]


@pytest.mark.parametrize(
    ("left", "validity"),
    [(timedelta(hours=48), "36000"), (timedelta(hours=2), "7200"), (timedelta(seconds=90, microseconds=7), "90")],
)
def test_the_validity_ends_with_the_recipients_window(
    sender: Twilio, providers: StandIn, left: timedelta, validity: str
) -> None:
    sender.send([make_text(1, valid_until=NOW + left)])
    assert providers.log()[0]["body"]["ValidityPeriod"] == validity


def test_a_text_past_its_time_is_put_off_and_holds_nobody_else_back(sender: Twilio, providers: StandIn) -> None:
    (receipt,) = sender.send([make_text(1, valid_until=NOW)])
    assert (receipt.kind, receipt.alone, receipt.suppress) == (ReceiptKind.RETRY, True, None)
    assert providers.log() == []


@pytest.mark.parametrize(("code", "alone"), [(30003, True), (30008, True), (30001, False), (21611, False)])
def test_a_phone_out_of_reach_holds_nobody_else_back(
    sender: Twilio, providers: StandIn, code: int, alone: bool
) -> None:
    providers.next({"status": 400, "body": {"code": code}})
    (receipt,) = sender.send([make_text(1)])
    assert (receipt.kind, receipt.alone) == (ReceiptKind.RETRY, alone)


def test_calls_keep_one_connection(sender: Twilio, providers: StandIn) -> None:
    for number in range(30):
        sender.send([make_text(number)])
    assert {call["connection"] for call in providers.log()} == {1}


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_known_code_has_its_meaning(sender: Twilio, providers: StandIn, code: int) -> None:
    body = {"code": code, "message": "The 'To' number +33612300001 is wrong", "status": 400}
    providers.next({"status": 400, "body": body})
    (receipt,) = sender.send([make_text(1)])
    known = CODES[code]
    assert (receipt.kind, receipt.suppress) == (known.kind, known.suppress)
    assert receipt.error == f"status 400, code {code}: {known.words}"


def test_the_table_of_codes_says_what_the_reliability_rules_say() -> None:
    by_meaning = {
        ("refused", "bounced"): {21211, 21614, 21635, 30005, 30006},
        ("refused", "opted_out"): {21610},
        ("refused", None): {21408, 30004, 30007, 30036, 30610},
        ("retry", None): {30003, 30008, 20429, 30001, 21611},
        ("configuration", None): {20003, 20404, 21606, 21608, 30034},
    }
    found: dict[tuple[str, str | None], set[int]] = {}
    for code, meaning in CODES.items():
        found.setdefault((str(meaning.kind), meaning.suppress), set()).add(code)
    assert found == by_meaning


@pytest.mark.parametrize(
    ("behaviour", "kind", "retry_after"),
    [
        ({"status": 429, "headers": {"Retry-After": "9"}, "body": {"code": 20429}}, ReceiptKind.RETRY, 9.0),
        ({"status": 429}, ReceiptKind.RETRY, None),
        ({"status": 401, "body": {"code": 20003}}, ReceiptKind.CONFIGURATION, None),
        ({"status": 401}, ReceiptKind.CONFIGURATION, None),
        ({"status": 404, "body": {"code": 20404}}, ReceiptKind.CONFIGURATION, None),
        ({"status": 301, "headers": {"Location": "http://127.0.0.1:1/"}}, ReceiptKind.CONFIGURATION, None),
        ({"status": 400, "body": {"code": 99999}}, ReceiptKind.REFUSED, None),
        ({"status": 400, "body": ["odd"]}, ReceiptKind.REFUSED, None),
        ({"status": 500, "body": {"code": 20500}}, ReceiptKind.UNKNOWN, None),
        ({"status": 503}, ReceiptKind.UNKNOWN, None),
        ({"status": 503, "headers": {"Retry-After": "5"}}, ReceiptKind.RETRY, 5.0),
        ({"status": 201, "body": {}}, ReceiptKind.UNKNOWN, None),
        ({"status": 200, "body": ["odd"]}, ReceiptKind.UNKNOWN, None),
        ({"do": "close"}, ReceiptKind.UNKNOWN, None),
        ({"do": "reset"}, ReceiptKind.UNKNOWN, None),
        ({"do": "large"}, ReceiptKind.UNKNOWN, None),
    ],
    ids=str,
)
def test_each_answer_has_one_meaning(
    sender: Twilio, providers: StandIn, behaviour: dict[str, Any], kind: ReceiptKind, retry_after: float | None
) -> None:
    providers.next(behaviour)
    (receipt,) = sender.send([make_text(1)])
    assert (receipt.kind, receipt.retry_after, receipt.suppress) == (kind, retry_after, None)
    assert sender.send([make_text(2)])[0].kind is ReceiptKind.ACCEPTED


@pytest.mark.parametrize("what", ["hang", "trickle"])
def test_f58_a_provider_that_never_finishes_is_left_at_the_deadline(
    sender: Twilio, providers: StandIn, what: str
) -> None:
    providers.next({"do": what})
    sender.total = 2.5
    began = time.monotonic()
    (receipt,) = sender.send([make_text(1)])
    assert 2.4 <= time.monotonic() - began < 90
    assert receipt.kind is ReceiptKind.UNKNOWN


def test_what_never_left_may_be_tried_again() -> None:
    assert made("http://127.0.0.1:1").send([make_text(1)])[0].kind is ReceiptKind.RETRY


URL = "https://questions.example.org/hooks/twilio/sms?x=1"
FORM = MultiDict([("From", "+33612345678"), ("Body", "9"), ("Empty", ""), ("Media", "b"), ("Media", "a")])


def test_what_twilio_signed_is_verified_with_query_repeats_and_empty_fields() -> None:
    assert verify(URL, FORM, sign(URL, FORM, TOKEN), TOKEN)
    with_port = URL.replace(".org/", ".org:443/")
    assert verify(URL, FORM, sign(with_port, FORM, TOKEN), TOKEN)


def test_the_signature_is_the_one_the_rules_describe() -> None:
    # HMAC-SHA1 over the address and the fields in order of name; checked against a value computed by hand.
    form = MultiDict([("b", "2"), ("a", "1")])
    text = "https://questions.example.org/xa1b2"
    expected = base64.b64encode(hmac.new(b"12345", text.encode(), "sha1").digest()).decode()
    assert sign("https://questions.example.org/x", form, TOKEN) == expected


@pytest.mark.parametrize(
    ("url", "form", "token"),
    [
        (URL.replace("x=1", "x=2"), FORM, TOKEN),
        (URL.replace("https", "http"), FORM, TOKEN),
        (URL, MultiDict([*FORM.items(multi=True), ("More", "1")]), TOKEN),
        (URL, MultiDict([("From", "+33612345678")]), TOKEN),
        (URL, FORM, "another"),
    ],
    ids=["query", "scheme", "a field more", "fields less", "another token"],
)
def test_what_was_changed_after_signing_is_refused(url: str, form: Any, token: str) -> None:
    assert not verify(url, form, sign(URL, FORM, TOKEN), token)


@pytest.mark.parametrize("signature", [None, "", "x", "é", "A" * 28])
def test_a_missing_or_malformed_signature_is_refused_and_never_raises(signature: str | None) -> None:
    assert verify(URL, FORM, signature, TOKEN) is False


def test_a_json_call_is_verified_by_the_hash_in_its_address() -> None:
    body = '{"a": 1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = sign(url, {}, TOKEN)
    assert verify(url, MultiDict(), signature, TOKEN, body=body)
    assert not verify(url, MultiDict(), signature, TOKEN, body=body + " ")


@pytest.mark.parametrize(
    ("state", "code", "kind", "suppress"),
    [
        ("accepted", "", DeliveryKind.ACCEPTED, None),
        ("queued", "", DeliveryKind.ACCEPTED, None),
        ("sending", "", DeliveryKind.ACCEPTED, None),
        ("sent", "", DeliveryKind.ACCEPTED, None),
        ("delivered", "", DeliveryKind.DELIVERED, None),
        ("undelivered", "30005", DeliveryKind.FAILED, "bounced"),
        ("undelivered", "30003", DeliveryKind.FAILED, None),
        ("failed", "21610", DeliveryKind.FAILED, "opted_out"),
        ("failed", "٣", DeliveryKind.FAILED, None),
        ("delivered", "30005", DeliveryKind.DELIVERED, None),
        ("invented", "", DeliveryKind.OTHER, None),
    ],
)
def test_each_state_has_one_meaning(state: str, code: str, kind: DeliveryKind, suppress: str | None) -> None:
    form = MultiDict({"MessageSid": "SM1", "MessageStatus": state, "ErrorCode": code, "To": "+33612345678"})
    (event,) = read_events(form, "m-1")
    assert (event.kind, event.suppress, event.uid, event.reference) == (kind, suppress, "m-1", "SM1")
    assert event.event_id == f"SM1:{state}"


def test_a_call_that_names_no_message_says_nothing() -> None:
    assert read_events(MultiDict({"MessageStatus": "sent"}), None) == []
    assert read_events(MultiDict({"MessageSid": "SM1"}), None) == []
    assert read_events(MultiDict({"MessageSid": "SM1", "MessageStatus": "sent"}), None) == [
        DeliveryEvent("twilio", "SM1:sent", DeliveryKind.ACCEPTED, reference="SM1")
    ]


def test_an_inbound_text_is_read() -> None:
    form = MultiDict({"MessageSid": "SM1", "From": "+336", "To": "+337", "Body": "Stop!", "OptOutType": "stop"})
    assert read_text(form) == InboundText("SM1", "+336", "+337", "Stop!", "STOP")
    assert read_text(MultiDict({"MessageSid": "SM1", "From": "+336"})) == InboundText("SM1", "+336", "", "", None)
    assert read_text(MultiDict({"From": "+336"})) is None
