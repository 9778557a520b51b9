"""What the page of a survey says of its links: what a test link asks, its trials, one person's own link. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.models import Customer, Invitation, Survey, SurveyDraft, SurveyVersion, TestAnswer

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Trial:
    score: int | None
    comment: str | None
    answers: Mapping[str, Any]
    number: int | None
    """The version that was tried; None for the draft."""
    answered_at: datetime


def version_to_try(session: Session, key: str) -> int | None:
    """The id of the survey's newest version; None before the first, or when it is archived."""
    query = (
        select(SurveyVersion.id)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .where(Survey.key == key, Survey.archived_at.is_(None))
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    )
    return session.scalar(query)


def trials(session: Session, key: str) -> list[Trial]:
    """The latest test answers of a survey, newest first."""
    columns = (TestAnswer.score, TestAnswer.comment, TestAnswer.answers, SurveyVersion.number, TestAnswer.answered_at)
    query = (
        select(*columns)
        .outerjoin(SurveyVersion, SurveyVersion.id == TestAnswer.survey_version_id)
        .outerjoin(Survey, Survey.id == SurveyVersion.survey_id)
        .outerjoin(SurveyDraft, SurveyDraft.id == TestAnswer.survey_draft_id)
        .where((Survey.key == key) | (SurveyDraft.key == key))
        .order_by(TestAnswer.answered_at.desc(), TestAnswer.id.desc())
        .limit(SHOWN)
    )
    return [Trial(*row) for row in session.execute(query)]


def latest_invitation(session: Session, key: str, customer: str) -> str | None:
    """The id of the last ask of this survey that went to the customer with this external id."""
    query = (
        select(Invitation.uid)
        .join(SurveyVersion, SurveyVersion.id == Invitation.survey_version_id)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .join(Customer, Customer.id == Invitation.customer_id)
        .where(Survey.key == key, Customer.external_id == customer, Customer.erased_at.is_(None))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(1)
    )
    return session.scalar(query)
