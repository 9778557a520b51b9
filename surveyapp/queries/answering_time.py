"""How long people took to answer, and how many taps, from the pages they opened and the answers they gave. Read only.

Both times are kept anyway, to tell people from robots: the opening for as long as link evidence is.
"""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveyapp.domain.clicks import visit_started
from surveyapp.domain.effort import effort
from surveyapp.domain.questions import parse_definition
from surveyapp.domain.survey_review import LONGEST_SECONDS
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Invitation, Response, Survey, SurveyVersion, Visit

LATEST = 1_000
ONE_SITTING = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class AnsweringTime:
    """Half of `n` answers took `seconds` or less, from the opened page to the last word saved."""

    seconds: float
    n: int

    @property
    def long(self) -> bool:
        """Whether it is more than a survey should take."""
        return self.seconds > LONGEST_SECONDS


def answering_time(session: Session, key: str) -> AnsweringTime | None:
    """The median over the latest confirmed answers whose opening is still kept; None where there is none.

    Who comes back after half an hour to change something counts with their first sitting alone.
    """
    newest = (
        select(Response.id, Response.answered_at, Response.updated_at, Invitation.uid)
        .join(Invitation, Invitation.id == Response.invitation_id)
        .join(Survey, Survey.id == Response.survey_id)
        .where(Survey.key == key, Response.status == ResponseStatus.CONFIRMED)
        .order_by(Response.answered_at.desc(), Response.id.desc())
        .limit(LATEST)
        .subquery()
    )
    rows = session.execute(
        select(newest.c.id, newest.c.answered_at, newest.c.updated_at, Visit.uid.label("visit"))
        .join(Visit, Visit.invitation == newest.c.uid)
        .where(Visit.status == ResponseStatus.CONFIRMED)
    )
    taken: dict[int, float] = {}
    for row in rows:
        started = visit_started(row.visit)
        if started is None or started > row.answered_at:
            continue
        ended = row.updated_at if row.updated_at - started <= ONE_SITTING else row.answered_at
        taken[row.id] = max(taken.get(row.id, 0.0), (ended - started).total_seconds())
    return AnsweringTime(median(taken.values()), len(taken)) if taken else None


@dataclass(frozen=True, slots=True)
class AnsweringEffort:
    """Half of `n` answers took `taps` or fewer, on `screens` or fewer."""

    taps: float
    screens: float
    n: int


def answering_effort(session: Session, key: str) -> AnsweringEffort | None:
    """The medians over the latest confirmed answers to our own asks; None where there is none."""
    newest = (
        select(Response.survey_version_id, Response.answers, Response.comment)
        .join(Survey, Survey.id == Response.survey_id)
        .where(Survey.key == key, Response.status == ResponseStatus.CONFIRMED, Response.invitation_id.is_not(None))
        .order_by(Response.answered_at.desc(), Response.id.desc())
        .limit(LATEST)
    )
    answers = session.execute(newest).all()
    numbers = {version for version, _, _ in answers}
    asked = select(SurveyVersion.id, SurveyVersion.definition).where(SurveyVersion.id.in_(numbers))
    definitions = {number: parse_definition(said) for number, said in session.execute(asked)} if numbers else {}
    taken = [effort(definitions[version], given or {}, comment) for version, given, comment in answers]
    if not taken:
        return None
    return AnsweringEffort(median(one.taps for one in taken), median(one.screens for one in taken), len(taken))
