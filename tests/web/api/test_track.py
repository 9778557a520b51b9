"""A sender made for Segment or RudderStack only changes its address."""

import base64
import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, Event, Step, Trigger
from surveyapp.queries.customers import unmapped_names
from tests.builders import make_brand, make_step, make_survey
from tests.people import bearer

Database = scoped_session[Session]
DONE = {"success": True}


@pytest.fixture
def headers(session: Database) -> dict[str, str]:
    make_brand()
    step = make_step()
    db.session.add(Trigger(key="after", step=step, survey=make_survey().survey, channels=["email"], definition={}))
    db.session.commit()
    key = bearer("ingest")["Authorization"].removeprefix("Bearer ")
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def call(**changes: Any) -> dict[str, Any]:
    told = {
        "userId": "u-1",
        "messageId": "m-1",
        "event": "Checked In",
        "timestamp": "2026-11-02T08:15:00Z",
        "properties": {"class": "Business"},
        "context": {"traits": {"email": "ada@example.org", "tier": "gold"}},
    }
    return told | changes


def test_a_track_of_a_step_s_event_is_that_step_s_event(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    for _ in range(2):
        answer = client.post("/v1/track", json=call(), headers=headers)
        assert (answer.status_code, answer.json) == (200, DONE)
    event = session.scalars(select(Event)).one()
    assert (event.event_id, event.source, event.properties) == ("m-1", "track", {"class": "Business"})
    assert session.get_one(Step, event.step_id).key == "check_in"
    assert session.scalars(select(Decision.outcome)).all() == ["waiting"]
    customer = session.scalars(select(Customer)).one()
    assert (customer.external_id, customer.email, customer.attributes) == ("u-1", "ada@example.org", {"tier": "gold"})


def test_an_unknown_name_is_kept_as_unmapped(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    for number in range(3):
        told = call(event="Lost Baggage", messageId=f"m-{number}")
        assert client.post("/v1/track", json=told, headers=headers).json == DONE
    assert [(name, number) for name, number, _ in unmapped_names(session())] == [("Lost Baggage", 3)]
    assert session.scalars(select(Decision)).all() == []


def test_a_batch_is_unpacked_and_its_good_calls_are_kept(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    batch = [
        {"type": "identify", "userId": "u-1", "traits": {"phone": "+33612345678", "email": "no"}},
        {"type": "track"} | call(messageId="m-2", context={}),
        {"type": "page", "userId": "u-1", "name": "Home", "messageId": "m-3"},
        {"type": "alias", "userId": "u-1", "previousId": "an-1"},
        {"type": "track", "anonymousId": "an-1", "event": "Checked In", "messageId": "m-4"},
        {"type": "nothing"},
    ]
    body = gzip.compress(json.dumps({"batch": batch, "sentAt": "2026-11-02T08:16:00Z"}).encode())
    also = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = client.post("/v1/batch", data=body, headers=headers | also)
    assert answer.status_code == 200
    assert answer.json == {
        "success": True,
        "rejected": [{"index": 5, "errors": ["type: must be one of alias, group, identify, page, screen, track"]}],
    }
    assert set(session.scalars(select(Event.event_id))) == {"m-2", "m-3", "m-4"}
    known = session.scalars(select(Customer).where(Customer.external_id == "u-1")).one()
    visitor = session.scalars(select(Customer).where(Customer.external_id == "anonymous:an-1")).one()
    assert (known.phone, known.email, visitor.merged_into_id) == ("+33612345678", None, known.id)


def test_identify_unites_only_with_a_visitor_who_was_seen(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    told = {"userId": "u-1", "anonymousId": "an-1"}
    assert client.post("/v1/identify", json=told, headers=headers).json == DONE
    assert session.scalars(select(Customer.external_id)).all() == ["u-1"]
    client.post("/v1/track", json={"anonymousId": "an-1", "event": "Seen"}, headers=headers)
    client.post("/v1/identify", json=told, headers=headers)
    rows = {row.external_id: row for row in session.scalars(select(Customer))}
    assert rows["anonymous:an-1"].merged_into_id == rows["u-1"].id


@pytest.mark.parametrize("kind", ["track", "identify", "alias", "page", "screen", "group", "batch"])
def test_every_call_needs_an_ingest_key_as_user_name(
    client: FlaskClient, session: Database, headers: dict[str, str], kind: str
) -> None:
    told = call(name="Home", previousId="an-1", groupId="g", batch=[])
    assert client.post(f"/v1/{kind}", json=told).status_code == 401
    assert client.post(f"/v1/{kind}", json=told, headers=bearer("ingest")).status_code == 401
    assert session.scalar(select(func.count()).select_from(Customer)) == 0
    assert client.post(f"/v1/{kind}", json=told, headers=headers).json == DONE


def test_a_bomb_of_gzip_is_refused_before_it_bursts(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    also = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    bomb = gzip.compress(b" " * 20_000_000, 9)
    assert len(bomb) < 1024 * 1024
    assert client.post("/v1/batch", data=bomb, headers=headers | also).status_code == 413
    for body in (b"no gzip", gzip.compress(b'{"batch":[]}')[:-4], gzip.compress(b"{}") + b"more"):
        assert client.post("/v1/batch", data=body, headers=headers | also).status_code == 400
    other = {"Content-Encoding": "br", "Content-Type": "application/json"}
    assert client.post("/v1/batch", data=b"x", headers=headers | other).status_code == 415
    assert session.scalar(select(func.count()).select_from(Event)) == 0


def test_an_unusable_single_call_is_named(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/track", json={"event": "x"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["detail"] == "userId: is missing, and anonymousId too"
