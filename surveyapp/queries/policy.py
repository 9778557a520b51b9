"""The contact policy in force and its versions, read from the database and kept parsed. Read only."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.policy import Policy
from surveyapp.domain.policy_reading import parse_policy
from surveyapp.models import Journey, PolicyDraft, PolicyVersion, Step, Survey
from surveyapp.queries import catalog

AnySession = Session | scoped_session[Session]
FOLDER = "holidays"


def version_in_force(session: AnySession, now: datetime) -> PolicyVersion | None:
    """The highest version whose `effective_from` has come, or None before the first programme.

    With a clock that stands before all of them the first one holds: no clock can take the rules away.
    """
    came = select(PolicyVersion).where(PolicyVersion.effective_from <= now).order_by(PolicyVersion.number.desc())
    first = select(PolicyVersion).order_by(PolicyVersion.number)
    return session.scalars(came.limit(1)).first() or session.scalars(first.limit(1)).first()


def versions(session: AnySession, limit: int = 100) -> Sequence[PolicyVersion]:
    """The versions there are, newest first, those that are still to come included."""
    return session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(limit)).all()


def version_numbered(session: AnySession, number: int) -> PolicyVersion | None:
    """The version of that number."""
    return session.scalars(select(PolicyVersion).where(PolicyVersion.number == number)).one_or_none()


def draft(session: AnySession) -> PolicyDraft | None:
    """The policy that is being written, if there is one."""
    return session.scalars(select(PolicyDraft)).one_or_none()


def policy_in_force(session: AnySession, now: datetime) -> Policy:
    """The rules in force at `now`; before the first programme a policy without rules."""
    version = version_in_force(session, now)
    return parsed(version.number, version.definition) if version else Policy()


def parsed(number: int, definition: Mapping[str, Any]) -> Policy:
    """The rules of one stored version. A version that was accepted reads for ever."""
    return _parsed(number, json.dumps(definition, sort_keys=True))


@lru_cache(maxsize=64)
def _parsed(number: int, definition: str) -> Policy:
    return parse_policy(json.loads(definition), number, holidays())


def nameable(session: AnySession) -> dict[str, set[str]]:
    """What a rule's scope may name, by the scope's word; what was archived since is still known."""
    steps = session.execute(select(Journey.key, Step.key).outerjoin(Step, Step.journey_id == Journey.id)).all()
    surveys = session.execute(select(Survey.key, Survey.group)).all()
    return {
        "journey": {journey for journey, _ in steps},
        "step": {f"{journey}.{step}" for journey, step in steps if step},
        "survey": {key for key, _ in surveys},
        "group": {group for _, group in surveys if group},
    }


class Holidays(Mapping[str, Mapping[date, str]]):
    """The public holidays kept per country, each country's file read when it is first asked for."""

    def __getitem__(self, country: str) -> Mapping[date, str]:
        if country not in catalog.names(FOLDER):
            raise KeyError(country)
        dates: Mapping[date, str] = catalog.read_yaml(f"{FOLDER}/{country}.yaml")["dates"]
        return dates

    def __iter__(self) -> Iterator[str]:
        return iter(catalog.names(FOLDER))

    def __len__(self) -> int:
        return len(catalog.names(FOLDER))


HOLIDAYS = Holidays()


def holidays() -> Holidays:
    """The dates of the public holidays by country and their names."""
    return HOLIDAYS
