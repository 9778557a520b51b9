"""Token buckets: how much fits, how long to wait, one caller apart from another."""

from datetime import UTC, datetime, timedelta

import pytest
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.web.buckets import KEPT, Limiter
from tests.people import bearer, make_key

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_a_full_bucket_gives_its_burst_then_refills_evenly() -> None:
    limiter = Limiter()
    with clock.at(START):
        assert [limiter.wait("a", 60, burst=3) for _ in range(4)] == [0, 0, 0, 1]
    with clock.at(START + timedelta(seconds=1)):
        assert [limiter.wait("a", 60, burst=3) for _ in range(2)] == [0, 1]
    with clock.at(START + timedelta(hours=1)):
        assert [limiter.wait("a", 60, burst=3) for _ in range(4)] == [0, 0, 0, 1]


def test_the_wait_is_as_long_as_the_refill_takes() -> None:
    limiter = Limiter()
    with clock.at(START):
        assert limiter.wait("a", 6) == 0
        assert limiter.wait("a", 6, cost=6) == 10


def test_one_caller_does_not_spend_what_is_another_s() -> None:
    limiter = Limiter()
    with clock.at(START):
        assert [limiter.wait(name, 1) for name in ("a", "a", "b")] == [0, 60, 0]


def test_zero_means_no_limit() -> None:
    limiter = Limiter()
    assert {limiter.wait("a", 0) for _ in range(100)} == {0}


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    limiter = Limiter()
    with clock.at(START):
        limiter.wait("a", 1)
    with clock.at(START - timedelta(hours=1)):
        assert limiter.wait("a", 1) == 60


def test_a_flood_of_names_is_forgotten() -> None:
    limiter = Limiter()
    with clock.at(START):
        for number in range(2 * KEPT):
            limiter.wait(str(number), 1)
    assert len(limiter._buckets) <= KEPT + 1


class TestKeys:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"KEY_CALLS_PER_MINUTE": 2}

    def test_19_a_key_that_calls_too_often_is_told_when_to_come_back(self, app: OpenAPI) -> None:
        client = app.test_client()
        busy, calm = bearer(make_key("read")), bearer(make_key("read"))
        with clock.at(START):
            codes = [client.get("/api/v1/decisions", headers=busy).status_code for _ in range(3)]
            assert codes == [200, 200, 429]
            refused = client.get("/api/v1/decisions", headers=busy)
            assert refused.headers["Retry-After"] == "30"
            assert refused.content_type == "application/problem+json"
            assert client.get("/api/v1/decisions", headers=calm).status_code == 200
