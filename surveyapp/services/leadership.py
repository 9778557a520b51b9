"""Which scheduler process leads, and when each job last ran. Leading saves work; no promise depends on it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, update

from surveyapp import clock
from surveyapp.models import JobRun, Lease
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.transaction import transaction

LEASE = timedelta(seconds=10)


def lead(owner: str) -> bool:
    """Whether `owner` holds the jobs' lease for the next ten seconds."""
    with transaction() as session:
        now = clock.database_now(session)
        insert_quietly(session, Lease, [{"name": "jobs", "owner": owner, "expires_at": now + LEASE}], ["name"])
        taken: Any = session.execute(
            update(Lease)
            .where(Lease.name == "jobs", or_(Lease.expires_at < now, Lease.owner == owner))
            .values(owner=owner, expires_at=now + LEASE)
            .execution_options(synchronize_session=False)
        )
        return bool(taken.rowcount)


def give_up(owner: str) -> None:
    """Let another process lead at once."""
    with transaction() as session:
        now = clock.database_now(session)
        session.execute(update(Lease).where(Lease.name == "jobs", Lease.owner == owner).values(expires_at=now))


def note_run(name: str, error: str | None) -> None:
    """Keep when a job last ended, and how."""
    with transaction() as session:
        now = clock.database_now(session)
        insert_quietly(session, JobRun, [{"name": name}], ["name"])
        session.execute(update(JobRun).where(JobRun.name == name).values(finished_at=now, error=error))
