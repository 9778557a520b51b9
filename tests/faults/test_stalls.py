"""F56, F58, F59: dispatchers that sleep past their lease, providers that misbehave, a database that restarts."""

import random
import time
from typing import Any

import psycopg
import pytest

from tests import databases
from tests.conftest import MakeApp
from tests.faults.fleet import BATCH, SHORT_LEASE, Crowd, fleet, judge, load_people, plain
from tests.faults.test_kills import POINTS, UNSURE, keep_busy
from tests.postgres import Server
from tests.providers import StandIn

OUTLIVED = "state = 'sending' AND lease_until < now()"
BUSY = {"status": 429, "headers": {"Retry-After": "1"}}
DOUBTFUL: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"do": "hang"},
    {"do": "reset"},
    {"do": "close"},
    {"do": "trickle"},
)


@pytest.mark.database("postgresql")
def test_f59_a_worker_asleep_past_its_lease_at_any_point_neither_sends_twice_nor_writes_over(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    load_people(make_app(postgres_url), 60)
    with fleet(postgres_url, provider) as staff:
        asleep = [staff.hire(at=point, signal="SIGSTOP") for point in POINTS]
        staff.wait_until_stopped(*asleep)
        staff.let_leases_run_out()
        staff.hire()
        staff.hire()
        staff.wait_until(lambda: staff.count(OUTLIVED) == 0, "the batches of the sleepers are not taken from them")
        staff.go_on(*asleep)
        staff.wait_until_settled()
        assert staff.kills == 0
        # asleep after START and before the outcome was written: that batch is in doubt, nothing else
        assert judge(provider.path, postgres_url, lost=4 * BATCH) == []


@pytest.mark.database("postgresql")
def test_f56_whatever_the_provider_answers_nobody_is_asked_twice(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    load_people(make_app(postgres_url), 120)
    with fleet(postgres_url, provider) as staff:
        provider.next({}, BUSY, *DOUBTFUL, {}, BUSY, *DOUBTFUL)
        for _ in range(3):
            staff.hire(total=4)
        staff.wait_until_settled()
        assert 0 < staff.count("state = 'unknown'") <= 2 * len(DOUBTFUL) * BATCH
        assert judge(provider.path, postgres_url, lost=2 * len(DOUBTFUL) * BATCH) == []


@pytest.mark.slow
@pytest.mark.database("postgresql")
def test_f58_a_provider_of_one_byte_every_nine_seconds_is_left_after_fifteen(
    postgres_url: str, make_app: MakeApp, provider: StandIn
) -> None:
    load_people(make_app(postgres_url), 400)
    chance = random.Random(58)
    behaviours: list[dict[str, Any]] = [{"do": "trickle", "every": 9.0}, *DOUBTFUL * 6, BUSY, BUSY, *[{}] * 20]
    chance.shuffle(behaviours)
    doubtful = sum(b.get("status") == 500 or "do" in b for b in behaviours)
    with fleet(postgres_url, provider) as staff:
        provider.next(*behaviours)
        for _ in range(4):
            staff.hire()
        began = time.monotonic()
        staff.wait_until_settled(500)
        print(f"settled in {time.monotonic() - began:.0f} s, {staff.count(UNSURE)} unknown")
        assert judge(provider.path, postgres_url, lost=doubtful * BATCH) == []


@pytest.mark.slow
def test_f59_the_database_crashes_under_load(make_app: MakeApp, provider: StandIn) -> None:
    server = Server(durable=True)
    try:
        url = server.url("crashing")
        with psycopg.connect(plain(server.url()), autocommit=True) as connection:
            connection.execute("CREATE DATABASE crashing")
        databases.migrate(url)
        crowd = Crowd(make_app(url))
        crowd.grow(2 * crowd.busy)
        workers, crashes = 4, 8
        with fleet(url, provider, LEASE_SECONDS=SHORT_LEASE) as staff:
            for _ in range(workers):
                staff.hire()
            for _ in range(crashes):
                time.sleep(2.0)
                server.crash()
                time.sleep(0.5)
                server.start()
                keep_busy(staff, crowd)
            staff.wait_until_settled(300)
            assert staff.kills == 0
            print(f"{crashes} crashes, {staff.count(UNSURE)} unknown")
            assert judge(provider.path, url, lost=crashes * workers * BATCH) == []
    finally:
        server.stop()
