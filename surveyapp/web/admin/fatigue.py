"""Fatigue: does asking more often still get answers, where do people leave, how much of what happens do we hear?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, render_template

from surveyapp.domain import gates, intervals
from surveyapp.domain.differences import of_shares
from surveyapp.domain.gates import Status
from surveyapp.domain.verdicts import MINUS
from surveyapp.extensions import db
from surveyapp.queries import fatigue as queries
from surveyapp.queries.console.journeys import step_names
from surveyapp.queries.fatigue import MOST_ORDINALS, Answered
from surveyapp.web.admin import formats, params, shell
from surveyapp.web.admin.words import step_words

blueprint = Blueprint("fatigue", __name__)
SPANS = (28, 91, 364)
STILL_OPEN = timedelta(days=14)  # an ask may be answered this long; younger ones would look ignored
ORDINALS = "first second third fourth fifth sixth seventh eighth".split()
SOLID = 30
MOST_ROWS = 10


@dataclass(frozen=True)
class Rate:
    """A share with its interval, in percent or per thousand; positions are percent of the axis."""

    label: str
    n: int
    count: int
    status: Status
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    x: float = 0.0
    x_low: float = 0.0
    x_high: float = 0.0

    @property
    def shown(self) -> bool:
        return self.status in (Status.OK, Status.LOW_N)


@blueprint.get("/")
def index() -> str:
    session = db.session()
    days = params.days(91, SPANS)
    end = shell.now() - STILL_OPEN
    start = end - timedelta(days=days)
    names = step_names(session)
    ordinals = queries.by_ordinal(session, start, end)
    leaving = queries.opt_outs_by_step(session, start, end)

    def name(path: str) -> str:
        return step_words(names.get(path), path, None) if path else "Recurring surveys"

    return render_template(
        "admin/fatigue.html",
        days=days,
        spans=SPANS,
        start=start,
        end=end,
        ladder=rates({_ordinal(n): one for n, one in ordinals.items()}, 100),
        leaving=rates({name(path): one for path, one in sorted(leaving.items(), key=lambda p: (-p[1].of, p[0]))}, 1000),
        most=MOST_ROWS,
        covered=[(name(path), one) for path, one in queries.coverage(session, start, end).items()],
        asks=sum(one.of for one in ordinals.values()),
        sentence=sentence(ordinals),
        left=sum(one.count for one in leaving.values()),
        open_days=STILL_OPEN.days,
    )


def _ordinal(n: int) -> str:
    return f"{n}th and later" if n == MOST_ORDINALS else {1: "1st", 2: "2nd", 3: "3rd"}.get(n, f"{n}th")


def rates(found: Mapping[str, Answered], scale: int) -> list[Rate]:
    """Each share with its Wilson interval, out of `scale`; too small ones stay hidden. The axis ends at the widest."""
    rows = []
    for label, one in found.items():
        status = gates.gate(one.of)
        if status in (Status.OK, Status.LOW_N):
            interval = intervals.wilson(min(one.count, one.of), one.of)
            factor = scale / 100
            value = scale * min(one.count, one.of) / one.of
            rows.append(Rate(label, one.of, one.count, status, value, interval.low * factor, interval.high * factor))
        else:
            rows.append(Rate(label, one.of, one.count, status))
    top = max((row.high for row in rows), default=0) or scale
    return [
        Rate(
            row.label,
            row.n,
            row.count,
            row.status,
            row.value,
            row.low,
            row.high,
            *(round(100 * value / top, 2) for value in (row.value, row.low, row.high)),
        )
        for row in rows
    ]


def sentence(ordinals: Mapping[int, Answered]) -> str:
    """The answer to the page's question: does a later ask do worse than the first, beyond chance?"""
    first = ordinals.get(1)
    later = [n for n, one in ordinals.items() if n > 1 and one.of >= SOLID]
    if first is None or first.of < SOLID or not later:
        return "Too early to say: it takes 30 first asks and 30 later ones that had 14 days to be answered."
    last = max(later)
    other = ordinals[last]
    change = of_shares(first.count, first.of, other.count, other.of)
    low, high = change.interval.low, change.interval.high
    what = f"The {ORDINALS[last - 1]} ask of a year is answered by {formats.percent(other.count / other.of)}"
    what += f", the first by {formats.percent(first.count / first.of)}"
    if change.p >= 0.05 or low <= 0 <= high:
        between = f"{_whole(low)} to {_whole(high)} points"
        return f"{what}; whether that is fatigue or chance is undecidable ({between})."
    kind = "lower" if high < 0 else "higher"
    near, far = sorted((abs(low), abs(high)))
    return f"{what}: {kind} by {max(1, round(near))} to {max(1, round(far))} points."


def _whole(value: float) -> str:
    return f"{MINUS if round(value) < 0 else '+' if round(value) > 0 else ''}{abs(round(value))}"
