"""Several asks want one person: the holding window, reserved slots, and what an ask costs that does not come."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.sampling import coin
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, Event, LocalMessage
from surveyapp.services import customers
from surveyapp.services.recurrence import next_moment, plan_recurring
from tests import outreach
from tests.outreach import outcomes, send, verdict_of

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HELD = "policy:\n  gap: {1: 7d, 2: 30d, 3: 30d}\n  holding: 15m\n"
GAPS = "policy:\n  gap: {1: 7d, 2: 30d, 3: 30d}\n"


def happens(number: str, step: str, at: datetime, person: str = "c-1", **overrides: object) -> None:
    with clock.at(at):
        outreach.happens(number, person, step, at, **overrides)


def decision_of(event: str) -> str:
    return db.session.scalars(select(Decision.uid).join(Event).where(Event.event_id == event)).one()


def load(policy: str, programme: str = outreach.PROGRAMME) -> None:
    with clock.at(NOON - 2 * DAY):
        outreach.load(policy, programme)


@pytest.mark.parametrize("bag_first", [True, False])
def test_b02_within_the_holding_window_the_moment_of_truth_is_asked_whichever_came_first(
    app: Flask, bag_first: bool
) -> None:
    load(HELD)
    bag, check_in = (NOON, NOON + 10 * MINUTE) if bag_first else (NOON + 10 * MINUTE, NOON)
    for number, step, at in sorted([("e-bag", "baggage", bag), ("e-in", "check_in", check_in)], key=lambda one: one[2]):
        happens(number, step, at)
        send(at)
    for minute in (15, 25, 40):
        send(NOON + minute * MINUTE)
    assert outcomes() == {"e-bag": ("asked", None), "e-in": ("refused", "yielded")}
    lost = verdict_of("e-in", "yielded")
    assert lost["evidence"] == [{"kind": "decision", "decision": decision_of("e-bag"), "trigger": "after_baggage"}]
    assert len(db.session.scalars(select(LocalMessage)).all()) == 1


def test_two_records_that_share_an_address_compete_in_one_holding_window(app: Flask) -> None:
    load(HELD)
    shared = {"email": "family@example.org"}
    happens("e-in", "check_in", NOON, "c-1", customer=shared)
    happens("e-bag", "baggage", NOON + 10 * MINUTE, "c-2", customer=shared)
    for minute in (15, 25, 40):
        send(NOON + minute * MINUTE)
    assert outcomes() == {"e-bag": ("asked", None), "e-in": ("refused", "yielded")}


def test_a_rival_that_would_not_be_asked_takes_no_place(app: Flask) -> None:
    load(HELD + "  caps: []\n  rules: [{kind: cap, step: flight.baggage, max: 0, per: 30d}]\n")
    happens("e-in", "check_in", NOON)
    happens("e-bag", "baggage", NOON + 10 * MINUTE)
    for minute in (15, 25, 40):
        send(NOON + minute * MINUTE)
    assert outcomes() == {"e-bag": ("refused", "cap"), "e-in": ("asked", None)}


def test_outside_the_window_the_earlier_wins_and_the_later_is_refused_by_its_rest(app: Flask) -> None:
    load(HELD)
    happens("e-in", "check_in", NOON)
    happens("e-on", "boarding", NOON + 16 * MINUTE)
    for minute in (15, 16, 31):
        send(NOON + minute * MINUTE)
    assert outcomes() == {"e-in": ("asked", None), "e-on": ("refused", "gap")}


# --- reserved slots


def slot(person: str = "c-1", **overrides: object) -> datetime:
    """Make the person known, plan their relationship survey, and say when it is due."""
    with clock.at(NOON - DAY):
        known = {"external_id": person, "email": f"{person}@example.org", **overrides}
        outreach.happens(f"hello-{person}", person, "check_in", NOON - 90 * DAY, customer=known)  # long expired
    every = timedelta(days=90)
    share = coin("a-pepper-for-tests-only", f"every:relationship:{person}")
    _, due = next_moment(every, share, NOON)
    with clock.at(due - 14 * DAY):
        assert plan_recurring() == 1
    return due


def test_a_step_ask_that_would_cost_the_reserved_slot_yields_and_names_it(app: Flask) -> None:
    load(GAPS, outreach.with_relationship())
    due = slot()
    happens("e-in", "check_in", due - 5 * DAY)
    assert send(due - 5 * DAY).refused == 2  # the expired greeting, and the step's ask
    assert outcomes()["e-in"] == ("refused", "yielded")
    lost = verdict_of("e-in", "yielded")
    assert lost["why"] == f"the time is reserved for relationship, due {due:%Y-%m-%d}"
    assert lost["evidence"][0]["trigger"] == "relationship"
    assert send(due).sent == 1
    assert outcomes()["relationship"] == ("asked", None)


def test_a_step_ask_due_at_the_same_moment_does_not_overtake_the_reserved_one(app: Flask) -> None:
    load(GAPS, outreach.with_relationship())
    due = slot()
    happens("e-in", "check_in", due)
    send(due + MINUTE)
    assert (outcomes()["relationship"], outcomes()["e-in"][0]) == (("asked", None), "refused")


def test_a_moment_of_truth_may_interrupt_a_reserved_slot(app: Flask) -> None:
    load(GAPS, outreach.with_relationship())
    due = slot()
    happens("e-bag", "baggage", due - 5 * DAY)
    send(due - 5 * DAY)
    assert outcomes()["e-bag"] == ("asked", None)


def test_a_slot_is_no_reason_when_both_asks_fit(app: Flask) -> None:
    load("policy:\n  gap: {1: 3d, 2: 3d, 3: 3d}\n", outreach.with_relationship())
    due = slot()
    happens("e-in", "check_in", due - 5 * DAY)
    send(due - 5 * DAY)
    send(due)
    assert (outcomes()["e-in"], outcomes()["relationship"]) == (("asked", None), ("asked", None))


def test_a_cap_that_the_reserved_ask_needs_is_kept_free_for_it(app: Flask) -> None:
    load("policy:\n  caps: [{max: 1, per: 10d}]\n", outreach.with_relationship())
    due = slot()
    happens("e-in", "check_in", due - 5 * DAY)
    happens("e-bag", "boarding", due - 12 * DAY)
    send(due - 12 * DAY)
    send(due - 5 * DAY)
    assert (outcomes()["e-bag"], outcomes()["e-in"][0]) == (("asked", None), "refused")
    assert verdict_of("e-in", "yielded")["allowed"] is False


def test_no_slot_is_kept_for_an_ask_that_would_not_be_made(app: Flask) -> None:
    programme = outreach.with_relationship(
        outreach.RELATIONSHIP.replace("expires: 7d", "expires: 7d, sample: 0.0000001")
    )
    load(GAPS, programme)
    due = slot()
    happens("e-in", "check_in", due - 5 * DAY)
    send(due - 5 * DAY)
    assert outcomes()["e-in"] == ("asked", None)


def test_a_reserved_slot_covers_everybody_who_shares_the_address(app: Flask) -> None:
    load(GAPS, outreach.with_relationship())
    due = slot(email="family@example.org")
    with clock.at(due - 6 * DAY):
        outreach.happens("e-in", "c-2", "check_in", due - 6 * DAY, customer={"email": "family@example.org"})
    send(due - 6 * DAY)
    assert outcomes()["e-in"] == ("refused", "yielded")


def test_an_opted_out_person_holds_no_slot(app: Flask) -> None:
    load(GAPS, outreach.with_relationship())
    due = slot(phone="+33612345678")
    with clock.at(due - 6 * DAY):
        customers.opt_out(db.session.scalars(select(Customer)).one(), "email", "test")
    happens("e-in", "check_in", due - 5 * DAY)
    send(due - 5 * DAY)
    asked = db.session.scalars(select(Decision.channel).join(Event).where(Event.event_id == "e-in")).one()
    assert (outcomes()["e-in"], asked) == (("asked", None), "sms")


def test_d03_a_weekly_step_does_not_starve_the_quarterly_relationship_survey(app: Flask) -> None:
    """Half a year of weekly events: the relationship survey is asked whenever it is due, the steps in between."""
    load(GAPS.replace("30d", "14d"), outreach.with_relationship())
    due = slot()
    moment, asked = due - 30 * DAY, []
    while moment < due + 100 * DAY:
        happens(f"w-{moment:%m%d}", "check_in", moment)
        with clock.at(moment):
            plan_recurring()
        send(moment)
        moment += 7 * DAY
        for later in (due, due + 90 * DAY):
            if moment - 7 * DAY < later <= moment:
                send(later)
    rows = db.session.execute(
        select(Decision.decided_at, Event.source).join(Event).where(Decision.outcome == "asked").order_by(Decision.id)
    ).all()
    asked = [at for at, source in rows if source == "recurring"]
    steps = sorted(at for at, source in rows if source != "recurring")
    assert asked == [due, due + 90 * DAY]
    assert len(steps) >= 5
    moments = sorted([*asked, *steps])
    assert min(later - earlier for earlier, later in zip(moments, moments[1:], strict=False)) >= 14 * DAY
