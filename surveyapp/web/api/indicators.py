"""Operational series over HTTP: what they mean, and their values by scope and day. Parses, calls, renders."""

from typing import Any, Literal

from flask import abort, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from surveyapp.domain.fields import unknown_fields
from surveyapp.domain.identity import has_control
from surveyapp.domain.indicators import Better, Definition, Kind, Total, first_definition
from surveyapp.extensions import db
from surveyapp.queries import indicators as queries
from surveyapp.queries.metrics import Filters
from surveyapp.services import indicators
from surveyapp.web.api import strict
from surveyapp.web.api.events import listed
from surveyapp.web.api.parameters import Parameters
from surveyapp.web.api.schemas import Problem, RejectedItem, Shape, reads

LIMIT = 10_000
PAGE = 100
MARK = "v"  # what the place after a page is told by
MOST = 1_000
SCOPE = ("step", "service", "product_line")
TEXTS = {"name": 200, "unit": 40, "property": 80}
WORDS: dict[str, type[Kind | Total | Better]] = {"kind": Kind, "total": Total, "better": Better}
EXAMPLE = {
    "values": [{"day": "2026-11-02", "step": "flight.check_in", "service": None, "product_line": None, "value": 12.5}]
}

blueprint = APIBlueprint("api_indicators", __name__, abp_tags=[Tag(name="Indicators")], abp_security=[{"bearer": []}])


class IndicatorPath(BaseModel):
    key: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")


class ValueBody(Shape):
    """A value of one day and scope; the same day and scope again replaces it."""

    day: str = Field(description="Such as 2026-11-02", json_schema_extra={"format": "date"})
    step: str | None = Field(None, max_length=161, description="journey.step; null for none")
    service: str | None = Field(None, max_length=161)
    product_line: str | None = Field(None, max_length=161)
    value: float | None = Field(description="Null takes the day away")


class ValuesBody(Shape):
    values: list[ValueBody] = Field(max_length=LIMIT)


class ValuesDone(BaseModel):
    accepted: int
    removed: int
    rejected: list[RejectedItem]


class DefinitionBody(Shape):
    """What an indicator means. What is left out goes back to its first state."""

    name: str | None = Field(None, min_length=1, max_length=200)
    kind: Kind = Kind.DESCRIPTIVE
    unit: str = Field("", max_length=40)
    total: Total = Field(Total.MEAN, description="How several values become one")
    better: Better = Better.NEITHER
    property: str = Field("", max_length=80, description="The event property that carries it, for figures at the event")


class IndicatorShape(BaseModel):
    key: str
    name: str
    kind: Literal["perception", "descriptive", "prediction", "consequence"]
    unit: str
    total: Literal["mean", "sum"]
    better: Literal["higher", "lower", "neither"]
    property: str
    values: int = Field(description="How many are kept")
    first: str | None = Field(None, alias="from")
    last: str | None = Field(None, alias="to")


class IndicatorsShape(BaseModel):
    items: list[IndicatorShape]
    next: None = None


class ValuesQuery(BaseModel):
    step: str | None = Field(None, description="A step as journey.step")
    service: str | None = None
    product_line: str | None = None
    first: str | None = Field(None, alias="from", description="First day, included")
    last: str | None = Field(None, alias="to", description="Last day, included")
    limit: str | None = Field(None, description=f"1 to {MOST}; {PAGE} without it")
    after: str | None = Field(None, description="Where the page before ended; part of its `next`")


class ValueShape(BaseModel):
    day: str
    step: str | None
    service: str | None
    product_line: str | None
    value: float


class ValuesShape(BaseModel):
    items: list[ValueShape]
    next: str | None = Field(description="The next page's path with its query")


@blueprint.post("/indicators/<key>/values", responses={200: ValuesDone}, openapi_extensions=reads(ValuesBody, EXAMPLE))
def keep_values(path: IndicatorPath):
    """Keep values of an operational series

    Role: ingest. Replaces by (indicator, scope, day). Up to 10,000 a call; good ones are kept when others are bad. An
    indicator that is not known yet is made, as descriptive.
    """
    done = indicators.keep_values(path.key, listed(strict.body(), "values", LIMIT))
    rejected = [{"index": index, "errors": errors} for index, errors in done.rejected.items()]
    return {"accepted": done.accepted, "removed": done.removed, "rejected": rejected}


@blueprint.get("/indicators/<key>/values", responses={200: ValuesShape, 404: Problem})
def list_values(path: IndicatorPath, query: ValuesQuery):
    """List values of an operational series

    Role: read. In the order in which they were first stored.
    """
    given = Parameters(request.args, (*SCOPE, "from", "to", "limit", "after"))
    first, last = given.days()
    step, _ = given.step()
    limit = given.number("limit", 1, MOST) or PAGE
    after = given.mark(MARK)
    given.known(Filters(step=step))
    if queries.indicator(db.session, path.key) is None:
        abort(404, "There is no indicator of this key.")
    scope = queries.Scope(step, given.text("service"), given.text("product_line"), first, last)
    items, mark = queries.value_page(db.session, path.key, scope, after, limit)
    return {"items": items, "next": given.following(request.path, MARK, mark)}


@blueprint.get("/indicators", responses={200: IndicatorsShape})
def list_indicators():
    """List operational series

    Role: read. All of them, by key.
    """
    Parameters(request.args, ()).check()
    return {"items": [_shown(row) for row in queries.indicators(db.session)], "next": None}


@blueprint.put("/indicators/<key>", responses={200: IndicatorShape}, openapi_extensions=reads(DefinitionBody))
def describe_indicator(path: IndicatorPath):
    """Say what an operational series means

    Role: ingest. Makes it where it is not known yet; its values stay.
    """
    indicators.define(path.key, _definition(path.key, strict.body()))
    row = queries.indicator(db.session, path.key)
    return _shown(row) if row else abort(404)


def _definition(key: str, body: Any) -> Definition:
    if not isinstance(body, dict):
        raise strict.WrongFields([f"indicator: must be an object with {', '.join((*TEXTS, *WORDS))}"])
    first = first_definition(key)
    problems = unknown_fields(body, frozenset((*TEXTS, *WORDS)), "")
    told: dict[str, Any] = {}
    for name, most in TEXTS.items():
        text = body.get(name) if body.get(name) is not None else getattr(first, name)
        if not isinstance(text, str) or len(text) > most or has_control(text) or (name == "name" and not text.strip()):
            problems.append(f"{name}: must be one line of at most {most} characters")
        told[name] = text
    for name, words in WORDS.items():
        given = body.get(name, getattr(first, name).value)
        if not isinstance(given, str) or given not in set(words):
            problems.append(f"{name}: must be one of {', '.join(words)}")
        else:
            told[name] = words(given)
    if problems:
        raise strict.WrongFields(problems)
    return Definition(**told)


def _shown(row: queries.IndicatorRow) -> dict[str, Any]:
    meaning = row.definition
    return {
        "key": row.key,
        "name": meaning.name,
        "kind": meaning.kind.value,
        "unit": meaning.unit,
        "total": meaning.total.value,
        "better": meaning.better.value,
        "property": meaning.property,
        "values": row.values,
        "from": row.first.isoformat() if row.first else None,
        "to": row.last.isoformat() if row.last else None,
    }
