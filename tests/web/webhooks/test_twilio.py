"""Twilio's signed hooks: matrix class E. The signature is for our configured address; states never move down."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from surveyapp import clock
from surveyapp.channels import twilio
from surveyapp.channels.base import ReceiptKind
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import (
    ChannelState,
    Decision,
    HookEvent,
    HookState,
    InboundText,
    LedgerEntry,
    LocalMessage,
    Message,
    Suppression,
)
from surveyapp.services import delivery
from tests import outreach
from tests.hooks import ORIGIN, PHONE, TOKEN, post_twilio, status_of, text_in
from tests.services.test_dispatch import NOON, answering, only
from tests.services.test_replies import PROGRAMME

MINUTE = timedelta(minutes=1)
SMS = "/hooks/twilio/sms"
STATUS = "/hooks/twilio/status"


@pytest.fixture
def settings() -> dict[str, object]:
    return {"TWILIO_AUTH_TOKEN": TOKEN, "BASE_URL": ORIGIN}


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - MINUTE):
        outreach.load(policy="", programme=PROGRAMME)


def sent(kind: ReceiptKind = ReceiptKind.ACCEPTED, number: int = 1, at: Any = NOON) -> Message:
    """A text that left, or may have."""
    provider = answering(kind, reference=f"SM-{number}")
    provider.channel = Channel.SMS
    with clock.at(at):
        outreach.happens(f"e-{number}", f"c-{number}", "check_in", at, customer={"phone": PHONE})
        delivery.send_due({"sms": provider})
    return db.session.scalars(select(Message).order_by(Message.id.desc())).first()  # type: ignore[return-value]


def told(client: FlaskClient, message: Message, state: str, at: Any = NOON + MINUTE, **fields: str) -> None:
    with clock.at(at):
        assert status_of(client, message.uid, state, **fields).status_code == 204
    db.session.refresh(message)


def ledger() -> set[str]:
    return set(db.session.scalars(select(LedgerEntry.state)))


def nothing_stored() -> bool:
    return not any(db.session.scalar(select(func.count()).select_from(m)) for m in (HookEvent, HookState, InboundText))


@pytest.mark.parametrize("token", ["", "another-token", TOKEN + "x"])
@pytest.mark.parametrize("path", [SMS, STATUS])
def test_e45_a_forged_signature_is_refused_and_nothing_is_stored(client: FlaskClient, path: str, token: str) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": PHONE, "Body": "stop"}
    response = post_twilio(client, path, form, token=token)
    assert (response.status_code, response.mimetype) == (403, "application/problem+json")
    assert nothing_stored()
    assert db.session.scalars(select(Suppression)).all() == []


@pytest.mark.parametrize("path", [SMS, STATUS])
def test_e45_a_missing_signature_or_a_changed_field_is_refused(client: FlaskClient, path: str) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": PHONE, "Body": "9"}
    signature = twilio.sign(ORIGIN + path, MultiDict(form), TOKEN)
    bare = client.post(path, data=form)
    changed = client.post(path, data=form | {"Body": "9 "}, headers={"X-Twilio-Signature": signature})
    strange = client.post(path, data=form, headers={"X-Twilio-Signature": "é"})
    assert [r.status_code for r in (bare, changed, strange)] == [403, 403, 403]
    assert nothing_stored()


def test_e46_the_signature_is_for_our_address_whatever_a_proxy_says(client: FlaskClient) -> None:
    """We listen on plain http behind a proxy; the signature is for the https address we are known by."""
    form = {"MessageSid": "SM1", "From": PHONE, "Body": "9"}
    headers = {"Host": "10.0.0.7:8000", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    assert post_twilio(client, SMS, form, **headers).status_code == 200
    signature = twilio.sign("https://evil.example" + SMS, MultiDict(form), TOKEN)
    refused = client.post(SMS, data=form, headers=headers | {"X-Twilio-Signature": signature})
    assert refused.status_code == 403


def test_e46_query_strings_and_repeated_and_empty_fields_belong_to_the_signature(client: FlaskClient) -> None:
    form = [("MessageSid", "SM1"), ("From", PHONE), ("Body", ""), ("Media", "b"), ("Media", "a"), ("To", "")]
    assert post_twilio(client, SMS, form, "?a=1&b=&a=2%20x").status_code == 200
    fields = MultiDict(form)
    signature = twilio.sign(ORIGIN + SMS, fields, TOKEN)
    assert client.post(SMS + "?a=1", data=fields, headers={"X-Twilio-Signature": signature}).status_code == 403


def test_a_text_is_answered_by_an_empty_document(client: FlaskClient) -> None:
    with clock.at(NOON):
        response = text_in(client, 1, "9")
    assert (response.status_code, response.mimetype) == (200, "text/xml")
    assert response.text == '<?xml version="1.0" encoding="UTF-8"?><Response />'


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"From": PHONE}])
def test_a_signed_call_without_a_text_is_refused(client: FlaskClient, form: dict[str, str]) -> None:
    assert post_twilio(client, SMS, form).status_code == 400
    assert nothing_stored()


def test_a_call_larger_than_any_text_is_refused(client: FlaskClient) -> None:
    assert post_twilio(client, SMS, {"MessageSid": "SM1", "From": PHONE, "Body": "9" * 70_000}).status_code == 413


def test_e48_states_only_move_on(client: FlaskClient) -> None:
    message = sent()
    seen = []
    for state in ("queued", "sending", "delivered", "sent", "queued", "failed", "undelivered"):
        told(client, message, state)
        seen.append(message.state)
    assert seen == ["sent", "sent", *["delivered"] * 5]
    assert (message.delivered_at, ledger()) == (NOON + MINUTE, {"sent"})


def test_e48_a_repeated_state_counts_once(client: FlaskClient) -> None:
    message = sent()
    for _ in range(46):
        told(client, message, "delivered")
    assert (only(HookState).taken, only(HookState).repeated) == (1, 45)


@pytest.mark.parametrize("state", ["queued", "sent", "delivered"])
def test_e48_a_state_settles_an_unknown_outcome(client: FlaskClient, state: str) -> None:
    message = sent(ReceiptKind.UNKNOWN)
    assert message.state == "unknown"
    told(client, message, state)
    assert (message.state, ledger()) == ("delivered" if state == "delivered" else "sent", {"sent"})


def test_a_call_without_our_token_finds_its_message_by_the_providers_id(client: FlaskClient) -> None:
    message = sent()
    form = {"MessageSid": "SM-1", "MessageStatus": "delivered"}
    with clock.at(NOON):
        for query in ("", "?m=forged"):
            assert post_twilio(client, STATUS, form, query).status_code == 204
    db.session.refresh(message)
    assert message.state == "delivered"


def test_e50_an_unknown_message_is_counted_and_leaves_no_row(client: FlaskClient) -> None:
    with clock.at(NOON):
        assert status_of(client, "nobody", "delivered").status_code == 204
        assert post_twilio(client, STATUS, {"MessageStatus": "sent"}).status_code == 204
    assert (only(HookState).unknown, only(HookState).unreadable) == (1, 1)
    assert db.session.scalars(select(HookEvent)).all() == []


def test_what_becomes_of_our_own_replies_is_no_unknown_event(client: FlaskClient) -> None:
    with clock.at(NOON):
        assert status_of(client, "reply-0190", "delivered").status_code == 204
    assert only(HookState).unknown == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [("30005", "bounced"), ("30006", "bounced"), ("21610", "opted_out"), ("30004", None), ("30007", None)]
    + [("30003", None), ("30008", None), ("30036", None), ("99999", None), ("", None)],
)
def test_error_codes_are_classed_and_a_failure_gives_the_contact_back(
    client: FlaskClient, code: str, reason: str | None
) -> None:
    message = sent()
    told(client, message, "undelivered", ErrorCode=code)
    assert (message.state, ledger()) == ("failed", {"released"})
    assert message.last_error == f"undelivered {code}".strip()
    assert only(Decision).outcome == "asked"
    assert set(db.session.scalars(select(Suppression.reason))) == ({reason} if reason else set())
    assert db.session.scalars(select(ChannelState)).all() == []


def test_f63_a_fault_of_our_account_told_later_stops_the_channel_and_suppresses_nobody(client: FlaskClient) -> None:
    message = sent()
    told(client, message, "failed", ErrorCode="30034")
    state = only(ChannelState)
    assert (state.channel, state.paused_until, state.reason) == ("sms", NOON + 16 * MINUTE, "twilio: failed 30034")
    assert (message.state, ledger()) == ("failed", {"released"})
    assert db.session.scalars(select(Suppression)).all() == []


@pytest.mark.parametrize(
    ("days_of_failure", "given_up"), [((0, 3, 8), {"unreachable"}), ((0, 3, 6), set()), ((0, 9), set())]
)
def test_a_phone_out_of_reach_is_given_up_after_three_failures_over_a_week(
    client: FlaskClient, days_of_failure: tuple[int, ...], given_up: set[str]
) -> None:
    for number, days in enumerate(days_of_failure, 1):
        at = NOON + timedelta(days=days)
        with clock.at(at):
            outreach.happens(f"e-{number}", "c-1", "check_in", at, customer={"phone": PHONE})
            outreach.send()
        message = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
        assert message is not None
        assert db.session.scalars(select(Suppression)).all() == []
        told(client, message, "undelivered", at + MINUTE, ErrorCode="30003")
    assert set(db.session.scalars(select(Suppression.reason))) == given_up


def test_the_local_phone_comes_in_by_the_same_signed_way(make_app: Any, database_url: str) -> None:
    client = make_app(database_url).test_client()
    with clock.at(NOON):
        outreach.happens("e-1", "c-1", "check_in", NOON, customer={"phone": PHONE})
        outreach.send()
        db.session.commit()
        response = client.post("/dev/phone", data={"from": PHONE, "body": "9"})
    assert response.status_code == 202
    said = db.session.execute(select(LocalMessage.direction, LocalMessage.text).order_by(LocalMessage.id)).all()
    assert [row[0] for row in said] == ["out", "in", "out"]
    assert said[2][1].startswith("Thank you, your 9 is saved.")


def test_without_any_token_the_hooks_of_a_local_phone_cannot_be_signed_by_anyone_else(
    make_app: Any, database_url: str
) -> None:
    app = make_app(database_url)
    with app.app_context():
        for token in ("", "x"):
            assert text_in(app.test_client(), 1, "stop").status_code == 403
            assert (
                post_twilio(app.test_client(), SMS, {"MessageSid": "1", "From": PHONE}, token=token).status_code == 403
            )
