"""Surveys by their key: the row, what is live, what is being written. Read only."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import Survey, SurveyDraft, SurveyVersion

AnySession = Session | scoped_session[Session]


def survey_named(session: AnySession, key: str) -> Survey | None:
    """The survey with this key, archived or not."""
    return session.scalars(select(Survey).where(Survey.key == key)).one_or_none()


def draft_of(session: AnySession, key: str) -> SurveyDraft | None:
    """What is being written under this key."""
    return session.scalars(select(SurveyDraft).where(SurveyDraft.key == key)).one_or_none()


def live_definition(session: AnySession, key: str, number: int | None = None) -> tuple[int, dict[str, Any]] | None:
    """The number of the newest version, or of this one, and the survey as a programme file says it, but for its key."""
    query = (
        select(Survey, SurveyVersion)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(Survey.key == key)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    )
    if number is not None:
        query = query.where(SurveyVersion.number == number)
    row = session.execute(query).one_or_none()
    return (row[1].number, said(row[0], row[1].definition)) if row else None


def said(survey: Survey, definition: dict[str, Any]) -> dict[str, Any]:
    """A version's definition with the limits of its survey."""
    limits: dict[str, Any] = {"group": survey.group, "public": survey.public_slug, "quota": survey.quota}
    if survey.closes_at is not None:
        limits["closes"] = survey.closes_at.isoformat()
    whole = {name: value for name, value in definition.items() if value != {}}
    return whole | {name: value for name, value in limits.items() if value is not None}
