"""Simulations beside the pages: ordered by a person, played in slices by the scheduler, kept with their result.

A slice reads and writes nothing but its own row, so stopping the process at any moment loses one slice at most.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, logs
from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_reading import parse_policy
from surveyapp.models import PolicyVersion, Simulation
from surveyapp.queries import policy as policies
from surveyapp.services import audit
from surveyapp.services.outreach import new_uid
from surveyapp.services.simulation import Replay, check_period, read_state, reading
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
KEPT = 50
SLICE = 4.0
LONGEST_SLICE = 20.0
OPEN = ("waiting", "running")


class SimulationUnknown(Exception):
    """There is no simulation with this number."""


def order(definition: Mapping[str, Any], start: datetime, end: datetime) -> str:
    """The number of the simulation that will now be played. Raises PolicyProblems and PeriodRefused."""
    check_period(start, end)
    parse_policy(definition, 0, policies.holidays())
    with transaction() as session:
        now = clock.database_now(session)
        version = policies.version_in_force(session, now)
        row = Simulation(
            uid=new_uid(),
            definition=dict(definition),
            base_version=version.number if version else 0,
            start=start,
            end=end,
            state="waiting",
            created_at=now,
            created_by=audit.actor.get()[:254],
        )
        session.add(row)
        session.flush()
        _forget_old(session)
    return row.uid


def _forget_old(session: AnySession) -> None:
    """Keep the latest ones only."""
    kept = select(Simulation.id).order_by(Simulation.id.desc()).limit(KEPT)
    latest = list(session.scalars(kept))
    session.execute(delete(Simulation).where(Simulation.id < min(latest), Simulation.state.not_in(OPEN)))


def cancel(uid: str) -> None:
    """Play it no further. Raises SimulationUnknown; one that is over stays as it is."""
    with transaction() as session:
        row = session.scalars(select(Simulation).where(Simulation.uid == uid)).one_or_none()
        if row is None:
            raise SimulationUnknown
        if row.state in OPEN:
            row.state, row.progress, row.finished_at = "cancelled", None, clock.database_now(session)


def advance(seconds: float = SLICE) -> bool:
    """Play one slice of the oldest simulation that is not over; whether there was one."""
    with transaction() as session:
        found = session.scalars(
            select(Simulation).where(Simulation.state.in_(OPEN)).order_by(Simulation.id).limit(1)
        ).one_or_none()
        if found is None:
            return False
        uid, base, definition = found.uid, found.base_version, found.definition
        start, end, progress = found.start, found.end, found.progress
        current = _version(session, base)
    try:
        proposed = parse_policy(definition, 0, policies.holidays())
        state = read_state(progress)
        began = time.monotonic()
        with reading() as session_to_read:
            replay = Replay(session_to_read, current, proposed, start, end, state)
            setting_up = time.monotonic() - began
            more = replay.go_on(seconds if setting_up < 1 else min(5 * setting_up, LONGEST_SLICE))
            result = None if more else replay.result()
        _keep(uid, {"progress": state.as_json() if more else None, "done": state.done, "total": replay.total}, result)
    except Exception as problem:
        _keep(uid, {"state": "failed", "error": f"{type(problem).__name__}: {problem}"[:500], "progress": None}, None)
        log.error("simulation_failed", simulation=uid, error=type(problem).__name__)
        raise
    return True


def _version(session: AnySession, number: int) -> Policy:
    version = session.scalars(select(PolicyVersion).where(PolicyVersion.number == number)).one_or_none()
    return policies.parsed(version.number, version.definition) if version else Policy()


def _keep(uid: str, values: Mapping[str, Any], result: Mapping[str, Any] | None) -> None:
    """Write down how far it is; one that was cancelled meanwhile stays so."""
    with transaction() as session:
        row = session.scalars(select(Simulation).where(Simulation.uid == uid)).one_or_none()
        if row is None or row.state not in OPEN:
            return
        row.state = "running"
        for name, value in values.items():
            setattr(row, name, value)
        if result is not None:
            row.state, row.result = "done", dict(result)
        if row.state != "running":
            row.finished_at = clock.database_now(session)
