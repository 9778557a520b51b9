"""What people said they would do and then did: only once the days after an answer are over, each person once."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Event, Step, SurveyVersion
from tests.builders import make_brand, make_customer, make_response, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import read, rows_of, words
from tests.web.admin.living import NOW

PAGE = "/admin/metrics/intention/afterwards"
ASKED = f"{PAGE}?reached=flight.renewal&within=30"


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    make_brand()
    return client


def person(said: SurveyVersion, score: int, days_ago: int, renewal: Step, after: int | None) -> int:
    """Somebody who answered then and, `after` so many days, renewed."""
    who = make_customer(created_at=NOW).id
    at = NOW - timedelta(days=days_ago)
    make_response(said, score, customer_id=who, answered_at=at, event_at=at, updated_at=at, reporting_day=at.date())
    if after is not None:
        then = at + timedelta(days=after)
        when = {"occurred_at": then, "received_at": then, "source": "api"}
        db.session.add(Event(event_id=f"e-{who}", customer_id=who, step_id=renewal.id, **when))
    return who


def test_who_said_so_and_did_it_within_the_days(reader: FlaskClient) -> None:
    said, renewal = make_survey("stay", "intention"), make_step("renewal", name={"en": "Renewal"})
    for score, after, many in ((5, 10, 24), (5, None, 8), (5, 31, 2), (1, 30, 6), (2, None, 24), (5, -3, 2)):
        for _ in range(many):
            person(said, score, 40, renewal, after)
    person(said, 5, 20, renewal, 1)  # the thirty days are not over
    twice = person(said, 1, 50, renewal, 5)  # the newer answer counts, and nothing came after it
    at = NOW - timedelta(days=35)
    make_response(said, 3, customer_id=twice, answered_at=at, event_at=at, updated_at=at, reporting_day=at.date())
    db.session.commit()
    rows = rows_of(reader, f"{ASKED}&csv=afterwards")
    assert [(row["said"], row["people"], row["did it"]) for row in rows] == [
        ("Unfavourable 1–2", "30", ""),
        ("Between 3", "1", ""),
        ("Favourable 4–5", "36", "24"),
    ]
    for _ in range(4):
        person(said, 3, 40, renewal, None)
    db.session.commit()
    rows = rows_of(reader, f"{ASKED}&csv=afterwards")
    assert [row["did it"] for row in rows] == ["6", "0", "24"]
    text = words(read(reader, ASKED))
    assert "higher by 23 to 63" in text
    assert "Reached Renewal" in text


def test_what_cannot_be_read_is_said(reader: FlaskClient) -> None:
    make_survey("stay", "intention")
    assert "No step to reach" in words(read(reader, PAGE))
    make_step("renewal")
    assert "Which step shows what they did?" in words(read(reader, PAGE))
    assert "Nobody of these days" in words(read(reader, ASKED))
    assert "there is no step" in read(reader, f"{PAGE}?reached=flight.moon", 422)
    assert "within: must be a whole number from 1 to 730" in read(reader, f"{PAGE}?within=0", 422)
    assert "asks what was, not what somebody will do" in read(reader, "/admin/metrics/csat5/afterwards", 422)
