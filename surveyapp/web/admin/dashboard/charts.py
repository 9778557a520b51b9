"""What a browser needs to draw a chart, as plain data, and the sentence a screen reader says instead of it.

Colours, sizes and tooltips are the script's; hidden figures are null here already.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.differences import Decomposition
from surveyapp.domain.gates import Status
from surveyapp.domain.scores import METRICS
from surveyapp.web.admin import formats
from surveyapp.web.admin.dashboard.series import Break, Point

MOST_MARKS = 6


@dataclass(frozen=True)
class Chart:
    """`data` goes to the page as JSON; `sentence` is the drawing's accessible name."""

    name: str
    data: Mapping[str, Any]
    sentence: str


def trend(
    metric: str, points: Sequence[Point], breaks: Sequence[Break], marks: Sequence[tuple[Any, str]], today: Any
) -> Chart:
    """Weeks with their interval band, answers under them, segments cut at breaks, named lines."""
    places = 1 if METRICS[metric].headline == "mean" else 0
    shown = [point for point in points if point.figure.value is not None]
    low, high, step = window([(p.figure.low or 0.0, p.figure.high or 0.0) for p in shown], metric)
    rows = [
        {
            "label": formats.day_words(point.first, today),
            "v": _round(point.figure.value),
            "lo": _round(point.figure.low),
            "hi": _round(point.figure.high),
            "n": point.figure.n,
            "segment": point.segment,
            "few": point.figure.status == Status.LOW_N,
            "open": point.open,
            "says": point_words(point, places),
        }
        for point in points
    ]
    lines = [(cut.day, f"{cut.name}, {formats.day_words(cut.day, today)}", True) for cut in breaks]
    lines += [(day, name, False) for day, name in marks]
    found = []
    for day, name, structural in sorted(lines, key=lambda line: line[0]):
        at = next((i for i, point in enumerate(points) if point.first <= day <= point.last), None)
        if at is not None:
            found.append({"at": at, "name": name, "structural": structural})
    data = {
        "kind": "trend",
        "rows": rows,
        "min": low,
        "max": high,
        "step": step,
        "places": places,
        "lines": found[:MOST_MARKS],
    }
    return Chart("weeks", data, _trend_sentence(shown, places))


def _trend_sentence(shown: Sequence[Point], places: int) -> str:
    if not shown:
        return "By week: no week has enough answers to be shown."
    values = [point.figure.value or 0.0 for point in shown]
    least, most = formats.number(min(values), places), formats.number(max(values), places)
    return (
        f"By week: {formats.counted(len(shown), 'week')} with a figure, the lowest {least}, the highest {most}, "
        f"the last {formats.number(values[-1], places)}. Single weeks mostly differ by chance: see the verdict."
    )


def point_words(point: Point, places: int) -> str:
    """One week in words: value, interval, n and what to be careful about."""
    figure = point.figure
    if figure.value is None or figure.low is None or figure.high is None:
        return "no answers" if figure.status == Status.NO_DATA else f"hidden, {formats.counted(figure.n, 'answer')}"
    span = formats.span(figure.low, figure.high, places)
    text = f"{formats.number(figure.value, places)}, {span}, n {formats.number(figure.n)}"
    text += ", fewer than 30" if figure.status == Status.LOW_N else ""
    return text + (", may still change" if point.open else "")


def window(spans: Sequence[tuple[float, float]], metric: str) -> tuple[float, float, float]:
    """A stated window of the scale that holds every interval: its ends and the step of its lines."""
    known = METRICS[metric]
    ends = {"nps": (-100.0, 100.0), "share": (0.0, 100.0)}.get(known.headline, (float(known.low), float(known.high)))
    if not spans:
        return *ends, (ends[1] - ends[0]) / 4
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    step = next((s for s in (0.25, 0.5, 1, 2, 5, 10, 20, 50) if (high - low) / s <= 5), 50.0)
    return max(ends[0], math.floor(low / step) * step), min(ends[1], math.ceil(high / step) * step), step


def distribution(metric: str, histogram: Mapping[int, int]) -> Chart:
    """Answers by score, coloured by class: the one place where colour means class and not change."""
    known = METRICS[metric]
    rows = [
        {"label": formats.number(score), "n": histogram.get(score, 0), "class": class_of(metric, score)}
        for score in known.scale
    ]
    said = ", ".join(f"{row['label']}: {row['n']}" for row in rows)
    return Chart("distribution", {"kind": "bars", "rows": rows}, f"Answers by score. {said}.")


def class_of(metric: str, score: int) -> str:
    known = METRICS[metric]
    return "fav" if score in known.favourable else "unf" if score in known.unfavourable else "mid"


def mix(metric: str, before: float, now: float, parts: Decomposition) -> Chart:
    """From the figure before to the figure now: what the mix did, what the performance did."""
    places = 1
    steps = [before, before + parts.mix, now]
    low, high, step = window([(min(steps), max(steps))], metric)
    rows = [
        {"label": "Before", "from": before, "to": before, "text": formats.number(before, places), "kind": "end"},
        {"label": "Mix", "from": before, "to": steps[1], "text": formats.signed(parts.mix, places), "kind": "mix"},
        {
            "label": "Performance",
            "from": steps[1],
            "to": now,
            "text": formats.signed(parts.performance, places),
            "kind": "perf",
        },
        {"label": "Now", "from": now, "to": now, "text": formats.number(now, places), "kind": "end"},
    ]
    said = ", ".join(f"{str(row['label']).lower()} {row['text']}" for row in rows)
    return Chart(
        "mix", {"kind": "steps", "rows": rows, "min": low, "max": high, "step": step}, f"Mix and performance: {said}."
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
