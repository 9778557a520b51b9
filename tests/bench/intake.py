"""Taking events in over HTTP, one or 500 in a request, against a bare view with one durable INSERT a request."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from flask import Flask, request
from psycopg.types.json import Json

from surveyapp import clock
from tests.bench import people
from tests.bench.harness import Bench, Result, connect, in_turns
from tests.people import make_key

BATCH = 500
LEAST = 0.15
LEAST_BATCHED = 2.0
AIM_BATCHED = 5_000
CUSTOMER = """INSERT INTO customer (external_id, consent, attributes, created_at)
VALUES ('bare', '{}', '{}', now()) RETURNING id"""
EVENT = """INSERT INTO event (event_id, customer_id, occurred_at, received_at, properties, attributes, source)
VALUES (%s, %s, %s, %s, %s, %s, 'bare')"""


def events(bench: Bench) -> list[Result]:
    """Both go through the same in-process client; ours also keeps the customer and plans what the triggers ask for."""
    url, at = bench.database(), clock.now()
    found = []
    with bench.app(url) as app, connect(url) as connection:
        people.load()
        headers = {"Authorization": f"Bearer {make_key('ingest')}"}
        known = connection.execute(CUSTOMER).fetchone()
        assert known is not None
        bare = _bare_view(connection, known[0])
        numbers = itertools.count(1)
        for size, rounds in ((1, bench.size(300, 40)), (BATCH, bench.size(12, 3))):
            ours = _poster(app, headers, numbers, size, at)
            floor = _poster(bare, {}, numbers, 1, at)
            times, floor_times = in_turns([ours, floor], rounds)
            rate, floor_rate = size * len(times) / sum(times), len(floor_times) / sum(floor_times)
            detail: dict[str, Any] = {"events_per_second": round(rate), "floor_per_second": round(floor_rate)}
            if size == 1:
                found.append(Result("intake_one_event_a_request", rate / floor_rate, LEAST, "higher", detail))
            else:
                detail["aim_per_second"] = AIM_BATCHED
                found.append(Result("intake_500_events_a_request", rate / floor_rate, LEAST_BATCHED, "higher", detail))
    bench.drop(url)
    return found


def _poster(app: Flask, headers: dict[str, str], numbers: Any, size: int, at: datetime) -> Callable[[], None]:
    client = app.test_client()

    def post() -> None:
        body = {"events": [_event(next(numbers), at) for _ in range(size)]}
        answer = client.post("/api/v1/events", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        assert answer.json == {"accepted": size, "duplicates": 0, "rejected": []}, answer.json

    return post


def _event(number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"e-{number}",
        "customer": {"external_id": f"c-{number}", "email": f"c{number}@example.org", "language": "fr"},
        "journey": "flight",
        "step": "check_in",
        "instance": f"trip-{number}",
        "occurred_at": at.isoformat(),
        "properties": {"class": "Business", "delay_minutes": 12},
    }


def _bare_view(connection: psycopg.Connection[Any], customer: int) -> Flask:
    """A view that parses JSON and makes the event durable, and does nothing else."""
    app = Flask("bare")

    @app.post("/api/v1/events")
    def keep() -> tuple[dict[str, Any], int]:
        now = datetime.now(UTC)
        (event,) = request.get_json()["events"]
        row = (event["id"], customer, event["occurred_at"], now, Json(event["properties"]), Json({}))
        connection.execute(EVENT, row)
        return {"accepted": 1, "duplicates": 0, "rejected": []}, 202

    return app
