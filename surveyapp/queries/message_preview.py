"""What a sample of a trigger's message is made of: the trigger, and the version it asks now. Read only."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, scoped_session

from surveyapp.models import Step, SurveyVersion, Trigger


def trigger_named(session: Session | scoped_session[Session], key: str) -> Trigger | None:
    """The trigger of that key with its step, journey and survey, unless it is archived."""
    query = (
        select(Trigger)
        .where(Trigger.key == key, Trigger.archived_at.is_(None))
        .options(joinedload(Trigger.survey), joinedload(Trigger.step).joinedload(Step.journey))
    )
    return session.scalars(query).one_or_none()


def version_asked(session: Session | scoped_session[Session], trigger: Trigger) -> SurveyVersion | None:
    """The latest version of the trigger's survey: the one that the next ask carries."""
    query = select(SurveyVersion).where(SurveyVersion.survey_id == trigger.survey_id)
    return session.scalars(query.order_by(SurveyVersion.number.desc()).limit(1)).one_or_none()
