"""Sending whole against claiming alone; connections and statements it takes. The provider is a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event as hooks

from config import ROOT
from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.services import delivery, dispatch, senders
from tests.bench import people
from tests.bench.harness import Bench, Result, in_turns, middle
from tests.providers import StandIn

BATCH = 50
RATE = 0.5
CONNECTIONS = 2.0  # per worker, for 10,000 messages
STATEMENTS = 2.0  # per message, in batches of fifty
WORKERS = 2


@contextmanager
def _provider() -> Iterator[StandIn]:
    with tempfile.TemporaryDirectory() as folder:
        stand_in = StandIn("http", Path(folder))
        try:
            yield stand_in
        finally:
            stand_in.stop()


def _settings(provider: StandIn) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": "sendgrid",
        "SENDGRID_API_KEY": "SG.a-key-for-benchmarks-only",
        "SENDGRID_API_URL": f"http://127.0.0.1:{provider.port}",
        "SEND_BATCH": BATCH,
    }


def one_worker(bench: Bench) -> list[Result]:
    """Messages a second of one worker, whole: decided, rendered, handed over, written down. Floor: the claim alone."""
    rounds = bench.size(30, 6)
    url = bench.database()
    statements: list[str] = []
    with _provider() as provider, bench.app(url, **_settings(provider)):
        people.load()
        people.reach_check_in((2 * (rounds + 1) + 2) * BATCH, clock.now())
        channels = senders.configured()
        _send_batch(channels)
        whole, claims = in_turns([lambda: _send_batch(channels), _claim_batch], rounds)
        hooks.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        _send_batch(channels)
    bench.drop(url)
    rate, floor = (BATCH / middle(times) for times in (whole, claims))
    detail = {"per_second": round(rate), "floor_per_second": round(floor)}
    return [
        Result("send_against_claim_alone", rate / floor, RATE, "higher", detail),
        Result("statements_per_message", len(statements) / BATCH, STATEMENTS, "lower", {"per_batch": len(statements)}),
    ]


def _send_batch(channels: Any) -> None:
    done = delivery.send_due(channels, BATCH, most=BATCH)
    assert done.sent == BATCH, done
    db.session.remove()


def _claim_batch() -> None:
    """Claims a batch that nobody sends: its lease runs while the benchmark does."""
    done = dispatch.claim(BATCH)
    assert len(done.messages) == BATCH, done
    db.session.remove()


def connections(bench: Bench) -> list[Result]:
    """Connections that two workers open to the provider, by 10,000 messages."""
    messages = bench.size(10_000, 1_000)
    url = bench.database()
    with _provider() as provider:
        with bench.app(url):
            people.load()
            people.reach_check_in(messages, clock.now())
        given = json.dumps(_settings(provider) | {"DATABASE_URL": url})
        command = [sys.executable, "-m", "tests.bench.sending_worker", given]
        workers = [subprocess.Popen(command, cwd=ROOT) for _ in range(WORKERS)]
        assert [worker.wait(900) for worker in workers] == [0] * WORKERS
        log = provider.log()
    bench.drop(url)
    sent = sum(len(entry["body"]["personalizations"]) for entry in log)
    assert sent == messages, (sent, messages)
    opened = len({entry["connection"] for entry in log})
    detail = {"opened": opened, "messages": sent, "workers": WORKERS, "calls": len(log)}
    return [Result("connections_per_worker_for_10000", opened / WORKERS, CONNECTIONS, "lower", detail)]
