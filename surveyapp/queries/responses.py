"""Answers as the API and the exports give them: one shape, in a stable order, a page at a time. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import Customer, ReportingAttribute, Response, ResponseChange, Survey, SurveyVersion
from surveyapp.queries.context_values import context_is
from surveyapp.queries.metrics import NotReporting

Database = Session | scoped_session[Session]


@dataclass(frozen=True, slots=True)
class ResponseFilters:
    """Which answers; None leaves a field open. `first` and `last` are reporting days, both included."""

    survey: str | None = None
    metric: str | None = None
    journey: str | None = None
    step: str | None = None
    channel: str | None = None
    status: str | None = None
    customer: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class ResponsePage:
    """The answers, and the mark to go on after; None on the last page."""

    items: list[Any]
    mark: int | None


_RECORD = (
    Response.id,
    Response.uid,
    Response.import_id,
    Survey.key,
    SurveyVersion.number,
    Response.metric,
    Response.score,
    Response.comment,
    Response.answers,
    Response.status,
    Response.channel,
    Response.language,
    Customer.external_id,
    Response.journey,
    Response.step,
    Response.instance,
    Response.event_at,
    Response.answered_at,
    Response.context,
    Response.decision,
    Response.inclusion,
)
"""What `_record` reads."""


def response_page(session: Database, filters: ResponseFilters, after: int, limit: int) -> ResponsePage:
    """Up to `limit` answers that match, in the order of their storing, after the mark (0: from the start).

    Raises NotReporting for a context filter on another attribute.
    """
    rows = session.execute(_page_of(session, select(*_RECORD), filters, after, limit)).all()
    return ResponsePage([_record(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class ToldResponse:
    """An answer as a webhook tells it, without its context; `revision` grows with every change."""

    data: dict[str, Any]
    customer_id: int | None


def told_response(session: Database, uid: str) -> ToldResponse:
    """The answer with this id as it stands now."""
    changes = select(func.count(ResponseChange.id)).where(ResponseChange.response_id == Response.id)
    query = (
        select(*_RECORD, Response.customer_id, (changes.scalar_subquery() + 1).label("revision"))
        .join(Survey, Survey.id == Response.survey_id)
        .join(SurveyVersion, SurveyVersion.id == Response.survey_version_id)
        .outerjoin(Customer, Customer.id == Response.customer_id)
        .where(Response.uid == uid)
    )
    row = session.execute(query).one()
    data = {name: value for name, value in _record(row).items() if name != "context"}
    return ToldResponse(data | {"revision": row.revision}, row.customer_id)


TABLE: Mapping[str, Any] = {
    "id": func.coalesce(Response.import_id, Response.uid),
    "survey": Survey.key,
    "version": SurveyVersion.number,
    "metric": Response.metric,
    "score": Response.score,
    "comment": Response.comment,
    "status": Response.status,
    "channel": Response.channel,
    "language": Response.language,
    "customer": Customer.external_id,
    "journey": Response.journey,
    "step": Response.step,
    "instance": Response.instance,
    "event_at": Response.event_at,
    "answered_at": Response.answered_at,
    "decision": Response.decision,
    "inclusion": Response.inclusion,
    "answers": cast(Response.answers, Text),
    "context": cast(Response.context, Text),
}
"""The columns of a table of answers. `answers` and `context` are JSON texts as the database keeps them."""
_STEP, _EVENT_AT, _ANSWERED_AT = (list(TABLE).index(name) for name in ("step", "event_at", "answered_at"))


def response_table(session: Database, filters: ResponseFilters, after: int, limit: int) -> ResponsePage:
    """As `response_page`, each answer a row of TABLE: for files of many, whose JSON mostly need not be read."""
    query = _page_of(session, select(*TABLE.values(), Response.id), filters, after, limit)
    found = session.connection().execute(query).all()
    rows = []
    for row in found[:limit]:
        cells = list(row[:-1])
        cells[_STEP] = _step_key(cells[_STEP])
        cells[_EVENT_AT], cells[_ANSWERED_AT] = _instant(cells[_EVENT_AT]), _instant(cells[_ANSWERED_AT])
        rows.append(cells)
    return ResponsePage(rows, found[limit - 1][-1] if len(found) > limit else None)


def _page_of(session: Database, query: Select[Any], filters: ResponseFilters, after: int, limit: int) -> Select[Any]:
    """The query over one page of the answers that match, and one answer more that tells whether there is a next."""
    return (
        query.join(Survey, Survey.id == Response.survey_id)
        .join(SurveyVersion, SurveyVersion.id == Response.survey_version_id)
        .outerjoin(Customer, Customer.id == Response.customer_id)
        .where(Response.id > after, *_conditions(session, filters))
        .order_by(Response.id)
        .limit(limit + 1)
    )


def reporting_attributes(session: Database) -> list[str]:
    """The names of the attributes that figures may be filtered and grouped by, in the order of their slots."""
    query = select(ReportingAttribute.name).where(ReportingAttribute.slot.is_not(None))
    return list(session.scalars(query.order_by(ReportingAttribute.slot)))


def _record(row: Any) -> dict[str, Any]:
    """One answer in the shape of the contract. The id is the sender's own where one was given."""
    return {
        "id": row.import_id or row.uid,
        "survey": row.key,
        "version": row.number,
        "metric": row.metric,
        "score": row.score,
        "comment": row.comment,
        "answers": row.answers,
        "status": row.status,
        "channel": row.channel,
        "language": row.language,
        "customer": row.external_id,
        "journey": row.journey,
        "step": _step_key(row.step),
        "instance": row.instance,
        "event_at": _instant(row.event_at),
        "answered_at": _instant(row.answered_at),
        "context": row.context,
        "decision": row.decision,
        "inclusion": row.inclusion,
    }


def _step_key(path: str | None) -> str | None:
    return path.partition(".")[2] or path if path else None


def _instant(moment: datetime) -> str:
    """RFC 3339; what comes from the database is in UTC."""
    return moment.isoformat().removesuffix("+00:00") + "Z"


def _conditions(session: Database, filters: ResponseFilters) -> list[ColumnElement[bool]]:
    wanted: list[tuple[ColumnElement[Any], str | None]] = [
        (Survey.key.expression, filters.survey),
        (Response.metric.expression, filters.metric),
        (Response.journey.expression, filters.journey),
        (Response.step.expression, filters.step),
        (Response.channel.expression, filters.channel),
        (Response.status.expression, filters.status),
        (Customer.external_id.expression, filters.customer),
    ]
    found = [column == value for column, value in wanted if value is not None]
    if filters.first is not None:
        found.append(Response.reporting_day >= filters.first)
    if filters.last is not None:
        found.append(Response.reporting_day <= filters.last)
    if filters.context:
        names = reporting_attributes(session)
        for name, value in filters.context.items():
            if name not in names:
                raise NotReporting(name)
            found.append(context_is(session, name, value))
    return found
