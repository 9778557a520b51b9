"""What the preferences page needs to know of the person behind a link: what they told us, what we asked. Read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased, scoped_session

from surveyapp.domain.facts import KIND, kind_of
from surveyapp.domain.public_links import read_public
from surveyapp.models import (
    Brand,
    ContactKey,
    Customer,
    Event,
    Invitation,
    Message,
    Step,
    Suppression,
    Survey,
    SurveyVersion,
    Trigger,
)
from surveyapp.queries.respond import BRAND, BrandFacts, brand_of

AnySession = Session | scoped_session[Session]
HISTORY = 20


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """One kind of question that may be switched off by itself: a group of surveys, or one survey."""

    key: str
    asked_about: tuple[tuple[str, Mapping[str, str]], ...]  # metric and subject of each of its surveys


@dataclass(frozen=True, slots=True)
class AskedBefore:
    """One line of what we asked: never the score or the words, since a message can be forwarded."""

    metric: str
    about: Mapping[str, str]
    channel: str
    day: date
    answered: bool


@dataclass(frozen=True, slots=True)
class Person:
    """The customer behind a link, and what they told us about being asked."""

    brand: BrandFacts
    customer_id: int
    language: str | None
    email: str | None
    phone: str | None
    erased: bool
    anonymous: bool
    closed_channels: frozenset[str] = frozenset()
    paused_until: datetime | None = None
    closed_kinds: frozenset[str] = frozenset()
    history: Sequence[AskedBefore] = ()


def person(session: AnySession, uid: str, now: datetime, *, whole: bool = False) -> Person | None:
    """The person an invitation went to; with `whole`, their opt-outs, break and history too."""
    row = session.execute(
        select(
            Invitation.language,
            Customer.id,
            Customer.email,
            Customer.phone,
            Customer.erased_at,
            Customer.external_id,
            *BRAND,
        )
        .select_from(Invitation)
        .join(Customer, Customer.id == Invitation.customer_id)
        .outerjoin(Brand, true())
        .where(Invitation.uid == uid)
    ).first()
    if row is None:
        return None
    brand = brand_of(row)
    closed, paused = _blocks(session, row.id, now) if whole else (frozenset[str](), None)
    kinds = frozenset(channel for channel in closed if channel.startswith(KIND))
    return Person(
        brand=brand,
        customer_id=row.id,
        language=row.language,
        email=row.email,
        phone=row.phone,
        erased=row.erased_at is not None,
        anonymous=read_public(uid) is not None,
        closed_channels=closed - kinds,
        closed_kinds=kinds,
        paused_until=paused,
        history=_history(session, Invitation.customer_id == row.id, brand) if whole else (),
    )


def kinds(session: AnySession, customer_id: int) -> list[QuestionKind]:
    """The kinds of questions that may reach this person: about what they have been through, asked, or at any time."""
    step, journeys = aliased(Step), select(Step.journey_id).join(Event, Event.step_id == Step.id)
    reached = exists(
        select(Trigger.id)
        .outerjoin(step, step.id == Trigger.step_id)
        .where(
            Trigger.survey_id == Survey.id,
            Trigger.archived_at.is_(None),
            or_(Trigger.step_id.is_(None), step.journey_id.in_(journeys.where(Event.customer_id == customer_id))),
        )
    )
    asked = exists(
        select(Invitation.id)
        .join(SurveyVersion, SurveyVersion.id == Invitation.survey_version_id)
        .where(Invitation.customer_id == customer_id, SurveyVersion.survey_id == Survey.id)
    )
    later = aliased(SurveyVersion)
    newest = select(func.max(later.number)).where(later.survey_id == Survey.id).correlate(Survey).scalar_subquery()
    rows = session.execute(
        select(Survey.key, Survey.group, SurveyVersion.definition)
        .join(SurveyVersion, and_(SurveyVersion.survey_id == Survey.id, SurveyVersion.number == newest))
        .where(Survey.archived_at.is_(None), or_(reached, asked))
        .order_by(Survey.id)
    )
    found: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
    for key, group, definition in rows:
        found.setdefault(kind_of(group, key), []).append((definition["metric"], definition.get("about") or {}))
    return [QuestionKind(key, tuple(subjects)) for key, subjects in found.items()]


def _blocks(session: AnySession, customer_id: int, now: datetime) -> tuple[frozenset[str], datetime | None]:
    rows = session.execute(
        select(Suppression.channel, Suppression.reason, Suppression.until)
        .join(ContactKey, and_(ContactKey.key == Suppression.key, ContactKey.customer_id == customer_id))
        .where(ContactKey.until.is_(None))
        .where(Suppression.reason.in_(("opted_out", "paused")))
    ).all()
    closed = frozenset(row.channel for row in rows if row.reason == "opted_out")
    breaks = [row.until for row in rows if row.reason == "paused" and row.until is not None and row.until > now]
    return closed, max(breaks, default=None)


def _history(session: AnySession, whose: ColumnElement[bool], brand: BrandFacts) -> tuple[AskedBefore, ...]:
    sent = (
        select(func.min(Message.sent_at)).where(Message.invitation_id == Invitation.id).correlate(Invitation)
    ).scalar_subquery()
    rows = session.execute(
        select(
            SurveyVersion.definition,
            Invitation.channel,
            Invitation.answered_at,
            func.coalesce(sent, Invitation.created_at).label("at"),
        )
        .join(SurveyVersion, SurveyVersion.id == Invitation.survey_version_id)
        .where(whose)
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(HISTORY)
    )
    return tuple(
        AskedBefore(
            metric=row.definition["metric"],
            about=row.definition.get("about") or {},
            channel=row.channel,
            day=brand.local_day(row.at),
            answered=row.answered_at is not None,
        )
        for row in rows
    )
