"""The product's own commands as processes, with the settings of production and a stand-in provider."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask

from config import ROOT
from surveyapp.services.delivery import send_due
from surveyapp.services.recovery import reap
from surveyapp.services.senders import configured
from tests.faults.fleet import count, sendgrid_settings
from tests.providers import StandIn

JOBS = ("flask", "--app", "wsgi", "jobs", "run")
STOPS_WITHIN = 180  # seconds after SIGTERM
SENT_WITHIN = 180


def environment(url: str, provider: StandIn, pepper: str = "a-pepper-for-tests-only", **more: Any) -> dict[str, str]:
    """The settings of processes that are started as in production."""
    given = sendgrid_settings(provider, **({"SEND_BATCH": 50} | more))
    given |= {"DATABASE_URL": url, "SECRET_KEY": "a-secret-for-tests-only", "CONTACT_PEPPER": pepper}
    given |= {"LOG_LEVEL": "INFO", "PATH": os.environ["PATH"]}
    return {name: str(value) for name, value in given.items()}


def installed(name: str, *arguments: str) -> list[str]:
    """The command as it lies in the environment: unlike `python -m` it does not look into its working directory."""
    return [str(Path(sys.executable).with_name(name)), *arguments]


@contextlib.contextmanager
def running(log: Path, settings: dict[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, as docs/operations.md has it, until the block ends; what it says goes to `log`."""
    with log.open("wb") as file:
        process = subprocess.Popen(installed(*command), cwd=ROOT, env=settings, stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(happened: Callable[[], bool], what: str, log: Path | None = None, seconds: float = 180) -> None:
    """Return as soon as it has happened; fail with the end of `log` when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        said = log.read_text()[-2000:] if log else ""
        assert time.monotonic() < end, f"not within {seconds} s: {what}\n{said}"
        time.sleep(0.02)


def has_said(log: Path, words: str) -> Callable[[], bool]:
    return lambda: words in log.read_text()


def send_the_rest(app: Flask, url: str) -> None:
    """What was handed back is due again within a second: send it from here, as the jobs would.

    Where this machine is slow a lease may run out before its call; then the reaper hands the message back.
    """
    end = time.monotonic() + SENT_WITHIN
    with app.app_context():
        while left := count(url, "state IN ('planned', 'sending')"):
            assert time.monotonic() < end, f"{left} are not sent"
            reap()
            send_due(configured())
