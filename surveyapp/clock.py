"""now(): the only place that asks the time. Tests and replays inject their own clock here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

_injected: ContextVar[datetime | None] = ContextVar("injected_clock", default=None)


def now() -> datetime:
    """The present instant, aware and in UTC: the injected one where there is one, else this machine's."""
    return _injected.get() or datetime.now(UTC)


def database_now(session: Session | scoped_session[Session]) -> datetime:
    """The instant by the database's clock, read at the call and not at the transaction's start.

    On SQLite the database is this machine. An injected clock wins on both.
    """
    if (injected := _injected.get()) is not None:
        return injected
    if is_the_databases(session):
        moment: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


def is_the_databases(session: Session | scoped_session[Session]) -> bool:
    """Whether only the database knows its time: it is neither injected nor this machine's."""
    return _injected.get() is None and session.get_bind().dialect.name == "postgresql"


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Run the body as if it were `moment` (aware)."""
    if moment.tzinfo is None:
        raise ValueError("a clock needs a zone")
    token = _injected.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _injected.reset(token)
