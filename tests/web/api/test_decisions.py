"""Decisions and explanations over HTTP: the contract's query as printed, and every verdict with its fields."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from tests.outreach import happens, load, send
from tests.people import bearer

Database = scoped_session[Session]


@pytest.fixture
def asked(app: Flask, session: Database) -> None:
    """Ada was asked about one check-in and refused after the next."""
    load()
    at = clock.now() - timedelta(minutes=5)
    happens("e-1", "ada", "check_in", at)
    send()
    happens("e-2", "ada", "check_in", at)
    send()
    session.commit()


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ("customer=&trigger=&outcome=&reason=", ["e-2", "e-1"]),
        ("customer=ada&trigger=after_check_in&outcome=refused&reason=gap", ["e-2"]),
        ("customer=ada&trigger=&outcome=asked&reason=&after=&limit=", ["e-1"]),
        ("customer=bob", []),
    ],
)
def test_an_empty_filter_counts_as_not_given(client: FlaskClient, asked: None, query: str, events: list[str]) -> None:
    answer = client.get(f"/api/v1/decisions?{query}", headers=bearer("read"))
    assert answer.status_code == 200
    assert answer.json is not None
    assert ([one["event"] for one in answer.json["items"]], answer.json["next"]) == (events, None)


def test_every_verdict_of_an_explanation_has_the_fields_of_the_contract(client: FlaskClient, asked: None) -> None:
    answer = client.get("/api/v1/customers/ada/explain?trigger=after_check_in", headers=bearer("read"))
    assert answer.json is not None
    assert (answer.json["allowed"], answer.json["reason"]) == (False, "gap")
    assert all({"rule", "allowed", "why", "next_at"} <= set(verdict) for verdict in answer.json["verdicts"])
    free = {v["rule"]: v["next_at"] for v in answer.json["verdicts"] if v["rule"] in ("no_consent", "gap")}
    assert free == {"no_consent": None, "gap": answer.json["next_eligible_at"]}


@pytest.mark.parametrize("address", ["/s/%00", "/u/%00", "/p/a%00b"])
def test_a_link_with_a_nul_is_as_unknown_as_any_other(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404
    assert client.post(address).status_code == 404
