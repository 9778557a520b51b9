"""F59: SIGTERM under load. What a provider has in hand is finished, nothing more is begun, nothing is lost."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from tests.conftest import MakeApp
from tests.faults.fleet import BATCH, count, judge, load_people, sendgrid_settings
from tests.faults.processes import JOBS, STOPS_WITHIN, environment, has_said, running, send_the_rest, until
from tests.providers import StandIn

PEOPLE = 60
ENDLESS = """
import threading
from surveyapp.jobs import runner, table
runner.JOBS = (table.Job("endless", 60, lambda: (print("at work", flush=True), threading.Event().wait()), "waits"),)
from wsgi import app
one = runner.Runner(app)
one.last_moment = 0.5
one.run()
"""


@pytest.mark.database("postgresql")
def test_f59_the_scheduler_told_to_stop_ends_its_call_and_hands_back_the_rest(
    postgres_url: str, make_app: MakeApp, provider: StandIn, tmp_path: Path
) -> None:
    app = make_app(postgres_url, **sendgrid_settings(provider))
    load_people(app, PEOPLE, steps=("check_in",), shared=0)
    log = tmp_path / "jobs.log"
    provider.next({}, {"do": "hold"})
    with running(log, environment(postgres_url, provider, SEND_BATCH=BATCH), *JOBS) as process:
        until(lambda: len(provider.log()) == 2, "a second call", log)
        process.send_signal(signal.SIGTERM)
        until(has_said(log, "jobs_stopping"), "it hears the signal", log)
        assert count(postgres_url, "state = 'sent'") == BATCH
        provider.go_on()
        assert process.wait(STOPS_WITHIN) == 0
    assert len(provider.log()) == 2
    assert count(postgres_url, "state = 'sent'") == 2 * BATCH
    assert count(postgres_url, "state = 'planned' AND attempts = 0") == PEOPLE - 2 * BATCH
    send_the_rest(app, postgres_url)
    assert judge(provider.path, postgres_url, lost=0) == []


@pytest.mark.database("postgresql")
def test_f59_a_job_that_does_not_end_does_not_hold_the_process(
    postgres_url: str, provider: StandIn, tmp_path: Path
) -> None:
    log = tmp_path / "jobs.log"
    settings = environment(postgres_url, provider)
    with log.open("wb") as file:
        command = [sys.executable, "-c", ENDLESS]
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=file, stderr=file)
        try:
            until(has_said(log, "at work"), "the job is at work", log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOPS_WITHIN) == 1
        finally:
            process.kill()
            process.wait()
    assert "jobs_left_unfinished" in log.read_text()
