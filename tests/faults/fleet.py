"""A fleet of dispatchers on one database, to be killed, stalled and replaced, and the verdict on what they did."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import make_url

from config import ROOT
from surveyapp.domain.events import EventIn
from surveyapp.services.journeys import record_events
from tests.outreach import event, load
from tests.providers import StandIn

BATCH = 5
LEASE_SECONDS = 60  # a worker that is only slow keeps its batch
SHORT_LEASE = 5  # seconds, where the batches of the dead are to be found by the clock
PATIENCE = 300  # seconds, for a machine that has much else to do
POLICY = """
policy:
  gap: {1: 7d, 2: 7d, 3: 7d}
  caps: [{max: 1, per: 7d}]
"""
TABLES = ("message", "contact_ledger", "decision", "event", "customer", "suppression", "webhook_inbox")
HERE = Path(__file__).parent


def plain(url: str) -> str:
    """The address as psycopg reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def sendgrid_settings(provider: StandIn, **more: Any) -> dict[str, Any]:
    """Settings of a dispatcher that hands its e-mails to the stand-in."""
    return {
        "EMAIL_BACKEND": "sendgrid",
        "SENDGRID_API_KEY": "SG.a-key-for-tests-only",
        "SENDGRID_API_URL": f"http://127.0.0.1:{provider.port}",
        "SEND_BATCH": BATCH,
        "OUTCOME_JOURNAL": str(provider.path.parent / "outcomes"),
        **more,
    }


class Crowd:
    """People with asks due: one per person and step. Every `shared`-th person has the previous one's address.

    Every `texted`-th has a phone and no e-mail. Kills are to meet `busy` planned asks or more.
    """

    def __init__(
        self,
        app: Flask,
        *,
        steps: tuple[str, ...] = ("check_in", "boarding"),
        shared: int = 3,
        texted: int = 0,
        busy: int = 150,
    ) -> None:
        self.app = app
        self.steps = steps
        self.shared = shared
        self.texted = texted
        self.busy = busy
        self.people = 0
        self._start = datetime.now(UTC) - timedelta(hours=1)
        with app.app_context():
            load(POLICY)

    def grow(self, people: int) -> None:
        """So many more of them."""
        with self.app.app_context():
            for first in range(self.people, self.people + people, 200):
                everyone = range(first, min(first + 200, self.people + people))
                events = [event for person in everyone for event in self._events(person)]
                assert record_events(events, source="api").accepted == len(events)
        self.people += people

    def _events(self, person: int) -> Iterator[EventIn]:
        shares = self.shared and person % self.shared == self.shared - 1
        address = f"p{person - 1 if shares else person}@example.org"
        for number, step in enumerate(self.steps, person * len(self.steps)):
            at = self._start + timedelta(milliseconds=number)
            customer: dict[str, str | None] = {"email": address}
            if self.texted and person % self.texted == 0:
                customer = {"email": None, "phone": f"+336120{person:05d}"}
            yield event(f"e-{number}", f"c-{person}", step, at, customer=customer)


def load_people(app: Flask, people: int, *, steps: tuple[str, ...] = ("check_in", "boarding"), shared: int = 3) -> None:
    """Plan one ask per person and step."""
    Crowd(app, steps=steps, shared=shared).grow(people)


def count(url: str, where: str = "true") -> int:
    """How many messages there are of this sort."""
    with psycopg.connect(plain(url)) as connection:
        row = connection.execute(f"SELECT count(*) FROM message WHERE {where}").fetchone()
    assert row is not None
    return int(row[0])


class Fleet:
    """Worker processes, forked on order by one nursery. Counts the violent ends it saw."""

    def __init__(self, url: str, provider: StandIn, **settings: Any) -> None:
        self.url = url
        self.provider = provider
        self.alive: set[int] = set()
        self.stopped: set[int] = set()
        self.kills = 0
        self.codes: dict[int, int] = {}
        self.answers: dict[int, tuple[int, int]] = {}
        self._reports: queue.Queue[dict[str, Any]] = queue.Queue()
        own = sendgrid_settings(provider, **({"LEASE_SECONDS": LEASE_SECONDS} | settings))
        given = json.dumps(own | {"DATABASE_URL": url})
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery", given],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self._await(lambda report: "ready" in report, PATIENCE)
        except queue.Empty:
            self.close()
            raise

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            self._reports.put(json.loads(line))

    def _note(self, report: dict[str, Any]) -> dict[str, Any]:
        if "born" in report:
            self.alive.add(report["born"])
        elif "stopped" in report:
            self.stopped.add(report["stopped"])
        elif "called" in report:
            self.answers[report["called"]] = (report["status"], report["lines"])
        elif "ended" in report:
            pid = report["ended"]
            self.alive.discard(pid)
            self.stopped.discard(pid)
            self.codes[pid] = report["code"]
            self.kills += report["code"] == -signal.SIGKILL
        return report

    def _await(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            report = self._note(self._reports.get(timeout=max(0.01, end - time.monotonic())))
            if wanted(report):
                return report

    def look(self) -> None:
        """Take note of what has been reported."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._note(self._reports.get_nowait())

    def hire(self, **order: Any) -> int:
        """A further worker; its process id."""
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps({"batch": BATCH} | order) + "\n")
        return int(self._await(lambda report: "born" in report, PATIENCE)["born"])

    def call(self, at: str | None = None, **request: Any) -> tuple[int, int] | None:
        """Status and number of lines of one answered request; None when its process died at `at`."""
        pid = self.hire(call=request, at=at)
        self.wait_until_ended(pid)
        return self.answers.get(pid)

    def wait_until_stopped(self, *pids: int) -> None:
        self.wait_until(lambda: self.stopped >= set(pids), f"not all of {pids} stopped")

    def wait_until_ended(self, *pids: int) -> None:
        self.wait_until(lambda: not self.alive & set(pids), f"not all of {pids} ended")

    def wait_until(self, done: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, complaint
            with contextlib.suppress(queue.Empty):
                self._note(self._reports.get(timeout=0.05))

    def wait_until_calls(self, calls: int) -> None:
        """Until the provider has logged so many calls."""
        self.wait_until(lambda: len(self.provider.log()) >= calls, f"not {calls} calls")

    def let_leases_run_out(self) -> None:
        """The lease of every batch in hand ends now; a batch whose outcome is just being written stays its worker's."""
        held = "SELECT id FROM message WHERE state = 'sending' FOR UPDATE SKIP LOCKED"
        with psycopg.connect(plain(self.url)) as connection:
            connection.execute(f"UPDATE message SET lease_until = now() - interval '1 second' WHERE id IN ({held})")

    def go_on(self, *pids: int) -> None:
        """Wake what was stopped."""
        for pid in pids:
            self.stopped.discard(pid)
            os.kill(pid, signal.SIGCONT)

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def count(self, where: str) -> int:
        return count(self.url, where)

    def wait_until_settled(self, seconds: float = PATIENCE) -> None:
        """Return when nothing is planned or being sent any more, and send the workers home."""
        end = time.monotonic() + seconds
        while left := self.count("state IN ('planned', 'sending')"):
            self.look()
            assert time.monotonic() < end, f"{left} messages are still on their way"
            assert self.alive, "no worker is left"
            time.sleep(0.1)
        self.dismiss()

    def dismiss(self) -> None:
        """SIGTERM: every worker finishes its batch and ends with 0."""
        self.look()
        staying = set(self.alive)
        for pid in staying:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.wait_until_ended(*staying)
        assert set(self.codes.values()) <= {0, -signal.SIGKILL}, "a worker failed by itself: see its last words"

    def close(self) -> None:
        self.look()
        for pid in self.alive:
            self.kill(pid)
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.kill()
        self._nursery.wait()
        self._listener.join(60)
        assert self._nursery.stdout is not None
        self._nursery.stdout.close()


@contextlib.contextmanager
def fleet(url: str, provider: StandIn, **settings: Any) -> Iterator[Fleet]:
    made = Fleet(url, provider, **settings)
    try:
        yield made
    finally:
        made.close()


def dump(url: str, target: Path) -> Path:
    """Every row of the tables that matter, one JSON object a line."""
    with psycopg.connect(plain(url)) as connection, target.open("w") as file:
        for table in TABLES:
            for (row,) in connection.execute(f"SELECT row_to_json(t) FROM {table} t"):
                file.write(json.dumps({"table": table, "row": row}) + "\n")
    return target


def judge(log: Path, url: str, lost: int, most: int = 1) -> list[str]:
    """What the independent checker finds wrong, run as a process that cannot import the application."""
    dumped = dump(url, log.with_suffix(".dump"))
    checker = [sys.executable, "-I", HERE / "checker.py", log, dumped, "--lost", str(lost), "--most", str(most)]
    done = subprocess.run(checker, capture_output=True, text=True, cwd="/")
    assert done.returncode in (0, 1), done.stderr
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()
