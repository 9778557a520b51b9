"""The one place that commits. Every service opens its changes with `with transaction():`."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session, scoped_session

from surveyapp.extensions import db


@contextmanager
def transaction() -> Iterator[scoped_session[Session]]:
    """Commit what the body did, or roll all of it back when it raises.

    A read transaction that is still open is closed first: on SQLite it could not be turned
    into a write without failing. Rows that were loaded before are read afresh.
    """
    session = db.session
    if not (session.new or session.dirty or session.deleted):
        if session().in_transaction():
            session.rollback()
        session.expire_all()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
