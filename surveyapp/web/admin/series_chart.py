"""Where an operational series and the perception of its step are drawn: two panels over one time axis, never two axes
in one. Geometry only; computes no figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from surveyapp.domain.gates import Status
from surveyapp.domain.scores import METRICS
from surveyapp.queries.indicators import Point
from surveyapp.queries.metrics import Figure
from surveyapp.web.admin.figures import Drawn, drawn, scale_of
from surveyapp.web.admin.formats import MONTHS, number

TOP, BOTTOM = 26.0, 108.0
GAP = 44.0
"""Each panel is drawn between TOP and BOTTOM; the second begins GAP below the first's end."""


@dataclass(frozen=True)
class Period:
    """One column: both values in words, and where they stand (x in percent, y in pixels; None when not drawn)."""

    name: str
    x: float
    value: str | None
    y: float | None
    figure: Drawn | None
    at: float | None = None
    low: float | None = None
    high: float | None = None
    label: str = ""
    spare: bool = False
    """Its label is left out where all of them would touch."""


@dataclass(frozen=True)
class Chart:
    """The periods, the ends of both scales in words, and whether anything is drawn in each panel."""

    periods: list[Period]
    top: str
    bottom: str
    upper: str
    lower: str
    lines: list[tuple[float, float, float, float]]
    has_values: bool
    has_figures: bool
    has_hidden: bool


def chart(points: Sequence[Point], figures: Sequence[Figure], metric: str | None, by: str) -> Chart:
    """The drawing of a series beside figures by the same period (`day` or `week`)."""
    told = [point.value for point in points if point.value is not None]
    low, high = (min(told), max(told)) if told else (0.0, 0.0)
    if told and low >= 0 and low < high * 0.6:
        low = 0.0
    reach = high - low
    scale = scale_of(METRICS[metric]) if metric else (0.0, 1.0)
    by_name = {str(f.key[by]): f for f in figures}
    every = max(1, -(-len(points) // 7))
    periods = []
    for place, point in enumerate(points):
        found = by_name.get(point.name)
        shown = found is not None and found.status in (Status.OK, Status.LOW_N)
        periods.append(
            Period(
                point.name,
                round(100 * (place + 0.5) / len(points), 2),
                None if point.value is None else plain(point.value),
                None if point.value is None else _y((point.value - low) / reach if reach else 0.5),
                drawn(found) if found is not None else None,
                *([_place(value, scale) for value in (found.value, found.low, found.high)] if found and shown else ()),
                label=_named(point.name) if place % every == 0 else "",
                spare=place // every % 2 == 1,
            )
        )
    bottom, top = (number(end) for end in scale)
    has_figures = any(p.at is not None for p in periods)
    has_hidden = any(p.figure is not None and p.figure.status == Status.SUPPRESSED for p in periods)
    return Chart(periods, plain(high), plain(low), top, bottom, _lines(periods), bool(told), has_figures, has_hidden)


def _named(period: str) -> str:
    """The day, or the Monday of the week, as it stands below the drawing: `2 Nov`."""
    week = period[5:6] == "W"
    day = date.fromisocalendar(int(period[:4]), int(period[6:]), 1) if week else date.fromisoformat(period)
    return f"{day.day} {MONTHS[day.month - 1]}"


def plain(value: float) -> str:
    """A value with as many digits as it needs, at most four that count."""
    size = abs(value)
    places = 0 if size >= 1000 or value == int(value) else 1 if size >= 10 else 2
    return number(value, places)


def _y(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _place(value: float | None, scale: tuple[float, float]) -> float | None:
    if value is None:
        return None
    return round(BOTTOM + GAP + _y((value - scale[0]) / (scale[1] - scale[0])) - TOP, 1)


def _lines(periods: Sequence[Period]) -> list[tuple[float, float, float, float]]:
    """The hairlines between neighbours that both have a value; a gap stays a gap."""
    return [
        (one.x, one.y, two.x, two.y)
        for one, two in zip(periods, periods[1:], strict=False)
        if one.y is not None and two.y is not None
    ]
