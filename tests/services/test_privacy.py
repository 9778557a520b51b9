"""Opting out and erasing: what waits stops, the person goes, the anonymous answer and its figure stay."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import failpoints
from surveyapp.domain.events import CustomerIn, EventIn
from surveyapp.extensions import db
from surveyapp.models import (
    AuditEntry,
    ContactKey,
    Customer,
    Decision,
    Event,
    LocalMessage,
    Message,
    Response,
    ResponseChange,
    Suppression,
    Trigger,
)
from surveyapp.services import privacy, rebuilding, rollups
from surveyapp.services.customers import ERASED, alias, opt_in, opt_out, upsert_customers
from surveyapp.services.journeys import record_events
from surveyapp.services.transaction import transaction
from tests.builders import (
    MOMENT,
    make_brand,
    make_invitation,
    make_reporting_attribute,
    make_response,
    make_step,
    make_survey,
)

Database = scoped_session[Session]


@pytest.fixture
def trigger(session: Database) -> Trigger:
    make_brand()
    step = make_step()
    trigger = Trigger(key="after_check_in", step=step, survey=make_survey().survey, channels=["email"], definition={})
    db.session.add(trigger)
    db.session.commit()
    return trigger


def told(event_id: str, **customer: Any) -> EventIn:
    person = CustomerIn("c-1", **({"email": "ada@example.org", "phone": "+33612345678"} | customer))
    return EventIn(event_id, person, MOMENT, "flight", "check_in", instance="AF123", properties={"seat": "12A"})


def known(session: Database, external_id: str = "c-1") -> Customer:
    return session.scalars(select(Customer).where(Customer.external_id == external_id)).one()


def everything(session: Database) -> str:
    """Every row of every table as text."""
    tables = db.metadatas[None].sorted_tables
    return "\n".join(repr(row) for table in tables for row in session.execute(select(table)))


def test_an_opt_out_of_all_covers_every_key_and_drops_what_waits(session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    customer = known(session)
    opt_out(customer, "all", "test")
    opt_out(customer, "all", "test")
    keys = set(session.scalars(select(ContactKey.key).where(ContactKey.customer_id == customer.id)))
    rows = session.execute(select(Suppression.key, Suppression.channel, Suppression.reason)).all()
    assert sorted(tuple(row) for row in rows) == sorted((key, "all", "opted_out") for key in keys)
    assert session.scalars(select(Message.state)).all() == ["cancelled"]
    decision = session.scalars(select(Decision)).one()
    why = "The customer asked not to be asked."
    assert (decision.outcome, decision.reason) == ("refused", "opted_out")
    assert decision.verdicts == [{"rule": "opted_out", "allowed": False, "why": why}]


def test_an_opt_out_of_one_channel_leaves_the_decision_to_the_dispatcher(session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    opt_out(known(session), "sms", "test")
    assert set(session.scalars(select(Suppression.channel))) == {"sms"}
    assert session.scalars(select(Message.state)).all() == ["planned"]
    assert session.scalars(select(Decision.outcome)).all() == ["waiting"]


def test_opting_in_again_takes_back_only_the_person_s_own_objection(session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    customer = known(session)
    opt_out(customer, "email", "test")
    opt_out(customer, "sms", "test")
    key = session.scalars(select(ContactKey.key).where(ContactKey.key.startswith("e:"))).one()
    session.add(Suppression(key=key, channel="email", reason="bounced", at=MOMENT))
    session.commit()
    opt_in(customer, "email", "test")
    rows = {(row.channel, row.reason) for row in session.scalars(select(Suppression))}
    assert rows == {("sms", "opted_out"), ("email", "bounced")}


def answered(session: Database, trigger: Trigger) -> Response:
    """A customer with a whole history: events, an invitation, an answer with words, a message in the mailbox."""
    make_reporting_attribute("class", 1)
    record_events([told("e-1"), told("e-2")], source="test")
    customer = known(session)
    version = make_survey()
    invitation = make_invitation(version, customer)
    response = make_response(
        version,
        4,
        customer_id=customer.id,
        invitation_id=invitation.id,
        comment="My name is Ada, call +33612345678",
        answers={"why": "Ada again"},
        context={"class": "Business", "seat": "12A", "surname": "Lovelace"},
        instance="AF123",
        event="e-1",
        import_id="r-1",
        answered_at=datetime(2026, 11, 2, 9, 41, 7, tzinfo=UTC),
    )
    session.add(
        ResponseChange(response_id=response.id, at=MOMENT, score=3, comment="Ada", status="confirmed", channel="email")
    )
    session.add(
        LocalMessage(
            channel="email",
            recipient="ada@example.org",
            sender="x@localhost",
            text="Dear Ada",
            headers={},
            sent_at=MOMENT,
        )
    )
    rollups.count(session(), response, 1)
    session.commit()
    return response


def test_i76_erasure_removes_the_person_and_keeps_the_answer(session: Database, trigger: Trigger) -> None:
    response = answered(session, trigger)
    number = response.id
    done = privacy.erase("c-1")
    assert done.touched == {"customers": 1, "messages": 2, "invitations": 1, "events": 2, "responses": 1}
    session.expire_all()
    kept = session.get_one(Response, number)
    assert (kept.score, kept.step, kept.journey, kept.status) == (4, "flight.check_in", "flight", "confirmed")
    assert (kept.comment, kept.answers, kept.instance, kept.event, kept.import_id) == (None, {}, None, None, None)
    assert kept.context == {"class": "Business"}
    assert kept.answered_at == datetime(2026, 11, 2, tzinfo=UTC)
    customer = session.get_one(Customer, kept.customer_id)
    assert customer.external_id is not None
    assert customer.external_id.startswith("erased-")
    assert (customer.email, customer.phone, customer.attributes, customer.consent) == (None, None, {}, {})
    assert session.scalars(select(Message.state).where(Message.decision_id.is_not(None))).all() == ["cancelled"] * 2
    outcomes = session.execute(select(Decision.outcome, Decision.reason)).all()
    assert [tuple(row) for row in outcomes] == [("refused", "no_consent")] * 2
    assert session.scalar(select(func.count()).select_from(LocalMessage)) == 0
    rest = everything(session)
    for trace in ("ada@", "33612345678", "Ada", "Lovelace", "12A", "'c-1'", "e-1", "e-2", "AF123", "09:41"):
        assert trace not in rest, trace


def test_i76_figures_are_the_same_after_an_erasure(session: Database, trigger: Trigger) -> None:
    answered(session, trigger)
    privacy.erase("c-1")
    assert rebuilding.rebuild(check=True).differences == []


def test_i76_erasing_again_changes_nothing(session: Database, trigger: Trigger) -> None:
    answered(session, trigger)
    privacy.erase("c-1")
    before = everything(session)
    assert privacy.erase("c-1").touched == {}
    assert everything(session) == before
    assert session.scalars(select(AuditEntry.action)).all().count("customer.erased") == 1


def test_an_erasure_that_was_cut_short_is_finished_by_the_next(session: Database, trigger: Trigger) -> None:
    answered(session, trigger)

    def killed(name: str) -> None:
        raise KeyboardInterrupt(name)

    failpoints.install(killed)
    try:
        with pytest.raises(KeyboardInterrupt, match="person_buried"):
            privacy.erase("c-1")
    finally:
        failpoints.install(None)
    assert session.scalars(select(Response.comment)).all() == ["My name is Ada, call +33612345678"]
    assert set(session.scalars(select(Customer.email))) == {None}
    assert privacy.erase("c-1").touched["responses"] == 1
    assert session.scalars(select(Response.comment)).all() == [None]


def test_i76_d24_a_late_event_does_not_bring_the_person_back(session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    privacy.erase("c-1")
    result = record_events([told("e-9"), told("e-1")], source="test")
    assert result.accepted == 0
    sentence = "customer: this person was erased; nothing about them is kept"
    assert [one.errors for one in result.rejected] == [[sentence]] * 2
    assert session.scalar(select(func.count()).select_from(Event)) == 1
    assert "ada@" not in everything(session)


@pytest.mark.database("postgresql")
def test_i76_an_erasure_in_the_middle_of_an_event_wins(app: OpenAPI, session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    erased = threading.Event()

    def erase_now(name: str) -> None:
        if name == "customers_known" and not erased.is_set():
            erased.set()
            with ThreadPoolExecutor(1) as other:
                other.submit(in_app, app, lambda: privacy.erase("c-1")).result(timeout=120)

    failpoints.install(erase_now)
    try:
        result = record_events([told("e-2")], source="test")
    finally:
        failpoints.install(None)
    assert (result.accepted, len(result.rejected)) == (0, 1)
    assert "e-2" not in everything(session)


def in_app(app: OpenAPI, change: Callable[[], object]) -> object:
    with app.app_context():
        try:
            return change()
        finally:
            db.session.remove()


def test_the_address_stays_refused_for_a_new_record(session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    before = set(session.scalars(select(ContactKey.key).where(ContactKey.key.startswith("e:"))))
    privacy.erase("c-1")
    kept = set(
        session.scalars(select(Suppression.key).where(Suppression.reason == ERASED, Suppression.channel == "all"))
    )
    assert before <= kept
    assert {key[0] for key in kept} == {"e", "p", "x"}


def test_erasing_one_record_erases_those_united_with_it(session: Database, trigger: Trigger) -> None:
    record_events([told("e-1")], source="test")
    alias("visitor-7", "c-1")
    assert known(session, "anonymous:visitor-7").merged_into_id == known(session).id
    assert privacy.erase("c-1").touched["customers"] == 2
    assert "visitor-7" not in everything(session)
    with transaction() as inner:
        assert upsert_customers(inner, [CustomerIn("anonymous:visitor-7"), CustomerIn("c-1")]) == {}


def test_nobody_is_erased_under_an_unknown_id(session: Database) -> None:
    with pytest.raises(privacy.CustomerUnknown):
        privacy.erase("nobody")
    assert session.scalars(select(Suppression)).all() == []


def test_united_records_share_their_history(session: Database, trigger: Trigger) -> None:
    with transaction() as inner:
        upsert_customers(
            inner, [CustomerIn("anonymous:v", anonymous_id="v"), CustomerIn("c-1", email="ada@example.org")]
        )
    visitor, person = known(session, "anonymous:v"), known(session)
    for _ in range(2):
        assert alias("v", "c-1") is not None
    keys = set(session.scalars(select(ContactKey.key).where(ContactKey.customer_id == person.id)))
    assert {f"c:{visitor.id}", f"c:{person.id}"} <= keys
    record_events([told("e-5"), EventIn("e-6", CustomerIn("anonymous:v"), MOMENT, "flight", "check_in")], source="test")
    assert set(session.scalars(select(Event.customer_id))) == {person.id}


def test_a_circle_of_aliases_is_left_alone(session: Database) -> None:
    alias("a", "b", anonymous=False)
    alias("b", "a", anonymous=False)
    alias("a", "a", anonymous=False)
    assert known(session, "b").merged_into_id is None
    assert known(session, "a").merged_into_id == known(session, "b").id
