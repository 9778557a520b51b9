"""One process leads, jobs are noted, a failing job does not stop the others."""

import logging
from datetime import timedelta

from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.jobs.runner import Runner
from surveyapp.jobs.table import JOBS, Job
from surveyapp.models import JobRun
from surveyapp.services import leadership
from tests.builders import MOMENT


def nothing() -> None:
    """A job that has nothing to do."""


def test_every_job_has_a_name_of_its_own_a_period_and_says_what_it_does() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert [job.name for job in JOBS if job.seconds < 1 or not job.does] == []


def test_one_process_leads_until_its_lease_ends(app: OpenAPI) -> None:
    with clock.at(MOMENT):
        assert [leadership.lead("one"), leadership.lead("two"), leadership.lead("one")] == [True, False, True]
    with clock.at(MOMENT + leadership.LEASE):
        assert leadership.lead("two") is False
    with clock.at(MOMENT + leadership.LEASE + timedelta(seconds=1)):
        assert [leadership.lead("two"), leadership.lead("one")] == [True, False]


def test_a_leader_that_stops_lets_the_next_one_lead_at_once(app: OpenAPI) -> None:
    with clock.at(MOMENT):
        leadership.lead("one")
        leadership.give_up("one")
    with clock.at(MOMENT + timedelta(seconds=1)):
        assert leadership.lead("two") is True


def test_only_the_leader_can_give_up(app: OpenAPI) -> None:
    with clock.at(MOMENT):
        leadership.lead("one")
        leadership.give_up("two")
    with clock.at(MOMENT + timedelta(seconds=1)):
        assert leadership.lead("two") is False


def test_a_job_that_ran_is_noted(app: OpenAPI) -> None:
    with clock.at(MOMENT):
        Runner(app).once(Job("sweep", 60, nothing, "sweeps"))
    run = db.session.get(JobRun, "sweep")
    assert run is not None
    assert (run.finished_at, run.error) == (MOMENT, None)


def test_the_tickers_own_words_are_left_out(app: OpenAPI) -> None:
    assert not logging.getLogger("apscheduler.scheduler").isEnabledFor(logging.WARNING)


def failing() -> None:
    raise OSError("the disk is full")


def test_a_job_that_fails_is_noted_and_recovers_at_its_next_tick(app: OpenAPI) -> None:
    runner = Runner(app)
    with clock.at(MOMENT):
        runner.once(Job("sweep", 60, failing, "sweeps"))
    run = db.session.get(JobRun, "sweep")
    assert run is not None
    assert run.error == "OSError"
    db.session.rollback()
    with clock.at(MOMENT + timedelta(minutes=1)):
        runner.once(Job("sweep", 60, nothing, "sweeps"))
    db.session.refresh(run)
    assert (run.finished_at, run.error) == (MOMENT + timedelta(minutes=1), None)
