"""How this installation stands: its schema, its queue, its jobs. Read only; every count uses an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session, scoped_session

from config import ROOT
from surveyapp.domain.identity import contact_keys
from surveyapp.domain.vocabulary import MessageState, Role
from surveyapp.models import Brand, ChannelState, ContactKey, Customer, Decision, JobRun, Message, Response, User

Database = Session | scoped_session[Session]
SAMPLE = 5


@lru_cache(maxsize=1)
def newest_migration() -> str | None:
    """The number of the newest migration in this checkout."""
    return ScriptDirectory(str(ROOT / "migrations")).get_current_head()


def applied_migration(session: Database) -> str | None:
    """The number of the migration the database is at; None for an empty database."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    number: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return number


@dataclass(frozen=True)
class Queue:
    """Messages waiting to be sent; `oldest_due` is when the longest overdue one should have left."""

    planned: int
    due: int
    sending: int
    oldest_due: datetime | None


def queue(session: Database, now: datetime) -> Queue:
    planned = Message.state == MessageState.PLANNED
    due = planned & (Message.due_at <= now)
    return Queue(
        planned=session.scalar(select(func.count()).where(planned)) or 0,
        due=session.scalar(select(func.count()).where(due)) or 0,
        sending=session.scalar(select(func.count()).where(Message.state == MessageState.SENDING)) or 0,
        oldest_due=session.scalar(select(func.min(Message.due_at)).where(due)),
    )


def due(session: Database, now: datetime, most: int) -> int:
    """How many messages are due, counted up to `most`."""
    some = select(Message.id).where(Message.state == MessageState.PLANNED, Message.due_at <= now).limit(most)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def decisions_since(session: Database, since: datetime) -> dict[tuple[str, str], int]:
    """Decisions by outcome and reason ('' without one) for events from `since` on."""
    rows = session.execute(
        select(Decision.outcome, func.coalesce(Decision.reason, ""), func.count())
        .where(Decision.at >= since)
        .group_by(Decision.outcome, Decision.reason)
    )
    return {(outcome, reason): count for outcome, reason, count in rows}


def responses_since(session: Database, since: datetime) -> dict[str, int]:
    """Responses by status, answered from `since` on."""
    query = select(Response.status, func.count()).where(Response.answered_at >= since).group_by(Response.status)
    return {status: count for status, count in session.execute(query)}  # noqa: C416 - rows, typed


def job_runs(session: Database) -> Sequence[JobRun]:
    return session.scalars(select(JobRun).order_by(JobRun.name)).all()


def held_channels(session: Database, now: datetime) -> Sequence[ChannelState]:
    """Channels that an operator stopped or a provider paused."""
    return session.scalars(
        select(ChannelState)
        .where(ChannelState.stopped_at.is_not(None) | (ChannelState.paused_until > now))
        .order_by(ChannelState.channel)
    ).all()


def overdue(session: Database, now: datetime, by: timedelta) -> int:
    """How many messages should have left more than `by` ago."""
    late = (Message.state == MessageState.PLANNED) & (Message.due_at <= now - by)
    return session.scalar(select(func.count()).where(late)) or 0


def programme_applied(session: Database) -> bool:
    """Whether there is a brand to speak for."""
    return session.scalar(select(Brand.id).limit(1)) is not None


def is_empty(session: Database) -> bool:
    """Whether nobody has put anything in yet: no programme and no customer."""
    return not programme_applied(session) and session.scalar(select(Customer.id).limit(1)) is None


def admins(session: Database) -> int:
    """How many administrators may sign in."""
    query = select(func.count()).select_from(User).where(User.role == Role.ADMIN, User.disabled_at.is_(None))
    return session.scalar(query) or 0


def pepper_fits(session: Database, pepper: str) -> bool:
    """Whether the addresses on file hash to the contact keys on file, looked at for the oldest and newest customers."""
    keyed = select(Customer).where(Customer.email.is_not(None) | Customer.phone.is_not(None))
    looked_at = [
        *session.scalars(keyed.order_by(Customer.id).limit(SAMPLE)),
        *session.scalars(keyed.order_by(Customer.id.desc()).limit(SAMPLE)),
    ]
    for customer in looked_at:
        stored = set(session.scalars(select(ContactKey.key).where(ContactKey.customer_id == customer.id)))
        if stored and not stored.issuperset(contact_keys(customer.id, customer.email, customer.phone, pepper)):
            return False
    return True
