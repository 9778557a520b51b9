"""SendGrid's Event Webhook: matrix class E. Forged calls leave nothing; true ones count once, in any order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from surveyapp import clock, failpoints
from surveyapp.channels.base import ReceiptKind
from surveyapp.domain.vocabulary import Outcome
from surveyapp.extensions import db
from surveyapp.models import Decision, HookEvent, HookState, LedgerEntry, LocalMessage, Message, Suppression
from surveyapp.services import delivery, privacy, recovery
from tests import outreach
from tests.hooks import PUBLIC, database_away, post_sendgrid, sendgrid_event
from tests.services.test_dispatch import NOON, Provider, answering, ledger_states, only

DAY = timedelta(days=1)


@pytest.fixture
def settings() -> dict[str, object]:
    return {"SENDGRID_WEBHOOK_PUBLIC_KEY": PUBLIC, "BASE_URL": "http://localhost"}


@pytest.fixture(autouse=True)
def one_ask_sent(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load()
    with clock.at(NOON):
        outreach.happens("e-1", "c-1", "check_in", NOON)
        outreach.send()


def told(client: FlaskClient, *events: dict[str, Any], after: timedelta = timedelta(minutes=5)) -> Any:
    with clock.at(NOON + after):
        response = post_sendgrid(client, list(events))
    assert response.status_code == 200, response.text
    return response.json


def says(number: int, word: str, after: timedelta = timedelta(minutes=1), **fields: Any) -> dict[str, Any]:
    with clock.at(NOON + after):
        return sendgrid_event(number, word, only(Message).uid, **fields)


def stored() -> tuple[int, int, int]:
    counts = (db.session.scalar(select(func.count()).select_from(m)) for m in (HookEvent, HookState, Suppression))
    return tuple(n or 0 for n in counts)  # type: ignore[return-value]


def test_a_delivery_is_written_with_its_time(client: FlaskClient) -> None:
    assert told(client, says(1, "delivered")) == {"taken": 1, "repeated": 0, "unknown": 0, "unreadable": 0}
    message = only(Message)
    assert (message.state, message.delivered_at) == ("delivered", NOON + timedelta(minutes=1))
    assert set(ledger_states()) == {"sent"}


@pytest.mark.parametrize("change", [{"signature": ""}, {"signature": "AAAA"}, {"signature": "not base64 é"}])
def test_e45_a_forged_signature_is_refused_and_nothing_is_stored(client: FlaskClient, change: dict[str, Any]) -> None:
    with clock.at(NOON):
        response = post_sendgrid(client, [says(1, "spamreport")], **change)
    assert response.status_code == 403
    assert response.mimetype == "application/problem+json"
    assert (stored(), only(Message).state) == ((0, 0, 0), "sent")


def test_e45_a_body_changed_by_a_space_or_a_missing_header_is_refused(client: FlaskClient) -> None:
    event = says(1, "spamreport")
    with clock.at(NOON):
        changed = post_sendgrid(client, [event], body=json.dumps([event]).encode() + b" ")
        bare = client.post("/hooks/sendgrid", json=[event])
    assert (changed.status_code, bare.status_code, stored()) == (403, 403, (0, 0, 0))


@pytest.mark.parametrize(("age", "status"), [(DAY, 200), (2 * DAY, 403), (-timedelta(hours=1), 403)])
def test_e45_a_stale_signature_is_refused(client: FlaskClient, age: timedelta, status: int) -> None:
    event = says(1, "delivered")
    with clock.at(NOON + 3 * DAY):
        assert post_sendgrid(client, [event], at=NOON + 3 * DAY - age).status_code == status
    assert only(Message).state == ("delivered" if status == 200 else "sent")


def test_e45_without_a_public_key_every_call_is_refused(make_app: Any, database_url: str) -> None:
    client = make_app(database_url).test_client()
    assert post_sendgrid(client, []).status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'"x"', b"null", b"[" * 100_000, b"\xff"])
def test_a_signed_body_that_is_no_list_is_refused(client: FlaskClient, body: bytes) -> None:
    with clock.at(NOON):
        assert post_sendgrid(client, body).status_code in (400, 403)  # what is not UTF-8 verifies nothing
    assert stored() == (0, 0, 0)


def test_e47_forty_six_copies_count_once(client: FlaskClient) -> None:
    event = says(1, "bounce", type="bounce", status="5.1.1")
    assert told(client, *[event] * 23)["taken"] == 1
    assert told(client, *[event] * 23) == {"taken": 0, "repeated": 23, "unknown": 0, "unreadable": 0}
    assert (only(Message).state, set(ledger_states()), stored()[0]) == ("failed", {"released"}, 1)
    assert (only(HookState).taken, only(HookState).repeated) == (1, 45)


def test_e47_one_bad_item_among_five_hundred_and_an_unknown_type(client: FlaskClient) -> None:
    events: list[Any] = [says(n, "open") for n in range(498)]
    events += ["not an event", says(1000, "delivered")]
    assert told(client, *events) == {"taken": 499, "repeated": 0, "unknown": 0, "unreadable": 1}
    assert told(client, says(2000, "a_word_of_tomorrow")) == {"taken": 1, "repeated": 0, "unknown": 0, "unreadable": 0}
    assert only(Message).state == "delivered"
    assert only(HookState).unreadable == 1


def test_e48_sent_after_delivered_changes_nothing_and_states_never_move_down(client: FlaskClient) -> None:
    told(client, says(1, "delivered"))
    told(client, says(2, "processed"), says(3, "deferred"), says(4, "bounce", type="bounce"))
    message = only(Message)
    assert (message.state, message.delivered_at) == ("delivered", NOON + timedelta(minutes=1))
    assert set(ledger_states()) == {"sent"}
    assert [s.reason for s in db.session.scalars(select(Suppression))] == ["bounced"]  # the address is bad all the same


def test_e48_a_failure_stays_a_failure(client: FlaskClient) -> None:
    told(client, says(1, "dropped", reason="Bounced Address"))
    told(client, says(2, "delivered"))
    assert (only(Message).state, only(Message).reason, set(ledger_states())) == ("failed", "bounced", {"released"})
    assert only(Decision).outcome == Outcome.ASKED


def unknown_message() -> None:
    with clock.at(NOON + 40 * DAY):
        outreach.happens("e-2", "c-2", "check_in", NOON + 40 * DAY)
        delivery.send_due({"email": Provider(lambda m: None)})


@pytest.mark.parametrize("word", ["processed", "delivered", "deferred", "spamreport"])
@pytest.mark.parametrize("final", [False, True])
def test_e48_an_event_settles_an_unknown_outcome(client: FlaskClient, word: str, final: bool) -> None:
    unknown_message()
    later = 40 * DAY + timedelta(hours=30)
    if final:
        with clock.at(NOON + later):
            recovery.settle_unknown()
    message = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert message is not None
    assert message.state == ("unknown_final" if final else "unknown")
    with clock.at(NOON + later):
        told(client, sendgrid_event(9, word, message.uid), after=later)
    db.session.refresh(message)
    assert message.state == ("delivered" if word == "delivered" else "sent")
    assert message.sent_at == NOON + 40 * DAY
    assert message.invitation is not None
    assert ledger_states()[-2:] == ["sent", "sent"]


def test_e48_delivered_before_our_commit_wins_over_the_outcome(client: FlaskClient) -> None:
    """The hook is faster than our OUTCOME, which then finds its lease gone and leaves everything as it is."""
    with clock.at(NOON + 40 * DAY):
        outreach.happens("e-2", "c-2", "check_in", NOON + 40 * DAY)
    seen: list[str] = []

    def hook_comes_first(point: str) -> None:
        if point == "after_send":
            message = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
            assert message is not None
            seen.append(message.state)
            uid = message.uid
            db.session.rollback()
            told(client, sendgrid_event(9, "delivered", uid), after=40 * DAY)

    failpoints.install(hook_comes_first)
    try:
        with clock.at(NOON + 40 * DAY):
            tally = delivery.send_due({"email": answering(ReceiptKind.UNKNOWN)})
    finally:
        failpoints.install(None)
    message = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert message is not None
    assert (seen, tally.unknown, message.state) == (["sending"], 0, "delivered")
    assert ledger_states()[-2:] == ["sent", "sent"]


def test_e48_an_event_for_a_message_we_meant_to_repeat_stops_the_repetition(client: FlaskClient) -> None:
    with clock.at(NOON + 40 * DAY):
        outreach.happens("e-2", "c-2", "check_in", NOON + 40 * DAY)
        delivery.send_due({"email": answering(ReceiptKind.RETRY, retry_after=60.0)})
    message = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert message is not None
    assert message.state == "planned"
    told(client, sendgrid_event(9, "processed", message.uid), after=40 * DAY)
    db.session.refresh(message)
    assert (message.state, ledger_states()[-2:]) == ("sent", ["sent", "sent"])
    outreach.send(NOON + 41 * DAY)
    assert db.session.scalar(select(func.count()).select_from(LocalMessage)) == 1


@pytest.mark.parametrize(
    ("event", "reason", "channel"),
    [
        ({"word": "spamreport"}, "complaint", "all"),
        ({"word": "unsubscribe"}, "opted_out", "email"),
        ({"word": "group_unsubscribe"}, "opted_out", "email"),
        ({"word": "bounce", "type": "bounce"}, "bounced", "email"),
        ({"word": "dropped", "reason": "Spam Reporting Address"}, "complaint", "all"),
        ({"word": "dropped", "reason": "Unsubscribed Address"}, "opted_out", "email"),
    ],
)
def test_e49_who_complains_or_leaves_is_suppressed_before_the_answer(
    client: FlaskClient, event: dict[str, Any], reason: str, channel: str
) -> None:
    with clock.at(NOON + timedelta(minutes=2)):
        outreach.happens("e-2", "c-1", "baggage", NOON + timedelta(minutes=2))  # waits until the gap allows it
    told(client, says_first(1, **event))
    rows = db.session.scalars(select(Suppression)).all()
    assert {(s.reason, s.channel, s.source) for s in rows} == {(reason, channel, "sendgrid")}
    outreach.send(NOON + 60 * DAY)
    assert db.session.scalar(select(func.count()).select_from(LocalMessage)) == 1


def says_first(number: int, word: str, **fields: Any) -> dict[str, Any]:
    with clock.at(NOON + timedelta(minutes=3)):
        uid = db.session.scalars(select(Message.uid).order_by(Message.id)).first()
        return sendgrid_event(number, word, uid, **fields)


def test_e49_a_complaint_cancels_what_is_queued_at_once(client: FlaskClient) -> None:
    with clock.at(NOON + timedelta(minutes=2)):
        outreach.happens("e-2", "c-1", "boarding", NOON + timedelta(minutes=2))
    told(client, says_first(1, "spamreport"))
    states = db.session.scalars(select(Message.state).order_by(Message.id)).all()
    assert states == ["sent", "cancelled"]
    refused = db.session.scalars(select(Decision.reason).where(Decision.outcome == "refused")).all()
    assert refused == ["suppressed_address"]


@pytest.mark.parametrize("word", ["deferred", "open", "click", "processed"])
def test_a_passing_trouble_suppresses_nobody(client: FlaskClient, word: str) -> None:
    told(client, says(1, word))
    assert (only(Message).state, stored()[2]) == ("sent", 0)


def test_a_block_fails_the_message_and_spares_the_address(client: FlaskClient) -> None:
    told(client, says(1, "bounce", type="blocked", status="4.7.1"))
    assert (only(Message).state, set(ledger_states()), stored()[2]) == ("failed", {"released"}, 0)


@pytest.mark.parametrize("uid", ["nobody", None, ""])
def test_e50_an_unknown_id_is_counted_and_leaves_no_row(client: FlaskClient, uid: str | None) -> None:
    with clock.at(NOON):
        event = sendgrid_event(1, "spamreport", uid)
    assert told(client, event) == {"taken": 0, "repeated": 0, "unknown": 1, "unreadable": 0}
    assert (stored()[0], stored()[2], only(HookState).unknown) == (0, 0, 1)


def test_e50_an_event_of_an_erased_person_is_counted_and_brings_nothing_back(client: FlaskClient) -> None:
    event = says(1, "spamreport")
    with clock.at(NOON):
        privacy.erase("c-1")
    before = stored()[2]
    assert told(client, event)["unknown"] == 1
    assert (stored()[0], stored()[2]) == (0, before)


def test_e51_a_database_that_is_away_answers_503_and_the_repetition_applies_once(client: FlaskClient) -> None:
    event = says(1, "delivered")
    with clock.at(NOON + timedelta(minutes=5)), database_away():
        broken = post_sendgrid(client, [event])
    assert broken.status_code == 503
    assert broken.headers["Retry-After"]
    assert (only(Message).state, stored()) == ("sent", (0, 0, 0))
    assert told(client, event)["taken"] == 1
    assert only(Message).state == "delivered"


def test_the_hook_takes_no_other_verb(client: FlaskClient) -> None:
    assert client.get("/hooks/sendgrid").status_code == 405


def test_the_moment_of_delivery_is_never_in_the_future(client: FlaskClient) -> None:
    event = says(1, "delivered") | {"timestamp": int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())}
    told(client, event)
    assert only(Message).delivered_at == NOON + timedelta(minutes=5)


def test_f56_a_late_refusal_gives_the_contact_back_and_another_ask_may_follow(client: FlaskClient) -> None:
    told(client, says(1, "bounce", type="blocked"))
    with clock.at(NOON + DAY):
        outreach.happens("e-2", "c-1", "boarding", NOON + DAY)
    assert outreach.send(NOON + DAY).sent == 1
    assert db.session.scalar(select(func.count()).select_from(LedgerEntry).where(LedgerEntry.state == "sent")) == 2
