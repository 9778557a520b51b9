"""Closes a survey when it has as many answers as it wanted. Counts only where a quota is set."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Response, Survey


def note_confirmed(session: Session | scoped_session[Session], survey_id: int, quota: int, now: datetime) -> None:
    """One more confirmed answer stands: the survey is full from now on if that was the last one wanted."""
    if _confirmed(session, survey_id) >= quota:
        wanted = update(Survey).where(Survey.id == survey_id, Survey.full_at.is_(None)).values(full_at=now)
        session.execute(wanted.execution_options(synchronize_session=False))


def weigh(session: Session | scoped_session[Session], survey: Survey, now: datetime) -> None:
    """After its quota changed: the survey is full or open as its answers say."""
    full = survey.quota is not None and survey.id is not None and _confirmed(session, survey.id) >= survey.quota
    survey.full_at = (survey.full_at or now) if full else None


def _confirmed(session: Session | scoped_session[Session], survey_id: int) -> int:
    counted = Response.survey_id == survey_id, Response.status == ResponseStatus.CONFIRMED.value
    return session.scalar(select(func.count()).select_from(Response).where(*counted)) or 0
