"""The triggers as the rules see them, kept parsed per stored row. Read only."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain import triggers as rules
from surveyapp.domain.durations import parse_duration
from surveyapp.models import Journey, Step, Survey, Trigger

HALF_WIDTH_START = 0.9  # drawn for a half-width target until its first nightly computation


class Planned(NamedTuple):
    """What planning needs of a trigger: its rows' ids and the trigger as the rules see it."""

    id: int
    step_id: int | None
    survey_id: int
    rule: rules.Trigger


COLUMNS = (
    Trigger.id,
    Trigger.step_id,
    Trigger.survey_id,
    Trigger.key,
    Survey.key.label("survey"),
    Journey.key.label("journey"),
    Step.key.label("step"),
    Trigger.tier,
    Trigger.priority,
    Trigger.channels,
    Trigger.delay_seconds,
    Trigger.expires_seconds,
    Trigger.every_seconds,
    Trigger.definition,
)


def active(
    session: Session | scoped_session[Session], steps: Collection[int] | None = None, *, recurring: bool = False
) -> list[Planned]:
    """The triggers that are not archived, in order of their key.

    Only those of `steps` where given, and with `recurring` those that belong to no step, too.
    """
    query = (
        select(*COLUMNS)
        .join(Survey, Survey.id == Trigger.survey_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Trigger.archived_at.is_(None))
        .order_by(Trigger.key)
    )
    if steps is not None:
        of_steps = Trigger.step_id.in_(steps)
        query = query.where(or_(of_steps, Trigger.step_id.is_(None)) if recurring else of_steps)
    return [_planned(row) for row in session.execute(query)]


def _planned(row: Row[Any]) -> Planned:
    step = f"{row.journey}.{row.step}" if row.step else None
    seconds = (row.delay_seconds, row.expires_seconds, row.every_seconds)
    definition = json.dumps(row.definition)
    rule = _as_rule(row.key, row.survey, step, row.tier, row.priority, tuple(row.channels), seconds, definition)
    return Planned(row.id, row.step_id, row.survey_id, rule)


def as_rule(row: Trigger) -> rules.Trigger:
    """The trigger of a row whose step and survey are loaded."""
    step = row.step.path if row.step else None
    columns = (row.delay_seconds, row.expires_seconds, row.every_seconds)
    return _as_rule(
        row.key, row.survey.key, step, row.tier, row.priority, tuple(row.channels), columns, json.dumps(row.definition)
    )


@lru_cache(maxsize=1024)
def _as_rule(
    key: str,
    survey: str,
    step: str | None,
    tier: int,
    priority: int,
    channels: tuple[str, ...],
    seconds: tuple[int, int | None, int | None],
    definition: str,
) -> rules.Trigger:
    fields: dict[str, Any] = json.loads(definition)
    delay, expires, every = seconds
    sample = fields.get("sample", 1.0)
    target = sample if isinstance(sample, Mapping) else {}
    return rules.Trigger(
        key=key,
        survey=survey,
        channels=channels,
        step=step,
        tier=tier,
        priority=priority,
        delay=timedelta(seconds=delay),
        expires=None if expires is None else timedelta(seconds=expires),
        every=None if every is None else timedelta(seconds=every),
        sample=float(fields.get("rate", HALF_WIDTH_START)) if target else float(sample),
        half_width=target.get("target_half_width"),
        per=parse_duration(target.get("per") or fields.get("per") or "90d"),
        where=fields.get("where") or {},
        reminder_after=_duration((fields.get("reminder") or {}).get("after")),
        blocked=fields.get("blocked") or "drop",
        reserve=_duration(fields.get("reserve")),
        web_for=_duration(fields.get("web_for")) or timedelta(hours=24),
    )


def _duration(text: object) -> timedelta | None:
    return None if text is None else parse_duration(text)
