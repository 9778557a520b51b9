"""Trying a policy on its page: ordered, played by the scheduler, shown beside the one in force with its loser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Simulation
from surveyapp.services import simulation_runs
from surveyapp.services.delivery import send_due
from surveyapp.services.senders import configured
from surveyapp.web.admin import simulated
from tests import outreach
from tests.people import sign_in_as

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "/admin/policy/simulation/"


@pytest.fixture(autouse=True)
def happened(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load()
    for number, days in enumerate((0, 10, 20, 31)):
        with clock.at(NOON + days * DAY):
            outreach.happens(f"e-{number}", "c-1", "check_in", NOON + days * DAY)
            outreach.happens(f"f-{number}", "c-2", "boarding", NOON + days * DAY)
            send_due(configured())


@pytest.fixture(autouse=True)
def in_june(happened: None) -> Iterator[None]:
    """Pages leave out the year of the day on which they are read."""
    with clock.at(NOON + 100 * DAY):
        yield


def tried(client: FlaskClient, role: str = "editor", **form: str) -> tuple[int, str]:
    token = sign_in_as(client, role)
    sent = {"csrf_token": token, "policy": "gap: {2: 9d}", "from": "2026-03-01", "to": "2026-04-30"} | form
    answer = client.post(URL, data=sent)
    return answer.status_code, answer.headers.get("Location") or answer.text


def only() -> Simulation:
    return db.session.scalars(select(Simulation)).one()


def test_a_draft_is_played_by_the_scheduler_and_shown_beside_the_policy_in_force(client: FlaskClient) -> None:
    status, place = tried(client)
    assert status == 303
    assert "Waiting for the scheduler" in client.get(place).text
    assert "hx-get" in client.get(place, headers={"HX-Request": "true"}).text
    while simulation_runs.advance():
        pass
    assert client.get(place, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    shown = client.get(place).text
    assert "8 recorded events of 1 Mar – 30 Apr, 8 decisions taken again under both." in shown
    assert "The draft makes 4 more asks (+100\u202f%)" in shown
    assert "no rule" not in shown
    assert "9d" in shown
    assert place in client.get(URL).text


def test_one_that_was_cancelled_is_played_no_further(client: FlaskClient) -> None:
    _, place = tried(client)
    token = sign_in_as(client, "editor")
    assert client.post(f"{place}/cancel", data={"csrf_token": token}).status_code == 303
    assert (only().state, simulation_runs.advance()) == ("cancelled", False)
    assert "was cancelled" in client.get(place).text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"policy": "gap: {2: soon}"}, "Line 1: "),
        ({"policy": "gap: [\n"}, "Line "),
        ({"policy": "- gap"}, "A policy is names with values"),
        ({"policy": "caps:\n  - {max: 2, per: 30d}\n  - {max: 2, per: never}"}, "Line 3: "),
        ({"from": "soon"}, "Choose a day."),
        ({"to": "2026-02-28"}, "The last day lies before the first."),
    ],
)
def test_what_cannot_be_tried_is_said_at_its_field_and_kept(
    client: FlaskClient, form: dict[str, str], words: str
) -> None:
    status, page = tried(client, **form)
    assert status == 422
    assert words in page
    assert form.get("policy", "gap: {2: 9d}").splitlines()[0].strip() in page.replace("&#39;", "'")
    assert db.session.scalars(select(Simulation)).all() == []


def test_analysts_look_and_editors_try(client: FlaskClient) -> None:
    assert tried(client, role="analyst")[0] == 403
    assert client.get(URL).status_code == 200
    assert client.get(f"{URL}nothing").status_code == 404


def column(**changes: object) -> dict[str, object]:
    steps = {"a": {"expected_answers": 10.0, "half_width": 6.0, "target": 6.0, "on_target": True}}
    usual = {
        "asked": 100,
        "asked_by_trigger": {"one": 60, "two": 40},
        "expected_answers": 20.0,
        "contacts_per_customer": {"1": 100},
        "steps": steps,
    }
    return usual | changes


def sentences(now: dict[str, object], then: dict[str, object], low: float, high: float) -> list[str]:
    result = {"current": now, "proposed": then, "expected_answers_change": {"low": low, "high": high}}
    return simulated.paragraph(result, str.title, str.upper)


def test_the_paragraph_names_the_loser() -> None:
    out = {"a": {"expected_answers": 5.0, "half_width": 7.0, "target": 6.0, "on_target": False}}
    fewer = column(asked=90, asked_by_trigger={"one": 60, "two": 30}, expected_answers=18.0, steps=out)
    assert sentences(column(), fewer, -4.0, 0.5) == [
        "The draft makes 10 fewer asks (\u221210\u202f%) and expects 2 fewer answers (undecidable: \u22124 to 0).",
        "A drops out (±6.0 to ±7.0, target ±6.0).",
        "The loser is “Two”: 40 asks become 30.",
    ]
    more = column(
        asked=110,
        asked_by_trigger={"one": 70, "two": 40},
        expected_answers=22.0,
        contacts_per_customer={"1": 90, "4": 5},
    )
    assert sentences(column(), more, 1.0, 3.0) == [
        "The draft makes 10 more asks (+10\u202f%) and expects 2 more answers (+1 to +3).",
        "No step loses to speak of; the customers do: 0 people contacted 4 times or more become 5.",
    ]
    assert sentences(column(), column(), 0.0, 0.0) == [
        "The draft changes nothing in this period: the same 100 asks, the same refusals."
    ]
