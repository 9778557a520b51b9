"""The shapes of the API as the OpenAPI document shows them. Reading is done elsewhere, strictly and field by field."""

from typing import Any

from flask_openapi3.models import OPENAPI3_REF_TEMPLATE
from pydantic import BaseModel, ConfigDict, Field

SHAPES: dict[str, type[BaseModel]] = {}


class Shape(BaseModel):
    """A documented JSON object that takes no other names."""

    model_config = ConfigDict(extra="forbid")


def reads(shape: type[BaseModel], example: Any = None, *, required: bool = True) -> dict[str, Any]:
    """`openapi_extensions` of a route whose JSON body has this shape."""
    SHAPES[shape.__name__] = shape
    content: dict[str, Any] = {"schema": {"$ref": OPENAPI3_REF_TEMPLATE.format(model=shape.__name__)}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


class CustomerBody(Shape):
    """What is told of a customer. In a PUT a given null clears the field."""

    external_id: str | None = Field(None, min_length=1, max_length=200, description="Exact text, never changed")
    email: str | None = Field(None, max_length=254, description="One plain address")
    phone: str | None = Field(None, max_length=40, description="With + and country code")
    language: str | None = Field(None, description="Such as fr or pt-BR; unknown ones fall back to the brand's")
    timezone: str | None = Field(None, description="Such as Europe/Paris; unknown ones fall back to the brand's")
    preferred_channel: str | None = Field(None, pattern="^(email|sms|web)$")
    consent: dict[str, bool] = Field(
        {}, description="email, sms, web, marketing; absent means allowed, except marketing"
    )
    attributes: dict[str, Any] = Field({}, max_length=100, description="Free names and values")


class EventCustomer(CustomerBody):
    """The customer of an event; what is known already need not be sent again."""

    external_id: str = Field(min_length=1, max_length=200)


class EventBody(Shape):
    """A customer reached a step."""

    id: str = Field(min_length=1, max_length=200, description="Yours; the same id again changes nothing")
    customer: EventCustomer
    journey: str = Field(min_length=1, max_length=200)
    step: str = Field(min_length=1, max_length=200, description="The step's key within its journey")
    instance: str | None = Field(None, max_length=200, description="Which run through the journey: a flight, a claim")
    occurred_at: str = Field(description="RFC 3339 with a zone", json_schema_extra={"format": "date-time"})
    timezone: str | None = Field(None, description="Of the place where it happened")
    cancels: str | None = Field(None, max_length=200, description="The id of an event whose waiting asks are dropped")
    properties: dict[str, Any] = Field({}, max_length=100)


class EventsBody(Shape):
    events: list[EventBody] = Field(max_length=1000)


class RejectedItem(BaseModel):
    index: int
    errors: list[str]


class EventsTaken(BaseModel):
    accepted: int
    duplicates: int
    rejected: list[RejectedItem]


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] | None = None
    instance: str | None = None


class CustomerShown(BaseModel):
    external_id: str
    email: str | None
    phone: str | None
    language: str | None
    timezone: str | None
    preferred_channel: str | None
    consent: dict[str, bool]
    attributes: dict[str, Any]
    opted_out: list[str]
    created_at: str


class Erased(BaseModel):
    erased: bool
    touched: dict[str, int] = Field(description="Rows changed by kind; empty when it was done before")


class Happened(BaseModel):
    """An entry of a timeline; further names depend on its kind."""

    model_config = ConfigDict(extra="allow")
    at: str
    kind: str = Field(description="event, decision, message or response")
    id: str


class TimelinePage(BaseModel):
    items: list[Happened]
    next: str | None


class OptOutBody(Shape):
    channel: str = Field(pattern="^(email|sms|web|all)$")


class OptedOut(BaseModel):
    external_id: str
    opted_out: list[str]


class ContactBody(Shape):
    """One past contact by another tool."""

    customer: str = Field(min_length=1, max_length=200)
    channel: str = Field(pattern="^(email|sms|web)$")
    at: str = Field(json_schema_extra={"format": "date-time"})
    id: str | None = Field(
        None, max_length=200, description="Yours; without it customer, channel and time tell repeats"
    )
    survey: str | None = Field(None, max_length=80)
    step: str | None = Field(None, max_length=161, description="journey.step")
    instance: str | None = Field(None, max_length=200)
    tier: int = Field(2, ge=1, le=3)


class ContactsBody(Shape):
    contacts: list[ContactBody] = Field(max_length=10_000)


class Imported(BaseModel):
    imported: int
    duplicates: int
    rejected: list[RejectedItem]
