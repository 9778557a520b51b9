"""Answers over HTTP: a list by pages, the same as files, and the import of history from another tool."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from flask import Response, request, send_file, stream_with_context
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from surveyapp import failpoints
from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import Channel, ResponseStatus
from surveyapp.extensions import db
from surveyapp.queries import responses as queries
from surveyapp.queries.metrics import CONTEXT, Filters, NotReporting
from surveyapp.queries.responses import ResponseFilters
from surveyapp.services.responses_import import import_responses
from surveyapp.web import security
from surveyapp.web.api import exports, strict
from surveyapp.web.api.events import listed
from surveyapp.web.api.parameters import Parameters
from surveyapp.web.api.schemas import RejectedItem, Shape, reads

Read = Callable[[queries.Database, ResponseFilters, int, int], queries.ResponsePage]

IMPORT_LIMIT = 10_000
PAGE = 100
MARK = "r"  # what the place after a page is told by
MOST = 1_000
FILE_PAGE = 5_000
"""Answers read at once for a file: many, so that a database without statistics yet, which sorts all, sorts seldom."""
FILTERS = ("survey", "metric", "journey", "step", "channel", "status", "customer", "from", "to")
EXAMPLE = {
    "responses": [
        {
            "id": "r-1",
            "survey": "check_in_csat",
            "score": 4,
            "comment": None,
            "customer": "c-1",
            "journey": "flight",
            "step": "check_in",
            "channel": "email",
            "event_at": "2026-11-02T08:15:00Z",
            "answered_at": "2026-11-02T09:00:00Z",
            "context": {"class": "Business"},
        }
    ]
}

blueprint = APIBlueprint("api_responses", __name__, abp_tags=[Tag(name="Responses")], abp_security=[{"bearer": []}])


class ResponsesQuery(BaseModel):
    survey: str | None = None
    metric: str | None = None
    journey: str | None = None
    step: str | None = Field(None, description="A step as journey.step")
    channel: str | None = Field(None, description="email, sms or web")
    status: str | None = Field(None, description="provisional, confirmed or suspected_bot; without it, all")
    customer: str | None = Field(None, description="A customer's external id")
    first: str | None = Field(None, alias="from", description="First reporting day, included")
    last: str | None = Field(None, alias="to", description="Last reporting day, included")


class PageQuery(ResponsesQuery):
    limit: str | None = Field(None, description=f"1 to {MOST}; {PAGE} without it")
    after: str | None = Field(None, description="Where the page before ended; part of its `next`")


class CsvQuery(ResponsesQuery):
    bom: str | None = Field(None, description="true: begin with a byte order mark, which some spreadsheets need")


class ResponseCore(BaseModel):
    """An answer without its context."""

    id: str
    survey: str
    version: int
    metric: str
    score: int | None
    comment: str | None
    answers: dict[str, Any]
    status: Literal["provisional", "confirmed", "suspected_bot"]
    channel: str
    language: str | None
    customer: str | None
    journey: str | None
    step: str | None = Field(description="The step's key within its journey")
    instance: str | None
    event_at: str
    answered_at: str
    decision: str | None
    inclusion: float | None


class ResponseShape(ResponseCore):
    context: dict[str, Any] = Field(description="The event's properties and the customer's attributes, frozen")


class ResponsesShape(BaseModel):
    items: list[ResponseShape]
    next: str | None = Field(description="The next page's path with its query")


class ImportedBody(Shape):
    """An answer from another tool. What an export of ours adds (version, metric, status …) is taken back as well."""

    id: str = Field(min_length=1, max_length=200, description="Yours; the same id again changes nothing")
    survey: str
    score: int | None = Field(description="On the survey's scale; null for an answer without one")
    answered_at: str = Field(description="RFC 3339 with a zone", json_schema_extra={"format": "date-time"})
    event_at: str | None = Field(None, description="RFC 3339 with a zone", json_schema_extra={"format": "date-time"})
    channel: Channel
    comment: str | None = None
    answers: dict[str, Any] = Field({}, max_length=100)
    customer: str | None = Field(None, max_length=200, description="An external id; unknown ones are created")
    journey: str | None = None
    step: str | None = Field(None, description="The step's key within its journey")
    instance: str | None = Field(None, max_length=200)
    timezone: str | None = Field(None, description="Of the place; the brand's where absent or unknown")
    language: str | None = None
    context: dict[str, Any] = Field({}, max_length=100)
    version: int | None = None
    metric: str | None = None
    status: ResponseStatus = ResponseStatus.CONFIRMED
    decision: str | None = None
    inclusion: float | None = None


class ImportBody(Shape):
    responses: list[ImportedBody] = Field(max_length=IMPORT_LIMIT)


class ImportDone(BaseModel):
    imported: int
    duplicates: int
    rejected: list[RejectedItem]


@blueprint.get("/responses", responses={200: ResponsesShape})
def list_responses(query: PageQuery):
    """Answers, by pages

    Role: read. In the order in which they were stored. Any reporting attribute filters too, as context.NAME=value.
    """
    given = Parameters(request.args, (*FILTERS, "limit", "after"), context=True)
    filters = _filters(given)
    limit = given.number("limit", 1, MOST) or PAGE
    after = given.mark(MARK)
    given.check()
    page = _page(queries.response_page, filters, after, limit)
    return {"items": page.items, "next": given.following(request.path, MARK, page.mark)}


@blueprint.get("/responses.csv", responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
def csv_responses(query: CsvQuery):
    """Answers as CSV

    Role: read. Cells that a spreadsheet would run as a formula begin with an apostrophe.
    """
    given = Parameters(request.args, (*FILTERS, "bom"), context=True)
    filters, mark = _filters(given), given.flag("bom")
    given.check()
    lines = exports.csv_lines(
        _all(queries.response_table, filters), queries.reporting_attributes(db.session), mark=mark
    )
    return _streamed(lines, "csv", "text/csv; charset=utf-8")


@blueprint.get(
    "/responses.ndjson", responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}
)
def ndjson_responses(query: ResponsesQuery):
    """Answers as one JSON object a line

    Role: read.
    """
    filters = _file_filters()
    return _streamed(exports.json_lines(_all(queries.response_page, filters)), "ndjson", "application/x-ndjson")


@blueprint.get(
    "/responses.xlsx", responses={200: {"content": {exports.FILES["xlsx"][0]: {"schema": {"type": "string"}}}}}
)
def xlsx_responses(query: ResponsesQuery):
    """Answers as a workbook

    Role: read. No cell is a formula or a link.
    """
    return _file("xlsx")


@blueprint.get(
    "/responses.parquet", responses={200: {"content": {exports.FILES["parquet"][0]: {"schema": {"type": "string"}}}}}
)
def parquet_responses(query: ResponsesQuery):
    """Answers as Parquet

    Role: read. Typed columns; `answers` and `context` are JSON texts.
    """
    return _file("parquet")


@blueprint.post("/responses/import", responses={200: ImportDone}, openapi_extensions=reads(ImportBody, EXAMPLE))
def import_history():
    """Bring in answers from another tool

    Role: admin. Up to 10,000 a call. Good answers are kept when others are bad; each bad one is named by its place in
    the list. The same id again changes nothing. Unknown customers are created.
    """
    result = import_responses(listed(strict.body(), "responses", IMPORT_LIMIT))
    return {
        "imported": result.imported,
        "duplicates": result.duplicates,
        "rejected": [{"index": index, "errors": errors} for index, errors in result.rejected.items()],
    }


def _filters(given: Parameters) -> ResponseFilters:
    first, last = given.days()
    step, journey = given.step()
    survey = given.text("survey")
    given.known(Filters(survey=survey, journey=journey, step=step))
    return ResponseFilters(
        survey=survey,
        metric=given.choice("metric", tuple(METRICS)),
        journey=journey,
        step=step,
        channel=given.choice("channel", tuple(Channel)),
        status=given.choice("status", tuple(ResponseStatus)),
        customer=given.text("customer"),
        context=given.context(),
        first=first,
        last=last,
    )


def _file_filters() -> ResponseFilters:
    given = Parameters(request.args, FILTERS, context=True)
    filters = _filters(given)
    given.check()
    return filters


def _page(read: Read, filters: ResponseFilters, after: int, limit: int) -> queries.ResponsePage:
    try:
        return read(db.session, filters, after, limit)
    except NotReporting as problem:
        sentence = f"'{str(problem)[:80]}' is none of the programme's reporting_attributes"
        raise strict.WrongFields([f"{CONTEXT}{problem}: {sentence}"]) from None


def _all(read: Read, filters: ResponseFilters) -> Iterator[Any]:
    """Every answer that matches, read a page at a time; no transaction stays open while the reader is slow."""
    first = _page(read, filters, 0, FILE_PAGE)

    def rest() -> Iterator[Any]:
        page = first
        while True:
            db.session.rollback()
            yield from page.items
            failpoints.reached("mid_export")
            if page.mark is None:
                return
            security.read_only()
            page = read(db.session, filters, page.mark, FILE_PAGE)

    return rest()


def _streamed(lines: Iterator[bytes], suffix: str, content_type: str) -> Response:
    response = Response(stream_with_context(lines), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="responses.{suffix}"'
    return response


def _file(suffix: str) -> Response:
    filters = _file_filters()
    content_type, write = exports.FILES[suffix]
    attributes = queries.reporting_attributes(db.session)
    written = write(_all(queries.response_table, filters), attributes)
    return send_file(written, content_type, as_attachment=True, download_name=f"responses.{suffix}")
