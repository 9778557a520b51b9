"""Complaints stand beside a figure with their rate, and warn when they rise while the figure stands still."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Event
from surveyapp.services import indicators
from tests.builders import make_brand, make_customer, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import answer, read, words
from tests.web.admin.living import NOW

PAGE = "/admin/metrics/csat5"
ALERT = "Silent customers complain elsewhere: complaints rose for as many events by more than chance explains"


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    make_brand()
    return client


def heard(days_ago: int, count: float, step: str = "flight.check_in") -> None:
    day = (NOW - timedelta(days=days_ago)).date().isoformat()
    with clock.at(NOW):
        done = indicators.keep_values("complaints", [{"day": day, "step": step, "value": count}])
    assert done.accepted == 1


def test_complaints_that_rise_under_a_steady_figure_are_an_alert(reader: FlaskClient) -> None:
    step, other = make_step(), make_step("boarding")
    who = make_customer().id
    for number in range(100):
        at = NOW - timedelta(days=3 if number % 2 else 33)
        place = (step if number % 4 < 2 else other).id
        when = {"occurred_at": at, "received_at": at, "source": "api"}
        db.session.add(Event(event_id=f"e-{number}", customer_id=who, step_id=place, **when))
    version = make_survey()
    answer(version, {5: 30, 2: 20}, days_ago=3)
    answer(version, {5: 30, 2: 20}, days_ago=33)
    assert "Complaints" not in words(read(reader, PAGE))
    heard(3, 90)
    heard(33, 60)
    heard(33, 40, "flight.boarding")
    heard(70, 999)
    text = words(read(reader, f"{PAGE}?step=flight.check_in")).replace("\u202f", " ")
    assert "Complaints 90 3 600.0 per 1 000 events; before 60, 2 400.0" in text
    assert ALERT in text
    everything = words(read(reader, f"{PAGE}?journey=flight")).replace("\u202f", " ")
    assert "Complaints 90 1 800.0 per 1 000 events; before 100, 2 000.0" in everything
    assert ALERT not in everything
    assert "Complaints" not in words(read(reader, f"{PAGE}?channel=email"))
    answer(version, {2: 200}, days_ago=3)
    assert ALERT not in words(read(reader, f"{PAGE}?step=flight.check_in")), "the figure fell, too"
