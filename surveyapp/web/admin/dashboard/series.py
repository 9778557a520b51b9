"""A metric over time as points, cut where something structural changed. No database, no request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from surveyapp.domain import gates
from surveyapp.domain.gates import Status
from surveyapp.queries.console.dashboard import summed
from surveyapp.queries.metrics import Figure, Sums, drawn, hidden

WEEKS = 26
OPEN_DAYS = {"sms": 3, "web": 0, "import": 0, "link": 0}
LONGEST_OPEN = 14
"""Days until a link is closed and no late answer can restate a day: e-mail's, unless one channel is chosen."""


@dataclass(frozen=True)
class Break:
    """A dated structural break: what was measured before differs in kind from what was measured after."""

    day: date
    name: str
    uid: str = ""


@dataclass(frozen=True)
class Point:
    """One week, or the part of it before or after a break. `open` weeks may still be restated by late answers."""

    first: date
    last: date
    segment: int
    figure: Figure
    open: bool


def open_since(today: date, channel: str | None) -> date:
    """The first day that late answers may still restate."""
    return today - timedelta(days=OPEN_DAYS.get(channel or "", LONGEST_OPEN))


def points(
    metric: str, days: Mapping[date, Sums], first: date, last: date, breaks: Sequence[Break], settled: date
) -> list[Point]:
    """The weeks from `first` to `last`, split at breaks, hidden where a week's few answers would show.

    `settled` is the first day that may still change.
    """
    cuts = sorted({cut.day for cut in breaks if first < cut.day <= last})
    starts = sorted({first, *cuts, *_mondays(first, last)})
    found = []
    for i, start in enumerate(starts):
        end = starts[i + 1] - timedelta(days=1) if i + 1 < len(starts) else last
        segment = sum(cut <= start for cut in cuts)
        figure = drawn(metric, summed(days, start, end))
        found.append(Point(start, end, segment, figure, end >= settled))
    away = gates.hidden({point.first: point.figure.n for point in found}, gates.floor_of(metric))
    return [
        replace(point, figure=hidden(point.figure))
        if point.first in away and point.figure.status != Status.NO_DATA
        else point
        for point in found
    ]


def _mondays(first: date, last: date) -> list[date]:
    monday = first - timedelta(days=first.weekday())
    return [
        day for i in range((last - monday).days // 7 + 1) if first <= (day := monday + timedelta(days=7 * i)) <= last
    ]


def between(breaks: Sequence[Break], first: date, last: date) -> list[Break]:
    """The breaks that lie inside: after the first day, up to the last."""
    return [cut for cut in breaks if first < cut.day <= last]
