"""What the pages about surveys show: the list, one survey with its versions, and what uses it. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Journey, Response, Step, Survey, SurveyDraft, SurveyVersion, Trigger

RECENT = timedelta(days=28)
COUNTED = (ResponseStatus.CONFIRMED.value, ResponseStatus.PROVISIONAL.value)


@dataclass(frozen=True, slots=True)
class Use:
    """A trigger that asks a survey."""

    key: str
    step: Mapping[str, Any] | None
    path: str | None
    channels: tuple[str, ...]
    every_seconds: int | None
    stopped_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A survey as one line. `number` is its live version, 0 for one that was never published."""

    key: str
    metric: str
    about: Mapping[str, str]
    number: int
    public_slug: str | None
    closes_at: datetime | None
    quota: int | None
    full_at: datetime | None
    stopped_at: datetime | None
    archived_at: datetime | None
    answers: int
    confirmed: int
    drafted: bool
    uses: tuple[Use, ...] = field(default=())

    def state(self, now: datetime) -> str:
        """One word: draft, archived, stopped, closed, full, live, or idle where nothing asks it."""
        if self.archived_at is not None:
            return "archived"
        if self.number == 0:
            return "draft"
        if self.stopped_at is not None:
            return "stopped"
        if self.closes_at is not None and self.closes_at <= now:
            return "closed"
        if self.full_at is not None:
            return "full"
        asking = any(use.stopped_at is None for use in self.uses)
        return "live" if asking or self.public_slug else "idle"


def listed(session: Session, now: datetime, key: str | None = None) -> list[Listed]:
    """Every survey and every draft of one, those in use first, or the one with this key."""
    newest = select(func.max(SurveyVersion.number)).where(SurveyVersion.survey_id == Survey.id).correlate(Survey)
    query = (
        select(Survey, SurveyVersion.number, SurveyVersion.definition)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(SurveyVersion.number == newest.scalar_subquery())
        .order_by(Survey.archived_at.is_not(None), Survey.key)
    )
    counts = select(
        Response.survey_id,
        func.count().filter(Response.answered_at >= now - RECENT),
        func.count().filter(Response.status == ResponseStatus.CONFIRMED.value),
    ).where(Response.status.in_(COUNTED))
    drafted = select(SurveyDraft.key, SurveyDraft.definition).order_by(SurveyDraft.key)
    if key is not None:
        query, drafted = query.where(Survey.key == key), drafted.where(SurveyDraft.key == key)
        counts = counts.join(Survey, Survey.id == Response.survey_id).where(Survey.key == key)
    answers = {row[0]: (row[1], row[2]) for row in session.execute(counts.group_by(Response.survey_id))}
    drafts: dict[str, Any] = {row.key: row.definition for row in session.execute(drafted)}
    uses = _uses(session, key)
    rows: list[Listed] = []
    for survey, number, definition in session.execute(query):
        rows.append(
            Listed(
                survey.key,
                survey.metric,
                definition.get("about") or {},
                number,
                survey.public_slug,
                survey.closes_at,
                survey.quota,
                survey.full_at,
                survey.stopped_at,
                survey.archived_at,
                *answers.get(survey.id, (0, 0)),
                drafted=drafts.pop(survey.key, None) is not None,
                uses=tuple(use for use in uses.get(survey.id, ()) if use.archived_at is None),
            )
        )
    fresh = [_unpublished(name, definition) for name, definition in drafts.items()]
    return [*fresh, *rows]


def _unpublished(key: str, definition: Mapping[str, Any]) -> Listed:
    about = definition.get("about")
    texts = about if isinstance(about, dict) else {}
    return Listed(key, str(definition.get("metric")), texts, 0, None, None, None, None, None, None, 0, 0, drafted=True)


def _uses(session: Session, key: str | None) -> dict[int, list[Use]]:
    query = (
        select(Trigger, Step.name, Journey.key, Step.key)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .order_by(Trigger.step_id.is_(None), Journey.position, Step.position, Trigger.key)
    )
    if key is not None:
        query = query.join(Survey, Survey.id == Trigger.survey_id).where(Survey.key == key)
    found: dict[int, list[Use]] = {}
    for trigger, name, journey, step in session.execute(query):
        path = f"{journey}.{step}" if journey else None
        shown = (trigger.key, name, path, tuple(trigger.channels), trigger.every_seconds)
        found.setdefault(trigger.survey_id, []).append(Use(*shown, trigger.stopped_at, trigger.archived_at))
    return found


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    definition: Mapping[str, Any]
    digest: str
    published_at: datetime
    answers: int


def versions(session: Session, key: str) -> list[Version]:
    """Every version of a survey, newest first, with the answers that stay under it."""
    counted = (
        select(func.count())
        .where(Response.survey_version_id == SurveyVersion.id, Response.status.in_(COUNTED))
        .correlate(SurveyVersion)
        .scalar_subquery()
    )
    query = (
        select(
            SurveyVersion.number,
            SurveyVersion.definition,
            SurveyVersion.digest,
            SurveyVersion.published_at,
            counted,
        )
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .where(Survey.key == key)
        .order_by(SurveyVersion.number.desc())
    )
    return [Version(*row) for row in session.execute(query)]


def draft(session: Session, key: str) -> SurveyDraft | None:
    """What is being written for this survey."""
    return session.scalars(select(SurveyDraft).where(SurveyDraft.key == key)).one_or_none()
