"""Where asks went: events, decisions, invitations and answers of one base, counted. Read only."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.fields import known_timezone
from surveyapp.domain.funnel import Outcomes, response_rate
from surveyapp.domain.reporting_day import day_bounds
from surveyapp.domain.reporting_values import reporting_text
from surveyapp.domain.vocabulary import LOCAL_PROVIDERS, Outcome, Reason, ResponseStatus
from surveyapp.models import Brand, Decision, Event, Invitation, Journey, Message, Response, Step, Survey, Trigger
from surveyapp.queries.context_values import json_at

Database = Session | scoped_session[Session]

BY_POLICY = frozenset({Reason.JOURNEY_CAP, Reason.GAP, Reason.CAP, Reason.BUDGET, Reason.YIELDED, Reason.SAMPLED_OUT})
"""Refusals of people who could have been asked; every other reason means they could not."""


@dataclass(frozen=True, slots=True)
class FunnelFilters:
    """Which events; None leaves a field open. Days are the events' local days, both included."""

    survey: str | None = None
    journey: str | None = None
    step: str | None = None
    trigger: str | None = None
    channel: str | None = None
    metric: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Counts from event to comment. `events` are events × matching triggers, one decision each.

    An answer proves delivery and a click where no receipt says so, what the local mailbox or phone took has arrived.
    Suspected robots are in none of the counts.
    """

    events: int = 0
    waiting: int = 0
    eligible: int = 0
    sampled: int = 0
    allowed: int = 0
    sent: int = 0
    delivered: int = 0
    clicked: int = 0
    rated: int = 0
    confirmed: int = 0
    commented: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def response_rate(self) -> float | None:
        """AAPOR's RR2 over what was sent, 0–1; None when nothing was."""
        partial, rest = self.clicked - self.confirmed, self.sent - self.clicked
        return response_rate(Outcomes(complete=self.confirmed, partial=partial, unknown=rest))

    @property
    def answers_per_delivered(self) -> float | None:
        """The secondary figure: confirmed answers of the messages known to have arrived, 0–1."""
        return self.confirmed / self.delivered if self.delivered else None


Class = tuple[str, int | None, str]


@dataclass(slots=True)
class Invited:
    """So many invitations that were sent, and how many answers to them gave each score."""

    n: int = 0
    scores: dict[int, int] = field(default_factory=dict)


def counts(session: Database, filters: FunnelFilters) -> Funnel:
    """The funnel of the events that match."""
    conditions = _conditions(session, filters)
    decided = _joined(select(Decision.outcome, Decision.reason, func.count())).where(*conditions)
    by_outcome = {
        (outcome, reason): n
        for outcome, reason, n in session.execute(decided.group_by(Decision.outcome, Decision.reason))
    }
    refused = {str(reason): n for (outcome, reason), n in by_outcome.items() if outcome == Outcome.REFUSED}
    asked = sum(n for (outcome, _), n in by_outcome.items() if outcome == Outcome.ASKED)
    sampled = asked + sum(n for reason, n in refused.items() if reason in BY_POLICY - {Reason.SAMPLED_OUT})
    sent, delivered, clicked, rated, confirmed, commented = _after_asking(session, conditions)
    return Funnel(
        events=sum(by_outcome.values()),
        waiting=sum(n for (outcome, _), n in by_outcome.items() if outcome == Outcome.WAITING),
        eligible=sampled + refused.get(Reason.SAMPLED_OUT, 0),
        sampled=sampled,
        allowed=asked,
        sent=sent,
        delivered=delivered,
        clicked=clicked,
        rated=rated,
        confirmed=confirmed,
        commented=commented,
        refused=dict(sorted(refused.items(), key=lambda item: -item[1])),
    )


def _after_asking(session: Database, conditions: list[ColumnElement[bool]]) -> tuple[int, ...]:
    """Invitations sent, delivered, clicked, rated, confirmed and commented, each counted once."""
    stages = (
        _SENT,
        or_(_HAND_OVER.c.delivered == 1, _PERSON),
        _PERSON,
        _RATED,
        _CONFIRMED,
        and_(_CONFIRMED, Response.comment.is_not(None), Response.comment != ""),
    )
    query = _invited(select(*(func.sum(case((stage, 1), else_=0)) for stage in stages))).where(*conditions)
    return tuple(int(n or 0) for n in session.execute(query).one())


_KEPT_HERE = and_(Message.sent_at.is_not(None), Message.provider.in_(LOCAL_PROVIDERS))
_HAND_OVER = (
    select(
        Message.invitation_id.label("invitation_id"),
        func.max(case((Message.sent_at.is_not(None), 1), else_=0)).label("sent"),
        func.max(case((or_(Message.delivered_at.is_not(None), _KEPT_HERE), 1), else_=0)).label("delivered"),
    )
    .where(Message.invitation_id.is_not(None))
    .group_by(Message.invitation_id)
    .subquery()
)
_PERSON = and_(Response.id.is_not(None), Response.status != ResponseStatus.SUSPECTED_BOT.value)
_RATED = and_(_PERSON, Response.score.is_not(None))
_CONFIRMED = and_(_RATED, Response.status == ResponseStatus.CONFIRMED.value)
_SENT = or_(_HAND_OVER.c.sent == 1, _HAND_OVER.c.delivered == 1, _PERSON)


def _invited(query: Any) -> Any:
    """The query over the invitations that the decisions led to, with their messages and their answer."""
    return (
        _joined(query)
        .join(Invitation, Invitation.decision_id == Decision.id)
        .outerjoin(_HAND_OVER, _HAND_OVER.c.invitation_id == Invitation.id)
        .outerjoin(Response, Response.invitation_id == Invitation.id)
    )


def invited_by(session: Database, filters: FunnelFilters, attribute: str | None) -> dict[Class, Invited]:
    """Of the invitations that were sent, how many and the confirmed scores among them, by class.

    A class is channel, step and the value of the attribute as the event came in. One statement.
    """
    score = case((_CONFIRMED, Response.score))
    named = attribute or ""
    values = [json_at(session, Event.properties, named), json_at(session, Event.attributes, named)] if named else []
    by: list[Any] = [
        column.label(f"part{at}") for at, column in enumerate((Invitation.channel, Step.id, *values, score))
    ]
    query = _invited(select(*by, func.count())).where(_SENT, *_conditions(session, filters))
    found: dict[Class, Invited] = {}
    for channel, step, *told, given, n in session.execute(query.group_by(*(column.name for column in by))):
        value = next((value for value in told if value is not None), None)
        one = found.setdefault((channel, step, reporting_text(value)), Invited())
        one.n += n
        if given is not None:
            one.scores[given] = one.scores.get(given, 0) + n
    return found


def decision_ids(session: Database, filters: FunnelFilters) -> Any:
    """A query of the ids of the decisions that the funnel counts, for a list of them."""
    return _joined(select(Decision.id)).where(*_conditions(session, filters))


def _joined(query: Any) -> Any:
    return (
        query.select_from(Decision)
        .join(Event, Event.id == Decision.event_id)
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .join(Survey, Survey.id == Decision.survey_id)
        .outerjoin(Step, Step.id == Event.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
    )


def _conditions(session: Database, filters: FunnelFilters) -> list[ColumnElement[bool]]:
    wanted: list[tuple[ColumnElement[Any], str | None]] = [
        (Survey.key.expression, filters.survey),
        (Journey.key.expression, filters.journey),
        (Journey.key + "." + Step.key, filters.step),
        (Trigger.key.expression, filters.trigger),
        (Decision.channel.expression, filters.channel),
        (Survey.metric.expression, filters.metric),
    ]
    found = [column == value for column, value in wanted if value is not None]
    if filters.first is not None or filters.last is not None:
        found.append(_on_days(session, filters.first, filters.last))
    return found


def _on_days(session: Database, first: date | None, last: date | None) -> ColumnElement[bool]:
    """Events whose local day lies between the two: each zone that occurs has its own bounds."""
    own = session.scalar(select(Brand.timezone)) or "UTC"
    zones = session.scalars(select(Event.timezone).distinct()).all()
    return or_(
        *(
            and_(
                Event.timezone.is_(None) if zone is None else Event.timezone == zone,
                *_between(zone or own, first, last),
            )
            for zone in (*zones, *(() if None in zones else (None,)))
        )
    )


def _between(zone: str, first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    place = zone if known_timezone(zone) else "UTC"
    found: list[ColumnElement[bool]] = []
    if first is not None:
        found.append(Event.occurred_at >= day_bounds(first, place)[0])
    if last is not None:
        found.append(Event.occurred_at < day_bounds(last, place)[1])
    return found
