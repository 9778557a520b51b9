"""A few days of life for the pages of the console: asked, refused, waiting, answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event as listening
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import Invitation
from surveyapp.services import responses
from tests import outreach

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def live() -> None:
    """c-1 is asked about check-in and answers 4 with a comment, is refused about boarding; c-2 has no address."""
    with clock.at(NOW - timedelta(hours=2)):
        outreach.load()
        outreach.happens("e-1", "c-1", "check_in", NOW - timedelta(hours=2), properties={"class": "Business"})
        outreach.send()
        invitation = db.session.scalars(select(Invitation)).one()
        responses.record(
            invitation,
            score=4,
            comment="Quick <b>and</b> kind",
            status=ResponseStatus.CONFIRMED,
            channel="email",
            language="en",
        )
    with clock.at(NOW - timedelta(hours=1)):
        outreach.happens("e-2", "c-1", "boarding", NOW - timedelta(hours=1), instance="trip-e-1")
        outreach.happens("e-3", "c-2", "check_in", NOW - timedelta(hours=1), customer={"email": None})
        outreach.send()
    with clock.at(NOW):
        outreach.happens("e-4", "c-3", "baggage", NOW)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements sent to the database while the body runs."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *others: object) -> None:
        seen.append(statement)

    listening.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        listening.remove(db.engine, "before_cursor_execute", note)
