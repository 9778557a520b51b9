"""Operational series over HTTP: replaced by indicator, scope and day; what is wrong is named and the rest is kept."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import AuditEntry, IndicatorValue
from tests.builders import make_step
from tests.people import bearer

Database = scoped_session[Session]
URL = "/api/v1/indicators/check_in_wait"


def one(value: Any = 12.5, **changes: Any) -> dict[str, Any]:
    told = {"day": "2026-11-02", "step": "flight.check_in", "service": None, "product_line": None, "value": value}
    return told | changes


def send(client: FlaskClient, key: str, *values: object) -> Any:
    return client.post(f"{URL}/values", json={"values": list(values)}, headers=bearer(key))


def test_the_same_scope_and_day_again_replaces_and_adds_nothing(client: FlaskClient, session: Database) -> None:
    make_step()
    ingest, read = bearer("ingest"), bearer("read")
    first = client.post(f"{URL}/values", json={"values": [one(), one(3, service="desk")]}, headers=ingest)
    assert (first.status_code, first.json) == (200, {"accepted": 2, "removed": 0, "rejected": []})
    client.post(f"{URL}/values", json={"values": [one(9), one(10), one(None, service="desk")]}, headers=ingest)
    shown = client.get(f"{URL}/values", headers=read).json
    assert shown == {"items": [one(10.0)], "next": None}
    listed = client.get("/api/v1/indicators", headers=read).json
    assert listed is not None
    assert listed["items"] == [
        {
            "key": "check_in_wait",
            "name": "Check in wait",
            "kind": "descriptive",
            "unit": "",
            "total": "mean",
            "better": "neither",
            "property": "",
            "values": 1,
            "from": "2026-11-02",
            "to": "2026-11-02",
        }
    ]
    assert session.scalar(select(func.count()).where(AuditEntry.action == "indicator.values")) == 2


def test_good_values_are_kept_when_others_are_bad(client: FlaskClient, session: Database) -> None:
    make_step()
    found = send(client, "ingest", one("12"), one(), one(step="flight.moon"), "x").json
    assert found["accepted"] == 1
    assert found["rejected"] == [
        {"index": 0, "errors": ["value: must be a number or null, not a text"]},
        {"index": 2, "errors": ["step: there is no step 'flight.moon'; write it as journey.step"]},
        {"index": 3, "errors": ["value: must be an object with day, step, service, product_line, value, not a text"]},
    ]
    assert session.scalar(select(func.count()).select_from(IndicatorValue)) == 1


def test_a_call_that_keeps_nothing_makes_no_indicator(client: FlaskClient) -> None:
    assert send(client, "ingest", one(day="soon")).json["accepted"] == 0
    assert client.get("/api/v1/indicators", headers=bearer("read")).json == {"items": [], "next": None}
    assert client.get(f"{URL}/values", headers=bearer("read")).status_code == 404


def test_an_indicator_is_described_and_its_values_stay(client: FlaskClient) -> None:
    make_step()
    ingest = bearer("ingest")
    send(client, "ingest", one())
    told = {"name": "Wait", "kind": "descriptive", "unit": "min", "total": "sum", "better": "lower", "property": "wait"}
    found = client.put(URL, json=told, headers=ingest).json
    assert found == told | {"key": "check_in_wait", "values": 1, "from": "2026-11-02", "to": "2026-11-02"}
    wrong = client.put(URL, json={"kind": "mood", "name": "", "colour": 1}, headers=ingest)
    assert wrong.status_code == 422
    assert wrong.json is not None
    assert [e["message"] for e in wrong.json["errors"]] == [
        "colour: is unknown here; known are better, kind, name, property, total, unit",
        "name: must be one line of at most 200 characters",
        "kind: must be one of perception, descriptive, prediction, consequence",
    ]


def test_values_are_listed_by_pages_scope_and_days(client: FlaskClient) -> None:
    make_step()
    read = bearer("read")
    send(client, "ingest", *[one(n, day=f"2026-11-{n:02d}", step=None) for n in range(1, 6)], one())
    page = client.get(f"{URL}/values?limit=2&from=2026-11-02", headers=read).json
    assert page is not None
    assert [item["value"] for item in page["items"]] == [2.0, 12.5]
    rest = client.get(page["next"], headers=read).json
    assert rest is not None
    assert [item["value"] for item in rest["items"]] == [3.0, 4.0]
    only = client.get(f"{URL}/values?step=flight.check_in", headers=read).json
    assert only is not None
    assert len(only["items"]) == 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?from=2026-11-03&to=2026-11-02", "from: 2026-11-03 comes after to=2026-11-02; swap them"),
        ("?after=x", "after: is no place in this list; follow `next` as it was given"),
        ("?after=cjE", "after: is no place in this list; follow `next` as it was given"),
        ("?step=flight.moon", "step: there is no step 'flight.moon'"),
    ],
)
@pytest.mark.database("sqlite")
def test_what_is_wrong_in_a_query_is_named(client: FlaskClient, query: str, sentence: str) -> None:
    found = client.get(f"{URL}/values{query}", headers=bearer("read"))
    assert found.status_code == 422
    assert found.json is not None
    assert found.json["errors"][0]["message"] == sentence


@pytest.mark.database("sqlite")
def test_reading_and_writing_need_their_keys(client: FlaskClient) -> None:
    assert send(client, "read", one()).status_code == 403
    assert client.get("/api/v1/indicators", headers=bearer("ingest")).status_code == 403
    assert client.post(f"{URL}/values", json={"values": {}}, headers=bearer("ingest")).status_code == 422
    assert (
        client.post("/api/v1/indicators/a%20b/values", json={"values": []}, headers=bearer("ingest")).status_code == 422
    )
