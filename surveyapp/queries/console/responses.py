"""Answers as people read them: a filtered list, and one answer with its frozen context and its history. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, select
from sqlalchemy.orm import Session

from surveyapp.models import Customer, Partner, Response, ResponseChange, Survey, SurveyVersion
from surveyapp.queries.console.paging import Mark, Page, after_mark, paged
from surveyapp.queries.context_values import context_is, context_unsaid

CONTEXT = "context."
ABSENT = ("journey", "step", "phase", "language", "partner", "hour")
UNDER = {"partner": "partner_id", "hour": "reporting_hour"}
"""The columns of a response whose names are not those of the filters."""


@dataclass(frozen=True, slots=True)
class ResponseFilter:
    """Which answers; None leaves a field open. Days are those of the event, instants those of the answer."""

    survey: str | None = None
    metric: str | None = None
    journey: str | None = None
    step: str | None = None
    channel: str | None = None
    status: str | None = None
    score: int | None = None
    customer: str | None = None
    commented: bool = False
    first_day: date | None = None
    last_day: date | None = None
    answered_from: datetime | None = None
    answered_until: datetime | None = None
    context: Mapping[str, str] | None = None
    language: str | None = None
    phase: str | None = None
    version: int | None = None
    partner: str | None = None
    asked: bool = False
    scored: bool = False
    hour: int | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)
    """What was chosen, among other things perhaps, by the key of the further question."""
    absent: tuple[str, ...] = ()
    """Of `journey`, `step`, `phase`, `language`, `partner`, `hour` and `context.NAME`: what the answer does not say."""


@dataclass(frozen=True, slots=True)
class ResponseRow:
    uid: str
    answered_at: datetime
    metric: str
    score: int | None
    comment: str | None
    status: str
    channel: str
    language: str | None
    step: str | None
    survey: str
    customer: str | None
    instance: str | None


def response_page(session: Session, wanted: ResponseFilter, mark: Mark | None) -> Page[ResponseRow]:
    """One page of the answers that match, newest answer first."""
    query = (
        select(
            Response.uid,
            Response.answered_at,
            Response.metric,
            Response.score,
            Response.comment,
            Response.status,
            Response.channel,
            Response.language,
            Response.step,
            Survey.key,
            Customer.external_id,
            Response.instance,
        )
        .join(Survey, Survey.id == Response.survey_id)
        .outerjoin(Customer, Customer.id == Response.customer_id)
        .where(*conditions_of(session, wanted))
    )
    query = after_mark(query, Response.answered_at.expression, Response.uid.expression, mark)
    rows = [ResponseRow(*tuple(row)) for row in session.execute(query)]
    return paged(rows, lambda row: Mark(row.answered_at, row.uid))


def response_totals(session: Session, wanted: ResponseFilter) -> dict[str, int]:
    """How many answers match, by status."""
    query = select(Response.status, func.count()).where(*conditions_of(session, wanted)).group_by(Response.status)
    if wanted.survey:
        query = query.join(Survey, Survey.id == Response.survey_id)
    if wanted.customer:
        query = query.join(Customer, Customer.id == Response.customer_id)
    return {row[0]: row[1] for row in session.execute(query)}


def conditions_of(session: Session, wanted: ResponseFilter) -> list[ColumnElement[bool]]:
    equal: list[tuple[Any, Any]] = [
        (Survey.key, wanted.survey),
        (Response.metric, wanted.metric),
        (Response.journey, wanted.journey),
        (Response.step, wanted.step),
        (Response.channel, wanted.channel),
        (Response.status, wanted.status),
        (Response.score, wanted.score),
        (Customer.external_id, wanted.customer),
        (Response.language, wanted.language),
        (Response.phase, wanted.phase),
        (Response.reporting_hour, wanted.hour),
    ]
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.commented:
        found.append(and_(Response.comment.is_not(None), Response.comment != ""))
    if wanted.first_day:
        found.append(Response.reporting_day >= wanted.first_day)
    if wanted.last_day:
        found.append(Response.reporting_day <= wanted.last_day)
    if wanted.answered_from:
        found.append(Response.answered_at >= wanted.answered_from)
    if wanted.answered_until:
        found.append(Response.answered_at < wanted.answered_until)
    for name, value in (wanted.context or {}).items():
        found.append(context_is(session, name, value))
    found += [_chosen(session, key, option) for key, option in wanted.chosen.items()]
    if wanted.scored:
        found.append(Response.score.is_not(None))
    if wanted.asked:
        found.append(Response.invitation_id.is_not(None))
    if wanted.version is not None:
        numbered = select(SurveyVersion.id).where(SurveyVersion.number == wanted.version)
        found.append(Response.survey_version_id.in_(numbered))
    if wanted.partner is not None:
        found.append(Response.partner_id == select(Partner.id).where(Partner.key == wanted.partner).scalar_subquery())
    return found + [_unsaid(session, name) for name in wanted.absent]


def _unsaid(session: Session, name: str) -> ColumnElement[bool]:
    if name.startswith(CONTEXT):
        return context_unsaid(session, name.removeprefix(CONTEXT))
    column: ColumnElement[Any] = getattr(Response, UNDER.get(name, name)).expression
    return column.is_(None)


def _chosen(session: Session, question: str, option: str) -> ColumnElement[bool]:
    """Whether the answer to a further question is this option, or a list with it."""
    if '"' in question:  # no question's key has one
        return false()
    if session.get_bind().dialect.name == "postgresql":
        return func.coalesce(func.jsonb_exists(Response.answers[question], option), false())
    chosen = func.json_each(Response.answers, f'$."{question}"').table_valued("value")
    return exists(select(chosen.c.value).where(chosen.c.value == option))


@dataclass(frozen=True, slots=True)
class ResponseDetail:
    response: Response
    survey: str
    version: int
    definition: Mapping[str, Any]
    customer: str | None
    changes: tuple[ResponseChange, ...]


def response_detail(session: Session, uid: str) -> ResponseDetail | None:
    """The answer, what was asked, who answered, and every earlier state of it, newest first; None if unknown."""
    query = (
        select(Response, Survey.key, SurveyVersion.number, SurveyVersion.definition, Customer.external_id)
        .join(Survey, Survey.id == Response.survey_id)
        .join(SurveyVersion, SurveyVersion.id == Response.survey_version_id)
        .outerjoin(Customer, Customer.id == Response.customer_id)
        .where(Response.uid == uid)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    changes = select(ResponseChange).where(ResponseChange.response_id == row[0].id).order_by(ResponseChange.id.desc())
    return ResponseDetail(row[0], row[1], row[2], row[3], row[4], tuple(session.scalars(changes)))


def survey_keys(session: Session) -> list[str]:
    """The keys of all surveys, archived ones too, since their answers stay."""
    return list(session.scalars(select(Survey.key).order_by(Survey.key)))
