"""The optional Celery workers: more hands for sending, on any number of machines. They run the scheduler's own code.

`celery -A surveyapp.jobs.celery_app worker`. A task is a bare wake-up: lost, late or repeated it changes nothing,
because the database says what is due and who holds it. No retries, no ETA, no results.
"""

import os
import sys
from functools import cache
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down
from flask import Flask

import config
from surveyapp.extensions import db
from surveyapp.jobs import broker, sending, wake_ups
from surveyapp.services import draining


def _from_environment() -> dict[str, Any]:
    loaded = config.load()
    if not loaded.CELERY_BROKER_URL:
        raise config.SettingsMissing("surveyapp cannot start:\n- CELERY_BROKER_URL: missing, Celery workers need it")
    return broker.settings(loaded.CELERY_BROKER_URL, loaded.CONTACT_PEPPER)


@cache
def _application() -> Flask:
    """This process's application, made at its first task: after the fork, so that no connection is shared."""
    application: Flask = import_module("wsgi").app
    return application


# The command `celery` puts its working directory on the path to find this file, and takes the first such entry off
# again: `wsgi`, which is imported at the first task, stands there.
sys.path.append(str(config.ROOT))

celery = Celery("surveyapp", set_as_current=False)
celery.add_defaults(_from_environment)


@worker_shutting_down.connect
def drain(**_: object) -> None:
    """The worker is told to stop: its processes finish the call they are in and hand back what they have not begun."""
    draining.begin()
    os.write(2, b"draining: calls in hand are finished, nothing more is begun\n")  # a signal handler may not log


@celery.task(name=wake_ups.SEND)
def send() -> None:
    """Decide and send one batch of what is due; the next wake-up goes on."""
    with _application().app_context():
        try:
            sending.batch()
        finally:
            db.session.remove()
