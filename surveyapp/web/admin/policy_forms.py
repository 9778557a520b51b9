"""Reads what a token's form sends into a value of the policy as written. Says in a sentence what cannot be read."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from surveyapp.domain.policy_reading import DAYS, EXEMPTABLE
from surveyapp.domain.policy_values import Path
from surveyapp.domain.policy_words import CALENDAR

UNITS = (("d", "days"), ("h", "hours"), ("m", "minutes"))
SPANS = (*UNITS[:2], *CALENDAR.items(), ("journey", "journey"))
CLOCKS = (("shared", "any ask"), ("own", "only an ask of the same kind"))
SCOPES = ("journey", "step", "survey", "group", "channel")
LONGEST = 200
EMPTY: Any = object()  # a limit left empty: no limit


class Unreadable(ValueError):
    """What was typed is no value; the text is the sentence for the person."""


def place_of(text: str) -> Path:
    """The rule's place as a form carries it: `caps.0`."""
    return tuple(int(part) if part.isascii() and part.isdigit() and len(part) < 5 else part for part in text.split("."))


def written(path: Path) -> str:
    """The rule's place for a form."""
    return ".".join(map(str, path))


def value_of(control: str, form: MultiDict[str, str]) -> Any:
    """The value typed into that control. Raises Unreadable."""
    typed = (form.get("n") or "").strip().replace(",", ".")
    if control in ("duration", "rest"):
        return _duration(typed, form.get("unit", ""))
    if control == "span":
        unit = form.get("unit", "")
        return unit if unit in ("journey", *CALENDAR) else _duration(typed, unit)
    if control == "count":
        return EMPTY if not typed else _whole(typed)
    if control in ("number", "times"):
        return _number(typed)
    if control == "share":
        return round(_number(typed) / 100, 6)
    if control == "days":
        return [day for day in DAYS if day in form.getlist("v")]
    if control == "rules":
        return [rule for rule in EXEMPTABLE if rule in form.getlist("v")]
    if control == "scope":
        return scope_of(form)
    value = (form.get("v") or "").strip()[:LONGEST]
    if control == "moment":
        return day_of(value)
    if not value:
        raise Unreadable("Nothing was written here.")
    return value


def _duration(typed: str, unit: str) -> str:
    if unit not in dict(UNITS):
        raise Unreadable("Choose days, hours or minutes.")
    if not typed:
        raise Unreadable("Left empty. Write 0 for no rest, or switch the rule off for no limit.")
    return f"{_whole(typed)}{unit}"


def _whole(typed: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", typed):
        raise Unreadable(f"“{typed[:40]}” is no whole number. Write one such as 2; 0 means never.")
    if typed.startswith("-"):
        raise Unreadable("A number under 0 means nothing here. Write 0 for never, or leave it empty for no limit.")
    return int(typed)


def _number(typed: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", typed):
        raise Unreadable(f"“{typed[:40]}” is no number. Write one such as 2 or 0.5.")
    value = float(typed)
    return int(value) if value.is_integer() else value


def day_of(value: str) -> str:
    """The start of that day, as an exemption ends. Raises Unreadable."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise Unreadable("Choose the day on which the exemption ends.")
    return f"{value}T00:00:00Z"


def scope_of(form: Mapping[str, str]) -> dict[str, Any]:
    """What a rule covers, as chosen; nothing chosen covers everything."""
    found: dict[str, Any] = {}
    for name in SCOPES:
        value = (form.get(name) or "").strip()[:LONGEST]
        if value:
            found[name] = value
    name = (form.get("where_name") or "").strip()[:LONGEST]
    if name:
        value = (form.get("where_value") or "").strip()[:LONGEST]
        if not value:
            raise Unreadable(f"“{name}” needs a value: which customers or events does the rule cover?")
        found["where"] = {name: value}
    return found


def typed_parts(control: str, value: Any) -> tuple[str, str]:
    """A value as the number and the unit of its control."""
    if control in ("duration", "rest", "span"):
        match = re.fullmatch(r"([0-9]+)([smhd])", str(value))
        if match is None:
            return ("", str(value)) if value in ("journey", *CALENDAR) else (str(value or ""), "d")
        if match[2] == "s":
            seconds = int(match[1])
            return str(seconds // 60), "d" if not seconds else "m"
        return match[1], match[2]
    if control == "share" and isinstance(value, int | float):
        return f"{value * 100:g}", ""
    return ("" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)), ""
