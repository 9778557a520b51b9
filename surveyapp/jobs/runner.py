"""The scheduler process: leads or waits, ticks the table of jobs, stops cleanly. Never runs inside a web worker."""

import os
import select
import signal
import socket
import threading

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from surveyapp import clock, logs
from surveyapp.extensions import db
from surveyapp.jobs.table import JOBS, Job
from surveyapp.services import draining, leadership

log = logs.get(__name__)
EVERY = 2.0
LAST_MOMENT = 27.0  # seconds after which a job that does not end is left: whatever it had not committed comes again


class Runner:
    """Holds the leader's lease while it can, and lets the jobs tick only while it holds it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.me = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = False
        self.last_moment = LAST_MOMENT
        self.scheduler: BackgroundScheduler | None = None
        self._bell, self._rope = os.pipe()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then what a provider has in hand is finished, and nothing more begun."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        log.info("jobs_started", process=self.me)
        while not self.stopping:
            try:
                leading = self.lead()
            except Exception as problem:  # the database is away: stop ticking before trying again
                log.error("leadership_lost", error=type(problem).__name__)
                leading = False
            self._tick(leading)
            select.select([self._bell], [], [], EVERY)
        log.info("jobs_stopping", process=self.me)
        self._leave_at_the_last_moment()
        self._tick(False)
        try:
            with self.app.app_context():
                leadership.give_up(self.me)
        except Exception as problem:  # the lease ends by itself
            log.error("leadership_not_given_up", error=type(problem).__name__)
        log.info("jobs_stopped", process=self.me)

    def _stop(self, *_: object) -> None:
        """The signal's handler: takes no lock, because it may have interrupted whoever holds it."""
        draining.begin()
        self.stopping = True
        os.write(self._rope, b"!")

    def _leave_at_the_last_moment(self) -> None:
        """End the process whatever its jobs do, so that a supervisor need not kill it."""

        def leave() -> None:
            log.error("jobs_left_unfinished", process=self.me)
            os._exit(1)

        timer = threading.Timer(self.last_moment, leave)
        timer.daemon = True
        timer.start()

    def lead(self) -> bool:
        """Whether this process holds the lease for the next seconds."""
        with self.app.app_context():
            return leadership.lead(self.me)

    def _tick(self, leading: bool) -> None:
        if leading and self.scheduler is None:
            defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
            self.scheduler = BackgroundScheduler(timezone="UTC", job_defaults=defaults)
            for job in JOBS:
                self.scheduler.add_job(
                    self.once, "interval", [job], seconds=job.seconds, id=job.name, next_run_time=clock.now()
                )
            self.scheduler.start()
            log.info("leading", process=self.me)
        if not leading and self.scheduler is not None:
            self.scheduler.shutdown(wait=True)
            self.scheduler = None

    def once(self, job: Job) -> None:
        """Run one job, note when it ran and how it ended. A failure is logged and tried again at the next tick."""
        with self.app.app_context():
            error = None
            try:
                job.run()
            except Exception as problem:
                error = type(problem).__name__
                log.error("job_failed", job=job.name, error=type(problem).__name__, exc_info=True)
            finally:
                db.session.remove()
            if error or job.seconds >= 15:
                leadership.note_run(job.name, error)
