"""Idempotency-Key: matrix rows 10 and 11. One key, one call, one answer; a call that failed or died is finished."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, scoped_session
from werkzeug.test import TestResponse

from surveyapp import clock, failpoints
from surveyapp.models import ApiKey, Case, Event, KeyedCall
from surveyapp.services import idempotency, privacy
from tests.builders import MOMENT, make_brand, make_customer, make_step
from tests.people import bearer

Database = scoped_session[Session]
CASES = "/api/v1/cases"
HOOK = {"url": "https://hooks.example/a", "events": ["case.opened"]}


class Died(BaseException):
    """The process ended here."""


@pytest.fixture
def asking(session: Database) -> dict[str, str]:
    make_brand()
    make_customer(external_id="c-1", email="ada@example.org")
    return bearer("ingest")


@pytest.fixture(autouse=True)
def _no_failpoint_stays() -> Iterator[None]:
    yield
    failpoints.install(None)


def post(
    client: FlaskClient, headers: dict[str, str], key: str = "k-1", reason: str = "late", path: str = CASES
) -> TestResponse:
    body = {"customer": "c-1", "reason": reason}
    return client.post(path, json=body, headers={**headers, "Idempotency-Key": key})


def cases(session: Database) -> int:
    session.rollback()
    return session.scalar(select(func.count(Case.id))) or 0


def test_a10_the_same_key_again_gives_the_same_answer_and_nothing_else(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    first, again = post(client, asking), post(client, asking)
    assert (first.status_code, again.status_code, first.data) == (201, 201, again.data)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content_type == first.content_type == "application/json"
    assert cases(session) == 1
    assert post(client, asking, "k-2").status_code == 201
    assert cases(session) == 2


def test_a10_a_refusal_is_kept_too(client: FlaskClient, session: Database, asking: dict[str, str]) -> None:
    first, again = post(client, asking, reason=" "), post(client, asking, reason=" ")
    assert (first.status_code, again.status_code, first.data) == (422, 422, again.data)
    assert again.content_type == "application/problem+json"
    assert cases(session) == 0


def test_a10_the_same_key_with_another_request_is_422_and_changes_nothing(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    first = post(client, asking)
    others = [
        post(client, asking, reason="lost"),
        post(client, asking, path=f"{CASES}?b=1"),
        post(client, asking, path=f"{CASES}/{first.json['id']}/close"),
    ]
    assert [(one.status_code, one.json["detail"]) for one in others] == [
        (422, "This Idempotency-Key came with another request before; take a new one.")
    ] * 3
    assert session.scalars(select(Case.closed_at)).all() == [None]
    assert post(client, asking).data == first.data


def test_a10_the_same_key_of_another_caller_is_another(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    first, other = post(client, asking), post(client, bearer("ingest"), reason="lost")
    assert (first.status_code, other.status_code) == (201, 201)
    assert {first.json["reason"], other.json["reason"]} == {"late", "lost"}
    assert cases(session) == 2


def test_a10_twenty_at_once_are_one_call(app: OpenAPI, session: Database, asking: dict[str, str]) -> None:
    session.remove()
    clients = [app.test_client() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda client: post(client, asking), clients))
    told = Counter(answer.status_code for answer in answers)
    assert set(told) <= {201, 409}
    assert len({answer.json["id"] for answer in answers if answer.status_code == 201}) == 1
    assert all(0 < int(a.headers["Retry-After"]) <= 60 for a in answers if a.status_code == 409)
    assert cases(session) == 1
    assert post(app.test_client(), asking).status_code == 201


def test_a11_a_first_attempt_that_failed_is_finished_by_the_next(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    rename(session, "audit_entry", "away")
    try:
        failed = post(client, asking)
    finally:
        rename(session, "away", "audit_entry")
    assert failed.status_code >= 500
    assert session.scalars(select(KeyedCall.claimed_at)).all() == [None]
    assert cases(session) == 0
    finished = post(client, asking)
    assert (finished.status_code, "Idempotent-Replayed" in finished.headers) == (201, False)
    assert cases(session) == 1


def rename(session: Database, table: str, name: str) -> None:
    session.rollback()
    session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
    session.commit()


def test_a11_a_first_attempt_that_was_killed_is_finished_and_its_effect_stays_one(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    def die(name: str) -> None:
        if name == "call_made":
            raise Died

    failpoints.install(die)
    with pytest.raises(Died), clock.at(MOMENT):
        post(client, asking)
    failpoints.install(None)
    (case,) = session.scalars(select(Case.uid)).all()
    with clock.at(MOMENT + timedelta(seconds=20)):
        waiting = post(client, asking)
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (409, "40")
        assert post(client, asking, reason="lost").status_code == 422
    with clock.at(MOMENT + timedelta(seconds=60)):
        finished = post(client, asking)
    assert (finished.status_code, finished.json["id"]) == (201, case)
    assert cases(session) == 1


def test_who_was_taken_for_dead_keeps_no_answer_over_the_next_one(session: Database, asking: dict[str, str]) -> None:
    caller = session.scalars(select(ApiKey.id)).one()
    with clock.at(MOMENT):
        slow = idempotency.claim(caller, "k", b"x")
    with clock.at(MOMENT + timedelta(minutes=1)):
        quick = idempotency.claim(caller, "k", b"x")
        assert isinstance(slow, idempotency.Claim)
        assert isinstance(quick, idempotency.Claim)
        assert slow.uid == quick.uid
        idempotency.answer(slow, 500, "slow")
        idempotency.give_up(slow)
        idempotency.answer(quick, 200, "quick")
        assert idempotency.claim(caller, "k", b"x") == idempotency.Answered(200, "quick")


def test_after_a_day_a_key_is_free_and_forgotten(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    with clock.at(MOMENT):
        post(client, asking)
        post(client, asking, "k-2")
    with clock.at(MOMENT + timedelta(hours=24)):
        assert post(client, asking, reason="lost").json["reason"] == "lost"
        assert idempotency.forget() == 1
        assert session.scalar(select(func.count()).select_from(KeyedCall)) == 1
        assert post(client, asking, reason="lost").headers["Idempotent-Replayed"] == "true"
    assert cases(session) == 3


def test_an_erased_person_is_in_no_kept_answer(client: FlaskClient, session: Database, asking: dict[str, str]) -> None:
    post(client, asking)
    make_customer(external_id="c-12")
    other = client.post(CASES, json={"customer": "c-12"}, headers={**asking, "Idempotency-Key": "k-2"})
    privacy.erase("c-1")
    assert session.scalars(select(KeyedCall.body)).all() == [other.text]


def test_events_with_a_key_are_taken_once_and_a_key_that_is_none_is_refused(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    make_step()
    body: dict[str, Any] = {"events": [event(1), {}]}
    answers = [
        client.post("/api/v1/events", json=body, headers={**asking, "Idempotency-Key": "k"}).json for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["accepted"] == 1
    for wrong in ("", "a b", "é", "x" * 201):
        headers = {**asking, "Idempotency-Key": wrong}
        refused = client.post("/api/v1/events", json={"events": [event(2)]}, headers=headers)
        assert (refused.status_code, refused.content_type) == (400, "application/problem+json"), wrong
    assert session.scalars(select(Event.event_id)).all() == ["e-1"]


def event(number: int) -> dict[str, Any]:
    return {
        "id": f"e-{number}",
        "customer": {"external_id": "c-1"},
        "journey": "flight",
        "step": "check_in",
        "occurred_at": "2026-11-02T08:15:00Z",
    }


def test_what_changes_nothing_or_shows_a_secret_is_not_kept(
    client: FlaskClient, session: Database, asking: dict[str, str]
) -> None:
    headers = {**bearer("admin"), "Idempotency-Key": "k"}
    assert client.get("/api/v1/decisions", headers=headers).status_code == 200
    wish = {"policy": {}, "from": "2026-11-01", "to": "2026-11-02"}
    assert client.post("/api/v1/policy/simulate", json=wish, headers=headers).status_code == 200
    made = client.post("/api/v1/webhooks", json=HOOK, headers=headers)
    assert made.status_code == 201, made.text
    again = client.post(f"/api/v1/webhooks/{made.json['id']}/secret", headers=headers)
    assert again.status_code == 200, again.text
    assert session.scalar(select(func.count()).select_from(KeyedCall)) == 0


@pytest.mark.database("sqlite")
def test_the_document_names_the_header_where_it_counts(client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").json["paths"]
    named = {
        (path, verb)
        for path, item in paths.items()
        for verb, operation in item.items()
        if "Idempotency-Key" in json.dumps(operation.get("parameters", []))
    }
    posts = {(path, "post") for path, item in paths.items() if "post" in item}
    without = ("/api/v1/policy/simulate", "/api/v1/webhooks", "/api/v1/webhooks/{uid}/secret")
    assert named == posts - {(path, "post") for path in without}
    assert all("409" in paths[path][verb]["responses"] for path, verb in named)
