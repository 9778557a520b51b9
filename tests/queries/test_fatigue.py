"""Fatigue: the place of an ask among those of 365 days, opt-outs at the last ask before, events that were covered."""

from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer, Invitation
from surveyapp.queries import fatigue
from surveyapp.queries.fatigue import Answered, Coverage
from surveyapp.services import customers
from surveyapp.services.delivery import send_due
from surveyapp.services.senders import configured
from tests import outreach
from tests.people import sign_in_as

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def asked(person: str, step: str, days: int, answered: bool = False) -> None:
    with clock.at(NOON + days * DAY):
        outreach.happens(f"{person}-{step}-{days}", person, step, NOON + days * DAY)
        send_due(configured())
        if answered:
            newest = db.session.scalars(select(Invitation).order_by(Invitation.id.desc()).limit(1)).one()
            newest.answered_at = clock.now() + timedelta(hours=1)
            db.session.commit()


def leaves(person: str, days: int) -> None:
    with clock.at(NOON + days * DAY):
        found = db.session.scalars(select(Customer).where(Customer.external_id == person)).one()
        customers.opt_out(found, "all", "test")


def loaded() -> None:
    with clock.at(NOON - DAY):
        outreach.load("policy:\n  gap: {1: 1d, 2: 1d}\n")


def test_an_ask_is_counted_by_its_place_among_the_asks_of_365_days(app: Flask) -> None:
    loaded()
    asked("c-1", "check_in", 0, answered=True)
    asked("c-1", "boarding", 100)
    asked("c-1", "check_in", 366)  # the first lies 366 days back
    asked("c-2", "check_in", 366, answered=True)
    everything = fatigue.by_ordinal(db.session(), NOON, NOON + 400 * DAY)
    assert everything == {1: Answered(2, 2), 2: Answered(2, 0)}
    assert fatigue.by_ordinal(db.session(), NOON + 366 * DAY, NOON + 400 * DAY) == {
        1: Answered(1, 1),
        2: Answered(1, 0),
    }


def test_an_opt_out_counts_at_the_last_ask_of_the_thirty_days_before(app: Flask) -> None:
    loaded()
    asked("c-1", "check_in", 0)
    asked("c-1", "boarding", 5)
    asked("c-2", "boarding", 5)
    asked("c-3", "check_in", 5)
    leaves("c-1", 6)
    leaves("c-2", 36)  # too long after
    assert fatigue.opt_outs_by_step(db.session(), NOON, NOON + 60 * DAY) == {
        "flight.boarding": Answered(2, 1),
        "flight.check_in": Answered(2, 0),
    }


def test_coverage_counts_events_those_asked_about_and_those_answered(app: Flask) -> None:
    loaded()
    asked("c-1", "check_in", 0, answered=True)
    asked("c-2", "check_in", 0)
    asked("c-2", "boarding", 0)  # refused: asked today already
    assert fatigue.coverage(db.session(), NOON, NOON + DAY) == {
        "flight.check_in": Coverage(2, 2, 1),
        "flight.boarding": Coverage(1, 0, 0),
    }


def test_the_page_answers_its_question(client: FlaskClient) -> None:
    loaded()
    sign_in_as(client, "analyst")
    assert "Nothing to read yet" in client.get("/admin/policy/fatigue/").text
    with clock.at(NOON + 30 * DAY):
        asked("c-1", "check_in", 0, answered=True)
    with clock.at(NOON + 30 * DAY):
        page = client.get("/admin/policy/fatigue/?days=91").text
    assert "Too early to say" in page
    assert "1 ask; shown from 5" in page
