"""Simulations for the console: the latest ones, one of them, and the policy to begin with. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from surveyapp.models import Event, PolicyDraft, PolicyVersion, Simulation
from surveyapp.queries.policy import version_in_force

LATEST = 10


@dataclass(frozen=True, slots=True)
class Beginning:
    """The policy text to start from: the stored draft where there is one, else the version in force."""

    definition: Mapping[str, Any]
    version: int
    draft_at: datetime | None = None
    draft_by: str | None = None


def latest(session: Session) -> list[Simulation]:
    """The latest simulations, newest first, without their results."""
    query = select(Simulation).options(defer(Simulation.result), defer(Simulation.progress))
    return list(session.scalars(query.order_by(Simulation.id.desc()).limit(LATEST)))


def one(session: Session, uid: str) -> Simulation | None:
    """The simulation with this number."""
    return session.scalars(select(Simulation).where(Simulation.uid == uid)).one_or_none()


def beginning(session: Session, now: datetime) -> Beginning:
    """What a new simulation starts from."""
    version = version_in_force(session, now)
    number = version.number if version else 0
    draft = session.scalars(select(PolicyDraft).order_by(PolicyDraft.id).limit(1)).one_or_none()
    if draft is not None:
        return Beginning(draft.definition, number, draft.updated_at, draft.updated_by)
    return Beginning(version.definition if version else {}, number)


def ahead(session: Session, row: Simulation) -> int:
    """How many simulations are played before this one."""
    query = select(func.count()).where(Simulation.id < row.id, Simulation.state.in_(("waiting", "running")))
    return session.scalar(query) or 0


def last_event(session: Session) -> datetime | None:
    """When the latest event happened."""
    return session.scalar(select(func.max(Event.occurred_at)))


def since(session: Session, number: int) -> datetime | None:
    """From when that policy version held."""
    return session.scalar(select(PolicyVersion.effective_from).where(PolicyVersion.number == number))
