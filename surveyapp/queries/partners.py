"""Partners as the widget and their console need them: keys, settings, signs of life, how much they asked. Read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, scoped_session

from surveyapp.domain.vocabulary import MessageKind, MessageState, ResponseStatus
from surveyapp.models import (
    Decision,
    Event,
    Invitation,
    Journey,
    Message,
    MetricDay,
    Partner,
    Response,
    Step,
    Survey,
    Trigger,
    WidgetSign,
)

AnySession = Session | scoped_session[Session]
RECURRING = "recurring"  # stands for the step of questions that belong to none
REACHED = (MessageState.SENT, MessageState.DELIVERED)


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """A partner as one request sees it. `sealed` are the secrets that count now, encrypted, the newest first."""

    id: int
    key: str
    name: str
    publishable: str
    origins: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    sealed: tuple[str, ...] = ()
    former_publishable_until: datetime | None = None
    former_secret_until: datetime | None = None
    created_at: datetime | None = None

    def may_ask_at(self, path: str) -> bool:
        """Whether the partner may ask at the step `journey.step`; without a list, at every one."""
        allowed = self.settings.get("steps") or ()
        return not allowed or path in allowed or f"{path.partition('.')[0]}.*" in allowed

    @property
    def sample(self) -> float:
        """The share of visitors for whom this partner's pages ask at all."""
        return float(self.settings.get("sample", 1.0))

    @property
    def share(self) -> float:
        """The share of all asks of a week that may be this partner's."""
        return float(self.settings.get("share", 1.0))


def by_publishable(session: AnySession, publishable: str, now: datetime) -> PartnerFacts | None:
    """The partner of a publishable key, also of the one before while that still counts."""
    former = and_(Partner.former_publishable == publishable, Partner.former_publishable_until > now)
    return _one(session, or_(Partner.publishable == publishable, former), now)


def by_key(session: AnySession, key: str, now: datetime) -> PartnerFacts | None:
    """The partner of this key of ours (not the publishable one)."""
    return _one(session, Partner.key == key, now)


def by_id(session: AnySession, partner_id: int, now: datetime) -> PartnerFacts | None:
    return _one(session, Partner.id == partner_id, now)


def _one(session: AnySession, which: ColumnElement[bool], now: datetime) -> PartnerFacts | None:
    row = session.scalar(select(Partner).where(which, Partner.archived_at.is_(None)))
    if row is None:
        return None
    sealed = [row.secret_encrypted]
    if row.former_secret_encrypted and row.former_secret_until and row.former_secret_until > now:
        sealed.append(row.former_secret_encrypted)
    return PartnerFacts(
        row.id,
        row.key,
        row.name,
        row.publishable,
        tuple(str(one) for one in row.origins),
        dict(row.settings or {}),
        tuple(sealed),
        row.former_publishable_until,
        row.former_secret_until,
        row.created_at,
    )


def listing(session: AnySession, origin: str) -> list[int]:
    """The partners whose pages may live at this origin."""
    rows = session.execute(select(Partner.id, Partner.origins).where(Partner.archived_at.is_(None)))
    return [row.id for row in rows if origin in row.origins]


def resembling(session: AnySession, origin: str) -> list[int]:
    """The partners one of whose origins has this one's host, or a host above or below it, but who do not list it.

    A browser that may not call never says which key its page holds; a forgotten `www.` or port is told by this.
    """
    host = urlsplit(origin).hostname or ""
    rows = session.execute(select(Partner.id, Partner.origins).where(Partner.archived_at.is_(None)))
    return [row.id for row in rows if origin not in row.origins and any(_related(host, one) for one in row.origins)]


def _related(host: str, origin: str) -> bool:
    own = urlsplit(origin).hostname or ""
    return host == own or host.endswith(f".{own}") or own.endswith(f".{host}") if own and host else False


def asked_since(session: AnySession, since: datetime, partner_id: int | None = None) -> int:
    """How many asks were made since then, by this partner's pages or by everybody."""
    query = select(func.count()).select_from(Invitation).where(Invitation.created_at >= since)
    if partner_id is not None:
        query = query.where(Invitation.partner_id == partner_id)
    return session.scalar(query) or 0


def step_at(session: AnySession, journey: str, step: str) -> Step | None:
    """The step in force at `journey` and `step`."""
    return session.scalar(
        select(Step)
        .join(Step.journey)
        .where(Journey.key == journey, Step.key == step, Journey.archived_at.is_(None), Step.archived_at.is_(None))
        .options(joinedload(Step.journey))
    )


def offerable(session: AnySession, customer_id: int, triggers: Sequence[int], instance: str | None) -> list[int]:
    """The planned first asks of a customer by these triggers, locked until the transaction ends."""
    query = (
        select(Message.id)
        .join(Decision, Decision.id == Message.decision_id)
        .join(Event, Event.id == Decision.event_id)
        .where(Message.customer_id == customer_id, Message.trigger_id.in_(triggers))
        .where(Message.kind == MessageKind.FIRST, Message.state == MessageState.PLANNED)
        .order_by(Message.id)
        .with_for_update(of=Message)
    )
    if instance is not None:
        query = query.where(or_(Event.instance == instance, Event.step_id.is_(None)))
    return list(session.scalars(query))


def on_page(session: AnySession, customer_id: int, triggers: Sequence[int], since: datetime) -> bool:
    """Whether one of these triggers' questions lies in front of the customer now, or did since then."""
    query = select(Message.id).where(
        Message.customer_id == customer_id,
        Message.trigger_id.in_(triggers),
        Message.channel == "web",
        or_(
            Message.state == MessageState.SENDING,
            and_(Message.state.in_(REACHED), Message.sent_at >= since),
        ),
    )
    return session.scalar(query.limit(1)) is not None


def reason_of(session: AnySession, event_id: str) -> str | None:
    """Why the event's first decided trigger was refused, if it was."""
    query = select(Decision.reason).join(Event).where(Event.event_id == event_id, Decision.reason.is_not(None))
    return session.scalar(query.order_by(Decision.id).limit(1))


@dataclass(frozen=True, slots=True)
class Sign:
    """What happened on the pages of one origin: how often, and when last."""

    origin: str
    what: str
    n: int
    last_at: datetime


def signs(session: AnySession, partner_id: int, since: date) -> list[Sign]:
    """The signs of life since that day, newest first, by origin and kind."""
    last = func.max(WidgetSign.last_at)
    rows = session.execute(
        select(WidgetSign.origin, WidgetSign.what, func.sum(WidgetSign.n).label("n"), last.label("last_at"))
        .where(WidgetSign.partner_id == partner_id, WidgetSign.day >= since)
        .group_by(WidgetSign.origin, WidgetSign.what)
        .order_by(last.desc())
    )
    return [Sign(row.origin, row.what, int(row.n), row.last_at) for row in rows]


@dataclass(frozen=True, slots=True)
class PartnerWeek:
    """One step's counts of one partner: questions shown and answers that count, by the week they were asked in."""

    step: str
    asked: datetime
    answered: bool


def shown(session: AnySession, partner_id: int, since: datetime) -> list[PartnerWeek]:
    """Every question that this partner's pages showed since then."""
    step_path = func.coalesce(Journey.key + "." + Step.key, RECURRING)
    answered = (
        select(Response.id)
        .where(Response.invitation_id == Invitation.id, Response.status == ResponseStatus.CONFIRMED)
        .exists()
    )
    rows = session.execute(
        select(step_path, Message.sent_at, answered)
        .select_from(Invitation)
        .join(Message, Message.invitation_id == Invitation.id)
        .join(Trigger, Trigger.id == Invitation.trigger_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .where(Invitation.partner_id == partner_id, Message.sent_at >= since, Message.channel == "web")
    )
    return [PartnerWeek(path, at, bool(yes)) for path, at, yes in rows if at is not None]


def web_steps(session: AnySession) -> list[str]:
    """The steps whose triggers list the web, `journey.step`, in the programme's order."""
    rows = session.execute(
        select(Journey.key, Step.key, Trigger.channels)
        .select_from(Trigger)
        .join(Step, Step.id == Trigger.step_id)
        .join(Journey, Journey.id == Step.journey_id)
        .where(Trigger.archived_at.is_(None), Step.archived_at.is_(None), Journey.archived_at.is_(None))
        .order_by(Journey.position, Step.position)
    )
    return list(dict.fromkeys(f"{journey}.{step}" for journey, step, channels in rows if "web" in channels))


def public_slug(session: AnySession) -> str | None:
    """The name of a survey's public link, the first by the survey's key; None where no survey has one."""
    query = select(Survey.public_slug).where(Survey.public_slug.is_not(None), Survey.archived_at.is_(None))
    slug: str | None = session.scalar(query.order_by(Survey.key).limit(1))
    return slug


def metrics_of(session: AnySession, key: str) -> list[str]:
    """The metrics that answers on this partner's pages count in."""
    query = select(MetricDay.metric).where(MetricDay.partner == key, MetricDay.slot == 0)
    return list(session.scalars(query.distinct().order_by(MetricDay.metric)))
