"""How a context value reads as the value of a reporting attribute: one short text, before and after storage alike."""

import math

LONGEST = 80


def reporting_text(value: object) -> str:
    """The value as figures group by it; '' for one that is absent or no single value (a list, an object)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        if value.is_integer():
            value = int(value)  # databases keep 1e2 as 100
    return str(value)[:LONGEST] if isinstance(value, int | float) else ""
