"""A first answer as it is stored: everything its invitation froze, and what was given. Counts and decides nothing."""

import secrets
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert

from surveyapp.domain.public_links import read_public
from surveyapp.domain.questions import Definition
from surveyapp.domain.reporting_day import place_time
from surveyapp.domain.scores import METRICS
from surveyapp.models import Response
from surveyapp.models.base import table_of
from surveyapp.services.answer_forms import Given
from surveyapp.services.holding import Held
from surveyapp.services.together import Together


class FirstAnswer(NamedTuple):
    """One row of `response`, under its columns' names."""

    uid: str
    invitation_id: int
    survey_id: int
    survey_version_id: int
    metric: str
    score: int | None
    comment: str | None
    answers: dict[str, Any]
    status: str
    channel: str
    language: str | None
    layout: str | None
    customer_id: int | None
    partner_id: int | None
    trigger: str | None
    journey: str | None
    step: str | None
    phase: str | None
    instance: str | None
    event: str | None
    event_at: datetime
    reporting_day: date
    reporting_hour: int
    answered_at: datetime
    updated_at: datetime
    context: dict[str, Any]
    decision: str | None
    inclusion: float | None
    source: str


def frozen(held: Held, definition: Definition, given: Given, now: datetime) -> FirstAnswer:
    """The answer that `given` makes at `now`, with the context its invitation froze."""
    event_at = held.occurred_at or now
    there = place_time(event_at, held.timezone, held.zone)
    return FirstAnswer(
        uid=secrets.token_urlsafe(16),
        invitation_id=held.id,
        survey_id=held.survey_id,
        survey_version_id=held.survey_version_id,
        metric=definition.metric,
        score=given.score,
        comment=given.comment,
        answers=dict(given.answers or {}),
        status=given.status.value,
        channel=str(given.channel),
        language=given.language or held.language,
        layout=METRICS[definition.metric].layout,
        customer_id=held.customer_id,
        partner_id=held.partner_id,
        trigger=held.trigger,
        journey=held.journey,
        step=held.path,
        phase=held.phase,
        instance=held.instance,
        event=held.event,
        event_at=event_at,
        reporting_day=there.date(),
        reporting_hour=there.hour,
        answered_at=now,
        updated_at=now,
        context=held.context,
        decision=held.decision,
        inclusion=held.inclusion,
        source="public" if read_public(held.uid) else "invitation",
    )


def keep(answer: FirstAnswer, together: Together) -> None:
    """Store it with what else is sent together."""
    together.add(_KEPT, {f"r_{name}": value for name, value in answer._asdict().items()})


_KEPT = insert(table_of(Response)).values({name: bindparam(f"r_{name}") for name in FirstAnswer._fields}).inline()
