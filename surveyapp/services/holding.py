"""Holds an invitation while its answer is written, with all that the answer freezes. Decides nothing.

Reads columns, not entities: making objects of nine rows was most of an answer's work.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.questions import Definition, read_definition
from surveyapp.models import (
    Brand,
    Customer,
    Decision,
    Event,
    Invitation,
    Journey,
    Partner,
    Response,
    Step,
    Survey,
    SurveyVersion,
    Trigger,
    Webhook,
)
from surveyapp.models.base import table_of
from surveyapp.queries import clicks
from surveyapp.queries.clicks import Evidence
from surveyapp.services.rollups import ATTRIBUTES, Attributes, read_attributes, texts_of

AnySession = Session | scoped_session[Session]


class Held(NamedTuple):
    """An invitation that nobody else can answer now, with all that its answer freezes; `zone` is the brand's.

    `listened_to`: there is an endpoint that may want to be told of the answer.
    """

    id: int
    uid: str
    customer_id: int
    survey_version_id: int
    partner_id: int | None
    channel: str
    language: str
    inclusion: float | None
    open_until: datetime | None
    answered_at: datetime | None
    erased_at: datetime | None
    attributes: dict[str, Any]
    survey_id: int
    version: int
    stored_definition: str
    survey: str
    closes_at: datetime | None
    full_at: datetime | None
    quota: int | None
    archived_at: datetime | None
    partner: str | None
    trigger: str | None
    step: str | None
    phase: str | None
    journey: str | None
    event: str | None
    occurred_at: datetime | None
    timezone: str | None
    instance: str | None
    properties: dict[str, Any] | None
    event_attributes: dict[str, Any] | None
    decision: str | None
    zone: str | None
    listened_to: bool

    @property
    def definition(self) -> Definition:
        """What is asked."""
        return read_definition(self.stored_definition)

    @property
    def context(self) -> dict[str, Any]:
        """The customer's attributes as they were at the event, and over them the event's properties."""
        return {**(self.event_attributes or self.attributes), **(self.properties or {})}

    @property
    def path(self) -> str | None:
        """The step with its journey."""
        return f"{self.journey}.{self.step}" if self.step is not None else None


class Since(NamedTuple):
    """What is known once an invitation is held: its answer, the database's time, what came over its link.

    `attributes` are those of the invitation's context.
    """

    response: Response | None
    now: datetime
    evidence: Evidence
    attributes: Attributes


def locked(session: AnySession, *, uid: str | None = None, invitation_id: int | None = None) -> Held | None:
    """The invitation, locked until the commit, with all that an answer freezes. One statement.

    On SQLite the whole transaction is the lock.
    """
    statement, which = (_BY_ID, invitation_id) if uid is None else (_BY_UID, uid)
    row = session.connection().execute(statement, {"which": which}).one_or_none()
    return Held._make(row) if row else None


def read_since(session: AnySession, held: Held, evidence_since: datetime | None = None) -> Since:
    """The stored answer, the database's time, the link's evidence since a moment (None: none) and the attributes.

    In one statement, since a statement costs more than what it reads.

    All of it is read after the lock: a row joined to the one that is locked would be from before the lock was waited
    for. A stored answer is then read as it is.
    """
    by_database = clock.is_the_databases(session)
    values: dict[str, Any] = {"held": held.id, "texts": texts_of(held.context)}
    if evidence_since is not None:
        values |= {"invitation": held.uid, "since": evidence_since}
    rows = session.connection().execute(_since(by_database, evidence_since is not None), values).all()
    first = rows[0]
    now = clock.database_now(session) if first.now is None else first.now.astimezone(UTC)
    response = None if first.answer is None else session.get_one(Response, first.answer, populate_existing=True)
    attributes = read_attributes((r.visitor, r.value, r.visit) for r in rows if r.at is None and r.visitor is not None)
    return Since(response, now, clicks.read_evidence(rows), attributes)


@cache
def _since(by_database: bool, with_evidence: bool) -> Select[Any]:
    moment: ColumnElement[Any] = func.clock_timestamp(type_=DateTime(timezone=True)) if by_database else null()
    response = table_of(Response)
    query = (
        select(moment.label("now"), response.c.id.label("answer"))
        .select_from(select(literal_column("1")).subquery())
        .outerjoin(response, response.c.invitation_id == bindparam("held"))
    )
    name, slot, value = ATTRIBUTES.selected_columns
    attributes = ATTRIBUTES.with_only_columns(
        *(null().label("at"), name.label("visitor"), value.label("visit")),
        *(null().label("kind"), slot.label("value"), null().label("status")),
    )
    found = union_all(select(clicks.EVIDENCE), attributes) if with_evidence else attributes
    known = found.subquery("known")
    return query.add_columns(*known.c).outerjoin(known, true())


_INVITATION, _EVENT = table_of(Invitation), table_of(Event)


def _held(which: ColumnElement[bool]) -> Select[Any]:
    """Built once, as every statement of an answer: only the values differ. Its columns are those of `Held`."""
    one, happened, survey, version = _INVITATION.c, _EVENT.c, table_of(Survey).c, table_of(SurveyVersion).c
    customer, trigger, step, journey = (table_of(model).c for model in (Customer, Trigger, Step, Journey))
    brand, partner, decision, webhook = (table_of(model).c for model in (Brand, Partner, Decision, Webhook))
    return (
        select(
            *(one.id, one.uid, one.customer_id, one.survey_version_id, one.partner_id, one.channel, one.language),
            *(one.inclusion, one.open_until, one.answered_at, customer.erased_at, customer.attributes),
            *(version.survey_id, version.number, cast(version.definition, Text)),
            *(survey.key, survey.closes_at, survey.full_at, survey.quota, survey.archived_at),
            *(partner.key, trigger.key, step.key, step.phase, journey.key),
            *(happened.event_id, happened.occurred_at, happened.timezone, happened.instance),
            *(happened.properties, happened.attributes, decision.uid),
            select(brand.timezone).order_by(brand.id).limit(1).scalar_subquery(),
            exists().where(webhook.disabled_at.is_(None)),
        )
        .select_from(_INVITATION)
        .join(table_of(Customer), customer.id == one.customer_id)
        .join(table_of(SurveyVersion), version.id == one.survey_version_id)
        .join(table_of(Survey), survey.id == version.survey_id)
        .outerjoin(table_of(Partner), partner.id == one.partner_id)
        .outerjoin(table_of(Trigger), trigger.id == one.trigger_id)
        .outerjoin(table_of(Step), step.id == trigger.step_id)
        .outerjoin(table_of(Journey), journey.id == step.journey_id)
        .outerjoin(_EVENT, happened.id == one.event_id)
        .outerjoin(table_of(Decision), decision.id == one.decision_id)
        .where(which)
        .with_for_update(of=_INVITATION)
    )


_BY_ID = _held(_INVITATION.c.id == bindparam("which"))
_BY_UID = _held(_INVITATION.c.uid == bindparam("which"))
