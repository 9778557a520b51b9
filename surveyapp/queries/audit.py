"""Reads the audit log, newest first. Writes nothing; `services/audit` adds rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import AuditEntry


@dataclass(frozen=True)
class Entry:
    """One thing somebody did or looked at."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


def entries(
    session: Session | scoped_session[Session],
    *,
    before: int | None = None,
    subject: str | None = None,
    limit: int = 50,
) -> Sequence[Entry]:
    """At most `limit` entries older than the entry `before`; of one subject (`key`, `user` …) where it is given."""
    wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(AuditEntry.id < before)
    if subject:
        wanted = wanted.where(AuditEntry.action.startswith(f"{subject}.", autoescape=True))
    return [Entry(e.id, e.at, e.actor, e.action, e.object, dict(e.detail)) for e in session.scalars(wanted)]
