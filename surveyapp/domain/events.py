"""What an event from outside must look like, field by field. Reads values; knows no database and no JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from surveyapp.domain.fields import kind_of, read_id, read_instant, read_names, read_text, read_timezone, unknown_fields
from surveyapp.domain.identity import normalise_email

AHEAD = timedelta(minutes=5)
RESERVED_PROPERTIES = frozenset({"service", "product_line", "place", "variant", "actor"})
OWN_PREFIXES = ("every:", "web:")  # ids of events that we make ourselves
EVENT_FIELDS = frozenset("id customer journey step instance occurred_at timezone cancels properties".split())
CUSTOMER_FIELDS = frozenset("external_id email phone language timezone attributes consent preferred_channel".split())
CONSENTS = frozenset({"email", "sms", "web", "marketing"})
CHANNELS = frozenset({"email", "sms", "web"})

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}")


@dataclass(frozen=True, slots=True)
class CustomerIn:
    """A customer as told from outside. `given` names the fields that were present; `phone` is not parsed yet."""

    external_id: str
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    timezone: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consent: Mapping[str, bool] = field(default_factory=dict)
    preferred_channel: str | None = None
    anonymous_id: str | None = None
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EventIn:
    """An event as told from outside. `step` is a key beside `journey`; both are null for an unmapped `name`."""

    id: str
    customer: CustomerIn
    occurred_at: datetime
    journey: str | None = None
    step: str | None = None
    name: str | None = None
    instance: str | None = None
    timezone: str | None = None
    cancels: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def read_event(value: object, now: datetime) -> EventIn | list[str]:
    """The event, or every problem found, each a sentence that begins with the field's name."""
    if not isinstance(value, dict):
        return ["event: must be an object"]
    problems: list[str] = unknown_fields(value, EVENT_FIELDS, "")
    event_id = read_id(value.get("id"), "id", problems)
    if event_id.startswith(OWN_PREFIXES):
        problems.append(f"id: the beginning '{event_id.partition(':')[0]}:' is kept for events made here")
    customer = read_customer(value.get("customer"), problems, "customer")
    journey, step = _read_step(value, problems)
    occurred_at = _read_occurred_at(value.get("occurred_at"), now, problems)
    instance = read_id(value["instance"], "instance", problems) if value.get("instance") is not None else None
    cancels = read_id(value["cancels"], "cancels", problems) if value.get("cancels") is not None else None
    timezone = read_timezone(value.get("timezone"), "timezone", problems)
    properties = read_names(value.get("properties"), "properties", problems)
    for name in RESERVED_PROPERTIES.intersection(properties):
        if type(properties[name]) not in (str, int, float) and properties[name] is not None:
            problems.append(f"properties.{name}: must be a text or a number")
    if problems or customer is None or occurred_at is None:
        return problems
    return EventIn(event_id, customer, occurred_at, journey, step, None, instance, timezone, cancels, properties)


def read_customer(value: object, problems: list[str], path: str, external_id: str | None = None) -> CustomerIn | None:
    """The customer, adding to `problems` what is wrong; None only when it is no object.

    `external_id` is the one of the address, for callers that have it there; the object need not repeat it.
    """
    prefix = f"{path}." if path else ""
    if not isinstance(value, dict):
        problems.append(f"{path or 'body'}: must be an object")
        return None
    if not CUSTOMER_FIELDS.issuperset(value):
        problems += unknown_fields(value, CUSTOMER_FIELDS, prefix)
    given_id = value.get("external_id", external_id)
    if external_id is not None and given_id != external_id:
        problems.append(f"{prefix}external_id: differs from the one in the address; leave it out")
    return CustomerIn(
        external_id=read_id(given_id, f"{prefix}external_id", problems),
        email=_read_email(value.get("email"), f"{prefix}email", problems),
        phone=read_text(value.get("phone"), f"{prefix}phone", problems, 40),
        language=_read_language(value.get("language"), f"{prefix}language", problems),
        timezone=read_timezone(value.get("timezone"), f"{prefix}timezone", problems),
        attributes=read_names(value.get("attributes"), f"{prefix}attributes", problems),
        consent=_read_consent(value.get("consent"), f"{prefix}consent", problems),
        preferred_channel=_read_channel(value.get("preferred_channel"), f"{prefix}preferred_channel", problems),
        given=frozenset(value),
    )


def _read_step(value: Mapping[str, object], problems: list[str]) -> tuple[str | None, str | None]:
    journey, step = value.get("journey"), value.get("step")
    if journey is None and isinstance(step, str) and "." in step:
        journey, _, step = step.partition(".")
    return read_id(journey, "journey", problems), read_id(step, "step", problems)


def _read_occurred_at(value: object, now: datetime, problems: list[str]) -> datetime | None:
    moment = read_instant(value, "occurred_at", problems)
    if moment is not None and moment > now + AHEAD:
        problems.append("occurred_at: lies in the future; send it once it has happened, and check the sender's clock")
        return None
    return moment


def _read_email(value: object, path: str, problems: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(f"{path}: must be a text, not {kind_of(value)}")
        return None
    try:
        return normalise_email(value)
    except ValueError as problem:
        problems.append(f"{path}: {problem}")
        return None


def _read_language(value: object, path: str, problems: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(f"{path}: must be a text such as fr or pt-BR, not {kind_of(value)}")
        return None
    return value.replace("_", "-") if _LANGUAGE.fullmatch(value) else None


def _read_consent(value: object, path: str, problems: list[str]) -> dict[str, bool]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(f"{path}: must be an object, not {kind_of(value)}")
        return {}
    problems += unknown_fields(value, CONSENTS, f"{path}.")
    problems += [f"{path}.{name}: must be true or false" for name, item in value.items() if type(item) is not bool]
    return value


def _read_channel(value: object, path: str, problems: list[str]) -> str | None:
    if value is None or (isinstance(value, str) and value in CHANNELS):
        return value
    problems.append(f"{path}: must be one of email, sms, web")
    return None
