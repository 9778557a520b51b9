"""`/admin/metrics/KEY/expectation`: what the same people expected and then met, as a difference within each person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import url_for

from surveyapp.domain import differences, gates
from surveyapp.domain.definitions import NAMES
from surveyapp.domain.differences import Difference
from surveyapp.domain.expectation import WITHOUT, Pairs, before_and_after, earlier_metrics, gap
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import NOT_COMPUTED, Verdict, places_of, verdict
from surveyapp.extensions import db
from surveyapp.queries.console.expectation import Paired, paired, surveys_of
from surveyapp.queries.metrics import CONTEXT, Sums, drawn, hidden, metric_of
from surveyapp.web.admin import figures, formats
from surveyapp.web.admin.dashboard.address import Asked, done, read
from surveyapp.web.admin.dashboard.frame import Names, blueprint, known_metric, names_of, plain, refuse, show
from surveyapp.web.admin.dashboard.tables import Cell, Table

ALL = "All together"
MONTHS = 5
"""So many months before the present one are shown of what was expected."""


@dataclass(frozen=True)
class Gap:
    """What one group of people expected and met. `difference` is None where it may not be shown or has no spread."""

    label: str
    expected: figures.Drawn
    met: figures.Drawn
    n: int
    difference: Difference | None
    verdict: Verdict
    places: int

    @property
    def shown(self) -> bool:
        return self.met.shown

    @property
    def tone(self) -> str:
        return figures.tone(self.verdict)

    @property
    def delta(self) -> str:
        return formats.signed(self.difference.delta, self.places) if self.difference else ""

    @property
    def interval(self) -> str:
        """`−4 to +14`, or why there is none."""
        if self.difference is None:
            return "no interval: nobody’s answers differ from the others’" if self.shown else self.met.hidden
        low, high = (formats.signed(end, self.places) for end in self.difference.interval)
        return f"{low} to {high}"


@blueprint.get("/<key>/expectation")
def expectation(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key), "expected")
    names = names_of(asked)
    if key in WITHOUT:
        reader.wrong("expectation", f"{NAMES[key]} has no earlier answer of the same person to subtract")
    surveys = surveys_of(db.session(), earlier_metrics(key))
    expected = reader.text("expected")
    if expected is not None and expected not in surveys:
        offered = ", ".join(surveys) or "none yet"
        reader.wrong("expected", f"no survey '{expected[:80]}' asks on this metric's scale; there is {offered}")
    elif expected is not None and expected == asked.filters.survey:
        reader.wrong("expected", "is the survey of the later answers, too; choose another")
    asked = done(asked, reader, expected=expected)
    if asked.problems:
        return refuse(asked, asked.problems)
    found = paired(db.session(), asked.answers, expected) if expected else None
    gaps = _gaps(asked, names, found) if found else []
    table = _table(gaps)
    return show(
        "admin/metrics/expectation.html",
        asked,
        {table.name: table},
        names,
        options=[(k, plain(k)) for k in surveys if k != asked.filters.survey],
        expected=expected,
        expected_name=plain(expected or ""),
        found=found,
        gaps=gaps,
        course_url=_course_url(asked, names, expected) if expected else None,
    )


def _course_url(asked: Asked, names: Names, expected: str) -> str:
    """What was expected over the last half year, month by month and by the first segment there is."""
    by = next((CONTEXT + attribute.name for attribute in names.choices.attributes), "channel")
    first = (asked.now.last.replace(day=1) - timedelta(days=MONTHS * 30)).replace(day=1)
    days = {"from": first.isoformat(), "to": asked.now.last.isoformat()}
    metric = metric_of(db.session, expected)
    return url_for("dashboard.breakdown", key=metric, survey=expected, by=by, over="month", **days)


def _gaps(asked: Asked, names: Names, found: Paired) -> list[Gap]:
    """All people together, then by step of the later answer where there are several, corrected by Holm."""
    whole: dict[tuple[int, int], int] = {}
    for pairs in found.by_step.values():
        for scores, count in pairs.items():
            whole[scores] = whole.get(scores, 0) + count
    gaps = [_gap(asked.metric, ALL, whole)]
    if len(found.by_step) < 2:
        return gaps
    sizes = {step: sum(pairs.values()) for step, pairs in found.by_step.items()}
    away = gates.hidden(sizes, gates.floor_of(asked.metric))
    tested = {
        step: difference.p
        for step, pairs in found.by_step.items()
        if sizes[step] >= gates.SOLID and step not in away and (difference := gap(asked.metric, pairs))
    }
    corrected: Mapping[Any, float] = dict(zip(tested, differences.holm(list(tested.values())), strict=True))
    return gaps + [
        _gap(asked.metric, names.group("step", step), found.by_step[step], step in away, corrected.get(step))
        for step in names.order("step", list(found.by_step))
    ]


def _gap(metric: str, label: str, pairs: Pairs, away: bool = False, p: float | None = None) -> Gap:
    n, places = sum(pairs.values()), places_of(metric)
    sides = [drawn(metric, Sums(n=dict(histogram))) for histogram in before_and_after(pairs)]
    expected, met = (figures.drawn(hidden(side) if away else side) for side in sides)
    difference = gap(metric, pairs) if met.shown and expected.shown else None
    words = verdict(difference, n, n, better=METRICS[metric].better, p=p, places=places)
    return Gap(label, expected, met, n, difference, words if difference else NOT_COMPUTED, places)


def _table(gaps: list[Gap]) -> Table:
    rows = [
        [
            Cell(found.label, found.label),
            Cell(formats.number(found.n), found.n),
            Cell(found.expected.value or "hidden", found.expected.value or None),
            Cell(found.met.value or "hidden", found.met.value or None),
            Cell(found.delta, round(found.difference.delta, 4) if found.difference else None),
            *(
                Cell(formats.signed(end, found.places), round(end, 4))
                for end in (found.difference.interval if found.difference else ())
            ),
            *([] if found.difference else [Cell("", None), Cell("", None)]),
            Cell(found.verdict.words, found.verdict.words),
        ]
        for found in gaps
    ]
    columns = ("step", "people", "expected", "met", "met minus expected", "low", "high", "reads as")
    return Table("expectation", "Expected and met", columns, rows)
