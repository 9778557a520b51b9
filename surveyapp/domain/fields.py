"""Readers of single fields, shared by all that comes in: each adds a sentence for what is wrong. No JSON text here."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from surveyapp.domain.identity import has_control

ID_LIMIT = 200
NAME_LIMIT = 80
NAMES_LIMIT = 100
TEXT_LIMIT = 1_000
NESTED_LIMIT = 2_000
INTEGER_LIMIT = 2**53
EARLIEST_YEAR = 2000
SAMPLE = "2026-11-02T08:15:00Z"
RESERVED_NAMES = frozenset({"__proto__", "prototype", "constructor", "tenant", "tenant_id", "partner_id"})

_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII)


def read_id(value: object, path: str, problems: list[str]) -> str:
    """An exact text of 1 to 200 characters, or '' with a problem added."""
    if type(value) is str:
        if value.isprintable() and 0 < len(value) <= ID_LIMIT and not value.isspace():
            return value
        if not value or value.isspace():
            problems.append(f"{path}: must not be empty")
        elif len(value) > ID_LIMIT:
            problems.append(f"{path}: has {len(value)} characters; at most {ID_LIMIT} are kept")
        elif has_control(value):
            problems.append(f"{path}: holds a control character; remove it")
        else:
            return value
    elif value is None:
        problems.append(f"{path}: is missing")
    else:
        problems.append(f"{path}: must be a text, not {kind_of(value)}")
    return ""


def read_instant(value: object, path: str, problems: list[str]) -> datetime | None:
    """An aware UTC instant from text such as `2026-11-02T08:15:00Z`; the zone is required."""
    if not isinstance(value, str):
        problems.append(f"{path}: is missing" if value is None else f"{path}: must be a text such as {SAMPLE}")
        return None
    match = _INSTANT.fullmatch(value)
    try:
        moment = datetime.fromisoformat(value.upper()) if match else None
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        problems.append(f"{path}: is no time; write it as {SAMPLE}")
    elif moment.tzinfo is None:
        problems.append(f"{path}: has no zone; add Z or an offset such as +01:00")
        return None
    elif moment.year < EARLIEST_YEAR:
        problems.append(f"{path}: lies before the year {EARLIEST_YEAR}")
        return None
    return moment


def read_timezone(value: object, path: str, problems: list[str]) -> str | None:
    """A zone's name, or None for one that nobody knows; only a wrong type is a problem."""
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(f"{path}: must be a text such as Europe/Paris, not {kind_of(value)}")
        return None
    return value if known_timezone(value) else None


@lru_cache(maxsize=2048)
def known_timezone(name: str) -> bool:
    """Whether the zone database has this name."""
    if not 0 < len(name) <= 64:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def read_names(value: object, path: str, problems: list[str]) -> dict[str, Any]:
    """Free names and values (properties, attributes): few, short, plain; reserved names are refused."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(f"{path}: must be an object, not {kind_of(value)}")
        return {}
    if len(value) > NAMES_LIMIT:
        problems.append(f"{path}: has {len(value)} names; at most {NAMES_LIMIT} are kept")
        return {}
    for name, item in value.items():
        if (problem := name_problem(name) or value_problem(item)) is not None:
            problems.append(f"{path}.{name[:NAME_LIMIT]}: {problem}")
    return value


def name_problem(name: str) -> str | None:
    """What is wrong with a property's name, as the rest of a sentence, or None."""
    if not name or len(name) > NAME_LIMIT:
        return f"a name has 1 to {NAME_LIMIT} characters"
    if name in RESERVED_NAMES:
        return "this name is reserved; choose another"
    return "a name holds no control characters" if has_control(name) else None


def value_problem(value: object) -> str | None:
    """What is wrong with a property's value, as the rest of a sentence, or None."""
    kind = type(value)
    if kind is str:
        return f"a text has at most {TEXT_LIMIT:,} characters" if len(value) > TEXT_LIMIT else None  # type: ignore[arg-type]
    if value is None or kind is bool:
        return None
    if kind is int:
        return None if -INTEGER_LIMIT <= value <= INTEGER_LIMIT else "the number is too large to be kept exactly"  # type: ignore[operator]
    if kind is float:
        return None if math.isfinite(value) else "must be a finite number"  # type: ignore[arg-type]
    if len(json.dumps(value)) > NESTED_LIMIT:
        return f"a nested value has at most {NESTED_LIMIT:,} characters; flatten it"
    return None


def kind_of(value: object) -> str:
    """A JSON value's type in words."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), "this")


def unknown_fields(value: Mapping[str, object], known: frozenset[str], prefix: str) -> list[str]:
    strangers = [name for name in value if name not in known]
    names = ", ".join(sorted(known))
    return [f"{prefix}{name[:NAME_LIMIT]}: is unknown here; known are {names}" for name in strangers[:5]]


def read_text(value: object, path: str, problems: list[str], limit: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(f"{path}: must be a text, not {kind_of(value)}")
        return None
    if len(value) > limit or has_control(value):
        problems.append(f"{path}: must be one line of at most {limit} characters")
        return None
    return value
