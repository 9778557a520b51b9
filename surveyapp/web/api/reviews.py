"""Reviews that others publish over HTTP: brought in, listed by pages, and as a file. Parses, calls, renders."""

from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from surveyapp.domain.reviews import (
    LANGUAGE_LIMIT,
    STEP_LIMIT,
    TEXT_LIMIT,
    TITLE_LIMIT,
    URL_LIMIT,
)
from surveyapp.extensions import db
from surveyapp.queries import reviews as queries
from surveyapp.queries.metrics import Filters
from surveyapp.queries.responses import reporting_attributes
from surveyapp.queries.reviews import Listed, Wanted
from surveyapp.services.reviews import import_reviews
from surveyapp.web import security
from surveyapp.web.api import exports, strict
from surveyapp.web.api.events import listed
from surveyapp.web.api.parameters import Parameters
from surveyapp.web.api.schemas import RejectedItem, Shape, reads

IMPORT_LIMIT = 10_000
PAGE = 100
MARK = "w"  # what the place after a page is told by
MOST = 1_000
FILTERS = ("source", "step", "from", "to")
EXAMPLE = {
    "reviews": [
        {
            "source": "trustpilot",
            "id": "t-1",
            "rating": 4,
            "scale_min": 1,
            "scale_max": 5,
            "title": "Quick and friendly",
            "text": "Ten minutes from door to gate.",
            "language": "en",
            "url": "https://example.org/reviews/t-1",
            "step": "flight.check_in",
            "reviewed_at": "2026-11-02T08:15:00Z",
        }
    ]
}

blueprint = APIBlueprint("api_reviews", __name__, abp_tags=[Tag(name="Reviews")], abp_security=[{"bearer": []}])


class ReviewBody(Shape):
    """A review that somebody published elsewhere. Who wrote it is not taken."""

    source: str = Field(description="Where it was published", pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")
    id: str = Field(min_length=1, max_length=200, description="The source's own; the same id again changes nothing")
    rating: float | None = Field(None, description="On its own scale, at most two decimals; null for none")
    scale_min: int | None = Field(None, description="Needed beside a rating")
    scale_max: int | None = Field(None, description="Needed beside a rating")
    title: str | None = Field(None, max_length=TITLE_LIMIT)
    text: str | None = Field(None, max_length=TEXT_LIMIT)
    language: str | None = Field(None, max_length=LANGUAGE_LIMIT)
    url: str | None = Field(None, max_length=URL_LIMIT, description="Where it can be read: https:// or http://")
    step: str | None = Field(None, max_length=STEP_LIMIT, description="The step it is about, as journey.step")
    context: dict[str, Any] = Field({}, max_length=100, description="Reporting attributes only")
    reviewed_at: str = Field(description="RFC 3339 with a zone", json_schema_extra={"format": "date-time"})
    timezone: str | None = Field(None, description="Of the place; the brand's where absent or unknown")


class ReviewsBody(Shape):
    reviews: list[ReviewBody] = Field(max_length=IMPORT_LIMIT)


class ReviewsDone(BaseModel):
    imported: int
    duplicates: int
    rejected: list[RejectedItem]


class ReviewsQuery(BaseModel):
    source: str | None = Field(None, description="A source's key")
    step: str | None = Field(None, description="A step as journey.step")
    first: str | None = Field(None, alias="from", description="First reporting day, included")
    last: str | None = Field(None, alias="to", description="Last reporting day, included")


class ReviewsPageQuery(ReviewsQuery):
    limit: str | None = Field(None, description=f"1 to {MOST}; {PAGE} without it")
    after: str | None = Field(None, description="Where the page before ended; part of its `next`")


class ReviewsCsvQuery(ReviewsQuery):
    bom: str | None = Field(None, description="true: begin with a byte order mark, which some spreadsheets need")


class ReviewShape(BaseModel):
    source: str
    id: str
    rating: float | None
    scale_min: int | None
    scale_max: int | None
    title: str
    text: str
    language: str | None
    url: str | None
    step: str | None
    timezone: str | None
    reviewed_at: str
    reporting_day: str = Field(description="Of the review, on the clock of its place")
    imported_at: str
    context: dict[str, Any]


class ReviewsShape(BaseModel):
    items: list[ReviewShape]
    next: str | None = Field(description="The next page's path with its query")


@blueprint.post("/reviews/import", responses={200: ReviewsDone}, openapi_extensions=reads(ReviewsBody, EXAMPLE))
def import_published():
    """Bring in reviews that others published

    Role: admin. Up to 10,000 a call. Good reviews are kept when others are bad; each bad one is named by its place in
    the list. The same id of a source again changes nothing, also when its text differs. Reviews enter no metric.
    """
    done = import_reviews(listed(strict.body(), "reviews", IMPORT_LIMIT))
    return {
        "imported": done.imported,
        "duplicates": done.duplicates,
        "rejected": [{"index": index, "errors": errors} for index, errors in done.rejected.items()],
    }


@blueprint.get("/reviews", responses={200: ReviewsShape})
def list_reviews(query: ReviewsPageQuery):
    """Reviews that others published, by pages

    Role: read. In the order in which they were stored.
    """
    given = Parameters(request.args, (*FILTERS, "limit", "after"))
    limit = given.number("limit", 1, MOST) or PAGE
    after = given.mark(MARK)
    wanted = _wanted(given)
    items, mark = queries.listed_reviews(db.session, wanted, after, limit)
    return {"items": [_shown(item) for item in items], "next": given.following(request.path, MARK, mark)}


@blueprint.get("/reviews.csv", responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
def csv_reviews(query: ReviewsCsvQuery):
    """Reviews that others published, as CSV

    Role: read. Cells that a spreadsheet would run as a formula begin with an apostrophe.
    """
    given = Parameters(request.args, (*FILTERS, "bom"))
    mark = given.flag("bom")
    wanted = _wanted(given)
    attributes = reporting_attributes(db.session)
    names = [*(name for name in Listed._fields if name != "context"), *(f"context.{name}" for name in attributes)]
    lines = exports.csv_rows(names, _rows(wanted, attributes), mark=mark)
    response = Response(stream_with_context(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="reviews.csv"'
    return response


def _wanted(given: Parameters) -> Wanted:
    first, last = given.days()
    step, _ = given.step()
    given.known(Filters(step=step))
    return Wanted(source=given.text("source"), step=step, first=first, last=last)


def _shown(item: Listed) -> dict[str, Any]:
    days = {"reporting_day": item.reporting_day.isoformat()}
    moments = {name: _instant(getattr(item, name)) for name in ("reviewed_at", "imported_at")}
    return item._asdict() | days | moments


def _rows(wanted: Wanted, attributes: list[str]) -> Iterator[list[Any]]:
    """Every review that matches, a page at a time; no transaction stays open while the reader is slow."""
    after: int | None = 0
    while after is not None:
        security.read_only()
        items, after = queries.listed_reviews(db.session, wanted, after, MOST)
        db.session.rollback()
        for item in items:
            told = _shown(item)
            context = told.pop("context")
            yield [*told.values(), *(context.get(name) for name in attributes)]


def _instant(moment: Any) -> str:
    return moment.isoformat().removesuffix("+00:00") + "Z"
