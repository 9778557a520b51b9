"""Webhooks out: told in the transaction of what happened, sent at least once, signed, given up in the end."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from structlog.testing import capture_logs

from surveyapp import clock, failpoints
from surveyapp.channels.base import DeliveryEvent, DeliveryKind
from surveyapp.channels.webhook import Poster
from surveyapp.domain import tokens
from surveyapp.domain.events import CustomerIn
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.domain.webhooks import TEST, Told, wait_after
from surveyapp.extensions import db
from surveyapp.models import (
    AuditEntry,
    Case,
    Customer,
    Invitation,
    Message,
    Response,
    Suppression,
    Webhook,
    WebhookDelivery,
)
from surveyapp.services import (
    cases,
    customers,
    delivery_events,
    draining,
    outcomes,
    overrides,
    preferences,
    privacy,
    responses,
    vault,
    webhook_delivery,
    webhooks,
)
from surveyapp.services.transaction import transaction
from tests.builders import make_customer, make_invitation, make_step, make_survey
from tests.receiver import Receiver
from tests.web.admin.living import counted_statements

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
EVERYTHING = [event.value for event in Told]
CONFIRMED, PROVISIONAL, ROBOT = ResponseStatus.CONFIRMED, ResponseStatus.PROVISIONAL, ResponseStatus.SUSPECTED_BOT


@pytest.fixture
def settings() -> dict[str, object]:
    return {"WEBHOOKS_TO_LOOPBACK": True}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    with clock.at(NOON):
        yield


def endpoint(url: str = "http://127.0.0.1:9/hook", events: list[str] | None = None) -> tuple[str, str]:
    """The id and the secret of a new endpoint."""
    row, secret = webhooks.create_webhook({"url": url, "events": events or EVERYTHING})
    return row.uid, secret


def rows() -> list[WebhookDelivery]:
    db.session.expire_all()
    return list(db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def told() -> list[tuple[str, dict[str, Any]]]:
    return [(row.event, row.payload) for row in rows()]


def only() -> WebhookDelivery:
    [row] = rows()
    return row


def of(uid: str) -> Webhook:
    db.session.expire_all()
    return db.session.scalars(select(Webhook).where(Webhook.uid == uid)).one()


def actions() -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.action.startswith("webhook.")).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def known_person(external_id: str = "c-1") -> Customer:
    return customers.keep_customer(CustomerIn(external_id, email=f"{external_id}@example.org"))


def invitation(**definition: Any) -> Invitation:
    """c-1 is asked about check-in."""
    version = make_survey(**definition)
    return make_invitation(version, known_person(), make_step(), properties={"class": "Business"})


def answer(asked: Invitation, score: int | None = 4, status: ResponseStatus = CONFIRMED, **more: Any) -> Response:
    return responses.record(asked, score=score, status=status, channel="email", language="en", **more)


# What is told, and in whose transaction.


def test_an_answer_is_told_in_the_apis_shape_without_its_context(app: Flask) -> None:
    endpoint()
    asked = invitation()
    response = answer(asked, comment="Quick")
    [(event, data)] = told()
    assert event == "response.confirmed"
    assert data == {
        "id": response.uid,
        "survey": "check_in_csat",
        "version": 1,
        "metric": "csat5",
        "score": 4,
        "comment": "Quick",
        "answers": {},
        "status": "confirmed",
        "channel": "email",
        "language": "en",
        "customer": "c-1",
        "journey": "flight",
        "step": "check_in",
        "instance": "AF123",
        "event_at": "2026-11-02T09:00:00Z",
        "answered_at": "2026-11-02T12:00:00Z",
        "decision": response.decision,
        "inclusion": response.inclusion,
        "revision": 1,
    }


def test_a_change_is_told_with_a_higher_revision_and_a_repetition_is_not(app: Flask) -> None:
    endpoint()
    asked = invitation()
    for given in ({"score": 4}, {"score": 4}, {"score": 4, "comment": "Quick"}, {"score": 5}):
        answer(asked, **given)
    assert [(d["revision"], d["score"], d["comment"]) for _, d in told()] == [
        (1, 4, None),
        (2, 4, "Quick"),
        (3, 5, "Quick"),
    ]


def test_what_is_provisional_or_a_robots_is_not_told_until_it_is_confirmed(app: Flask) -> None:
    endpoint()
    asked = invitation()
    answer(asked, status=ROBOT)
    answer(asked, status=PROVISIONAL)
    assert told() == []
    answer(asked)
    assert [(d["status"], d["revision"]) for _, d in told()] == [("confirmed", 3)]


def test_a_persons_judgement_is_told_and_one_against_an_answer_is_not(app: Flask) -> None:
    endpoint()
    response = answer(invitation(), status=ROBOT)
    overrides.override(response.uid, CONFIRMED, "They rang us")
    overrides.override(response.uid, CONFIRMED, "Again")
    overrides.override(response.uid, ROBOT, "They did not")
    assert [(d["id"], d["status"]) for _, d in told()] == [(response.uid, "confirmed")]


def test_a_tap_and_the_comment_after_it_are_told_and_so_is_the_way_out(app: Flask, client: FlaskClient) -> None:
    endpoint()
    asked = invitation()
    keys = [app.config["SECRET_KEY"]]
    address = f"/s/{tokens.mint('answer', asked.uid, keys)}"
    client.get(address)
    assert told() == []
    tapped = client.post(address, data={"score": "4"})
    client.post(tapped.location, data={"score": "4", "comment": "Quick"})
    client.post(f"/u/{tokens.mint('opt_out', asked.uid, keys)}", data={"List-Unsubscribe": "One-Click"})
    assert [(event, data.get("score"), data.get("comment")) for event, data in told()] == [
        ("response.confirmed", 4, None),
        ("response.confirmed", 4, "Quick"),
        ("customer.opted_out", None, None),
    ]


def test_what_is_rolled_back_is_never_told(app: Flask) -> None:
    endpoint()
    asked = invitation()
    with pytest.raises(responses.AnswerRefused):
        answer(asked, score=99)

    def fail_at_the_end() -> None:
        with transaction() as session:
            webhooks.tell_opt_out(session, asked.customer_id, {"email": "api"})
            assert session.scalar(select(func.count(WebhookDelivery.id))) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()
    assert rows() == []


def test_only_whom_it_concerns_is_told_and_nobody_when_none_is_there(app: Flask) -> None:
    wanting, _ = endpoint(events=["response.confirmed"])
    other, _ = endpoint(events=["case.opened"])
    paused, _ = endpoint(events=["response.confirmed"])
    webhooks.pause_webhook(paused)
    disabled, _ = endpoint(events=["response.confirmed"])
    of(disabled).disabled_at = NOON
    db.session.commit()
    answer(invitation())
    assert [row.webhook.uid for row in rows()] == [wanting, paused]
    assert other not in {row.webhook.uid for row in rows()}


def test_without_an_endpoint_an_answer_costs_no_statement_more(app: Flask) -> None:
    asked = invitation()
    with counted_statements() as seen:
        answer(asked)
    assert [statement for statement in seen if "webhook_delivery" in statement] == []
    assert len([statement for statement in seen if "webhook" in statement]) == 1  # it rides on the lock


def test_a_case_is_told_when_it_opens(app: Flask) -> None:
    endpoint()
    make_customer(external_id="c-7")
    case = cases.open_case("c-7", "Lost bag")
    data = {"id": case.uid, "customer": "c-7", "reason": "Lost bag", "step": None, "opened_at": "2026-11-02T12:00:00Z"}
    assert told() == [("case.opened", data)]
    cases.close_case(case.uid)
    with pytest.raises(cases.CustomerUnknown):
        cases.open_case("nobody")
    assert len(told()) == 1


def test_a_wish_in_an_answer_opens_a_case_that_is_told_beside_the_answer(app: Flask) -> None:
    endpoint(events=["case.opened"])
    asked = invitation(follow_up=[{"key": "call", "kind": "consent"}])
    answer(asked, answers={"call": "yes"})
    [(event, data)] = told()
    assert (event, data["id"], data["customer"]) == ("case.opened", db.session.scalars(select(Case.uid)).one(), "c-1")


def opted_out() -> list[tuple[str, str, str]]:
    return [(d["customer"], d["channel"], d["source"]) for event, d in told() if event == "customer.opted_out"]


def test_an_opt_out_is_told_once_whatever_the_way(app: Flask) -> None:
    endpoint()
    person = known_person()
    for _ in range(2):
        customers.opt_out(person, "all", "link")
    preferences.answer_kind(person, "kind:check_in_csat", ask=False)
    assert opted_out() == [("c-1", "all", "link"), ("c-1", "kind:check_in_csat", "preferences")]


def test_the_preferences_page_tells_the_channels_that_it_closes(app: Flask) -> None:
    endpoint()
    person = known_person()
    preferences.save_preferences(person, {"email", "web"}, None)
    preferences.save_preferences(person, {"email", "web"}, 90)
    preferences.save_preferences(person, {"email", "sms", "web"}, 0)
    assert opted_out() == [("c-1", "sms", "preferences")]
    customers.opt_out(person, "all")
    preferences.save_preferences(person, {"email"}, None)  # sms and web were closed before
    assert opted_out() == [("c-1", "sms", "preferences"), ("c-1", "all", "api")]


@pytest.mark.parametrize(
    ("kind", "suppress", "told_of"),
    [
        (DeliveryKind.OPTED_OUT, "opted_out", [("c-1", "email", "sendgrid")]),
        (DeliveryKind.COMPLAINT, "complaint", [("c-1", "all", "sendgrid")]),
        (DeliveryKind.FAILED, "bounce", []),
    ],
)
def test_a_providers_way_out_is_told_and_a_bounce_is_not(
    app: Flask, kind: DeliveryKind, suppress: str, told_of: list[tuple[str, str, str]]
) -> None:
    endpoint()
    asked = invitation()
    values = {
        "trigger_id": asked.trigger_id,
        "survey_id": asked.survey_version.survey_id,
        "decision_id": asked.decision_id,
    }
    message = Message(
        uid="m-1", idem_key="m-1", invitation_id=asked.id, customer_id=asked.customer_id, channel="email", kind="first",
        tier=2, priority=0, due_at=NOON, state="sent", created_at=NOON, sent_at=NOON, **values,
    )  # fmt: skip
    db.session.add(message)
    db.session.commit()
    event = DeliveryEvent("sendgrid", "ev-1", kind, "m-1", suppress=suppress)
    for _ in range(2):
        delivery_events.apply_events("sendgrid", [event])
    assert opted_out() == told_of


def test_a_providers_refusal_of_somebody_who_left_is_told(app: Flask) -> None:
    endpoint()
    asked = invitation()
    with transaction() as session:
        outcomes.suppress_address(session, asked.customer_id, "email", "opted_out", "twilio", NOON)
        outcomes.suppress_address(session, asked.customer_id, "email", "bounce", "sendgrid", NOON)
    assert opted_out() == [("c-1", "email", "twilio")]


def test_somebody_without_an_external_id_is_not_told_of(app: Flask) -> None:
    endpoint()
    customers.opt_out(make_customer(external_id=None), "all", "link")
    assert (told(), db.session.scalar(select(func.count(Suppression.id)))) == ([], 0)


# How it is sent.


def test_a_message_arrives_signed_under_its_id_and_is_delivered(app: Flask, receiver: Receiver) -> None:
    _, secret = endpoint(receiver.url)
    response = answer(invitation())
    assert webhook_delivery.send_due() == {"taken": 1}
    [got] = receiver.received
    row = only()
    assert got.signed_by(secret)
    assert got.told == {"type": "response.confirmed", "timestamp": "2026-11-02T12:00:00Z", "data": row.payload}
    assert (got.told["data"]["id"], got.headers["webhook-id"]) == (response.uid, row.uid)
    assert got.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert (row.state, row.attempts, row.last_status, row.next_at, row.ended_at) == ("delivered", 1, 204, None, NOON)
    assert webhook_delivery.send_due() == {}


def test_a_failure_is_tried_again_later_each_time_under_the_same_id_and_given_up_in_the_end(
    app: Flask, receiver: Receiver
) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    now = NOON
    for failures in range(1, 11):
        receiver.answer(500)
        with clock.at(now):
            assert webhook_delivery.send_due() == {"later": 1}
        row = only()
        wait = wait_after(failures, row.uid)
        if wait is None:
            break
        assert (row.state, row.next_at, row.last_error) == ("planned", now + wait, "answered 500")
        with clock.at(now + wait - timedelta(seconds=1)):
            assert webhook_delivery.send_due() == {}
        now += wait
    assert (row.state, row.attempts, row.last_status, row.ended_at) == ("dead", 10, 500, now)
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    webhook_delivery.replay(uid, row.uid)
    receiver.answer(500)
    webhook_delivery.send_due()
    assert (only().state, only().attempts, only().failures) == ("planned", 11, 1)
    assert (of(uid).failures, of(uid).failing_since, of(uid).disabled_at) == (11, NOON, None)


def test_an_endpoint_that_asks_for_patience_is_left_alone_with_everything(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    receiver.answer(429, {"Retry-After": "600"})
    webhook_delivery.send_due()
    assert (only().state, only().next_at) == ("planned", NOON + timedelta(seconds=600))
    with clock.at(NOON + timedelta(seconds=599)):
        webhooks.send_test(uid)
        assert webhook_delivery.send_due() == {}
    with clock.at(NOON + timedelta(seconds=600)):
        assert webhook_delivery.send_due() == {"taken": 2}


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("status", [302, 400, 404])
def test_what_the_receiver_does_not_want_ends_at_once(app: Flask, receiver: Receiver, status: int) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    receiver.answer(status, {"Location": receiver.url})
    assert webhook_delivery.send_due() == {"refused": 1}
    assert (only().state, only().last_status, len(receiver.received)) == ("failed", status, 1)
    assert of(uid).disabled_at is None


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("inside", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_77_a_name_that_leads_inside_is_blocked_and_logged_without_its_address(app: Flask, inside: str) -> None:
    app.config["WEBHOOKS_TO_LOOPBACK"] = False
    uid, _ = endpoint("https://example.org/secret-path")
    webhooks.send_test(uid)
    with capture_logs() as said:
        assert webhook_delivery.send_due(Poster(resolve=lambda host, port: [inside])) == {"refused": 1}
    assert (only().state, only().last_status, (only().last_error or "")[:8]) == ("failed", None, "not sent")
    assert [(one["event"], one.get("webhook")) for one in said] == [("webhook_blocked", uid)]
    assert "secret-path" not in str(said)


def test_gone_for_good_disables_the_endpoint_and_says_so(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    receiver.answer(410)
    webhook_delivery.send_due()
    assert (of(uid).disabled_at, of(uid).disabled_reason) == (NOON, "It answered 410: gone for good.")
    assert actions() == ["webhook.created", "webhook.tested", "webhook.disabled"]
    answer(invitation())
    assert len(rows()) == 1
    with pytest.raises(webhooks.WebhookAsleep):
        webhooks.send_test(uid)
    webhooks.resume_webhook(uid)
    assert (of(uid).disabled_at, of(uid).disabled_reason, of(uid).failures) == (None, None, 0)


def test_an_endpoint_that_has_taken_nothing_for_five_days_is_disabled(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    for day in range(6):
        assert of(uid).disabled_at is None
        with clock.at(NOON + timedelta(days=day)):
            webhooks.send_test(uid)
            receiver.answer(404)
            webhook_delivery.send_due()
    assert of(uid).disabled_at == NOON + timedelta(days=5)
    assert of(uid).disabled_reason == "It has taken nothing for 5 days; last: answered 404"
    assert actions()[-1] == "webhook.disabled"


def test_an_endpoint_that_hears_little_is_not_judged_by_two_bad_days(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    for day in (0, 6):
        with clock.at(NOON + timedelta(days=day)):
            webhooks.send_test(uid)
            receiver.answer(404)
            webhook_delivery.send_due()
    assert (of(uid).failures, of(uid).disabled_at) == (2, None)


def test_one_success_forgives_the_failures_before(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    for day, status in enumerate((404, 404, 404, 404, 204, 404)):
        with clock.at(NOON + timedelta(days=day)):
            webhooks.send_test(uid)
            receiver.answer(status)
            webhook_delivery.send_due()
    assert (of(uid).disabled_at, of(uid).failures, of(uid).failing_since) == (None, 1, NOON + timedelta(days=5))


class Killed(BaseException):
    """The process ends here."""


def killed_at(point: str) -> Callable[[str], None]:
    def reached(name: str) -> None:
        if name == point:
            raise Killed

    return reached


@pytest.mark.parametrize(("point", "calls"), [("webhooks_claimed", 1), ("webhooks_called", 2)])
def test_who_dies_on_the_way_loses_nothing_and_the_same_id_comes_again(
    app: Flask, receiver: Receiver, point: str, calls: int
) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    failpoints.install(killed_at(point))
    try:
        with pytest.raises(Killed):
            webhook_delivery.send_due()
    finally:
        failpoints.install(None)
    db.session.rollback()
    assert only().state == "sending"
    assert webhook_delivery.send_due() == {}
    with clock.at(NOON + timedelta(seconds=61)):
        assert webhook_delivery.send_due() == {"taken": 1}
    assert [got.headers["webhook-id"] for got in receiver.received] == [only().uid] * calls
    assert (only().state, only().attempts) == ("delivered", 2)


def test_an_outcome_that_comes_after_the_lease_was_lost_changes_nothing(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)

    def overtake(name: str) -> None:
        if name == "webhooks_called":
            failpoints.install(None)
            with clock.at(NOON + timedelta(seconds=61)):
                webhook_delivery.send_due()

    receiver.answer(500)
    failpoints.install(overtake)
    try:
        webhook_delivery.send_due()
    finally:
        failpoints.install(None)
    assert (only().state, only().failures, len(receiver.received)) == ("delivered", 0, 2)
    assert of(uid).failures == 0


def test_an_outcome_cannot_end_what_somebody_else_is_sending_by_now(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)

    def overtake(name: str) -> None:
        if name == "webhooks_called":
            failpoints.install(killed_at("webhooks_claimed"))
            with clock.at(NOON + timedelta(seconds=61)), pytest.raises(Killed):
                webhook_delivery.send_due()

    failpoints.install(overtake)
    try:
        webhook_delivery.send_due()
    except Killed:  # it looks for more, and finds the failpoint
        db.session.rollback()
    finally:
        failpoints.install(None)
    assert (only().state, only().attempts, only().lease_token) == ("sending", 2, 2)


def test_no_transaction_is_open_while_an_endpoint_is_called(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    open_ones: list[bool] = []

    def look(name: str) -> None:
        if name.startswith("webhooks_"):
            open_ones.append(db.session().in_transaction())

    failpoints.install(look)
    try:
        webhook_delivery.send_due()
    finally:
        failpoints.install(None)
    assert open_ones == [False, False, False]


def test_two_senders_at_once_send_each_message_once(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    with transaction() as session:
        owner = session.scalars(select(Webhook.id).where(Webhook.uid == uid)).one()
        values = {
            "webhook_id": owner,
            "event": TEST,
            "at": NOON,
            "payload": {"n": 1},
            "state": "planned",
            "next_at": NOON,
        }
        session.add_all(WebhookDelivery(uid=f"msg_{n:02}", **values) for n in range(24))
    start = threading.Barrier(3)

    def send() -> int:
        with app.app_context(), clock.at(NOON):
            start.wait()
            sent = webhook_delivery.send_due().get("taken", 0)
            db.session.remove()
            return sent

    with ThreadPoolExecutor(3) as threads:
        sent = [one.result() for one in [threads.submit(send) for _ in range(3)]]
    assert sorted(got.headers["webhook-id"] for got in receiver.received) == [f"msg_{n:02}" for n in range(24)]
    assert (sum(sent), {row.state for row in rows()}) == (24, {"delivered"})


def test_a_slow_endpoint_keeps_nobody_waiting(app: Flask, receiver: Receiver) -> None:
    many, _ = endpoint("http://127.0.0.1:9/")
    few, _ = endpoint(receiver.url)
    for _ in range(20):
        webhooks.send_test(many)
    webhooks.send_test(few)
    assert sum(webhook_delivery.send_due(most=1).values()) == 5  # four of the many, and the one
    assert len(receiver.received) == 1


def test_a_process_that_stops_begins_no_further_call(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    draining.begin()
    try:
        assert webhook_delivery.send_due() == {}
    finally:
        draining.end()
    assert (only().state, receiver.received) == ("planned", [])


def test_a_pause_keeps_what_happens_and_going_on_sends_it(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.pause_webhook(uid)
    answer(invitation())
    assert webhook_delivery.send_due() == {}
    assert (only().state, receiver.received) == ("planned", [])
    webhooks.resume_webhook(uid)
    assert webhook_delivery.send_due() == {"taken": 1}
    webhooks.resume_webhook(uid)
    assert actions() == ["webhook.created", "webhook.paused", "webhook.resumed"]


def test_a_secret_kept_under_another_key_is_told_and_nothing_leaves(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.send_test(uid)
    app.config["SECRET_KEY"] = "another-secret-for-tests"
    assert webhook_delivery.send_due() == {"later": 1}
    assert "another SECRET_KEY" in (only().last_error or "")
    assert receiver.received == []


def test_a_new_secret_signs_beside_the_old_one_for_a_week(app: Flask, receiver: Receiver) -> None:
    uid, old = endpoint(receiver.url)
    new = webhooks.rotate_secret(uid)
    for days, both in ((0, True), (7, False)):
        with clock.at(NOON + timedelta(days=days)):
            webhooks.send_test(uid)
            webhook_delivery.send_due()
            got = receiver.received[-1]
            assert (got.signed_by(new), got.signed_by(old)) == (True, both)
    webhooks.rotate_secret(uid)
    webhooks.end_former_secret(uid)
    webhooks.send_test(uid)
    webhook_delivery.send_due()
    assert not receiver.received[-1].signed_by(new)


# What a person does.


def test_a_replay_sends_the_same_message_again(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    message = webhooks.send_test(uid)
    with pytest.raises(webhook_delivery.NotReplayable):
        webhook_delivery.replay(uid, message)
    receiver.answer(400)
    webhook_delivery.send_due()
    other, _ = endpoint(receiver.url)
    with pytest.raises(webhooks.WebhookUnknown):
        webhook_delivery.replay(other, message)
    webhook_delivery.replay(uid, message)
    assert webhook_delivery.send_due() == {"taken": 1}
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert (only().state, only().attempts, actions()[-1]) == ("delivered", 2, "webhook.replayed")


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": None}, "url"),
        ({"url": "http://example.org/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["response.deleted"]}, "events"),
        ({"events": [["case.opened"]]}, "events"),
        ({"events": "case.opened"}, "events"),
        ({"description": "a\nb"}, "description"),
        ({"description": "x" * 201}, "description"),
        ({"description": 3}, "description"),
    ],
)
def test_settings_that_do_not_fit_are_named_and_nothing_is_written(
    app: Flask, given: dict[str, Any], field: str
) -> None:
    good = {"url": "https://example.org/hook", "events": EVERYTHING, "description": ""}
    with pytest.raises(webhooks.WebhookRefused) as refused:
        webhooks.create_webhook(good | given)
    assert [sentence.partition(":")[0] for sentence in refused.value.problems] == [field]
    uid, _ = endpoint()
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.change_webhook(uid, given)
    assert (of(uid).url, actions()) == ("http://127.0.0.1:9/hook", ["webhook.created"])


@pytest.mark.database("sqlite")
def test_an_endpoint_that_leads_back_here_is_refused_and_so_is_the_21st(app: Flask) -> None:
    app.config.update(WEBHOOKS_TO_LOOPBACK=False, BASE_URL="https://ask.example.org")
    with pytest.raises(webhooks.WebhookRefused, match="leads back here"):
        webhooks.create_webhook({"url": "https://ask.example.org/hook", "events": EVERYTHING})
    with pytest.raises(webhooks.WebhookRefused, match="https"):
        endpoint("http://127.0.0.1:9/")
    for _ in range(webhooks.MOST):
        endpoint("https://example.org/")
    with pytest.raises(webhooks.WebhookRefused, match="20 endpoints already"):
        endpoint("https://example.org/")


def test_the_secret_is_kept_sealed_and_is_in_no_audit_row(app: Flask) -> None:
    uid, secret = endpoint("https://example.org/very-secret-path")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert secret not in of(uid).secret_encrypted
    assert vault.unseal(of(uid).secret_encrypted) == secret == webhooks.show_secret(uid)
    webhooks.change_webhook(uid, {"url": "https://example.org/other-secret-path", "description": "CRM"})
    webhooks.delete_webhook(uid)
    details = [(row.action, row.detail) for row in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    assert details == [
        ("webhook.created", {"host": "example.org", "events": EVERYTHING}),
        ("webhook.secret_shown", {}),
        ("webhook.changed", {"host": "example.org", "events": EVERYTHING}),
        ("webhook.deleted", {"host": "example.org"}),
    ]


def test_a_deleted_endpoint_takes_its_messages_along_also_while_it_is_called(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    kept, _ = endpoint(receiver.url)
    webhooks.send_test(uid)

    def delete_it(name: str) -> None:
        if name == "webhooks_called":
            failpoints.install(None)
            webhooks.delete_webhook(uid)

    failpoints.install(delete_it)
    try:
        assert webhook_delivery.send_due() == {"taken": 1}
    finally:
        failpoints.install(None)
    assert rows() == []
    assert [row.uid for row in db.session.scalars(select(Webhook))] == [kept]
    with pytest.raises(webhooks.WebhookUnknown):
        webhooks.delete_webhook(uid)


# What is kept of a person.


def test_erasure_empties_what_was_told_and_ends_what_waits(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    asked = invitation()
    answer(asked, comment="Quick")
    webhook_delivery.send_due()
    answer(asked, comment="Quick, says Ada")
    make_customer(external_id="c-9")
    cases.open_case("c-9", "Lost bag")
    done = privacy.erase("c-1")
    assert done.touched["webhooks"] == 2
    first, second, other = rows()
    assert [(row.state, row.payload, row.customer_id) for row in (first, second)] == [
        ("delivered", {}, None),
        ("dead", {}, None),
    ]
    assert (second.last_error, other.payload["customer"]) == ("the person was erased", "c-9")
    for row in (first, second):
        with pytest.raises(webhook_delivery.NotReplayable):
            webhook_delivery.replay(uid, row.uid)
    assert webhook_delivery.send_due() == {"taken": 1}
    assert "Ada" not in "".join(got.body.decode() for got in receiver.received[1:])


def test_what_an_erasure_could_not_see_yet_ends_when_it_is_due(app: Flask, receiver: Receiver) -> None:
    endpoint(receiver.url)
    asked = invitation()
    answer(asked, comment="Quick")
    db.session.get_one(Customer, asked.customer_id).erased_at = NOON
    db.session.commit()
    assert webhook_delivery.send_due() == {}
    assert (only().state, only().payload, receiver.received) == ("dead", {}, [])


def test_messages_are_deleted_after_thirty_days(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    webhooks.pause_webhook(uid)
    answer(invitation())
    with clock.at(NOON + timedelta(days=1)):
        cases.open_case("c-1")
    with clock.at(NOON + timedelta(days=30)):
        assert webhook_delivery.forget() == 0
    with clock.at(NOON + timedelta(days=30, seconds=1)):
        assert webhook_delivery.forget() == 1
    assert only().event == "case.opened"


def test_a_test_event_is_told_to_its_endpoint_alone(app: Flask, receiver: Receiver) -> None:
    uid, _ = endpoint(receiver.url)
    endpoint()
    webhooks.send_test(uid)
    webhook_delivery.send_due()
    [got] = receiver.received
    assert got.told["type"] == TEST
    assert got.told["data"] == {"webhook": uid, "text": "A test. Nothing has happened."}
