"""The sending tick: does the work itself or, with a broker, wakes Celery workers and does what they leave lying."""

from datetime import timedelta

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.jobs import wake_ups
from surveyapp.queries import installation
from surveyapp.services import delivery, senders

BATCH = 50  # messages decided at once, and what one wake-up stands for
TICK = 2000
PORTION = 500
LATE = timedelta(seconds=15)


def tick() -> None:
    """Send what is due, or wake the workers for it. A broker that is away costs a tick, never a message."""
    if wake_ups.wanted():
        due = installation.due(db.session, clock.now(), wake_ups.MOST * BATCH)
        db.session.rollback()
        if not due or wake_ups.publish(-(-due // BATCH)):
            return
    delivery.send_due(senders.configured(), BATCH, most=TICK)


def batch() -> None:
    """What one wake-up stands for."""
    delivery.send_due(senders.configured(), BATCH, most=BATCH)


def look_after() -> None:
    """Send what has been due for a while although workers were woken: they may be dead, or the wake-ups lost."""
    if not wake_ups.wanted():
        return
    late = installation.due(db.session, clock.now() - LATE, 1)
    db.session.rollback()
    if late:
        delivery.send_due(senders.configured(), BATCH, most=PORTION)
