"""What a page reads from its address. Anything unreadable is left out: a filter never breaks a page."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from flask import request, url_for

from surveyapp.web.admin import formats, shell

LONGEST = 200
PERIODS = (7, 28, 91)


def text(name: str) -> str | None:
    """The parameter without surrounding space, or None when empty, too long or not printable."""
    value = (request.args.get(name) or "").strip()
    return value if value and len(value) <= LONGEST and value.isprintable() else None


def choice(name: str, allowed: Collection[str]) -> str | None:
    value = text(name)
    return value if value in allowed else None


def whole(name: str) -> int | None:
    value = text(name) or ""
    digits = value.removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def day(name: str) -> date | None:
    value = text(name)
    try:
        found = date.fromisoformat(value) if value else None
    except ValueError:
        return None
    return found if found and 1970 <= found.year <= 2999 else None


def days(default: int = 28, allowed: Collection[int] = PERIODS) -> int:
    value = whole("days")
    return value if value is not None and value in allowed else default


def instant(name: str) -> datetime | None:
    """An instant in ISO form."""
    return formats.instant(text(name))


def span_of(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """The instants from the start of `first` to the end of `last`, on the brand's clock."""
    zone = shell.zone()
    start = formats.day_start(first, zone) if first else None
    end = formats.day_start(last + timedelta(days=1), zone) if last else None
    return start, end


def here(**changes: Any) -> str:
    """This page's address with some parameters changed (None takes one away) and the page mark dropped."""
    values: dict[str, Any] = request.args.to_dict()
    values.pop("older", None)
    values |= changes
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    return url_for(request.endpoint or "", **(request.view_args or {}), **kept)
