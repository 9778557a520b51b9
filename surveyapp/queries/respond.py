"""What the pages that customers meet need to know, each page in one statement. Read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, Row, Text, and_, cast, exists, func, select, true
from sqlalchemy.orm import Session, aliased, scoped_session

from surveyapp import clock
from surveyapp.domain.policy import Policy
from surveyapp.domain.public_links import PublicLink, read_public
from surveyapp.domain.questions import Definition, DefinitionProblems, known, parse_definition
from surveyapp.domain.rest import rest_after_an_ask
from surveyapp.domain.survey_conditions import sample_context
from surveyapp.domain.vocabulary import LedgerState, MessageKind, MessageState, ResponseStatus
from surveyapp.domain.wording import choose_language
from surveyapp.models import (
    Brand,
    ContactKey,
    Customer,
    Event,
    Invitation,
    Journey,
    LedgerEntry,
    Message,
    Response,
    Step,
    Survey,
    SurveyDraft,
    SurveyVersion,
    TestAnswer,
    Trigger,
)
from surveyapp.queries.words import Words, languages, words

AnySession = Session | scoped_session[Session]


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """The brand as its customers see it."""

    name: str = ""
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    timezone: str = "UTC"
    colours: Mapping[str, str] | None = None
    logo: str | None = None
    privacy_url: str | None = None
    contact: str | None = None

    @property
    def offered(self) -> tuple[str, ...]:
        """The brand's languages that the standard texts exist in, its own first."""
        have = languages()
        own = [code for code in (self.language, *self.languages) if code.split("-")[0] in have or code in have]
        return tuple(dict.fromkeys(own)) or ("en",)

    def words(self, *wanted: str | None) -> Words:
        """The texts in the first wanted language that the brand offers, else in its own."""
        return words(choose_language(wanted, self.offered, self.offered[0]))

    def local_day(self, moment: datetime, zone: str | None = None) -> date:
        """The day of an instant at its place, else where the brand is at home."""
        for name in (zone, self.timezone):
            try:
                if name:
                    return moment.astimezone(ZoneInfo(name)).date()
            except (ZoneInfoNotFoundError, ValueError):
                continue
        return moment.date()


@dataclass(frozen=True, slots=True)
class Asked:
    """One question put to one person, and what they answered so far."""

    brand: BrandFacts
    definition: Definition
    language: str | None
    public: bool
    erased: bool = False
    archived: bool = False
    closes_at: datetime | None = None
    customer_id: int | None = None
    journey: Mapping[str, str] | None = None
    event_day: date | None = None
    score: int | None = None
    comment: str | None = None
    answers: Mapping[str, Any] | None = None
    status: str | None = None
    answered_at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether there is an answer, be it "not applicable"."""
        return self.status is not None

    @property
    def known(self) -> dict[str, Any]:
        """Everything a condition may name, as it stands."""
        return known(self.score, self.answers or {}, self.context)

    def closed(self, now: datetime) -> bool:
        """Whether the question is over for this person."""
        return self.erased or self.archived or (self.closes_at is not None and self.closes_at <= now)


def brand_facts(session: AnySession) -> BrandFacts:
    """The brand; a nameless one where no programme is applied."""
    row = session.execute(_brand_columns().order_by(Brand.id).limit(1)).one_or_none()
    return brand_of(row) if row else BrandFacts()


def _brand_columns() -> Any:
    return select(*BRAND)


BRAND = (
    Brand.name.label("brand_name"),
    Brand.language.label("brand_language"),
    Brand.languages.label("brand_languages"),
    Brand.timezone.label("brand_timezone"),
    Brand.palette.label("brand_palette"),
    Brand.logo.label("brand_logo"),
    Brand.privacy_url.label("brand_privacy"),
    Brand.contact.label("brand_contact"),
)


_ENDS = (Survey.archived_at, Survey.closes_at, Survey.full_at)


def brand_of(row: Row[Any]) -> BrandFacts:
    if row.brand_name is None:
        return BrandFacts()
    return BrandFacts(
        name=row.brand_name,
        language=row.brand_language,
        languages=tuple(row.brand_languages),
        timezone=row.brand_timezone,
        colours=row.brand_palette or None,
        logo=row.brand_logo,
        privacy_url=row.brand_privacy,
        contact=row.brand_contact,
    )


Earlier = aliased(Response)
_EARLIER = (Earlier.answers.label("earlier"), Earlier.answered_at.label("earlier_at"))
_OWN = (
    Response.score,
    Response.comment,
    Response.answers,
    Response.status,
    Response.answered_at,
    Response.context,
)


def _earlier_answer() -> ColumnElement[bool]:
    """The person's other answers to this survey or its group, where a question of it may rest; else none is read."""
    other, same = aliased(Survey), Survey.id
    family = select(other.id).where((other.id == same) | (other.group == Survey.group)).correlate(Survey)
    return and_(
        Earlier.customer_id == Invitation.customer_id,
        cast(SurveyVersion.definition, Text).contains('"ask_again":'),
        Earlier.invitation_id.is_distinct_from(Invitation.id),
        Earlier.status == ResponseStatus.CONFIRMED,
        Earlier.survey_id.in_(family),
    )


def _not_known_yet(rows: Sequence[Row[Any]]) -> Definition:
    """The definition that all rows share, without what the earlier answers among them say."""
    earlier = [(row.earlier_at, row.earlier) for row in rows if row.earlier_at is not None]
    return parse_definition(rows[0].definition).without_known(earlier, rows[0].answers or {}, clock.now())


def without_known(session: AnySession, definition: Definition, invitation: Invitation, now: datetime) -> Definition:
    """The same definition without the questions that the person answered lately; reads only where one may rest."""
    if all(question.ask_again is None for question in definition.questions):
        return definition
    earlier = session.execute(
        select(Earlier.answered_at, Earlier.answers)
        .select_from(Invitation)
        .join(SurveyVersion, SurveyVersion.id == Invitation.survey_version_id)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .join(Earlier, _earlier_answer())
        .where(Invitation.id == invitation.id)
    )
    return definition.without_known([(at, answers) for at, answers in earlier], {}, now)


def asked(session: AnySession, uid: str) -> Asked | None:
    """The question behind an invitation's id, or behind a public link's before its first answer; None if unknown."""
    rows = session.execute(
        select(
            SurveyVersion.definition,
            *_ENDS,
            Invitation.open_until,
            Invitation.language,
            Customer.id.label("customer_id"),
            Customer.erased_at,
            Customer.attributes,
            Event.attributes.label("event_attributes"),
            Event.properties,
            Event.occurred_at,
            Event.timezone,
            Journey.name.label("journey"),
            *_OWN,
            *_EARLIER,
            *BRAND,
        )
        .select_from(Invitation)
        .join(SurveyVersion, SurveyVersion.id == Invitation.survey_version_id)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .join(Customer, Customer.id == Invitation.customer_id)
        .outerjoin(Event, Event.id == Invitation.event_id)
        .outerjoin(Trigger, Trigger.id == Invitation.trigger_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .outerjoin(Response, Response.invitation_id == Invitation.id)
        .outerjoin(Earlier, _earlier_answer())
        .outerjoin(Brand, true())
        .where(Invitation.uid == uid)
    ).all()
    row = rows[0] if rows else None
    link = read_public(uid)
    if row is None:
        return _asked_by_public_link(session, uid, link) if link else None
    brand = brand_of(row)
    full = row.full_at if row.status is None else None  # who has answered may go on
    ends = [moment for moment in (row.open_until, row.closes_at, full) if moment is not None]
    return Asked(
        brand=brand,
        definition=_not_known_yet(rows),
        language=row.language,
        public=link is not None,
        erased=row.erased_at is not None,
        archived=row.archived_at is not None,
        closes_at=min(ends, default=None),
        customer_id=row.customer_id,
        journey=row.journey,
        event_day=brand.local_day(row.occurred_at, row.timezone) if row.occurred_at and row.journey else None,
        score=row.score,
        comment=row.comment,
        answers=row.answers,
        status=row.status,
        answered_at=row.answered_at,
        context=row.context or {**(row.event_attributes or row.attributes), **(row.properties or {})},
    )


def _asked_by_public_link(session: AnySession, uid: str, link: PublicLink) -> Asked | None:
    if link.draft_id is not None:
        return _asked_by_draft(session, uid, link)
    row = session.execute(
        select(SurveyVersion.definition, *_ENDS, *BRAND)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .outerjoin(Brand, true())
        .where(SurveyVersion.id == link.survey_version_id)
    ).first()
    if row is None:
        return None
    ends = [moment for moment in (row.closes_at, row.full_at) if moment is not None and not link.test]
    asked = Asked(
        brand=brand_of(row),
        definition=parse_definition(row.definition),
        language=None,
        public=True,
        archived=row.archived_at is not None and not link.test,
        closes_at=min([link.open_until, *ends]),
    )
    return _with_trial(session, uid, replace(asked, context=sample_context(row.definition))) if link.test else asked


def _asked_by_draft(session: AnySession, uid: str, link: PublicLink) -> Asked | None:
    """A trial of a draft as it stands; None when it is gone or cannot be asked."""
    row = session.execute(
        select(SurveyDraft.definition, *BRAND).outerjoin(Brand, true()).where(SurveyDraft.id == link.draft_id)
    ).first()
    if row is None:
        return None
    try:
        definition = parse_definition(row.definition)
    except DefinitionProblems:
        return None
    context = sample_context(row.definition)
    trial = Asked(brand_of(row), definition, None, public=True, closes_at=link.open_until, context=context)
    return _with_trial(session, uid, trial)


def _with_trial(session: AnySession, uid: str, asked: Asked) -> Asked:
    """A trial with what was answered so far."""
    row = session.scalars(select(TestAnswer).where(TestAnswer.uid == uid)).one_or_none()
    if row is None:
        return asked
    return replace(
        asked,
        status=ResponseStatus.CONFIRMED,
        score=row.score,
        comment=row.comment,
        answers=row.answers,
        answered_at=row.answered_at,
    )


def uid_behind(session: AnySession, slug: str) -> str | None:
    """The id of the invitation that a text message's short link leads to, or None when there is none."""
    if not (slug.isascii() and slug.isalnum()):
        return None
    uid: str | None = session.scalar(select(Invitation.uid).where(Invitation.short_slug == slug))
    return uid


def public_version(session: AnySession, slug: str) -> int | None:
    """The newest version of the survey behind a public link, or None when there is none or it is archived."""
    version: int | None = session.scalar(
        select(SurveyVersion.id)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .where(Survey.public_slug == slug, Survey.archived_at.is_(None))
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    )
    return version


def earliest_ask(session: AnySession, customer_id: int, policy: Policy, now: datetime) -> datetime | None:
    """Before when nobody will ask this person again, as the policy guarantees it; None where nothing does.

    A reminder of an unanswered question would break the promise, so there is none while one may come.
    """
    rest = rest_after_an_ask(policy)
    if rest is None:
        return None
    keys = select(ContactKey.key).where(ContactKey.customer_id == customer_id, ContactKey.until.is_(None))
    counted = LedgerEntry.subject_key.in_(keys) & (LedgerEntry.state != LedgerState.RELEASED)
    last, waiting = session.execute(
        select(
            select(func.max(LedgerEntry.at)).where(counted).scalar_subquery(),
            exists().where(
                Message.customer_id == customer_id,
                Message.kind == MessageKind.REMINDER,
                Message.state.in_((MessageState.PLANNED, MessageState.SENDING)),
                Message.invitation_id == Invitation.id,
                Invitation.answered_at.is_(None),
            ),
        )
    ).one()
    return last + rest if last is not None and not waiting and last + rest > now else None


def customer(session: AnySession, customer_id: int) -> Customer | None:
    """The customer's record."""
    return session.get(Customer, customer_id)
