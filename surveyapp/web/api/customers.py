"""Customers one by one: told, shown, opted out, erased; and their past contacts from another tool."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import abort, url_for
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from surveyapp import clock
from surveyapp.domain.events import CHANNELS, read_customer
from surveyapp.domain.fields import kind_of, read_id, read_instant, unknown_fields
from surveyapp.extensions import db
from surveyapp.models import Customer
from surveyapp.queries import customers as queries
from surveyapp.services import contacts, customers, privacy
from surveyapp.services.contacts import ContactIn
from surveyapp.web.api import strict
from surveyapp.web.api.events import listed
from surveyapp.web.api.schemas import (
    ContactsBody,
    CustomerBody,
    CustomerShown,
    Erased,
    Imported,
    OptedOut,
    OptOutBody,
    Problem,
    TimelinePage,
    reads,
)

CONTACTS_LIMIT = 10_000
CONTACT_FIELDS = frozenset({"id", "customer", "channel", "at", "survey", "step", "instance", "tier"})
PAGE = 100

blueprint = APIBlueprint("api_customers", __name__, abp_tags=[Tag(name="Customers")], abp_security=[{"bearer": []}])


class CustomerPath(BaseModel):
    external_id: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Exactly as you sent it",
    )


class TimelineQuery(BaseModel):
    limit: int = Field(PAGE, ge=1, le=500)
    before: str | None = Field(None, description="Taken from `next`", max_length=400)


@blueprint.put(
    "/customers/<path:external_id>",
    responses={200: CustomerShown, 410: Problem},
    openapi_extensions=reads(CustomerBody, {"email": "ada@example.org", "attributes": {"customer_type": "Returning"}}),
)
def keep_customer(path: CustomerPath):
    """Tell of a customer

    Role: ingest. Makes the customer or brings it to what is given: a given null clears the field, attributes and
    consent are replaced as a whole, what is left out stays.
    """
    problems: list[str] = []
    row = read_customer(strict.body(), problems, "", path.external_id)
    if problems or row is None:
        raise strict.WrongFields(problems)
    try:
        customer = customers.keep_customer(row)
    except ValueError as problem:
        raise strict.WrongFields([str(problem)]) from None
    except customers.CustomerErased:
        abort(410, "This person was erased; nothing about them is taken in again.")
    return shown(customer)


@blueprint.get("/customers/<path:external_id>", responses={200: CustomerShown, 404: Problem})
def show_customer(path: CustomerPath):
    """Show a customer

    Role: read.
    """
    return shown(_known(path.external_id))


@blueprint.delete("/customers/<path:external_id>", responses={200: Erased, 404: Problem})
def erase_customer(path: CustomerPath):
    """Erase a person

    Role: ingest. Removes what identifies the person and cancels what waits; scores stay, without words, ids or exact
    times. Late events of this id do not bring the person back. Safe to repeat.
    """
    try:
        done = privacy.erase(path.external_id)
    except privacy.CustomerUnknown:
        abort(404, "There is no customer of this id.")
    return {"erased": True, "touched": done.touched}


@blueprint.get("/customers/<path:external_id>/timeline", responses={200: TimelinePage, 404: Problem})
def show_timeline(path: CustomerPath, query: TimelineQuery):
    """Show everything that happened to a customer

    Role: read. Events, decisions, messages and responses, newest first.
    """
    customer = _known(path.external_id)
    before = _cursor(query.before) if query.before else None
    entries = queries.timeline(db.session, customer.id, query.limit + 1, before)
    following = None
    if len(entries) > query.limit:
        entries = entries[: query.limit]
        moment, kind, row = entries[-1].order
        address = url_for(".show_timeline", external_id=path.external_id)
        following = f"{address}?{urlencode({'limit': query.limit, 'before': f'{moment.isoformat()}~{kind}~{row}'})}"
    items = [{"at": _text(one.at), "kind": one.kind, "id": one.id, **one.detail} for one in entries]
    return {"items": items, "next": following}


@blueprint.post(
    "/customers/<path:external_id>/opt-out",
    responses={200: OptedOut, 404: Problem},
    openapi_extensions=reads(OptOutBody, {"channel": "email"}),
)
def opt_out_customer(path: CustomerPath):
    """Opt a customer out

    Role: ingest. From the answer on nothing is sent on that channel (`all`: on any) to any address of this customer.
    """
    value = strict.body()
    channel = value.get("channel") if isinstance(value, dict) else None
    if not isinstance(value, dict) or set(value) != {"channel"} or channel not in (*CHANNELS, customers.ALL):
        raise strict.WrongFields(["channel: must be email, sms, web or all, and the only field"])
    customer = _known(path.external_id)
    customers.opt_out(customer, channel, "api")
    return {"external_id": customer.external_id, "opted_out": queries.opted_out_channels(db.session, customer.id)}


@blueprint.post(
    "/contacts/import",
    responses={200: Imported},
    openapi_extensions=reads(
        ContactsBody, {"contacts": [{"customer": "c-1", "channel": "email", "at": "2026-10-20T10:00:00Z"}]}
    ),
)
def import_contacts():
    """Import past contacts

    Role: ingest. Whom another tool has asked already is not asked again too soon. Up to 10,000 a call; repeating adds
    nothing.
    """
    values = listed(strict.body(), "contacts", CONTACTS_LIMIT)
    good: list[ContactIn] = []
    places: list[int] = []
    rejected: list[dict[str, Any]] = []
    now = clock.now()
    for index, value in enumerate(values):
        contact = _read_contact(value, now)
        if isinstance(contact, list):
            rejected.append({"index": index, "errors": contact})
        else:
            good.append(contact)
            places.append(index)
    result = contacts.import_contacts(good)
    rejected += [{"index": places[one.index], "errors": one.errors} for one in result.rejected]
    rejected.sort(key=lambda one: one["index"])
    return {"imported": result.imported, "duplicates": result.duplicates, "rejected": rejected}


def shown(customer: Customer) -> dict[str, Any]:
    """A customer as the API shows it."""
    return {
        "external_id": customer.external_id,
        "email": customer.email,
        "phone": customer.phone,
        "language": customer.language,
        "timezone": customer.timezone,
        "preferred_channel": customer.preferred_channel,
        "consent": customer.consent,
        "attributes": customer.attributes,
        "opted_out": queries.opted_out_channels(db.session, customer.id),
        "created_at": _text(customer.created_at),
    }


def _known(external_id: str) -> Customer:
    customer = queries.customer(db.session, external_id)
    if customer is None or customer.erased_at is not None:
        abort(404, "There is no customer of this id.")
    return customer


def _read_contact(value: object, now: datetime) -> ContactIn | list[str]:
    if not isinstance(value, dict):
        return [f"contact: must be an object, not {kind_of(value)}"]
    problems = unknown_fields(value, CONTACT_FIELDS, "")
    customer = read_id(value.get("customer"), "customer", problems)
    at = read_instant(value.get("at"), "at", problems)
    if at is not None and at > now:
        problems.append("at: lies in the future; only past contacts are imported")
    channel, tier = value.get("channel"), value.get("tier", contacts.TIER)
    if channel not in CHANNELS if isinstance(channel, str) else True:
        problems.append("channel: must be email, sms or web")
    if type(tier) is not int or not 1 <= tier <= 3:
        problems.append("tier: must be 1, 2 or 3")
    optional = {
        name: read_id(value[name], name, problems) if value.get(name) is not None else None
        for name in ("id", "survey", "step", "instance")
    }
    problems += [
        f"{name}: has more than {limit} characters"
        for name, limit in (("survey", 80), ("step", 161))
        if len(optional[name] or "") > limit
    ]
    if problems or at is None:
        return problems
    return ContactIn(customer, str(channel), at, tier=tier, **optional)


def _cursor(text: str) -> queries.Place:
    moment, _, rest = text.partition("~")
    kind, _, row = rest.partition("~")
    at = read_instant(moment, "before", [])
    if at is None or not (row.isascii() and row.isdigit() and len(row) < 19):
        raise strict.WrongFields(["before: is no place in this list; take it from next"])
    return at, kind, int(row)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
