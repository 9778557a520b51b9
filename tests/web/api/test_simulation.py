"""Trying a policy over HTTP: the contract's shape, days and times, and a sentence for everything wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from surveyapp import clock
from surveyapp.services.delivery import send_due
from surveyapp.services.senders import configured
from tests import outreach
from tests.people import bearer

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "/api/v1/policy/simulate"


@pytest.fixture(autouse=True)
def happened(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load()
    for number, (person, step, days) in enumerate(
        [("c-1", "check_in", 0), ("c-1", "boarding", 10), ("c-1", "baggage", 20), ("c-2", "check_in", 0)]
    ):
        with clock.at(NOON + days * DAY):
            outreach.happens(f"e-{number}", person, step, NOON + days * DAY)
            send_due(configured())


def tried(client: FlaskClient, **body: Any) -> Any:
    full = {"policy": {"gap": {"2": "9d"}}, "from": "2026-03-01", "to": "2026-04-01"} | body
    return client.post(URL, json=full, headers=bearer("read"))


def test_the_shape_is_that_of_the_contract(client: FlaskClient) -> None:
    answer = tried(client)
    assert answer.status_code == 200
    assert answer.json["events"] == 4
    assert answer.json["policy_version"] == 1
    now, then = answer.json["current"], answer.json["proposed"]
    assert (now["asked"], now["refused"], now["contacts_per_customer"]) == (3, {"gap": 1}, {"1": 1, "2": 1})
    assert (then["asked"], then["refused"], then["contacts_per_customer"]) == (4, {}, {"1": 1, "3": 1})
    assert now["asked_by_trigger"] == {"after_baggage": 1, "after_boarding": 0, "after_check_in": 2}
    assert (now["decisions"], now["customers"], now["customers_asked"], now["reminders"]) == (4, 2, 2, 0)
    # rates: (0 answered + 10 × 0.2) / (asked + 10), and none where nobody was asked yet
    assert now["expected_answers"] == round(2 * 2 / 12 + 1 * 2 / 11, 1)
    assert then["expected_answers"] == round(2 * 2 / 12 + 1 * 2 / 11 + 0.2, 1)
    assert now["half_width"] == {"flight.baggage": 50.0, "flight.boarding": None, "flight.check_in": 50.0}
    assert then["steps"]["flight.boarding"] == {
        "metric": "csat5",
        "asked": 1,
        "expected_answers": 0.2,
        "half_width": 50.0,
        "target": None,
        "on_target": None,
    }


@pytest.mark.parametrize(
    ("first", "last", "events"),
    [
        ("2026-03-02", "2026-03-02", 2),
        ("2026-03-02T12:00:00Z", "2026-03-12T13:00:00+01:00", 3),
        ("2026-03-02T12:00:01Z", "2026-03-12T11:59:59Z", 0),
        ("2027-01-01", "2027-01-01", 0),
    ],
)
def test_a_period_is_days_or_times_with_both_ends(client: FlaskClient, first: str, last: str, events: int) -> None:
    assert tried(client, **{"from": first, "to": last}).json["events"] == events


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"from": "yesterday"}, "from", "must be a time such as"),
        ({"to": 7}, "to", "must be a time such as"),
        ({"to": None}, "to", "must be a time such as"),
        ({"from": "2026-03-02T12:00:00"}, "from", "has no zone"),
        ({"from": "0001-01-01"}, "from", "must lie between"),
        ({"to": "9999-12-31"}, "to", "must lie between"),
        ({"from": "2026-04-02"}, "to", "lies before from"),
        ({"policy": []}, "policy", "must be an object"),
        ({"policy": {"gap": {"2": "soon"}}}, "policy.gap.2", "a duration is"),
        ({"policy": {"gpa": {}}}, "policy.gpa", ""),
        ({"until": "2026-04-01"}, "until", "is no field here"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(
    client: FlaskClient, wrong: dict[str, Any], field: str, words: str
) -> None:
    answer = tried(client, **wrong)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json["errors"]] == [field]
    assert words in answer.json["errors"][0]["message"]


def test_only_read_and_admin_keys_may_try(client: FlaskClient) -> None:
    assert client.post(URL, json={}, headers=bearer("ingest")).status_code == 403
    assert client.post(URL, json={}).status_code == 401
    assert client.post(URL, json={}, headers=bearer("admin")).status_code == 422
