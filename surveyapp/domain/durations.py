"""How long: the durations of the programme file (`0s`, `15m`, `1h`, `7d`), read and written. No calendar arithmetic."""

import re
from datetime import timedelta

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = timedelta(days=3650)

_SHAPE = re.compile(r"([0-9]{1,12})([smhd])")


def parse_duration(text: object) -> timedelta:
    """The length of time that `text` names: a whole number and s, m, h or d, at most 3650 days.

    Raises ValueError with a sentence for anything else, a number without its unit included.
    """
    if not isinstance(text, str):
        raise ValueError(f"a duration is a text such as 15m, 1h or 7d, not {_named(text)}")
    match = _SHAPE.fullmatch(text)
    if match is None:
        if text.startswith("-"):
            raise ValueError(f"a duration cannot be negative: {_short(text)}")
        raise ValueError(f"a duration is a whole number and s, m, h or d, such as 15m, 1h or 7d, not {_short(text)}")
    seconds = int(match[1]) * UNITS[match[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"a duration is at most 3650d (ten years), not {text}")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """`length` in the largest unit that needs no fraction; parse_duration reads it back. Whole seconds only."""
    seconds = int(length.total_seconds())
    if length != timedelta(seconds=seconds) or seconds < 0:
        raise ValueError(f"not a length in whole seconds: {length}")
    unit = next((u for u in ("d", "h", "m") if seconds and seconds % UNITS[u] == 0), "s")
    return f"{seconds // UNITS[unit]}{unit}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _named(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the bare number {str(value)[:40]}: add s, m, h or d"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "a mapping" if isinstance(value, dict) else "something else"
