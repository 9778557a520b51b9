"""When a question is asked, as other tools write it: the rating within bounds, or certain choices of an earlier one."""

import re
from collections.abc import Sequence

from surveyapp.domain.scores import METRICS
from surveyapp.domain.survey_import.carried import Carried

_AND = re.compile(r"\s+and\s+|\s*&&\s*", re.IGNORECASE)
_SIGNS = {"eq": "=", "==": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_LONGEST = 400


def carry_condition(found: Carried, said: str, comparison: re.Pattern[str]) -> bool:
    """Give the newest question the condition, where ours can say it too; else it stays without and False comes back.

    `comparison` reads one part into a name, a sign and a value; parts may be joined by `and`.
    """
    whole = comparison.fullmatch(said[:_LONGEST].strip())
    parts = [whole] if whole else [comparison.fullmatch(part.strip()) for part in _AND.split(said[:_LONGEST])]
    read = [(part[1], _SIGNS.get(part[2], part[2]), _values(part[3])) for part in parts if part]
    names = {name for name, _, _ in read}
    if len(read) < len(parts) or len(names) > 1:
        return False
    name = names.pop()
    on, when = found.keys.get(name), None
    if on == "score":
        when = _bounds(found, [(sign, values[0]) for _, sign, values in read])
    elif on is not None and len(read) == 1 and read[0][1] in ("=", "anyof"):
        when = [key for value in read[0][2] if (key := found.keys.get(f"{name}\n{value}"))] or None
    if on is None or when is None:
        return False
    found.questions[-1]["when"] = {on: when}
    return True


def _values(text: str) -> list[str]:
    return [part.strip().strip("'\"") for part in text.strip("[]").split(",")]


def _bounds(found: Carried, comparisons: Sequence[tuple[str, str]]) -> object:
    """The scores that all comparisons leave, as a condition says them; None where that is no stretch of the scale."""
    scale = METRICS[str(found.definition["metric"])].scale
    low, high = min(scale), max(scale)
    for sign, text in comparisons:
        if not (text.isascii() and text.isdigit() and len(text) < 3) or sign not in ("=", "<", "<=", ">", ">="):
            return None
        number = int(text)
        if sign in ("=", ">", ">="):
            low = max(low, number + (sign == ">"))
        if sign in ("=", "<", "<="):
            high = min(high, number - (sign == "<"))
    if low > high:
        return None
    if low == high:
        return low
    return ({"from": low} if low > min(scale) else {}) | ({"to": high} if high < max(scale) else {}) or None
