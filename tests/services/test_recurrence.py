"""Recurring surveys: one moment per customer and period, spread evenly, made ahead, never twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Decision, Event, Message
from surveyapp.services.recurrence import next_moment, plan_recurring
from tests import outreach
from tests.builders import make_customer

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
RECURRING = """
  - {key: relationship, every: 90d, survey: boarding_csat, channels: [email], expires: 14d, reserve: 14d}
"""


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOW - DAY):
        outreach.load(programme=outreach.PROGRAMME.rstrip() + RECURRING)


def test_moments_are_spread_evenly_and_come_once_a_period() -> None:
    every = timedelta(days=90)
    moments = [next_moment(every, n / 900, NOW)[1] for n in range(900)]
    assert all(NOW < m <= NOW + every for m in moments)
    assert set(Counter((NOW + every - m).days // 10 for m in moments).values()) == {100}
    number, first = next_moment(every, 0.3, NOW)
    assert next_moment(every, 0.3, first) == (number + 1, first + every)


def test_a_customer_gets_one_event_per_period_ahead_of_its_moment() -> None:
    for _ in range(60):
        make_customer(created_at=NOW - 400 * DAY)
    with clock.at(NOW):
        first = plan_recurring()
        assert plan_recurring() == 0
    events = db.session.scalars(select(Event).where(Event.source == "recurring")).all()
    assert 0 < first == len(events) < 60
    assert all(e.event_id.startswith("every:relationship:c-") and e.step_id is None and e.name is None for e in events)
    assert all(NOW - DAY < e.occurred_at <= NOW + 14 * DAY for e in events)
    db.session.commit()
    with clock.at(NOW + 80 * DAY):
        plan_recurring()
    everyone = Counter(db.session.scalars(select(Event.customer_id).where(Event.source == "recurring")).all())
    assert set(everyone.values()) <= {1, 2}


def test_a_recurring_ask_is_decided_like_any_other() -> None:
    make_customer(created_at=NOW - 400 * DAY)
    for day in range(0, 95, 13):
        with clock.at(NOW + day * DAY):
            plan_recurring()
    moment = db.session.scalars(select(Message.due_at).order_by(Message.due_at)).first()
    assert moment is not None
    assert outreach.send(moment).sent == 1
    decision = db.session.scalars(select(Decision).where(Decision.outcome == "asked")).one()
    assert (decision.channel, decision.reason) == ("email", None)


def test_new_and_erased_customers_and_those_of_another_segment_are_left_out() -> None:
    make_customer(created_at=NOW + 60 * DAY)
    make_customer(created_at=NOW - 400 * DAY, erased_at=NOW)
    for day in range(0, 30, 13):
        with clock.at(NOW + day * DAY):
            assert plan_recurring() == 0
