"""How tired people are of being asked: answers by number of asks, opt-outs by step, share of events covered. Read only.

Each question is a fixed number of statements over one period.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, distinct, extract, func, select
from sqlalchemy.orm import Session, aliased

from surveyapp.domain.vocabulary import LedgerState, Outcome
from surveyapp.models import Decision, Event, Invitation, Journey, LedgerEntry, Step, Suppression, Trigger

YEAR = 365 * 86_400
MOST_ORDINALS = 8
AFTER_AN_ASK = timedelta(days=30)  # an opt-out later than this is not laid at the ask's door
OTHER = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """Of so many, so many."""

    of: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """At one step: events, those that were asked about, those that were answered."""

    events: int
    asked: int
    answered: int


def by_ordinal(session: Session, start: datetime, end: datetime) -> dict[int, Answered]:
    """Asks of [start, end) and their answers, by the ask's place among the person's asks of 365 days.

    The last place holds all later ones.
    """
    moment = extract("epoch", Invitation.created_at)
    window = {"partition_by": Invitation.customer_id, "order_by": moment, "range_": (1 - YEAR, 0)}
    asks = (
        select(Invitation.created_at, Invitation.answered_at, func.count().over(**window).label("ordinal"))  # type: ignore[arg-type]
        .where(Invitation.created_at >= start - timedelta(seconds=YEAR), Invitation.created_at < end)
        .subquery()
    )
    query = (
        select(asks.c.ordinal, func.count(), func.count(asks.c.answered_at))
        .where(asks.c.created_at >= start)
        .group_by(asks.c.ordinal)
    )
    found: dict[int, Answered] = {}
    for ordinal, asked, answered in session.execute(query):
        place = min(ordinal, MOST_ORDINALS)
        before = found.get(place, Answered())
        found[place] = Answered(before.of + asked, before.count + answered)
    return dict(sorted(found.items()))


def opt_outs_by_step(session: Session, start: datetime, end: datetime) -> dict[str, Answered]:
    """Per step (long form; '' where an ask has none): asks of [start, end), and people who opted out after one.

    An opt-out belongs to the last ask of the 30 days before it; one without such an ask is in no row.
    """
    asks: Counter[str] = Counter()
    asked = (
        select(Journey.key, Step.key, func.count())
        .select_from(Invitation)
        .join(Trigger, Trigger.id == Invitation.trigger_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Invitation.created_at >= start, Invitation.created_at < end)
        .group_by(Journey.key, Step.key)
    )
    for journey, step, count in session.execute(asked):
        asks[f"{journey}.{step}" if step else OTHER] += count
    earlier = aliased(LedgerEntry)
    last = (
        select(earlier.id)
        .where(
            earlier.subject_key == Suppression.key,
            earlier.at <= Suppression.at,
            earlier.state != LedgerState.RELEASED,
        )
        .order_by(earlier.at.desc())
        .limit(1)
        .correlate(Suppression)
        .scalar_subquery()
    )
    left = (
        select(Suppression.key, LedgerEntry.step, LedgerEntry.at, Suppression.at)
        .select_from(Suppression)
        .join(LedgerEntry, LedgerEntry.id == last)
        .where(Suppression.reason == "opted_out", Suppression.key.startswith("c:", autoescape=True))
        .where(Suppression.at >= start, Suppression.at < end)
    )
    people: dict[str, set[str]] = {}
    for key, path, ask_at, at in session.execute(left):
        if at - ask_at <= AFTER_AN_ASK:
            people.setdefault(path or OTHER, set()).add(key)
    return {step: Answered(asks[step], len(people.get(step, ()))) for step in sorted({*asks, *people})}


def coverage(session: Session, start: datetime, end: datetime) -> dict[str, Coverage]:
    """Per step that an active trigger listens to: events of [start, end), asked about, answered."""
    listened = select(Trigger.step_id).where(Trigger.archived_at.is_(None), Trigger.step_id.is_not(None))
    query = (
        select(
            Journey.key,
            Step.key,
            func.count(distinct(Event.id)),
            func.count(distinct(Decision.event_id)),
            func.count(distinct(Invitation.event_id)),
        )
        .select_from(Event)
        .join(Step, Step.id == Event.step_id)
        .join(Journey, Journey.id == Step.journey_id)
        .outerjoin(Decision, and_(Decision.event_id == Event.id, Decision.outcome == Outcome.ASKED))
        .outerjoin(Invitation, and_(Invitation.decision_id == Decision.id, Invitation.answered_at.is_not(None)))
        .where(Event.step_id.in_(listened), Event.occurred_at >= start, Event.occurred_at < end)
        .group_by(Journey.key, Step.key, Journey.position, Step.position)
        .order_by(Journey.position, Journey.key, Step.position, Step.key)
    )
    return {f"{j}.{s}": Coverage(events, asked, answered) for j, s, events, asked, answered in session.execute(query)}
