"""An operator's switches and decisions: what they stop, what they give back, what is written about them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.channels.base import ReceiptKind
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, ChannelState, Decision, InboundText, LocalMessage, Message
from surveyapp.services import audit, delivery, delivery_events, privacy, settling, switches
from surveyapp.services.switches import Subject
from tests import outreach
from tests.services.test_delivery_events import event
from tests.services.test_dispatch import Provider, answering, ledger_states, only

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with clock.at(NOON - MINUTE):
        outreach.load(policy="")
    token = audit.actor.set("lena@example.org")
    yield
    audit.actor.reset(token)


def happens(number: int = 1, at: datetime = NOON, **customer: Any) -> None:
    with clock.at(at):
        outreach.happens(f"e-{number}", f"c-{number}", "check_in", at, customer=customer)


def audited() -> list[tuple[str, str, dict[str, Any]]]:
    wanted = AuditEntry.action.startswith("asking.") | AuditEntry.action.startswith("sending.")
    wanted = wanted | AuditEntry.action.startswith("message.") | AuditEntry.action.startswith("text.")
    rows = db.session.scalars(select(AuditEntry).where(wanted).order_by(AuditEntry.id)).all()
    assert {row.actor for row in rows} <= {"lena@example.org"}
    return [(row.action, row.object, row.detail) for row in rows]


@pytest.mark.parametrize(
    ("subject", "key"),
    [(Subject.CHANNEL, "all"), (Subject.CHANNEL, "email"), (Subject.SURVEY, "check_in_csat")]
    + [(Subject.TRIGGER, "after_check_in")],
)
def test_what_is_stopped_refuses_its_due_asks_and_is_turned_back(subject: Subject, key: str) -> None:
    happens(1)
    with clock.at(NOON):
        switches.stop(subject, key, "wrong wording")
        switches.stop(subject, key, "again")
    assert outreach.send(NOON).refused == 1
    assert (only(Decision).outcome, only(Decision).reason) == ("refused", "stopped")
    with clock.at(NOON + MINUTE):
        switches.start(subject, key)
        switches.start(subject, key)
    happens(2, NOON + MINUTE)
    assert outreach.send(NOON + MINUTE).sent == 1
    assert audited() == [
        ("asking.stopped", f"{subject}:{key}", {"reason": "wrong wording"}),
        ("asking.started", f"{subject}:{key}", {}),
    ]


def test_a_stopped_channel_leaves_the_others_open() -> None:
    happens(1, email=None, phone="+33612345678")
    with clock.at(NOON):
        switches.stop(Subject.CHANNEL, "email")
    assert outreach.send(NOON).sent == 1


@pytest.mark.parametrize(("subject", "key"), [(Subject.CHANNEL, "fax"), (Subject.SURVEY, "x"), (Subject.TRIGGER, "x")])
def test_a_switch_that_does_not_exist_is_refused(subject: Subject, key: str) -> None:
    with pytest.raises(switches.SwitchUnknown):
        switches.stop(subject, key)
    assert audited() == []


def test_a_hold_makes_everything_wait_and_loses_nothing() -> None:
    happens(1)
    with clock.at(NOON):
        switches.hold_sending()
    assert outreach.send(NOON).claimed == 0
    assert only(ChannelState).reason == "held by lena@example.org"
    with clock.at(NOON + MINUTE):
        switches.resume_sending()
        switches.resume_sending()
    assert outreach.send(NOON + MINUTE).sent == 1
    assert [entry[0] for entry in audited()] == ["sending.held", "sending.resumed"]


def test_a_hold_ends_by_itself_after_a_day() -> None:
    happens(1)
    with clock.at(NOON):
        switches.hold_sending()
    assert [outreach.send(NOON + timedelta(hours=h)).sent for h in (23, 25)] == [0, 1]


def unknown() -> str:
    happens(1)
    with clock.at(NOON):
        delivery.send_due({"email": Provider(lambda m: None)})
    message = only(Message)
    assert message.state == "unknown"
    return str(message.uid)


@pytest.mark.parametrize(
    ("sent", "state", "reason", "ledger"),
    [(True, "sent", "decided: sent", "sent"), (False, "failed", "decided: not sent", "released")],
)
def test_a_person_decides_an_unknown_outcome_once(sent: bool, state: str, reason: str, ledger: str) -> None:
    uid = unknown()
    with clock.at(NOON + MINUTE):
        settling.decide_outcome(uid, sent)
        with pytest.raises(settling.OutcomeKnown):
            settling.decide_outcome(uid, not sent)
    message = only(Message)
    assert (message.state, message.reason, set(ledger_states())) == (state, reason, {ledger})
    assert message.sent_at == (NOON if sent else None)
    assert only(Decision).outcome == "asked"
    assert audited() == [("message.decided", f"message {uid}", {"sent": sent})]


def test_the_provider_knows_better_than_the_person() -> None:
    uid = unknown()
    with clock.at(NOON + MINUTE):
        settling.decide_outcome(uid, sent=False)
        delivery_events.apply_events("sendgrid", [event("delivered", uid)])
    assert (only(Message).state, only(Message).reason, set(ledger_states())) == ("delivered", None, {"sent"})


def test_f60_a_given_up_message_tried_anew_runs_through_the_policy_again() -> None:
    happens(1)
    with clock.at(NOON):
        delivery.send_due({"email": answering(ReceiptKind.REFUSED, error="status 400")})
    assert only(Message).state == "failed"
    with clock.at(NOON + MINUTE):
        settling.replay(only(Message).uid)
        assert (only(Message).state, only(Decision).outcome) == ("planned", "waiting")
        outreach.load("policy:\n  caps: [{max: 0, per: 30d}]\n")
    assert outreach.send(NOON + 2 * MINUTE).refused == 1
    assert (only(Message).state, only(Decision).reason) == ("refused", "cap")
    assert db.session.scalar(select(func.count()).select_from(LocalMessage)) == 0


def test_a_given_up_message_that_may_be_asked_is_sent_at_the_second_try() -> None:
    happens(1)
    with clock.at(NOON):
        delivery.send_due({"email": answering(ReceiptKind.REFUSED, error="status 400")})
        settling.replay(only(Message).uid)
    assert outreach.send(NOON + MINUTE).sent == 1
    assert (only(Message).state, only(Decision).outcome) == ("sent", "asked")
    assert sorted(ledger_states()) == ["released", "released", "sent", "sent"]
    assert audited()[0][2] == {"state": "failed", "error": "status 400"}


@pytest.mark.parametrize("state", ["planned", "sending", "sent", "delivered", "unknown", "refused", "cancelled"])
def test_only_what_is_given_up_is_tried_anew(state: str) -> None:
    happens(1)
    only(Message).state = state
    db.session.commit()
    with pytest.raises(settling.NotReplayable):
        settling.replay(only(Message).uid)
    assert only(Message).state == state


def test_an_erased_persons_message_is_never_tried_anew() -> None:
    happens(1)
    with clock.at(NOON):
        delivery.send_due({"email": answering(ReceiptKind.REFUSED)})
        privacy.erase("c-1")
    with pytest.raises(settling.NotReplayable):
        settling.replay(only(Message).uid)


def test_who_asked_to_be_left_alone_is_handled_once() -> None:
    text = InboundText(provider="phone", reference="1", number_key="p:x", kind="peace", at=NOON)
    db.session.add(text)
    db.session.commit()
    for _ in range(2):
        with clock.at(NOON):
            settling.mark_handled(text.id)
    row = only(InboundText)
    assert (row.handled_at, row.handled_by, len(audited())) == (NOON, "lena@example.org", 1)
