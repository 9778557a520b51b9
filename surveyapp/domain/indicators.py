"""Operational series beside perception: what an indicator is, how its values are read, how they are banded.

It computes no association and claims no cause: what stands side by side is "associated with", nothing more.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from surveyapp.domain.complaints import INDICATOR as COMPLAINTS
from surveyapp.domain.fields import kind_of, unknown_fields
from surveyapp.domain.identity import has_control
from surveyapp.domain.tables import Line, read_number, read_table

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
DAY = re.compile(r"2\d{3}-\d{2}-\d{2}", re.ASCII)
FIELDS = ("day", "step", "service", "product_line", "value")
SCOPE_LIMIT = 161
LARGEST = 1e15
MOST_BANDS = 9


class Kind(StrEnum):
    """The four types of measure. A survey answer is a perception; most operational series are descriptive."""

    PERCEPTION = "perception"
    DESCRIPTIVE = "descriptive"
    PREDICTION = "prediction"
    CONSEQUENCE = "consequence"


class Total(StrEnum):
    """How the values of several days and scopes become one: a duration or a rate is averaged, a count is added."""

    MEAN = "mean"
    SUM = "sum"


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one day. Scope parts that are not told are '' (of everything). A null value takes the day away."""

    day: date
    step: str
    service: str
    product_line: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Definition:
    """What an indicator means. `property` is the event property that carries it, for reading it at the event."""

    name: str
    kind: Kind = Kind.DESCRIPTIVE
    unit: str = ""
    total: Total = Total.MEAN
    better: Better = Better.NEITHER
    property: str = ""


def first_definition(key: str) -> Definition:
    """The definition of an indicator that nobody has described yet. Complaints are counted, and fewer are better."""
    if key == COMPLAINTS:
        return Definition("Complaints", total=Total.SUM, better=Better.LOWER)
    return Definition(key.replace("_", " ").replace("-", " ").strip().capitalize() or key)


def read_value(given: object, problems: list[str]) -> Value | None:
    """One value as it came in; a sentence is added for everything wrong."""
    if not isinstance(given, Mapping):
        problems.append(f"value: must be an object with {', '.join(FIELDS)}, not {kind_of(given)}")
        return None
    before = len(problems)
    problems += unknown_fields(given, frozenset(FIELDS), "")
    day = _day(given.get("day"), problems)
    step, service, line = (_scope(given.get(name), name, problems) for name in ("step", "service", "product_line"))
    value = _number(given, problems)
    if len(problems) > before or day is None:
        return None
    return Value(day, step, service, line, value)


def _day(value: object, problems: list[str]) -> date | None:
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    problems.append("day: is missing" if value is None else "day: must be a day such as 2026-11-02, from 2000 on")
    return None


def _scope(value: object, name: str, problems: list[str]) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        problems.append(f"{name}: must be a text or null, not {kind_of(value)}")
    elif has_control(value) or len(value) > SCOPE_LIMIT or value != value.strip():
        problems.append(f"{name}: must be one line of at most {SCOPE_LIMIT} characters without space at its ends")
    else:
        return value
    return ""


def _number(given: Mapping[str, object], problems: list[str]) -> float | None:
    if "value" not in given:
        problems.append("value: is missing; a null value takes the day away")
        return None
    value = given["value"]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(f"value: must be a number or null, not {kind_of(value)}")
    elif abs(value) > LARGEST or not math.isfinite(value):
        problems.append("value: is no number that can be kept; at most 1e15 either way")
    else:
        return float(value)
    return None


def read_csv(text: str, most: int) -> list[Line]:
    """The lines of a CSV file with a header, as raw values in file order. Numbers are written with a point.

    Raises NotATable.
    """
    lines = read_table(text, ("day", "value"), FIELDS[1:4], most)
    for line in lines:
        number = read_number(line.cells.get("value"))
        line.cells["value"] = float(number) if isinstance(number, int) else number
    return lines


@dataclass(frozen=True, slots=True)
class Band:
    """Values from above `low` up to `high`, which is included; None is without end."""

    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        return (self.low is None or value > self.low) and (self.high is None or value <= self.high)


def bands(edges: Iterable[float]) -> list[Band]:
    """The bands between these edges: up to the first, between two, above the last."""
    marks: list[float | None] = [None, *sorted(set(edges)), None]
    return [Band(low, high) for low, high in zip(marks, marks[1:], strict=False)]


def proposed_edges(values: Sequence[float]) -> list[float]:
    """Round edges that split these values into about five bands with answers in each; none without two values."""
    ordered = sorted(values)
    if not ordered or ordered[0] == ordered[-1]:
        return []
    found = {_round(ordered[len(ordered) * part // 5]) for part in range(1, 5)}
    return sorted(edge for edge in found if ordered[0] <= edge < ordered[-1])


def _round(value: float) -> float:
    """The value to two significant digits: 12 stays, 137 becomes 140, 0.137 becomes 0.14."""
    return 0.0 if value == 0 else float(round(value, 1 - math.floor(math.log10(abs(value)))))


def read_edges(text: str) -> list[float] | None:
    """Edges written as numbers between commas or spaces; None when it is not that, or there are too many."""
    try:
        found = [float(part) for part in re.split(r"[\s,;]+", text.strip()) if part]
    except ValueError:
        return None
    good = all(math.isfinite(edge) and abs(edge) <= LARGEST for edge in found)
    return sorted(set(found)) if good and 0 < len(set(found)) < MOST_BANDS else None


def pooled(total: Total, values: Sequence[float]) -> float | None:
    """One value of several by the indicator's way of adding up; None of none, never 0."""
    if not values:
        return None
    return math.fsum(values) if total is Total.SUM else math.fsum(values) / len(values)
