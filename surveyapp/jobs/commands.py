"""`flask jobs run`: the scheduler process."""

from flask import Flask, current_app
from flask.cli import AppGroup

from surveyapp.jobs.runner import Runner

jobs = AppGroup("jobs", help="What runs by itself.")


@jobs.command("run")
def run() -> None:
    """Run the scheduler until it is told to stop. Any number may run; one leads."""
    Runner(current_app._get_current_object()).run()  # type: ignore[attr-defined]


def register(app: Flask) -> None:
    """Add the group to `flask`."""
    app.cli.add_command(jobs)
