"""Single values of a contact policy in words: lengths, shares, days, and whom a rule covers. Knows no rule."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from surveyapp.domain.durations import parse_duration

CHANNEL_WORDS = {"email": "e-mail", "sms": "SMS", "web": "web page"}


def scope_words(scope: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Whom a rule covers, as the end of a sentence: `about Flight by SMS`."""

    def named(kind: str) -> str:
        return names.get(f"{kind}:{scope[kind]}", str(scope[kind]))

    parts = [f"about {named(kind)}" for kind in ("journey", "step") if kind in scope]
    parts += [f"with the survey {named('survey')}"] if "survey" in scope else []
    parts += [f"in the group {named('group')}"] if "group" in scope else []
    parts += [f"by {CHANNEL_WORDS.get(str(scope['channel']), scope['channel'])}"] if "channel" in scope else []
    where = scope.get("where")
    parts += [f"where {name} is {value}" for name, value in where.items()] if isinstance(where, Mapping) else []
    return " ".join(parts)


def value_words(control: str, value: Any) -> str:
    """A single value as it reads in a sentence."""
    if control in ("duration", "rest"):
        try:
            length = parse_duration(value)
        except ValueError:
            return str(value) if value is not None else "?"
        return "no rest" if control == "rest" and not length else words(length)
    if control == "share" and isinstance(value, int | float):
        return f"{value * 100:g}\u202f%" if value else "nobody’s share"
    if control == "times" and isinstance(value, int | float):
        return f"{value:g}×"
    if control == "number" and isinstance(value, int | float):
        return f"{value:g}"
    if control in ("days", "rules") and isinstance(value, list):
        spoken = [str(v).capitalize() if control == "days" else str(v).replace("_", " ") for v in value]
        return ", ".join(spoken[:-1]) + (" and " if len(spoken) > 1 else "") + spoken[-1] if spoken else "nothing"
    if control == "moment":
        return str(value)[:10]
    if control == "country" and value == "customer":
        return "the customer’s own country"
    return "?" if value is None else str(value)


def words(length: timedelta) -> str:
    """The length in its largest whole unit: `30 days`, `6 hours`; zero is `no time`."""
    seconds = int(length.total_seconds())
    if seconds == 0:
        return "no time"
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            n = seconds // unit
            return f"{n} {name}" if n == 1 else f"{n} {name}s"
    return f"{seconds} second" if seconds == 1 else f"{seconds} seconds"
