"""Reviews that others publish about us: how one is read, and what its source's ratings mean. Never a metric of ours.

Nobody was asked for one: it has no customer, no chance of being asked, no part in any figure. Its author is not kept.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from surveyapp.domain import gates, intervals, scores
from surveyapp.domain.fields import (
    kind_of,
    name_problem,
    read_id,
    read_instant,
    read_text,
    read_timezone,
    unknown_fields,
)
from surveyapp.domain.gates import Status
from surveyapp.domain.identity import has_control
from surveyapp.domain.reporting_values import LONGEST
from surveyapp.domain.tables import Line, read_number, read_table

SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
TITLE_LIMIT = 300
TEXT_LIMIT = 10_000
URL_LIMIT = 2_000
LANGUAGE_LIMIT = 20
STEP_LIMIT = 161
SCALE_LIMIT = 1_000
EARLY = timedelta(days=1)  # how far the sender's clock may run ahead of ours
PART = 100
"""Ratings are counted in hundredths, so that sums of them are exact."""
CONTEXT = "context."
NEEDED = ("source", "id", "reviewed_at")
OTHERS = ("rating", "scale_min", "scale_max", "title", "text", "language", "url", "step", "timezone")
KNOWN = frozenset((*NEEDED, *OTHERS, "context"))


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating on the source's own scale, both ends included."""

    value: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ReviewIn:
    """`step` is long (`journey.step`); `context` holds reporting attributes only."""

    source: str
    id: str
    reviewed_at: datetime
    rating: Rating | None = None
    title: str = ""
    text: str = ""
    language: str | None = None
    url: str | None = None
    step: str | None = None
    timezone: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RatingFigure:
    """The mean of a source's ratings with its t interval, within the scale. Nothing but `n` below the gate.

    No interval where all ratings are the same. `histogram` counts hundredths.
    """

    n: int
    status: Status
    value: float | None = None
    low: float | None = None
    high: float | None = None
    histogram: Mapping[int, int] = field(default_factory=dict)


def rating_figure(histogram: Mapping[int, int], low: int, high: int) -> RatingFigure:
    """The figure of these ratings, counted in hundredths, on the scale from `low` to `high`."""
    n = scores.answers(histogram)
    status = gates.gate(n)
    mean = scores.mean(histogram)
    if mean is None or status is Status.SUPPRESSED:
        return RatingFigure(n, status)
    interval = intervals.mean_interval(histogram)
    if interval is None:
        return RatingFigure(n, status, mean / PART, histogram=histogram)
    ends = max(float(low), interval.low / PART), min(float(high), interval.high / PART)
    return RatingFigure(n, status, mean / PART, *ends, histogram)


def read_review(value: object, now: datetime) -> ReviewIn | list[str]:
    """The review, or every problem found, each a sentence that begins with the field's name.

    An unknown time zone is no problem: the brand's is used.
    """
    if not isinstance(value, dict):
        return [f"review: must be an object, not {kind_of(value)}"]
    problems = unknown_fields(value, KNOWN, "")
    moment = read_instant(value.get("reviewed_at"), "reviewed_at", problems)
    if moment is not None and moment > now + EARLY:
        problems.append("reviewed_at: lies ahead; check the sender's clock")
    found: dict[str, Any] = {
        "source": _source(value.get("source"), problems),
        "id": read_id(value.get("id"), "id", problems),
        "rating": _rating(value, problems),
        "title": read_text(value.get("title"), "title", problems, TITLE_LIMIT) or "",
        "text": _text(value.get("text"), problems),
        "language": read_text(value.get("language"), "language", problems, LANGUAGE_LIMIT),
        "url": _url(value.get("url"), problems),
        "step": read_text(value.get("step"), "step", problems, STEP_LIMIT),
        "timezone": read_timezone(value.get("timezone"), "timezone", problems),
        "context": _context(value.get("context"), problems),
    }
    if not problems and found["rating"] is None and not (found["title"].strip() or found["text"].strip()):
        problems.append("text: is missing; a review has a rating, a title or a text")
    if problems or moment is None:
        return problems
    return ReviewIn(reviewed_at=moment, **found)


def read_reviews(text: str, most: int) -> list[Line]:
    """The lines of a CSV file with a header, as `read_review` takes them. `context.NAME` is a column of its own.

    Raises NotATable.
    """
    lines = read_table(text, NEEDED, OTHERS, most, lambda name: len(name) > len(CONTEXT) and name.startswith(CONTEXT))
    for line in lines:
        names = [name for name in line.cells if name.startswith(CONTEXT)]
        told = {name.removeprefix(CONTEXT): line.cells.pop(name) for name in names}
        line.cells["context"] = {name: cell for name, cell in told.items() if cell is not None}
        for name in OTHERS[:3]:
            if name in line.cells:
                line.cells[name] = read_number(line.cells[name])
    return lines


def _source(value: object, problems: list[str]) -> str:
    if isinstance(value, str) and SOURCE.fullmatch(value):
        return value
    if value is None:
        problems.append("source: is missing")
    else:
        problems.append("source: must be a key such as trustpilot or app_store: a–z, 0–9, _ . -, at most 40")
    return ""


def _rating(value: Mapping[str, Any], problems: list[str]) -> Rating | None:
    rating = value.get("rating")
    low, high = (_end(value.get(name), name, rating is not None, problems) for name in ("scale_min", "scale_max"))
    if rating is None or low is None or high is None:
        return None
    if low >= high:
        problems.append(f"scale_max: must be above scale_min, which is {low}")
    elif isinstance(rating, bool) or not isinstance(rating, int | float):
        problems.append(f"rating: must be a number or null, not {kind_of(rating)}")
    elif not math.isfinite(rating) or not low <= rating <= high:
        problems.append(f"rating: must lie on its scale, {low} to {high}")
    elif abs(rating * PART - round(rating * PART)) > 1e-6:
        problems.append("rating: has at most two decimals")
    else:
        return Rating(round(rating * PART) / PART, low, high)
    return None


def _end(value: object, name: str, needed: bool, problems: list[str]) -> int | None:
    if value is None:
        problems += [f"{name}: is missing beside the rating"] if needed else []
    elif type(value) is not int or not -SCALE_LIMIT <= value <= SCALE_LIMIT:
        problems.append(f"{name}: must be a whole number from -{SCALE_LIMIT:,} to {SCALE_LIMIT:,}")
    else:
        return value
    return None


def _text(value: object, problems: list[str]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        problems.append(f"text: must be a text, not {kind_of(value)}")
    elif len(value) > TEXT_LIMIT:
        problems.append(f"text: has {len(value):,} characters; at most {TEXT_LIMIT:,} are kept")
    elif "\0" in value:
        problems.append("text: holds the NUL character")
    else:
        return value
    return ""


def _url(value: object, problems: list[str]) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= URL_LIMIT and not has_control(value) and " " not in value:
        try:
            parts = urlsplit(value)
            if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc:
                return value
        except ValueError:
            pass
    problems.append(f"url: must be an address that begins with https:// or http://, at most {URL_LIMIT:,} characters")
    return None


def _context(value: object, problems: list[str]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(f"context: must be an object, not {kind_of(value)}")
        return {}
    for name, item in value.items():
        if (problem := name_problem(name) or _item_problem(item)) is not None:
            problems.append(f"{CONTEXT}{name[:LONGEST]}: {problem}")
    return value


def _item_problem(item: object) -> str | None:
    if isinstance(item, str):
        short = len(item) <= LONGEST and not has_control(item)
        return None if short else f"must be one line of at most {LONGEST} characters"
    if isinstance(item, bool) or (isinstance(item, int | float) and math.isfinite(item) and abs(item) <= 1e15):
        return None
    return "must be a text, a number, true or false"
