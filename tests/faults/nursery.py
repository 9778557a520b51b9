"""Brings up dispatcher processes by forking, so that three hundred of them can be killed in minutes.

`python -m tests.faults.nursery SETTINGS`: reads one order (JSON) a line from standard input, forks a worker that
sends what is due and reaps in a loop until SIGTERM, and reports on standard output who was born, stopped or ended.
Orders: `{"at": POINT, "nth": N, "signal": NAME, "mutant": NAME, "batch": N, "total": SECONDS}`, all optional; with
`"call"` (what a test client opens) the worker serves that one request instead, and reports its status.
"""

import json
import os
import select
import signal
import sys
import time
from collections import Counter
from typing import Any

from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from surveyapp import create_app, failpoints
from surveyapp.extensions import db
from surveyapp.services import delivery, recovery, senders
from tests import databases
from tests.faults import mutants

IDLE = 0.05


def say(**what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def fail_at(point: str, nth: int, name: str) -> None:
    """Send this process a signal of its own when it reaches `point` for the nth time."""
    times: Counter[str] = Counter()

    def reached(here: str) -> None:
        times[here] += 1
        if here == point and times[here] == nth:
            os.kill(os.getpid(), signal.Signals[name])

    failpoints.install(reached)


def work(app: Flask, order: dict[str, Any]) -> None:
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    if order.get("mutant"):
        mutants.MUTANTS[order["mutant"]]()
    if order.get("at"):
        fail_at(order["at"], order.get("nth", 1), order.get("signal", "SIGKILL"))
    if order.get("call"):
        answer = app.test_client().open(**order["call"])
        say(called=os.getpid(), status=answer.status_code, lines=len(answer.text.splitlines()))
        return
    with app.app_context():
        channels = senders.configured()
        if "total" in order:
            channels["email"].total = order["total"]  # type: ignore[attr-defined]
        while not ended:
            try:
                recovery.reap()
                done = delivery.send_due(channels, order["batch"], most=order["batch"]).claimed
            except (DBAPIError, PoolTimeout):
                done = 0  # the database is away, or cut the connection: what was claimed is the reaper's
            finally:
                db.session.remove()
            if not done:
                time.sleep(IDLE)


def report() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            say(stopped=pid)
        else:
            say(ended=pid, code=os.waitstatus_to_exitcode(status))


def warm_up(app: Flask) -> None:
    """Send one batch before the first fork, so that no worker has to compile templates; keep no connection of it."""
    with app.app_context():
        delivery.send_due(senders.configured(), 1, most=1)
        db.session.remove()
        db.engine.dispose()
    del app.extensions["surveyapp_senders"]


def main() -> None:
    settings = json.loads(sys.argv[1])
    app = create_app(databases.testing_config(settings.pop("DATABASE_URL"), **settings))
    warm_up(app)
    say(ready=os.getpid())
    unread = b""
    while True:
        report()
        if not select.select([0], [], [], 0.02)[0]:
            continue
        part = os.read(0, 65536)
        if not part:
            return
        *lines, unread = (unread + part).split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                try:
                    work(app, json.loads(line))
                    os._exit(0)
                except BaseException as problem:
                    print(f"worker failed: {problem!r}", file=sys.stderr, flush=True)
                    os._exit(70)
            say(born=pid)


if __name__ == "__main__":
    main()
