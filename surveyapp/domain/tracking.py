"""Segment's and RudderStack's calls in our words: who, which event, which traits. Lenient where senders are messy."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from surveyapp.domain.events import AHEAD, OWN_PREFIXES, CustomerIn, EventIn
from surveyapp.domain.fields import (
    ID_LIMIT,
    NAMES_LIMIT,
    name_problem,
    read_id,
    read_instant,
    read_timezone,
    value_problem,
)
from surveyapp.domain.identity import normalise_email

TYPES = frozenset({"track", "identify", "alias", "page", "screen", "group"})
# What identifies a person and no survey needs is not kept.
PERSONAL = frozenset(
    "address age avatar birthday createdAt description email firstName gender id lastName locale name phone timezone"
    " title username website first_name last_name".split()
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call read: whom it tells of, the event if it is one, and the earlier id of that person if it names one."""

    customer: CustomerIn
    event: EventIn | None = None
    previous_id: str | None = None
    anonymous_id: str | None = None


def read_call(value: object, kind: str | None, now: datetime, fallback_id: str) -> Call | list[str]:
    """The call, or what makes it unusable. `kind` is the address called; a batch tells it in `type`.

    `fallback_id` becomes the event's id when the sender gave none. Traits that cannot be used are left out.
    """
    if not isinstance(value, dict):
        return ["call: must be an object"]
    kind = kind or value.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        return [f"type: must be one of {', '.join(sorted(TYPES))}"]
    problems: list[str] = []
    user_id = _id(value.get("userId"), "userId", problems)
    anonymous_id = _id(value.get("anonymousId"), "anonymousId", problems)
    previous_id = _id(value.get("previousId"), "previousId", problems) if kind == "alias" else None
    if not problems and not user_id and (kind == "alias" or not anonymous_id):
        problems.append("userId: is missing" if kind == "alias" else "userId: is missing, and anonymousId too")
    if kind == "alias" and not previous_id and not problems:
        problems.append("previousId: is missing")
    name = _name(value, kind, problems)
    if problems:
        return problems
    customer = _customer(value, kind, user_id, anonymous_id)
    if name is None:
        return Call(customer, None, previous_id, anonymous_id if user_id else None)
    return Call(customer, _event(value, name, customer, now, fallback_id))


def anonymous_record(anonymous_id: str) -> str:
    """The external id under which a visitor is kept who has none yet."""
    name = f"anonymous:{anonymous_id}"
    return name if len(name) <= ID_LIMIT else f"anonymous:{hashlib.sha256(anonymous_id.encode()).hexdigest()}"


def _event(value: Mapping[str, Any], name: str, customer: CustomerIn, now: datetime, fallback_id: str) -> EventIn:
    properties = value.get("properties")
    told = properties if isinstance(properties, dict) else {}
    message_id = read_id(value.get("messageId"), "messageId", []) or fallback_id
    if message_id.startswith(OWN_PREFIXES):
        message_id = f"sent-{message_id}"[:ID_LIMIT]
    return EventIn(
        id=message_id,
        customer=customer,
        occurred_at=_moment(value, now),
        name=name,
        instance=read_id(told.get("instance"), "instance", []) or None,
        timezone=read_timezone(told.get("timezone"), "timezone", []),
        cancels=read_id(told.get("cancels"), "cancels", []) or None,
        properties=_plain({k: v for k, v in told.items() if k not in ("instance", "timezone", "cancels")}),
    )


def _name(value: Mapping[str, Any], kind: str, problems: list[str]) -> str | None:
    if kind == "track":
        return read_id(value.get("event"), "event", problems)
    if kind in ("page", "screen"):  # Segment's own naming of these calls
        given = value.get("name")
        words = ("Viewed", given if isinstance(given, str) and given.isprintable() else "", kind.capitalize())
        return " ".join(word for word in words if word)[:ID_LIMIT]
    return None


def _customer(value: Mapping[str, Any], kind: str, user_id: str | None, anonymous_id: str | None) -> CustomerIn:
    context = value["context"] if isinstance(value.get("context"), dict) else {}
    own = value.get("traits") if kind == "identify" else None
    traits = {**_object(context.get("traits")), **_object(own)}
    attributes = _plain({name: item for name, item in traits.items() if name not in PERSONAL})
    if kind == "group" and isinstance(value.get("groupId"), str) and value_problem(value["groupId"]) is None:
        attributes["group"] = value["groupId"]
    locale = traits.get("locale") or context.get("locale")
    zone = traits.get("timezone") or context.get("timezone")
    phone = traits.get("phone")
    return CustomerIn(
        external_id=user_id or anonymous_record(anonymous_id or ""),
        email=_email(traits.get("email")),
        phone=phone if isinstance(phone, str) else None,
        language=locale.replace("_", "-") if isinstance(locale, str) and _LANGUAGE.fullmatch(locale) else None,
        timezone=read_timezone(zone, "timezone", []),
        attributes=attributes,
        anonymous_id=None if user_id else anonymous_id,
    )


def _moment(value: Mapping[str, Any], now: datetime) -> datetime:
    """When it happened: the sender's own correction first; a missing, odd or future time becomes now."""
    for name in ("timestamp", "originalTimestamp", "sentAt"):
        moment = read_instant(value.get(name), name, [])
        if moment is not None and moment <= now + AHEAD:
            return moment
    return now


def _id(value: object, path: str, problems: list[str]) -> str | None:
    if type(value) is int:
        value = str(value)
    return read_id(value, path, problems) if value not in (None, "") else None


def _email(value: object) -> str | None:
    try:
        return normalise_email(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    usable = {n: v for n, v in values.items() if name_problem(n) is None and value_problem(v) is None}
    return dict(list(usable.items())[:NAMES_LIMIT])
