"""What every person of a replay has in common: programme, who belongs together, how often people answer. Read only."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from surveyapp.domain.simulation.cast import Part, Rate
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Brand, ContactKey, Event, Invitation, Journey, Step, Survey, Trigger
from surveyapp.queries import cells
from surveyapp.queries import triggers as trigger_queries
from surveyapp.queries.cells import Wanted

RATES_REACH = timedelta(days=365)


@dataclass(frozen=True)
class Setting:
    """What is the same for every group: the period, the programme, what to look at, who belongs together."""

    start: datetime
    end: datetime
    reach: timedelta
    answers: bool
    cases: bool
    parts: Mapping[str, Part]
    by_step: Mapping[int, tuple[Part, ...]]
    sensitive: Mapping[int, tuple[str, timedelta]]
    zone: str
    together: Mapping[int, tuple[int, ...]]  # by the smallest id of a group that shares keys, all its members
    shared: frozenset[int]


def setting(
    session: Session, start: datetime, end: datetime, reach: timedelta, *, answers: bool, cases: bool
) -> Setting:
    """The programme as it is now, for replaying [start, end]."""
    surveys = {survey.id: survey for survey in session.scalars(select(Survey))}
    parts, by_step = {}, defaultdict(list)
    for planned in trigger_queries.active(session):
        survey = surveys[planned.survey_id]
        part = Part(planned.rule, survey.metric, survey.group, survey.closes_at)
        if survey.archived_at is None:
            parts[planned.rule.key] = part
            if planned.step_id is not None:
                by_step[planned.step_id].append(part)
    steps = select(Step.id, Journey.key, Step.key, Step.sensitive_seconds).join(Journey)
    steps = steps.where(Step.sensitive_seconds.is_not(None), Step.archived_at.is_(None))
    zone = session.scalar(select(Brand.timezone).where(Brand.id == 1)) or "UTC"
    together = _together(session)
    return Setting(
        start=start,
        end=end,
        reach=reach,
        answers=answers,
        cases=cases,
        parts=parts,
        by_step={step: tuple(found) for step, found in by_step.items()},
        sensitive={i: (f"{j}.{s}", timedelta(seconds=span or 0)) for i, j, s, span in session.execute(steps)},
        zone=zone,
        together=together,
        shared=frozenset(member for members in together.values() for member in members),
    )


def _together(session: Session) -> dict[int, tuple[int, ...]]:
    """The groups of customers that share contact keys, directly or over others. Only shared keys are looked at."""
    twice = select(ContactKey.key).group_by(ContactKey.key).having(func.count() > 1)
    query = select(ContactKey.key, ContactKey.customer_id).where(ContactKey.key.in_(twice)).order_by(ContactKey.key)
    head: dict[int, int] = {}

    def root(one: int) -> int:
        while head.setdefault(one, one) != one:
            head[one] = head[head[one]]
            one = head[one]
        return one

    last_key, first = None, 0
    for key, customer in session.execute(query):
        if key != last_key:
            last_key, first = key, customer
        low, high = sorted((root(first), root(customer)))
        head[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for customer in sorted(head):
        groups[root(customer)].append(customer)
    return {lowest: tuple(members) for lowest, members in groups.items()}


def event_count(session: Session, start: datetime, end: datetime) -> int:
    """How many events the period holds."""
    return session.scalar(select(func.count()).select_from(Event).where(Event.occurred_at.between(start, end))) or 0


def rates(session: Session, known: Setting) -> dict[tuple[str, str], Rate]:
    """How often asks were answered in the year before the period's end, by place and channel."""
    query = (
        select(Trigger.key, Invitation.channel, func.count(), func.count(Invitation.answered_at))
        .join(Trigger, Trigger.id == Invitation.trigger_id)
        .where(Invitation.created_at > known.end - RATES_REACH)
        .group_by(Trigger.key, Invitation.channel)
    )
    found: dict[tuple[str, str], Rate] = {}
    for trigger, channel, asked, answered in session.execute(query):
        if trigger in known.parts:
            place = known.parts[trigger].place
            before = found.get((place, channel), Rate())
            found[place, channel] = Rate(before.asked + asked, before.answered + answered)
    return found


def histograms(session: Session, known: Setting) -> dict[tuple[str, str], dict[int, int]]:
    """The confirmed answers so far by place and survey."""
    alone = {part.trigger.survey: key for key, part in known.parts.items() if part.trigger.step is None}
    found: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for row in cells.sums(session, Wanted(("metric", "step", "survey"))):
        _, step, survey = row.parts
        if row.status == ResponseStatus.CONFIRMED:
            scores = found[step or alone.get(survey, ""), survey]
            scores[row.score] = scores.get(row.score, 0) + row.n
    return dict(found)
