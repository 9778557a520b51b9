"""Events come in once each, whatever the number of senders, in a number of statements that does not grow."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.events import CustomerIn, EventIn
from surveyapp.extensions import db
from surveyapp.models import ContactKey, ContactSubject, Customer, Decision, Event, Message, Step, Trigger
from surveyapp.services.journeys import record_events
from tests.builders import MOMENT, make_brand, make_step, make_survey

Database = scoped_session[Session]


@pytest.fixture
def step(session: Database) -> Step:
    make_brand()
    return make_step()


@pytest.fixture
def trigger(step: Step) -> Trigger:
    version = make_survey()
    trigger = Trigger(key="after_check_in", step=step, survey=version.survey, channels=["email"], definition={})
    db.session.add(trigger)
    db.session.commit()
    return trigger


def told(number: int, person: int | None = None, **changes: Any) -> EventIn:
    i = number if person is None else person
    customer = CustomerIn(f"c-{i}", email=f"ada{i}@example.org", phone=f"+336123{i:05d}", attributes={"seat": f"{i}A"})
    return replace(EventIn(f"e-{number}", customer, MOMENT, "flight", "check_in", properties={"n": number}), **changes)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements sent to the database while the body runs."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_every_matching_trigger_has_its_waiting_decision(session: Database, trigger: Trigger) -> None:
    result = record_events([told(1), told(2)], source="test")
    assert (result.accepted, result.duplicates, result.rejected) == (2, 0, [])
    decisions = session.scalars(select(Decision)).all()
    assert [(d.outcome, d.verdicts, d.trigger_id) for d in decisions] == [("waiting", None, trigger.id)] * 2
    assert session.scalars(select(Message.state)).all() == ["planned", "planned"]


def test_a_repeat_plans_nothing_again(session: Database, trigger: Trigger) -> None:
    record_events([told(1)], source="test")
    result = record_events([told(1), told(1)], source="test")
    assert (result.accepted, result.duplicates) == (0, 2)
    assert session.scalar(select(func.count()).select_from(Decision)) == 1


def test_nothing_is_kept_when_the_plan_fails(session: Database, trigger: Trigger) -> None:
    session.add(Message(**planned_message(trigger, "after_check_in:e-1:email:first")))
    session.commit()
    with pytest.raises(Exception, match="idem_key"):
        record_events([told(1)], source="test")
    assert session.scalars(select(Event)).all() == []
    assert session.scalars(select(Customer.external_id).where(Customer.external_id == "c-1")).all() == []


def planned_message(trigger: Trigger, idem_key: str) -> dict[str, Any]:
    customer = Customer(external_id="other", consent={}, attributes={}, created_at=MOMENT)
    db.session.add(customer)
    db.session.flush()
    return {
        "uid": "m-1",
        "idem_key": idem_key,
        "customer_id": customer.id,
        "trigger_id": trigger.id,
        "survey_id": trigger.survey_id,
        "channel": "email",
        "kind": "first",
        "tier": 2,
        "priority": 0,
        "due_at": MOMENT,
        "state": "planned",
        "created_at": MOMENT,
    }


def test_a_thousand_events_take_few_statements(app: OpenAPI, session: Database, trigger: Trigger) -> None:
    with counted(db.engine) as first:
        assert record_events([told(i) for i in range(1_000)], source="test").accepted == 1_000
    with counted(db.engine) as again:
        assert record_events([told(i) for i in range(1_000)], source="test").duplicates == 1_000
    with counted(db.engine) as known:
        later = [told(i + 1_000, i) for i in range(1_000)]
        assert record_events(later, source="test").accepted == 1_000
    with counted(db.engine) as moved:
        changes = [told(i + 2_000, i, customer=CustomerIn(f"c-{i}", email=f"new{i}@example.org")) for i in range(1_000)]
        assert record_events(changes, source="test").accepted == 1_000
    pages = [len(one) for one in (first, again, known, moved)]
    # Keys are three a customer and go in pages of a thousand rows.
    assert pages[0] <= 20, first
    assert pages[1] <= 3, again
    assert pages[2] <= 12, known
    assert pages[3] <= 20, moved


def test_keys_are_kept_in_step_with_the_addresses(session: Database, step: Step) -> None:
    record_events([told(1)], source="test")
    customer = session.scalars(select(Customer)).one()
    before = set(session.scalars(select(ContactKey.key)))
    assert {key[0] for key in before} == {"c", "e", "p"}
    assert before == set(session.scalars(select(ContactSubject.key)))
    record_events([told(2, customer=CustomerIn("c-1", email="new@example.org"))], source="test")
    own = select(ContactKey.key).where(ContactKey.customer_id == customer.id)
    after = set(session.scalars(own.where(ContactKey.until.is_(None))))
    assert (len(after), len(after & before)) == (3, 2)
    assert set(session.scalars(own.where(ContactKey.until.is_not(None)))) == before - after
    assert after <= set(session.scalars(select(ContactSubject.key)))


def test_what_an_event_does_not_tell_stays_and_attributes_merge(session: Database, step: Step) -> None:
    record_events([told(1, customer=CustomerIn("c-1", email="a@example.org", attributes={"a": 1, "b": 2}))], source="t")
    record_events([told(2, customer=CustomerIn("c-1", language="fr", attributes={"b": None, "c": 3}))], source="t")
    customer = session.scalars(select(Customer)).one()
    assert (customer.email, customer.language, customer.attributes) == ("a@example.org", "fr", {"a": 1, "c": 3})
    snapshots = session.scalars(select(Event.attributes).order_by(Event.id)).all()
    assert snapshots == [{"a": 1, "b": 2}, {"a": 1, "c": 3}]


def test_an_event_that_is_taken_back_is_not_asked_about(session: Database, trigger: Trigger) -> None:
    record_events([told(1), told(2)], source="test")
    record_events([told(3, cancels="e-1", step="check_in")], source="test")
    rows = session.execute(
        select(Event.event_id, Decision.outcome, Decision.reason, Decision.verdicts)
        .join(Event, Decision.event_id == Event.id)
        .order_by(Event.event_id)
    ).all()
    why = [{"rule": "expired", "allowed": False, "why": "Cancelled by the event e-3."}]
    assert [tuple(row) for row in rows] == [
        ("e-1", "refused", "expired", why),
        ("e-2", "waiting", None, None),
        ("e-3", "waiting", None, None),
    ]
    states = session.execute(select(Message.idem_key, Message.state).order_by(Message.idem_key)).all()
    assert [state for _, state in states] == ["cancelled", "planned", "planned"]


def test_a_cancellation_that_arrives_first_holds_too(session: Database, trigger: Trigger) -> None:
    record_events([told(3, cancels="e-1")], source="test")
    record_events([told(1)], source="test")
    outcomes = {
        row[0]: row[1]
        for row in session.execute(select(Event.event_id, Decision.outcome).join(Event, Decision.event_id == Event.id))
    }
    assert outcomes == {"e-1": "refused", "e-3": "waiting"}


def run_together(app: OpenAPI, jobs: list[Callable[[], Any]]) -> list[Any]:
    """Every job in a thread of its own, all let go at once."""
    gate = threading.Barrier(len(jobs))

    def one(job: Callable[[], Any]) -> Any:
        with app.app_context():
            gate.wait()
            try:
                return job()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(one, jobs))


def test_a09_the_same_id_fifty_times_from_eight_threads_is_kept_once(
    app: OpenAPI, session: Database, trigger: Trigger
) -> None:
    batches = [[told(1) for _ in range(6)] + [told(2)] for _ in range(8)]
    results = run_together(app, [partial(record_events, batch, source="test") for batch in batches])
    assert sum(result.accepted for result in results) == 2
    assert sum(result.duplicates for result in results) == 8 * 7 - 2
    session.rollback()
    assert sorted(session.scalars(select(Event.event_id))) == ["e-1", "e-2"]
    assert session.scalar(select(func.count()).select_from(Decision)) == 2
    assert session.scalar(select(func.count()).select_from(Customer)) == 2


def test_senders_that_cross_over_each_other_s_people_lose_nothing(
    app: OpenAPI, session: Database, trigger: Trigger
) -> None:
    def batch(sender: int) -> list[EventIn]:
        people = range(40) if sender % 2 else range(39, -1, -1)
        stamp = MOMENT + timedelta(seconds=sender)
        return [
            told(
                sender * 100 + i,
                i,
                occurred_at=stamp,
                customer=CustomerIn(f"c-{i}", email=f"ada{i % 5}@example.org", attributes={f"s{sender}": sender}),
            )
            for i in people
        ]

    results = run_together(app, [partial(record_events, batch(sender), source="test") for sender in range(8)])
    assert [result.accepted for result in results] == [40] * 8
    session.rollback()
    attributes = session.scalars(select(Customer.attributes)).all()
    assert attributes == [{f"s{s}": s for s in range(8)}] * 40
    assert session.scalar(select(func.count()).select_from(Event)) == 320


def test_policy_time_is_the_database_s_and_not_the_sender_s(session: Database, step: Step) -> None:
    now = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    with clock.at(now):
        record_events([told(1)], source="test")
    kept = session.scalars(select(Event)).one()
    assert (kept.occurred_at, kept.received_at) == (MOMENT, now)
