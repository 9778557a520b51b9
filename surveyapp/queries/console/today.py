"""What the first page counts: decisions and answers, what waits, what wants somebody's eye. Read only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from surveyapp.domain.vocabulary import MessageState, Outcome, ResponseStatus
from surveyapp.models import (
    ApiKey,
    Case,
    ChannelState,
    Customer,
    Decision,
    Event,
    Invitation,
    Journey,
    Message,
    PolicyVersion,
    Response,
    Webhook,
)
from surveyapp.queries.cases import BY_ANSWER


def decisions_between(session: Session, start: datetime, end: datetime) -> dict[tuple[str, str | None], int]:
    """How many decisions of that time stand at each outcome and reason."""
    query = (
        select(Decision.outcome, Decision.reason, func.count())
        .where(Decision.at >= start, Decision.at < end)
        .group_by(Decision.outcome, Decision.reason)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def answers_between(session: Session, start: datetime, end: datetime) -> dict[str, int]:
    """How many answers were given in that time, by status."""
    query = (
        select(Response.status, func.count())
        .where(Response.answered_at >= start, Response.answered_at < end)
        .group_by(Response.status)
    )
    return {row[0]: row[1] for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class Rate:
    """Of so many asked, so many answered."""

    asked: int
    answered: int


def response_rate(session: Session, start: datetime, end: datetime) -> Rate:
    """Asks decided in that time and those of them that have a counted answer."""
    counted = func.sum(case((Response.status != ResponseStatus.SUSPECTED_BOT, 1), else_=0))
    query = (
        select(func.count(), counted)
        .select_from(Decision)
        .outerjoin(Invitation, Invitation.decision_id == Decision.id)
        .outerjoin(Response, Response.invitation_id == Invitation.id)
        .where(Decision.outcome == Outcome.ASKED, Decision.reason.is_(None), Decision.at >= start, Decision.at < end)
    )
    asked, answered = session.execute(query).one()
    return Rate(asked, answered or 0)


def waiting_by_reason(session: Session) -> dict[str | None, int]:
    """How many asks wait now, by what they wait for; None is the trigger's own delay."""
    query = select(Decision.reason, func.count()).where(Decision.outcome == Outcome.WAITING).group_by(Decision.reason)
    return {row[0]: row[1] for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class Standing:
    """How sending stands: the policy version in force, messages of unknown outcome, and those given up.

    `wishes` counts the people who asked in an answer to be contacted and still wait, `deaf` the endpoints of webhooks
    that were disabled because they take nothing.
    """

    policy: int | None
    unknown: int
    dead: int
    wishes: int = 0
    deaf: int = 0


def standing(session: Session, since: datetime, now: datetime) -> Standing:
    """The policy in force at `now`, and the messages due since then that have no known outcome or were given up."""
    states = (MessageState.UNKNOWN, MessageState.UNKNOWN_FINAL, MessageState.DEAD)
    dead = func.sum(case((Message.state == MessageState.DEAD, 1), else_=0))
    policy = select(func.max(PolicyVersion.number)).where(PolicyVersion.effective_from <= now).scalar_subquery()
    wish = (Case.opened_by == BY_ANSWER) & Case.closed_at.is_(None)
    wishes = select(func.count(Case.id)).where(wish).scalar_subquery()
    deaf = select(func.count(Webhook.id)).where(Webhook.disabled_at.is_not(None)).scalar_subquery()
    query = select(policy, func.count(), dead, wishes, deaf)
    row = session.execute(query.where(Message.state.in_(states), Message.due_at >= since)).one()
    number, count, given_up, people, endpoints = row
    return Standing(number, count - (given_up or 0), given_up or 0, people, endpoints)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An event name that no step knows."""

    name: str
    count: int
    last: datetime


def unmapped_names(session: Session, start: datetime, limit: int = 50) -> list[Unmapped]:
    """Event names since then that belong to no step, most frequent first. Our own recurring events have no name."""
    query = (
        select(Event.name, func.count(), func.max(Event.occurred_at))
        .where(Event.step_id.is_(None), Event.name.is_not(None), Event.occurred_at >= start)
        .group_by(Event.name)
        .order_by(func.count().desc(), Event.name)
        .limit(limit)
    )
    return [Unmapped(str(name), n, last) for name, n, last in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Held:
    """A channel that an operator stopped or that waits for its provider."""

    channel: str
    stopped_at: datetime | None
    paused_until: datetime | None
    reason: str | None


def held_channels(session: Session, now: datetime) -> list[Held]:
    """Channels on which nothing leaves at the moment."""
    query = select(ChannelState.channel, ChannelState.stopped_at, ChannelState.paused_until, ChannelState.reason).where(
        or_(ChannelState.stopped_at.is_not(None), ChannelState.paused_until > now)
    )
    return [Held(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class LatestAnswer:
    uid: str
    at: datetime
    metric: str
    score: int | None
    comment: str | None
    status: str
    customer: str | None
    step: str | None


def latest_answers(session: Session, limit: int = 6) -> list[LatestAnswer]:
    """The newest answers that count."""
    query = (
        select(
            Response.uid,
            Response.answered_at,
            Response.metric,
            Response.score,
            Response.comment,
            Response.status,
            Customer.external_id,
            Response.step,
        )
        .outerjoin(Customer, Customer.id == Response.customer_id)
        .where(Response.status != ResponseStatus.SUSPECTED_BOT)
        .order_by(Response.answered_at.desc(), Response.id.desc())
        .limit(limit)
    )
    return [LatestAnswer(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Beginning:
    """How far a new installation has come: whether each kind of thing exists at all."""

    journeys: bool
    policy: bool
    keys: bool
    events: bool
    asked: bool
    answers: bool

    @property
    def complete(self) -> bool:
        return self.journeys and self.events and self.asked and self.answers


def beginning(session: Session) -> Beginning:
    """What exists, in one statement."""
    asked = select(Decision.id).where(Decision.outcome == Outcome.ASKED)
    live_keys = select(ApiKey.id).where(ApiKey.revoked_at.is_(None))
    parts = (select(Journey.id), select(PolicyVersion.id), live_keys, select(Event.id), asked, select(Response.id))
    return Beginning(*tuple(session.execute(select(*(part.exists() for part in parts))).one()))
