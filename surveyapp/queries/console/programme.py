"""What is configured, as a page shows it: surveys, triggers, policies, versions. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from surveyapp.models import Dimension, Journey, PolicyVersion, ProgrammeVersion, Step, Survey, SurveyVersion, Trigger


def trigger_keys(session: Session) -> list[str]:
    """The keys of all triggers, archived ones too, since their decisions stay."""
    return list(session.scalars(select(Trigger.key).order_by(Trigger.archived_at.is_not(None), Trigger.key)))


@dataclass(frozen=True, slots=True)
class SurveyRow:
    key: str
    metric: str
    number: int
    definition: Mapping[str, Any]
    published_at: datetime
    stopped_at: datetime | None
    closes_at: datetime | None
    public_slug: str | None


def live_surveys(session: Session) -> list[SurveyRow]:
    """The surveys that are not archived, each with its latest version, by key."""
    latest = select(func.max(SurveyVersion.number)).where(SurveyVersion.survey_id == Survey.id).correlate(Survey)
    query = (
        select(
            Survey.key,
            Survey.metric,
            SurveyVersion.number,
            SurveyVersion.definition,
            SurveyVersion.published_at,
            Survey.stopped_at,
            Survey.closes_at,
            Survey.public_slug,
        )
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(Survey.archived_at.is_(None), SurveyVersion.number == latest.scalar_subquery())
        .order_by(Survey.key)
    )
    return [SurveyRow(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class TriggerRow:
    key: str
    survey: str
    step: Mapping[str, Any] | None
    path: str | None
    channels: tuple[str, ...]
    delay_seconds: int
    expires_seconds: int | None
    every_seconds: int | None
    tier: int
    definition: Mapping[str, Any]
    stopped_at: datetime | None


def live_triggers(session: Session) -> list[TriggerRow]:
    """The triggers that may ask, in the order of their journeys and steps, the recurring ones last."""
    query = (
        select(Trigger, Survey.key, Step.name, Journey.key, Step.key)
        .join(Survey, Survey.id == Trigger.survey_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Trigger.archived_at.is_(None))
        .order_by(Trigger.step_id.is_(None), Journey.position, Step.position, Trigger.key)
    )
    return [
        TriggerRow(
            trigger.key,
            survey,
            step,
            f"{journey}.{step_key}" if journey else None,
            tuple(trigger.channels),
            trigger.delay_seconds,
            trigger.expires_seconds,
            trigger.every_seconds,
            trigger.tier,
            trigger.definition,
            trigger.stopped_at,
        )
        for trigger, survey, step, journey, step_key in session.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Applied:
    number: int
    applied_at: datetime
    applied_by: str


def applied_versions(session: Session, limit: int = 5) -> list[Applied]:
    """The programme files applied last, newest first."""
    columns = (ProgrammeVersion.number, ProgrammeVersion.applied_at, ProgrammeVersion.applied_by)
    query = select(*columns).order_by(ProgrammeVersion.number.desc()).limit(limit)
    return [Applied(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    number: int
    effective_from: datetime
    created_by: str
    definition: Mapping[str, Any]


def policy_versions(session: Session, limit: int = 6) -> list[PolicyRow]:
    """The contact policies made last, newest first."""
    columns = (
        PolicyVersion.number,
        PolicyVersion.effective_from,
        PolicyVersion.created_by,
        PolicyVersion.definition,
    )
    query = select(*columns).order_by(PolicyVersion.number.desc()).limit(limit)
    return [PolicyRow(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Promise:
    key: str
    promise: str
    attributes: tuple[Mapping[str, Any], ...]


def promises(session: Session) -> list[Promise]:
    """What the brand promises, dimension by dimension."""
    query = select(Dimension).where(Dimension.archived_at.is_(None)).order_by(Dimension.position, Dimension.id)
    return [Promise(row.key, row.promise, tuple(row.attributes or ())) for row in session.scalars(query)]
