"""Rows 69 and 70 of the matrix: a full disk, another writer, a database that cannot be written to. No 2xx is false."""

import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.tokens import mint
from surveyapp.extensions import PATIENCE_MS, db
from surveyapp.models import Event
from surveyapp.services import rebuilding
from tests.builders import make_brand, make_invitation, make_step, make_survey
from tests.people import bearer

pytestmark = [pytest.mark.own_app, pytest.mark.database("sqlite")]
KEYS = ["a-secret-for-tests-only"]
Database = scoped_session[Session]


@pytest.fixture
def headers(session: Database) -> dict[str, str]:
    make_brand()
    make_step()
    return bearer("ingest")


def pragma(*wishes: str) -> None:
    """Let every further connection wish for this; those at hand are closed."""

    @event.listens_for(db.engine, "connect")
    def _wish(connection: Any, record: Any) -> None:
        for wish in wishes:
            connection.execute(f"PRAGMA {wish}")

    db.session.remove()
    db.engine.dispose()


def told(client: FlaskClient, headers: dict[str, str], number: int, size: int = 0) -> int:
    one = {
        "id": f"e-{number}",
        "customer": {"external_id": "c-1"},
        "journey": "flight",
        "step": "check_in",
        "occurred_at": "2026-11-02T08:15:00Z",
        "properties": {f"words{n}": "x" * 1_000 for n in range(size)},
    }
    answer = client.post("/api/v1/events", json={"events": [one]}, headers=headers)
    if answer.status_code == 503:
        assert answer.headers["Retry-After"] == "5"
        assert answer.content_type == "application/problem+json"
    else:
        assert answer.json == {"accepted": 1, "duplicates": 0, "rejected": []}
    return answer.status_code


def kept(session: Database) -> list[str]:
    session.rollback()
    return sorted(session.scalars(select(Event.event_id)))


def test_h69_a_full_disk_is_503_and_nothing_is_half_written(
    app: OpenAPI, client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    assert told(client, headers, 1) == 202
    pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
    pragma(f"max_page_count={pages + 2}")
    assert told(client, headers, 2, size=60) == 503
    assert kept(session) == ["e-1"]
    assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    pragma(f"max_page_count={pages + 10_000}")
    assert told(client, headers, 2, size=60) == 202
    assert kept(session) == ["e-1", "e-2"]
    assert rebuilding.rebuild(check=True).differences == []


def test_h70_a_second_writer_is_waited_for_and_then_503(
    app: OpenAPI, client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    assert PATIENCE_MS == 5_000
    pragma("busy_timeout=20")
    with db.engine.connect() as other:
        other.exec_driver_sql("SELECT 1")  # its BEGIN IMMEDIATE holds the file
        assert told(client, headers, 1) == 503
        assert [client.get(path).status_code for path in ("/readyz", "/metrics")] == [200, 200]
    assert told(client, headers, 1) == 202
    assert kept(session) == ["e-1"]


def test_h70_a_checkpoint_in_between_loses_nothing(
    app: OpenAPI, client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    for number in range(4):
        assert told(client, headers, number) == 202
        with sqlite3.connect(db.engine.url.database or "") as other:
            assert other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 0
    assert len(kept(session)) == 4


def test_h70_a_database_that_cannot_be_written_to_is_503_and_its_pages_still_show(
    app: OpenAPI, client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    asked = make_invitation(make_survey())
    link = f"/s/{mint('answer', asked.uid, KEYS)}"
    session.commit()
    pragma("query_only=1")
    assert told(client, headers, 1) == 503
    assert client.get(link).status_code == 200
    refused = client.post(link, data={"score": "4"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    pragma("query_only=0")
    assert session.scalar(select(func.count()).select_from(Event)) == 0
    assert client.post(link, data={"score": "4"}).status_code == 303
