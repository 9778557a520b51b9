"""F64: the next channel of a trigger that says `blocked: next_channel` is used after a definite failure only."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.channels.base import DeliveryEvent, DeliveryKind, Receipt, ReceiptKind
from surveyapp.channels.base import Sender as Way
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import Decision, Invitation, LedgerEntry, LocalMessage, Message
from surveyapp.queries.console.delivery import given_up
from surveyapp.services import delivery, settling
from surveyapp.services.delivery_events import apply_events
from surveyapp.services.senders import configured
from tests import outreach
from tests.services.test_dispatch import DAY, NOON, Provider, answering, only

PROGRAMME = outreach.PROGRAMME.replace("channels: [email, sms]", "channels: [email, sms], blocked: next_channel")
BOTH = {"email": "ada@example.org", "phone": "+33612345678"}
MINUTE = timedelta(minutes=1)


class Texts(Provider):
    channel = Channel.SMS
    batch_size = 1


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load(programme=PROGRAMME)


def ask(kind: ReceiptKind, customer: dict[str, str] = BOTH, **fields: str) -> None:
    """One ask by e-mail that ends so; then another pass with the local phone."""
    with clock.at(NOON):
        outreach.happens("e-1", "c-1", "check_in", NOON, customer=customer)
        delivery.send_due({"email": answering(kind, **fields)})


def then(*, at: timedelta = MINUTE, ways: dict[str, Way] | None = None) -> None:
    with clock.at(NOON + at):
        delivery.send_due(ways or configured())


def messages() -> list[tuple[str, str]]:
    query = select(Message.channel, Message.state).order_by(Message.id).execution_options(populate_existing=True)
    return [(row.channel, row.state) for row in db.session.execute(query)]


def counted() -> set[str]:
    return set(db.session.scalars(select(LedgerEntry.channel).where(LedgerEntry.state != "released")))


def test_f64_a_definite_failure_goes_on_by_the_next_channel_as_the_same_ask() -> None:
    ask(ReceiptKind.REFUSED, suppress="bounced")
    assert (only(Decision).outcome, only(Decision).channel) == ("asked", "email")
    then()
    assert messages() == [("email", "failed"), ("sms", "sent")]
    assert (only(Decision).outcome, only(Decision).channel, only(Invitation).channel) == ("asked", "sms", "sms")
    assert only(Invitation).short_slug in only(LocalMessage).text
    assert counted() == {"sms"}


def test_f64_an_unknown_outcome_never_goes_on() -> None:
    ask(ReceiptKind.UNKNOWN)
    then(at=2 * DAY)
    assert messages() == [("email", "unknown")]
    assert counted() == {"email"}


def test_f64_an_unknown_outcome_that_turns_out_a_failure_goes_on() -> None:
    ask(ReceiptKind.UNKNOWN)
    bounce = DeliveryEvent("sendgrid", "sg-1", DeliveryKind.FAILED, uid=only(Message).uid)
    with clock.at(NOON + MINUTE):
        apply_events("sendgrid", [bounce, bounce])
        apply_events("sendgrid", [bounce])
    then(at=2 * MINUTE)
    assert messages() == [("email", "failed"), ("sms", "sent")]


@pytest.mark.parametrize(
    ("sent", "then_there_are"), [(False, [("email", "failed"), ("sms", "sent")]), (True, [("email", "sent")])]
)
def test_what_a_person_found_not_to_be_sent_goes_on_by_the_next_channel(
    sent: bool, then_there_are: list[tuple[str, str]]
) -> None:
    ask(ReceiptKind.UNKNOWN)
    with clock.at(NOON + MINUTE):
        settling.decide_outcome(only(Message).uid, sent=sent)
    then(at=2 * MINUTE)
    assert messages() == then_there_are


@pytest.mark.parametrize("reason", ["opted_out", "complaint"])
def test_whoever_left_by_one_channel_is_not_sought_on_another(reason: str) -> None:
    ask(ReceiptKind.REFUSED, suppress=reason)
    then()
    assert messages() == [("email", "failed")]


def test_a_channel_without_an_address_is_no_next_one() -> None:
    ask(ReceiptKind.REFUSED, {"email": "ada@example.org"})
    assert messages() == [("email", "failed")]


def test_a_trigger_that_does_not_say_so_gives_the_contact_back_and_stops() -> None:
    with clock.at(NOON - DAY):
        outreach.load()
    ask(ReceiptKind.REFUSED, suppress="bounced")
    then()
    assert messages() == [("email", "failed")]
    assert counted() == set()


def test_the_policy_decides_on_the_next_channel_too_and_the_decision_stays_asked() -> None:
    ask(ReceiptKind.REFUSED)
    with clock.at(NOON + MINUTE):
        outreach.happens("e-2", "c-2", "boarding", NOON, customer={"email": None, "phone": BOTH["phone"]})
        late = db.session.scalars(select(Message).where(Message.channel == "sms", Message.invitation_id.is_not(None)))
        late.one().due_at = NOON + timedelta(hours=1)
        db.session.commit()
    then(at=2 * MINUTE)
    then(at=timedelta(hours=2))
    assert messages() == [("email", "failed"), ("sms", "refused"), ("sms", "sent")]
    assert outreach.outcomes() == {"e-1": ("asked", None), "e-2": ("asked", None)}


def test_a_pause_of_the_next_channel_leaves_the_decision_asked_and_the_ask_goes_out_later() -> None:
    ask(ReceiptKind.REFUSED)
    busy = Texts(lambda m: Receipt(m.uid, ReceiptKind.RETRY, "stand-in", retry_after=60.0))
    then(ways={"sms": busy})
    assert messages() == [("email", "failed"), ("sms", "planned")]
    assert only(Decision).outcome == "asked"
    then(at=5 * MINUTE)
    assert messages() == [("email", "failed"), ("sms", "sent")]


def test_when_the_next_channel_fails_too_nothing_follows() -> None:
    ask(ReceiptKind.REFUSED)
    then(ways={"sms": Texts(lambda m: Receipt(m.uid, ReceiptKind.REFUSED, "stand-in"))})
    then(at=DAY)
    assert messages() == [("email", "failed"), ("sms", "failed")]
    assert counted() == set()


def test_what_went_on_by_another_channel_is_not_tried_anew() -> None:
    ask(ReceiptKind.REFUSED)
    failed = db.session.scalars(select(Message.uid).where(Message.state == "failed")).one()
    assert given_up(db.session(), NOON - DAY) == []
    with pytest.raises(settling.NotReplayable):
        settling.replay(failed)
