"""The delivery page: what it says of sending, whom it lets act, and that every act is done once and undone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp import clock
from surveyapp.channels.base import DeliveryEvent, DeliveryKind, ReceiptKind
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, ChannelState, InboundText, Message, Survey, Trigger, Visit
from surveyapp.services import delivery, delivery_events, switches
from tests import outreach
from tests.builders import make_customer, make_response, make_survey
from tests.people import make_user, sign_in_as
from tests.services.test_dispatch import Provider, answering, only
from tests.web.admin.living import NOW, counted_statements
from tests.web.admin.test_pages import read, words

PAGE = "/admin/delivery/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def life(app: OpenAPI) -> None:
    """Two sent (one of them delivered), one unknown, one refused by the provider."""
    with clock.at(NOW - 4 * HOUR):
        outreach.load(policy="")
    answers: list[Any] = [
        answering(ReceiptKind.ACCEPTED),
        answering(ReceiptKind.ACCEPTED),
        Provider(lambda m: None),
        answering(ReceiptKind.REFUSED, error="550 5.1.1"),
    ]
    for number, provider in enumerate(answers, 1):
        with clock.at(NOW - HOUR):
            outreach.happens(f"e-{number}", f"c-{number}", "check_in", NOW - HOUR)
            delivery.send_due({"email": provider})
    first = db.session.scalars(select(Message).order_by(Message.id)).first()
    assert first is not None
    with clock.at(NOW - timedelta(minutes=2)):
        event = DeliveryEvent("sendgrid", "sg-1", DeliveryKind.DELIVERED, uid=first.uid)
        delivery_events.apply_events("sendgrid", [event, DeliveryEvent("sendgrid", "x", DeliveryKind.OTHER, uid="who")])


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        client.token = sign_in_as(client, user=make_user("editor", name="Lena Hart"))  # type: ignore[attr-defined]
    return client


def act(client: Any, path: str, **form: str) -> str:
    """Post a form of the page; the words of the page it leads back to."""
    with clock.at(NOW):
        answer = client.post(PAGE + path, data=form | {"csrf_token": client.token})
        assert (answer.status_code, answer.location) == (303, PAGE), answer.text[-300:]
    return words(read(client, PAGE))


def uid_of(state: str) -> str:
    return str(db.session.scalars(select(Message.uid).where(Message.state == state)).one())


def test_the_page_says_how_sending_stands(editor: FlaskClient) -> None:
    html = read(editor, PAGE)
    text = words(html)
    assert "Sending normally. 1 message has an unknown outcome and waits for you; it counts as a contact." in text
    counts = dict(re.findall(r"<dt>(\w+)</dt><dd>([^<]*)</dd>", html.partition("ch-sms")[0]))
    assert counts == {"queued": "0", "sending": "0", "sent": "2", "delivered": "1", "failed": "1", "unknown": "1"}
    assert "c-3" in text
    assert "550 5.1.1, today 09:00" in text
    assert "1 taken in, 1 not ours" in text
    stages = re.findall(r"<tr><td>([^<]*)</td><td class=\"fb\">.*?<td class=\"r\">([^<]*)</td>", html)
    assert stages[:4] == [("Events that match a trigger", "4"), ("Allowed", "4"), ("Sent", "2"), ("Delivered", "1")]


def test_answers_of_robots_are_shown_by_receiver_with_both_figures_and_what_gave_them_away(editor: FlaskClient) -> None:
    assert "No answer has come by e-mail in 28 days." in words(read(editor, PAGE))
    version = make_survey("visited")
    counted = [("guarded.example", "suspected_bot")] * 4 + [("tiny.example", "suspected_bot")]
    counted += [("guarded.example", "confirmed"), ("guarded.example", "provisional"), ("open.example", "confirmed")]
    for number, (domain, status) in enumerate(counted):
        customer = make_customer(external_id=f"r-{number}", email=f"r{number}@{domain}")
        make_response(version, 4, customer_id=customer.id, status=status, channel="email", answered_at=NOW - HOUR)
    db.session.add(
        Visit(uid="v", invitation="i", visitor="w", at=NOW - HOUR, status="suspected_bot", reasons=["honeypot"])
    )
    db.session.commit()
    text = words(read(editor, PAGE))
    assert "Confirmedwhat figures are made of2" in text
    assert "With provisional1 not touched by a hand yet3" in text
    assert "Set aside as robotskept, in no figure5" in text
    assert "guarded.example12467 %" in text
    assert "others, or too few001100 %" in text
    assert "tiny.example" not in text
    assert "open.example" not in text
    assert "Its visitor followed a link that no person sees: 1" in text


def test_the_page_takes_few_statements_however_much_there_is(editor: FlaskClient) -> None:
    read(editor, PAGE)
    with counted_statements() as seen:
        read(editor, PAGE)
    assert len(seen) <= 24


def test_no_channel_is_said_to_send_while_everything_is_held_or_stopped(editor: FlaskClient) -> None:
    assert words(read(editor, PAGE)).count("Sending") == 3  # the head and two channels
    text = act(editor, "hold", act="hold")
    assert "Sending normally" not in text
    assert text.count("Paused until tomorrow 10:00") == 2
    act(editor, "hold", act="resume")
    with clock.at(NOW):
        switches.stop(switches.Subject.CHANNEL, "all", "a wrong word in a survey")
    text = words(read(editor, PAGE))
    assert text.count("Stopped") == 2
    assert "by system: a wrong word in a survey" in text


@pytest.mark.parametrize("days", ["1", "7", "28", "x"])
def test_the_span_is_kept_in_the_address(editor: FlaskClient, days: str) -> None:
    read(editor, f"{PAGE}?days={days}")


def test_a_page_without_any_message_reads_too(editor: FlaskClient) -> None:
    for table in ("contact_ledger", "message"):
        db.session.execute(db.text(f"DELETE FROM {table}"))
    text = words(read(editor, PAGE))
    assert "Sending normally." in text
    assert "Every message’s outcome is known." in text


@pytest.mark.parametrize("role", ["analyst", "agent"])
def test_who_only_reads_sees_no_button_and_may_not_post(client: FlaskClient, role: str) -> None:
    with clock.at(NOW - timedelta(minutes=1)):
        token = sign_in_as(client, role)
    html = read(client, PAGE)
    assert "/admin/delivery/switch" not in html
    assert "/decide" not in html
    for path in ("hold", "switch", f"messages/{uid_of('unknown')}/decide", f"messages/{uid_of('failed')}/replay"):
        with clock.at(NOW):
            assert client.post(PAGE + path, data={"csrf_token": token}).status_code == 403
    assert db.session.scalars(select(ChannelState)).all() == []


def test_sending_is_paused_and_goes_on(editor: FlaskClient) -> None:
    text = act(editor, "hold", act="hold")
    assert "Sending is held until tomorrow 10:00; what is due waits." in text
    assert only(ChannelState).paused_until == NOW + timedelta(hours=24)
    assert "Sending normally." in act(editor, "hold", act="resume")


@pytest.mark.parametrize(
    ("subject", "key", "table"),
    [("channel", "all", ChannelState), ("channel", "email", ChannelState), ("survey", "check_in_csat", Survey)]
    + [("trigger", "after_check_in", Trigger)],
)
def test_a_kill_switch_stops_and_starts_and_is_audited(editor: FlaskClient, subject: str, key: str, table: Any) -> None:
    column = table.channel if table is ChannelState else table.key
    stopped = select(table.stopped_at).where(column == key)
    text = act(editor, "switch", subject=subject, key=key, act="stop")
    assert db.session.scalar(stopped) == NOW
    assert "stopped today 10:00" in text
    act(editor, "switch", subject=subject, key=key, act="start")
    assert db.session.scalar(stopped) is None
    actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("asking."))).all()
    assert sorted(actions) == ["asking.started", "asking.stopped"]


@pytest.mark.parametrize(("subject", "key"), [("channel", "fax"), ("survey", "none"), ("country", "x"), ("", "")])
def test_a_switch_that_does_not_exist_is_not_found(editor: Any, subject: str, key: str) -> None:
    with clock.at(NOW):
        answer = editor.post(PAGE + "switch", data={"subject": subject, "key": key, "csrf_token": editor.token})
    assert answer.status_code == 404


@pytest.mark.parametrize(("outcome", "state"), [("sent", "sent"), ("not_sent", "failed")])
def test_an_unknown_outcome_is_decided_by_a_person_once(editor: Any, outcome: str, state: str) -> None:
    uid = uid_of("unknown")
    assert "Did this message leave?" in words(read(editor, f"{PAGE}messages/{uid}/decide"))
    assert "Every message’s outcome is known." in act(editor, f"messages/{uid}/decide", outcome=outcome)
    message = db.session.scalars(select(Message).where(Message.uid == uid)).one()
    assert message.state == state
    assert "nothing was changed" in act(editor, f"messages/{uid}/decide", outcome="sent")
    assert "The outcome is known by now" in words(read(editor, f"{PAGE}messages/{uid}/decide"))
    db.session.refresh(message)
    assert message.state == state


def test_a_decision_needs_an_outcome_and_a_message(editor: Any) -> None:
    with clock.at(NOW):
        form = {"csrf_token": editor.token}
        assert editor.post(f"{PAGE}messages/{uid_of('unknown')}/decide", data=form).status_code == 422
        assert editor.post(f"{PAGE}messages/nobody/decide", data=form).status_code == 404
        assert editor.get(f"{PAGE}messages/nobody/decide").status_code == 404


def test_a_given_up_message_is_tried_anew_once(editor: FlaskClient) -> None:
    uid = uid_of("failed")
    assert "Back in the queue." in act(editor, f"messages/{uid}/replay")
    assert db.session.scalars(select(Message.state).where(Message.uid == uid)).one() == "planned"
    assert "cannot be tried anew" in act(editor, f"messages/{uid}/replay")


def test_who_asked_to_be_left_alone_stands_there_until_looked_after(editor: FlaskClient) -> None:
    message = db.session.scalars(select(Message).limit(1)).one()
    text = InboundText(provider="phone", reference="1", number_key="p:x", kind="peace", at=NOW)
    text.customer_id = message.customer_id
    db.session.add(text)
    db.session.commit()
    assert "Asked to be left alone" in words(read(editor, PAGE))
    assert "Asked to be left alone" not in act(editor, f"texts/{text.id}/handled").replace("Marked as looked after", "")


def test_a_providers_pause_and_its_reason_are_shown_and_can_be_ended(editor: FlaskClient) -> None:
    db.session.add(ChannelState(channel="sms", paused_until=NOW + HOUR, reason="status 429"))
    db.session.commit()
    text = words(read(editor, PAGE))
    assert "SMS is paused." in text
    assert "Paused: status 429" in text
    assert "Sending normally." in act(editor, "hold", act="resume", channel="sms")
