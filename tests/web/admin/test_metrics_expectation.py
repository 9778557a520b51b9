"""What the same people expected and met: paired within each person, hidden when few, else with an interval."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import SurveyVersion
from surveyapp.services import rollups
from tests.builders import make_brand, make_customer, make_response, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import read, rows_of, words
from tests.web.admin.living import NOW

PAGE = "/admin/metrics/csat5/expectation"


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    make_brand()
    make_step("check_in")
    make_step("boarding", name={"en": "Boarding"})
    return client


@pytest.fixture
def surveys(reader: FlaskClient) -> tuple[SurveyVersion, SurveyVersion]:
    return make_survey("hoped", "intention"), make_survey("met", "csat5")


def said(version: SurveyVersion, who: int, score: int, days_ago: int, **overrides: Any) -> None:
    at = NOW - timedelta(days=days_ago)
    when = {"event_at": at, "answered_at": at, "updated_at": at, "reporting_day": at.date()}
    rollups.count(db.session, make_response(version, score, customer_id=who, **(when | overrides)), 1)


def person() -> int:
    return make_customer(created_at=NOW).id


def both(surveys: tuple[SurveyVersion, SurveyVersion], hoped: int, met: int, many: int, **overrides: Any) -> None:
    for _ in range(many):
        who = person()
        said(surveys[0], who, hoped, 40)
        said(surveys[1], who, met, 3, **overrides)
    db.session.commit()


def test_people_are_compared_with_themselves_and_by_step(
    reader: FlaskClient, surveys: tuple[SurveyVersion, SurveyVersion]
) -> None:
    both(surveys, 5, 2, 20)
    both(surveys, 5, 4, 15)
    both(surveys, 4, 5, 32, step="flight.boarding")
    whole, check_in, boarding = rows_of(reader, f"{PAGE}?expected=hoped&csv=expectation")
    assert (whole["step"], whole["people"], whole["expected"], whole["met"]) == ("All together", "67", "100", "70")
    assert whole["met minus expected"] == "-29.8507"
    assert whole["reads as"].startswith("lower by ")
    assert (check_in["people"], check_in["met minus expected"]) == ("35", "-57.1429")
    assert boarding["reads as"] == "undecidable: \u22128 to +8"
    text = words(read(reader, f"{PAGE}?expected=hoped"))
    assert "the same 67 people twice" in text
    assert "Met minus expected \u221230" in text
    link = re.search(r'href="(/admin/metrics/intention/breakdown[^"]+)"', read(reader, f"{PAGE}?expected=hoped"))
    assert link
    course = rows_of(reader, html.unescape(link[1]) + "&csv=grid")
    assert [(row["month"], row["n"]) for row in course] == [("October 2026", "67"), ("All", "67")] * 2


def test_each_person_counts_once_with_the_answer_just_before_and_on_the_same_journey(
    reader: FlaskClient, surveys: tuple[SurveyVersion, SurveyVersion]
) -> None:
    hoped, met = surveys
    both(surveys, 5, 5, 6)
    who = person()
    said(hoped, who, 1, 60)
    said(hoped, who, 4, 50)
    said(hoped, who, 5, 400)
    said(met, who, 4, 20)
    said(met, who, 5, 4)  # the newest counts, beside the 4 of 50 days ago
    for overrides in ({"journey": "stay"}, {"status": "provisional"}, {"instance": "trip-9"}):
        said(hoped, late := person(), 1, 30, **overrides)
        said(met, late, 1, 5, instance="trip-1")
    said(hoped, after := person(), 1, 1)
    said(met, after, 1, 5)
    db.session.commit()
    (whole,) = rows_of(reader, f"{PAGE}?expected=hoped&csv=expectation")
    assert (whole["people"], whole["expected"], whole["met"]) == ("7", "100", "100")
    assert whole["reads as"] == "too early: n under 30"


def test_under_five_people_nothing_is_shown_and_a_small_step_hides_another(
    reader: FlaskClient, surveys: tuple[SurveyVersion, SurveyVersion]
) -> None:
    both(surveys, 5, 1, 4)
    page = words(read(reader, f"{PAGE}?expected=hoped"))
    assert "Hidden: 4 answers; shown from 5." in page
    assert "Met minus expected" not in page
    both(surveys, 5, 1, 40, step="flight.boarding")
    rows = rows_of(reader, f"{PAGE}?expected=hoped&csv=expectation")
    assert [(row["people"], row["met"]) for row in rows] == [("44", "0"), ("4", ""), ("40", "")]


def test_what_cannot_be_paired_is_said(reader: FlaskClient, surveys: tuple[SurveyVersion, SurveyVersion]) -> None:
    assert "Which survey asked what people expected?" in words(read(reader, PAGE))
    assert "Nobody answered both" in words(read(reader, f"{PAGE}?expected=hoped"))
    assert "No other survey on this scale" in words(read(reader, "/admin/metrics/ces2/expectation"))
    assert "expected: no survey" in read(reader, f"{PAGE}?expected=nothing", 422)
    assert "is the survey of the later answers, too" in read(reader, f"{PAGE}?expected=met&survey=met", 422)
    assert "no earlier answer of the same person" in read(reader, "/admin/metrics/enps/expectation", 422)
    assert "/enps/expectation" not in read(reader, "/admin/metrics/enps")
