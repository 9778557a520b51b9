"""Webhooks over HTTP: endpoints made, changed and taken away, what each was told; and what they are told, described."""

from typing import Any

from flask import abort, request
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.models import OPENAPI3_REF_TEMPLATE
from pydantic import BaseModel, Field

from surveyapp.domain.fields import unknown_fields
from surveyapp.domain.webhooks import DeliveryState, Told
from surveyapp.extensions import db
from surveyapp.queries import webhooks as queries
from surveyapp.services import webhook_delivery, webhooks
from surveyapp.web.api import strict
from surveyapp.web.api.parameters import Parameters
from surveyapp.web.api.responses import ResponseCore
from surveyapp.web.api.schemas import Problem, Shape, reads

PAGE = 100
MOST = 1_000
MARK = "w"  # what the place after a page is told by
FIELDS = ("url", "events", "description")
EXAMPLE = {"url": "https://example.org/hook", "events": ["response.confirmed"], "description": "CRM"}

blueprint = APIBlueprint("api_webhooks", __name__, abp_tags=[Tag(name="Webhooks")], abp_security=[{"bearer": []}])


class WebhookBody(Shape):
    """Where to, and what of."""

    url: str = Field(
        min_length=1, max_length=1000, description="https, on port 443 or 8443, no address of an inner net"
    )
    events: list[Told] = Field(min_length=1)
    description: str = Field("", max_length=200, description="For people; one line")


class WebhookChange(Shape):
    """What is to change; the rest stays."""

    url: str | None = Field(None, min_length=1, max_length=1000)
    events: list[Told] | None = Field(None, min_length=1)
    description: str | None = Field(None, max_length=200)
    state: str | None = Field(None, pattern="^(active|paused)$", description="active also ends a disabling")


class NothingBody(Shape):
    """Nothing need be told."""


class WebhookShown(BaseModel):
    id: str
    url: str
    events: list[str]
    description: str
    state: str = Field(description="active, paused (what happens waits) or disabled (what happens is not kept)")
    reason: str | None = Field(description="Why it is disabled")
    failing_since: str | None = Field(description="Since when it has taken nothing")
    waiting: int = Field(description="Messages to be sent")
    created_at: str


class WebhookMade(WebhookShown):
    secret: str = Field(description="Signs every message; shown this once")


class WebhookList(BaseModel):
    items: list[WebhookShown]
    next: None = None


class SecretShown(BaseModel):
    secret: str = Field(description="Signs every message; the one before signs too for seven days")


class DeliveryShown(BaseModel):
    id: str = Field(description="Travels as webhook-id, the same at every attempt")
    event: str
    at: str
    state: str = Field(description="planned, sending, delivered, failed (not wanted) or dead (given up)")
    attempts: int
    next_at: str | None
    last_at: str | None
    last_status: int | None
    last_error: str | None


class DeliveryList(BaseModel):
    items: list[DeliveryShown]
    next: str | None = Field(description="The next page's path with its query")


class WebhookPath(BaseModel):
    uid: str = Field(max_length=40, pattern=r"^wh_[0-9a-f]+$")


class DeliveryPath(WebhookPath):
    message: str = Field(max_length=40, pattern=r"^msg_[0-9a-f]+$")


class DeliveriesQuery(BaseModel):
    state: DeliveryState | None = None
    event: str | None = Field(None, description=f"{', '.join(Told)} or webhook.test")
    limit: str | None = Field(None, description=f"1 to {MOST}; {PAGE} without it")
    after: str | None = Field(None, description="Where the page before ended; part of its `next`")


@blueprint.get("/webhooks", responses={200: WebhookList})
def list_webhooks():
    """List endpoints

    Role: admin. All of them, the oldest first, without their secrets.
    """
    Parameters(request.args, ()).check()
    return {"items": [_shown(line) for line in queries.endpoints(db.session)], "next": None}


@blueprint.post("/webhooks", responses={201: WebhookMade}, openapi_extensions=reads(WebhookBody, EXAMPLE))
def create_webhook():
    """Add an endpoint

    Role: admin. It is told what happens from now on; the answer holds its secret, this once.
    """
    body = _object(FIELDS)
    try:
        row, secret = webhooks.create_webhook(body)
    except webhooks.WebhookRefused as refusal:
        raise strict.WrongFields(refusal.problems) from None
    return _found(row.uid) | {"secret": secret}, 201


@blueprint.get("/webhooks/<uid>", responses={200: WebhookShown, 404: Problem})
def show_webhook(path: WebhookPath):
    """Show an endpoint

    Role: admin.
    """
    return _found(path.uid)


@blueprint.patch(
    "/webhooks/<uid>", responses={200: WebhookShown, 404: Problem}, openapi_extensions=reads(WebhookChange)
)
def change_webhook(path: WebhookPath):
    """Change, pause or resume an endpoint

    Role: admin. What is left out stays. While paused, what happens waits for it; what waits goes to a new address.
    """
    body = _object((*FIELDS, "state"))
    _found(path.uid)
    state = body.pop("state", None)
    if state not in (None, "active", "paused"):
        raise strict.WrongFields(["state: must be active or paused"])
    try:
        if given := {name: value for name, value in body.items() if value is not None}:
            webhooks.change_webhook(path.uid, given)
        if state is not None:
            (webhooks.resume_webhook if state == "active" else webhooks.pause_webhook)(path.uid)
    except webhooks.WebhookRefused as refusal:
        raise strict.WrongFields(refusal.problems) from None
    except webhooks.WebhookUnknown:
        abort(404, "There is no endpoint of this id.")
    return _found(path.uid)


@blueprint.delete("/webhooks/<uid>", responses={204: {"description": "It is gone"}, 404: Problem})
def delete_webhook(path: WebhookPath):
    """Delete an endpoint

    Role: admin. Its messages go with it, also those not sent yet.
    """
    try:
        webhooks.delete_webhook(path.uid)
    except webhooks.WebhookUnknown:
        abort(404, "There is no endpoint of this id.")
    return "", 204


@blueprint.post(
    "/webhooks/<uid>/secret",
    responses={200: SecretShown, 404: Problem},
    openapi_extensions=reads(NothingBody, required=False),
)
def rotate_secret(path: WebhookPath):
    """Make a new secret

    Role: admin. Messages are signed by both, the new one first, for seven days. A body is not needed.
    """
    _nothing()
    try:
        return {"secret": webhooks.rotate_secret(path.uid)}
    except webhooks.WebhookUnknown:
        abort(404, "There is no endpoint of this id.")


@blueprint.get("/webhooks/<uid>/deliveries", responses={200: DeliveryList, 404: Problem})
def list_deliveries(path: WebhookPath, query: DeliveriesQuery):
    """List what an endpoint was told

    Role: admin. Newest first; kept for thirty days.
    """
    given = Parameters(request.args, ("state", "event", "limit", "after"))
    state = given.choice("state", tuple(DeliveryState))
    event = given.choice("event", (*Told, "webhook.test"))
    limit = given.number("limit", 1, MOST) or PAGE
    before = given.mark(MARK) or None
    given.check()
    _found(path.uid)
    rows = queries.deliveries(db.session, path.uid, state, event, before, limit + 1)
    mark = rows[limit - 1].row if len(rows) > limit else None
    return {"items": [_delivery(row) for row in rows[:limit]], "next": given.following(request.path, MARK, mark)}


@blueprint.post(
    "/webhooks/<uid>/deliveries/<message>/replay",
    responses={202: {"description": "It is sent again"}, 404: Problem, 409: Problem},
    openapi_extensions=reads(NothingBody, required=False),
)
def replay(path: DeliveryPath):
    """Send a message again

    Role: admin. Under its own id, delivered or not. 409 while it waits anyway, or when its person was erased. A body
    is not needed.
    """
    _nothing()
    try:
        webhook_delivery.replay(path.uid, path.message)
    except webhooks.WebhookUnknown:
        abort(404, "There is no such message.")
    except webhook_delivery.NotReplayable:
        abort(409, "It waits to be sent anyway, or nothing is left of it to send.")
    return "", 202


def _object(names: tuple[str, ...]) -> dict[str, Any]:
    body = strict.body()
    if not isinstance(body, dict):
        raise strict.WrongFields([f"webhook: must be an object with {', '.join(names)}"])
    if problems := unknown_fields(body, frozenset(names), ""):
        raise strict.WrongFields(problems)
    return body


def _nothing() -> None:
    if request.content_length and strict.body() != {}:
        raise strict.WrongFields(["webhook: there is nothing to tell; leave the body out or empty"])


def _found(uid: str) -> dict[str, Any]:
    lines = queries.endpoints(db.session, uid)
    return _shown(lines[0]) if lines else abort(404, "There is no endpoint of this id.")


def _shown(line: queries.EndpointLine) -> dict[str, Any]:
    return {
        "id": line.uid,
        "url": line.url,
        "events": list(line.events),
        "description": line.description,
        "state": line.state,
        "reason": line.disabled_reason,
        "failing_since": webhooks.instant(line.failing_since) if line.failing_since else None,
        "waiting": line.waiting,
        "created_at": webhooks.instant(line.created_at),
    }


def _delivery(line: queries.DeliveryLine) -> dict[str, Any]:
    times = {name: getattr(line, name) for name in ("at", "next_at", "last_at")}
    told = {name: webhooks.instant(moment) if moment else None for name, moment in times.items()}
    names = ("event", "state", "attempts", "last_status", "last_error")
    return {"id": line.uid, **{name: getattr(line, name) for name in names}, **told}


# What is told, as the document shows it. Each is the `data` of a message with `type` and `timestamp`.


class ToldResponse(ResponseCore):
    """As the API shows an answer, without its context."""

    revision: int = Field(description="Grows with every change; keep the highest of an id")


class ToldCase(BaseModel):
    id: str
    customer: str | None
    reason: str | None
    step: str | None = Field(description="journey.step")
    opened_at: str


class ToldOptOut(BaseModel):
    customer: str = Field(description="External id")
    channel: str = Field(description="email, sms, web, all, or kind:NAME for one kind of question")
    source: str = Field(description="api, link, preferences, text, or the provider that told us")


TOLD: dict[Told, tuple[str, type[BaseModel]]] = {
    Told.RESPONSE_CONFIRMED: ("An answer counts, or one that counts was changed", ToldResponse),
    Told.CASE_OPENED: ("Somebody waits for us", ToldCase),
    Told.CUSTOMER_OPTED_OUT: ("A person may be asked no more", ToldOptOut),
}


def told_operations() -> dict[str, Any]:
    """What receivers are sent, as the section `webhooks` of the OpenAPI document."""
    headers = {
        "webhook-id": "The message's id, the same at every attempt: keep it, and drop what you have had",
        "webhook-timestamp": "When this attempt was made, in Unix seconds",
        "webhook-signature": "`v1,` and base64 of HMAC-SHA256 over id.timestamp.body; several with a space between",
    }
    parameters = [
        {"name": name, "in": "header", "required": True, "description": words, "schema": {"type": "string"}}
        for name, words in headers.items()
    ]
    return {event.value: {"post": _told(event, *TOLD[event], parameters)} for event in Told}


def _told(event: Told, summary: str, shape: type[BaseModel], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    properties = {
        "type": {"const": event.value},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
        "data": {"$ref": OPENAPI3_REF_TEMPLATE.format(model=shape.__name__)},
    }
    body = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "summary": summary,
        "description": "Signed by the Standard Webhooks scheme; sent at least once, in no certain order.",
        "operationId": f"told_{event.name.lower()}",
        "tags": ["Webhooks"],
        "security": [],
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "2XX": {"description": "Taken"},
            "410": {"description": "Gone: the endpoint is disabled"},
            "429": {"description": "Later; Retry-After is heeded. So is it with 5XX and with no answer in 5 seconds"},
            "4XX": {"description": "Not wanted: the message is not sent again"},
        },
    }
