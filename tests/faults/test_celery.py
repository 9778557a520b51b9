"""Celery on a real broker: several worker processes, one scheduler, every invitation once. Skips where no broker is."""

import re
import secrets
import signal
import socket
import subprocess
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config import ROOT
from surveyapp import clock
from surveyapp.jobs import sending, wake_ups
from tests.conftest import MakeApp
from tests.faults.checker import read_log
from tests.faults.fleet import BATCH, count, judge, load_people, sendgrid_settings
from tests.faults.processes import (
    JOBS,
    STOPS_WITHIN,
    environment,
    has_said,
    installed,
    running,
    send_the_rest,
    until,
)
from tests.providers import StandIn

BROKERS = {"rabbitmq": "amqp://guest:guest@127.0.0.1:5672//", "redis": "redis://127.0.0.1:6379/9"}
NOBODY = "amqp://guest:guest@127.0.0.1:1//"
pytestmark = pytest.mark.database("postgresql")


def unreachable(address: str) -> str | None:
    """Why nothing answers there; None when something does."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10).close()
    except OSError as problem:
        return f"no broker at {parts.hostname}:{parts.port}: {problem}"
    return None


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    address = BROKERS[request.param]
    if reason := unreachable(address):
        pytest.skip(reason)
    return address


def reachable() -> list[str]:
    """The brokers that answer. Skips, with the reasons, where there is none."""
    reasons = {address: unreachable(address) for address in BROKERS.values()}
    if all(reasons.values()):
        pytest.skip("; ".join(filter(None, reasons.values())))
    return [address for address, reason in reasons.items() if reason is None]


@pytest.fixture
def first_broker() -> str:
    return reachable()[0]


@pytest.fixture
def last_broker() -> str:
    return reachable()[-1]


@pytest.fixture
def pepper() -> str:
    """A fresh one gives this run a queue of its own."""
    return secrets.token_urlsafe(16)


WORKER = (
    *("celery", "-A", "surveyapp.jobs.celery_app", "worker", "--concurrency", "2", "--loglevel", "INFO"),
    *("--without-gossip", "--without-mingle"),
)


def run(url: str, make_app: MakeApp, provider: StandIn, broker: str, pepper: str, people: int, seconds: float) -> None:
    settings = environment(url, provider, pepper, CELERY_BROKER_URL=broker)
    load_people(make_app(url, CONTACT_PEPPER=pepper), people, steps=("check_in",), shared=0)
    folder = provider.path.parent
    with (
        running(folder / "one.log", settings, *WORKER, "-n", f"one-{pepper}@%h") as one,
        running(folder / "two.log", settings, *WORKER, "-n", f"two-{pepper}@%h") as two,
        running(folder / "jobs.log", settings, *JOBS) as jobs,
    ):
        end = time.monotonic() + seconds
        while left := count(url, "state IN ('planned', 'sending')"):
            for name, process in (("one", one), ("two", two), ("jobs", jobs)):
                assert process.poll() is None, f"{name} ended: {(folder / f'{name}.log').read_text()[-2000:]}"
            assert time.monotonic() < end, f"{left} left; {(folder / 'one.log').read_text()[-2000:]}"
            time.sleep(0.1)
    assert Counter(uid for uid, _ in read_log(provider.path)).most_common(1)[0][1] == 1
    assert len({address for _, address in read_log(provider.path)}) == people
    assert judge(provider.path, url, lost=0) == []
    for name in ("one.log", "two.log"):
        assert re.search(r"Task surveyapp\.send\[.*succeeded", (folder / name).read_text()), f"{name}: no task was run"


def test_five_hundred_invitations_leave_once_each(
    postgres_url: str, make_app: MakeApp, provider: StandIn, first_broker: str, pepper: str
) -> None:
    run(postgres_url, make_app, provider, first_broker, pepper, people=500, seconds=300)


@pytest.mark.slow
def test_twenty_thousand_invitations_by_one_broker_and_two_thousand_by_the_other_leave_once_each(
    postgres_url: str, make_app: MakeApp, provider: StandIn, broker: str, pepper: str
) -> None:
    people = 20_000 if broker == reachable()[0] else 2_000
    run(postgres_url, make_app, provider, broker, pepper, people=people, seconds=1500)


def test_while_the_broker_is_away_the_tick_itself_sends(postgres_url: str, make_app: MakeApp) -> None:
    app = make_app(postgres_url, CELERY_BROKER_URL=NOBODY)
    load_people(app, 20, steps=("check_in",), shared=0)
    with app.app_context():
        assert wake_ups.publish(1) is False
        sending.tick()
    assert (count(postgres_url, "state = 'sent'"), count(postgres_url)) == (20, 20)


def test_wake_ups_that_are_lost_cost_time_and_nothing_else(
    postgres_url: str, make_app: MakeApp, broker: str, pepper: str
) -> None:
    app = make_app(postgres_url, CELERY_BROKER_URL=broker, CONTACT_PEPPER=pepper)
    load_people(app, 20, steps=("check_in",), shared=0)
    with app.app_context():
        celery = wake_ups._celery()
        for _ in range(3):
            sending.tick()
        with celery.connection_or_acquire() as connection, connection.channel() as channel:
            queue = celery.amqp.queues[celery.conf.task_default_queue](channel)
            assert queue.queue_declare().message_count == 1, "one batch is due: one wake-up waits, however many ticks"
            queue.delete()
        assert count(postgres_url, "state = 'planned'") == 20
        sending.look_after()  # they have been due for an hour
        celery.close()
    assert count(postgres_url, "state = 'sent'") == 20


def test_f59_a_worker_told_to_stop_ends_its_calls_and_hands_back_the_rest(
    postgres_url: str, make_app: MakeApp, provider: StandIn, last_broker: str, pepper: str, tmp_path: Path
) -> None:
    settings = environment(postgres_url, provider, pepper, CELERY_BROKER_URL=last_broker, SEND_BATCH=BATCH)
    mine = sendgrid_settings(provider, CELERY_BROKER_URL=last_broker, CONTACT_PEPPER=pepper)
    app = make_app(postgres_url, **mine)
    load_people(app, 60, steps=("check_in",), shared=0)
    log = tmp_path / "worker.log"
    provider.next({"do": "hold"}, {"do": "hold"})
    with running(log, settings, *WORKER, "-n", f"one-{pepper}@%h") as worker:
        until(has_said(log, "ready."), "the worker is ready", log)
        with app.app_context():
            sending.tick()
            wake_ups._celery().close()
        until(lambda: len(provider.log()) == 2, "both processes are in a call", log)
        worker.send_signal(signal.SIGTERM)
        until(has_said(log, "draining: "), "it hears the signal", log)
        provider.go_on()
        assert worker.wait(STOPS_WITHIN) == 0
    assert len(provider.log()) == 2
    assert count(postgres_url, "state = 'sent'") == 2 * BATCH
    assert count(postgres_url, "state = 'planned' AND attempts = 0") == 60 - 2 * BATCH
    send_the_rest(app, postgres_url)
    assert judge(provider.path, postgres_url, lost=0) == []


def test_what_became_due_just_now_is_left_to_the_workers(postgres_url: str, make_app: MakeApp, broker: str) -> None:
    app = make_app(postgres_url, CELERY_BROKER_URL=broker)
    load_people(app, 1, steps=("check_in",), shared=0)
    with app.app_context(), clock.at(clock.now() - timedelta(hours=1) + sending.LATE / 3):
        sending.look_after()
    assert count(postgres_url, "state = 'planned'") == 1


def test_a_worker_refuses_to_start_on_sqlite(tmp_path: Path, provider: StandIn, pepper: str) -> None:
    address = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    settings = environment(address, provider, pepper, CELERY_BROKER_URL=BROKERS["redis"])
    done = subprocess.run(installed(*WORKER), cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Celery needs PostgreSQL" in done.stderr
