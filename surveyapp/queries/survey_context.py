"""What is known of whoever a survey asks, without asking: the context's fields and the values they had. Read only."""

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.reporting_values import reporting_text
from surveyapp.models import ReportingAttribute, ReportingValue, Response, Survey, Trigger

LATEST = 50
SHOWN_VALUES = 8


def known_context(session: Session | scoped_session[Session], key: str) -> dict[str, list[str]]:
    """Each field by its name, with up to eight values it had, in alphabetical order.

    Reporting attributes, what the survey's triggers look at, and what its latest answers carry.
    """
    reported = select(ReportingAttribute.name).where(ReportingAttribute.slot.is_not(None))
    found: dict[str, set[str]] = {name: set() for name in session.scalars(reported)}
    for name, value in session.execute(select(ReportingValue.name, ReportingValue.value)):
        found.setdefault(name, set()).add(value)
    used = (
        select(Trigger.definition).join(Survey, Survey.id == Trigger.survey_id).where(Survey.key == key).limit(LATEST)
    )
    contexts = (
        select(Response.context)
        .join(Survey, Survey.id == Response.survey_id)
        .where(Survey.key == key)
        .order_by(Response.answered_at.desc(), Response.id.desc())
        .limit(LATEST)
    )
    said = [definition.get("where") or {} for definition in session.scalars(used)]
    for context in (*said, *(context or {} for context in session.scalars(contexts))):
        for name, value in context.items():
            found.setdefault(name, set()).add(reporting_text(value))
    return {name: sorted(values - {""})[:SHOWN_VALUES] for name, values in sorted(found.items())}
