"""Tells Celery workers that something is due, where CELERY_BROKER_URL names a broker. Quiet when it is away.

Celery is an optional package: it is imported only when the setting asks for it.
"""

from importlib import import_module
from typing import Any

from flask import current_app

from surveyapp import logs

log = logs.get(__name__)
SEND = "surveyapp.send"
MOST = 64


def wanted() -> bool:
    """Whether this installation hands its sending to Celery workers."""
    return bool(current_app.config["CELERY_BROKER_URL"])


def publish(count: int) -> bool:
    """Fill the queue up to `count` wake-ups (at most 64). False when the broker could not be told.

    What already waits in the queue is counted, so that nothing piles up while no worker runs.
    """
    celery = _celery()
    try:
        with celery.connection_or_acquire() as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
            with connection.channel() as channel:
                queue = celery.amqp.queues[celery.conf.task_default_queue](channel)
                waiting = queue.queue_declare().message_count
            for _ in range(min(count, MOST) - waiting):
                celery.send_task(SEND, connection=connection, ignore_result=True, retry=False)
    except _troubles(celery) as problem:
        log.warning("broker_away", error=type(problem).__name__)
        return False
    return True


def _celery() -> Any:
    extensions = current_app.extensions
    if "surveyapp_celery" not in extensions:
        build = import_module("surveyapp.jobs.broker").build
        extensions["surveyapp_celery"] = build(
            current_app.config["CELERY_BROKER_URL"], current_app.config["CONTACT_PEPPER"]
        )
    return extensions["surveyapp_celery"]


def _troubles(celery: Any) -> tuple[type[BaseException], ...]:
    """What a broker that is away, or goes away, may raise."""
    connection = celery.connection_for_write()
    kombu = import_module("kombu.exceptions")
    return (OSError, kombu.OperationalError, *connection.connection_errors, *connection.channel_errors)
