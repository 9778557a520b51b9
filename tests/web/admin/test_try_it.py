"""The try-it page: one tap shows a newcomer a message; outside the demonstration the page does not exist."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, LocalMessage, Response
from surveyapp.queries import catalog
from surveyapp.services import delivery, demonstration, senders
from surveyapp.services.programme import apply_programme
from tests.builders import MOMENT
from tests.people import sign_in_as


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, object]:
    return {"DEMO": getattr(request, "param", True)}


def test_a_customer_reaches_a_step_and_the_message_is_shown(client: FlaskClient) -> None:
    apply_programme(catalog.demo_file(), actor="test")
    token = sign_in_as(client)
    page = client.get("/admin/try/")
    assert page.status_code == 200
    assert "Claim settled" in page.text
    answer = client.post("/admin/try/", data={"csrf_token": token, "step": "insurance.claim_settled", "language": "fr"})
    customer = db.session.scalars(select(Customer)).one()
    message = db.session.scalars(select(LocalMessage)).one()
    assert (answer.status_code, customer.attributes) == (303, {"generated": True})
    assert message.recipient == customer.email
    assert "règlement de votre sinistre" in message.text
    assert client.get(answer.headers["Location"]).status_code == 200


def test_a_sampled_step_asks_the_newcomer_all_the_same(client: FlaskClient) -> None:
    apply_programme(catalog.demo_file(), actor="test")
    token = sign_in_as(client)
    client.post("/admin/try/", data={"csrf_token": token, "step": "flight.online_booking", "language": "en"})
    assert db.session.scalars(select(Decision.outcome)).all() == ["asked"]


def test_a_step_that_is_not_offered_is_not_found(client: FlaskClient) -> None:
    apply_programme(catalog.demo_file(), actor="test")
    token = sign_in_as(client)
    answer = client.post("/admin/try/", data={"csrf_token": token, "step": "flight.nowhere", "language": "en"})
    assert answer.status_code == 404
    assert db.session.scalars(select(Customer)).all() == []


@pytest.mark.parametrize("settings", [False], indirect=True)
def test_the_page_is_absent_outside_the_demonstration(client: FlaskClient) -> None:
    sign_in_as(client)
    assert client.get("/admin/try/").status_code == 404


def test_a_scheduler_that_was_first_makes_no_machine_of_the_newcomer(app: Flask) -> None:
    apply_programme(catalog.demo_file(), actor="test")
    with clock.at(MOMENT):
        customer = demonstration.try_step("flight.check_in", "en")
    with clock.at(MOMENT + timedelta(seconds=20)):
        delivery.send_due(senders.configured())
        demonstration.date_back(customer, MOMENT)
        link = re.search(r"/s/[\w-]+", db.session.scalars(select(LocalMessage.text)).one())
        assert link
        client = app.test_client()
        visit = re.search(r'name="visit" value="([^"]+)"', client.get(f"{link[0]}?score=5").text)
        assert visit
        client.post(link[0], data={"score": "5", "visit": visit[1], "scripted": "1"})
        client.post(link[0], data={"score": "5", "visit": visit[1], "gesture": "pointermove"})
    assert db.session.scalars(select(Response.status)).all() == ["confirmed"]
