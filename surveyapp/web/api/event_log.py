"""`GET /api/v1/events.csv`: the event log for process mining, streamed. Parses, calls, renders."""

from collections.abc import Iterator
from typing import Any

from flask import Response, current_app, request, stream_with_context
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from surveyapp.extensions import db
from surveyapp.queries import event_log as queries
from surveyapp.queries.metrics import Filters
from surveyapp.queries.responses import reporting_attributes
from surveyapp.web import security
from surveyapp.web.api import exports
from surveyapp.web.api.parameters import Parameters

blueprint = APIBlueprint("api_event_log", __name__, abp_tags=[Tag(name="Events")], abp_security=[{"bearer": []}])


class LogQuery(BaseModel):
    journey: str | None = Field(None, description="A journey's key")
    first: str | None = Field(None, alias="from", description="First day of the events in UTC, included")
    last: str | None = Field(None, alias="to", description="Last day of the events in UTC, included")
    bom: str | None = Field(None, description="true: begin with a byte order mark, which some spreadsheets need")


@blueprint.get("/events.csv", responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
def csv_events(query: LogQuery):
    """The event log for process mining, as CSV

    Role: read. One line for each event, ask, refusal and confirmed answer, case after case and in time within each:
    case_id, activity, timestamp, journey, step, channel, resource, survey, metric, score, reason, and a column for each
    reporting attribute. Cases and resources are pseudonyms; no comment is told.
    """
    given = Parameters(request.args, ("journey", "from", "to", "bom"))
    first, last = given.days()
    mark = given.flag("bom")
    journey = given.text("journey")
    given.known(Filters(journey=journey))
    attributes = reporting_attributes(db.session)
    header = [*queries.COLUMNS, *(f"context.{name}" for name in attributes)]
    rows = _rows(queries.LogFilters(journey, first, last), attributes, str(current_app.config["CONTACT_PEPPER"]))
    response = Response(
        stream_with_context(exports.csv_rows(header, rows, mark=mark)), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="events.csv"'
    return response


def _rows(filters: queries.LogFilters, attributes: list[str], key: str) -> Iterator[list[Any]]:
    """Every line, some customers at a time; no transaction stays open while the reader is slow."""
    after = 0
    while True:
        security.read_only()
        customers = queries.customers_after(db.session, filters, after)
        lines = list(queries.log_lines(db.session, filters, customers, attributes, key)) if customers else []
        db.session.rollback()
        if not customers:
            return
        yield from lines
        after = customers[-1]
