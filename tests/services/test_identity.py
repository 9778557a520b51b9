"""One person, one clock: shared addresses, changed addresses, united records, contacts made elsewhere, refunds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import ContactKey, Customer, Decision, Event, LedgerEntry, LocalMessage, Message, Suppression
from surveyapp.services import customers, delivery
from surveyapp.services import outcomes as outcomes_service
from surveyapp.services.contacts import ContactIn, import_contacts
from tests import outreach
from tests.outreach import outcomes, send, verdict_of

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - 30 * DAY):
        outreach.load()


def happens(number: str, person: str, at: datetime, step: str = "check_in", **known: Any) -> None:
    with clock.at(at):
        outreach.happens(number, person, step, at, customer=known)


def asked(number: str, person: str, at: datetime, step: str = "check_in", **known: Any) -> tuple[str, str | None]:
    """What becomes of an event, decided at once."""
    happens(number, person, at, step, **known)
    send(at)
    return outcomes()[number]


def person(external_id: str) -> Customer:
    return db.session.scalars(select(Customer).where(Customer.external_id == external_id)).one()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "Ada@Example.ORG"}, {"email": "ada@example.org"}),
        ({"email": "ada@bücher.example"}, {"email": "ADA@xn--bcher-kva.example"}),
        (
            {"email": None, "phone": "+44 20 7946 0958"},
            {"email": None, "phone": "+44 (0)2079460958".replace("(0)", "")},
        ),
        ({"email": "ada@example.org", "phone": "+33612345678"}, {"email": None, "phone": "+33 6 12 34 56 78"}),
    ],
)
def test_d09_records_that_share_an_address_in_any_spelling_have_one_clock(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert asked("e-1", "c-1", NOON, **first) == ("asked", None)
    assert asked("e-2", "c-2", NOON + DAY, **second) == ("refused", "gap")
    assert len(verdict_of("e-2", "gap")["evidence"]) == 1


def test_d09_external_ids_stay_exact() -> None:
    assert asked("e-1", "C-1", NOON, email="one@example.org") == ("asked", None)
    assert asked("e-2", "c-1", NOON, email="two@example.org") == ("asked", None)


def test_an_address_in_common_chains_nobody_further() -> None:
    """B shares one address with A and another with C; A and C are strangers to each other."""
    assert asked("e-1", "a", NOON, email="ab@example.org") == ("asked", None)
    assert asked("e-2", "c", NOON, email=None, phone="+33612345678") == ("asked", None)
    assert asked("e-3", "b", NOON + DAY, email="ab@example.org", phone="+33612345678") == ("refused", "gap")


def test_a_changed_address_keeps_the_history_of_the_old_one() -> None:
    happens("e-0", "c-1", NOON - 20 * DAY, email="shared@example.org")  # expired by the time it is decided
    assert asked("e-1", "c-2", NOON, email="shared@example.org") == ("asked", None)
    assert asked("e-2", "c-1", NOON + DAY, email="own@example.org") == ("refused", "gap")
    kept = db.session.scalars(select(ContactKey).where(ContactKey.customer_id == person("c-1").id)).all()
    assert sorted((key.key[0], key.until is not None) for key in kept) == [("c", False), ("e", False), ("e", True)]


def test_what_is_asked_at_an_address_after_it_was_given_up_is_somebody_elses() -> None:
    happens("e-0", "c-1", NOON - 25 * DAY, email="shared@example.org")
    with clock.at(NOON - 24 * DAY):
        outreach.happens("e-1", "c-1", "boarding", NOON - 24 * DAY, customer={"email": "own@example.org"})
    with clock.at(NOON):
        db.session.execute(Message.__table__.update().values(state="cancelled"))
        db.session.commit()
    assert asked("e-2", "c-2", NOON, email="shared@example.org") == ("asked", None)
    assert asked("e-3", "c-1", NOON + DAY, email="own@example.org") == ("asked", None)


def test_an_address_taken_back_is_theirs_again() -> None:
    for number, address in enumerate(("one", "two", "one")):
        happens(f"e-{number}", "c-1", NOON + number * DAY, email=f"{address}@example.org")
    own = select(ContactKey.until).join(Customer, Customer.id == ContactKey.customer_id)
    assert sorted(until is None for until in db.session.scalars(own)) == [False, True, True]


def test_a_new_address_is_not_blocked_by_the_bounce_of_the_old_one() -> None:
    happens("e-0", "c-1", NOON - 10 * DAY, email="old@example.org")
    with clock.at(NOON - 9 * DAY):
        outcomes_service.suppress_address(db.session, person("c-1").id, "email", "bounced", "test", NOON - 9 * DAY)
        db.session.commit()
    assert asked("e-1", "c-1", NOON - 8 * DAY, email="old@example.org") == ("refused", "suppressed_address")
    assert asked("e-2", "c-1", NOON - 7 * DAY, "boarding", email="new@example.org") == ("asked", None)


# --- united records


def test_d27_an_anonymous_history_counts_for_the_person_it_turns_out_to_be() -> None:
    assert asked("e-1", "anonymous:v-1", NOON, email="visitor@example.org") == ("asked", None)
    assert asked("e-0", "c-1", NOON - 29 * DAY, email="ada@example.org")[0] == "asked"
    with clock.at(NOON + DAY):
        customers.alias("v-1", "c-1")
    assert asked("e-2", "c-1", NOON + 2 * DAY, "boarding", email="ada@example.org") == ("refused", "gap")
    [evidence] = verdict_of("e-2", "gap")["evidence"]
    assert evidence["at"] == "2026-11-02T12:00:00Z"


def test_what_waits_for_a_record_goes_to_the_one_it_was_united_with() -> None:
    happens("e-1", "anonymous:v-1", NOON, email=None)
    happens("e-0", "c-1", NOON - 20 * DAY, email="ada@example.org")
    with clock.at(NOON):
        customers.alias("v-1", "c-1")
    send(NOON)
    assert outcomes()["e-1"] == ("asked", None)
    assert db.session.scalars(select(LocalMessage.recipient)).all() == ["ada@example.org"]
    decision = db.session.scalars(select(Decision).join(Event).where(Event.event_id == "e-1")).one()
    assert decision.customer_id == person("c-1").id


def test_two_waiting_asks_of_records_that_are_united_become_one() -> None:
    happens("e-1", "anonymous:v-1", NOON, email="visitor@example.org")
    happens("e-2", "c-1", NOON, "boarding", email="ada@example.org")
    with clock.at(NOON):
        customers.alias("v-1", "c-1")
    assert (send(NOON).sent, sorted(outcomes().values(), key=str)) == (1, [("asked", None), ("refused", "gap")])


def test_an_opt_out_of_one_record_holds_for_the_united_person() -> None:
    happens("e-0", "anonymous:v-1", NOON - 20 * DAY, email=None)
    with clock.at(NOON - DAY):
        customers.opt_out(person("anonymous:v-1"), "all", "test")
        customers.alias("v-1", "c-1")
    assert asked("e-1", "c-1", NOON, email="ada@example.org") == ("refused", "opted_out")


def test_the_same_survey_about_the_same_trip_is_not_asked_of_both_records() -> None:
    happens("e-1", "anonymous:v-1", NOON, email="visitor@example.org")
    send(NOON)
    with clock.at(NOON):
        customers.alias("v-1", "c-1")
        outreach.happens("e-2", "c-1", "check_in", NOON, instance="trip-e-1")
    send(NOON)
    assert outcomes()["e-2"] == ("refused", "already_asked")


def test_records_united_one_after_the_other_are_all_one_person() -> None:
    assert asked("e-1", "a", NOON, email="a@example.org") == ("asked", None)
    with clock.at(NOON):
        customers.alias("a", "b", anonymous=False)
        customers.alias("b", "c", anonymous=False)
    assert {row.external_id: row.merged_into_id for row in db.session.scalars(select(Customer))} == {
        "a": person("c").id,
        "b": person("c").id,
        "c": None,
    }
    assert asked("e-2", "c", NOON + DAY, "boarding", email="c@example.org") == ("refused", "gap")


# --- what counts


def test_d25_contacts_of_the_old_tool_count_from_the_first_day() -> None:
    with clock.at(NOON):
        import_contacts([ContactIn("c-1", "email", NOON - 29 * DAY), ContactIn("c-2", "email", NOON - 30 * DAY)])
    assert asked("e-1", "c-1", NOON, email="c-1@example.org") == ("refused", "gap")
    assert asked("e-2", "c-2", NOON, email="c-2@example.org") == ("asked", None)
    [evidence] = verdict_of("e-1", "gap")["evidence"]
    assert evidence == {"kind": "ask", "at": "2026-10-04T12:00:00Z", "channel": "email"}


class Refusing:
    name = "stand-in"
    channel = Channel.EMAIL
    batch_size = 50

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        return [Receipt(m.uid, ReceiptKind.REFUSED, self.name, suppress="bounced") for m in messages]


def test_d21_a_hard_bounce_gives_the_contact_back_suppresses_the_address_and_leaves_the_other_channel() -> None:
    happens("e-1", "c-1", NOON, email="gone@example.org", phone="+33612345678")
    with clock.at(NOON):
        assert delivery.send_due({"email": Refusing()}).failed == 1
    assert set(db.session.scalars(select(LedgerEntry.state))) == {"released"}
    [suppressed] = db.session.scalars(select(Suppression)).all()
    assert (suppressed.channel, suppressed.reason, suppressed.key[:2]) == ("email", "bounced", "e:")
    same = {"email": "gone@example.org", "phone": "+33612345678"}
    assert asked("e-2", "c-1", NOON + DAY, "boarding", **same) == ("asked", None)
    assert db.session.scalars(select(LocalMessage.channel)).all() == ["sms"]


def test_states_are_kept_apart_reserved_sent_answered() -> None:
    happens("e-1", "c-1", NOON)
    send(NOON)
    assert set(map(tuple, db.session.execute(select(LedgerEntry.state, LedgerEntry.answered_at)))) == {("sent", None)}
