"""`/admin/metrics/nps/drivers`: how much of relational NPS is associated with each step, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.domain import intervals
from surveyapp.domain.definitions import NAMES
from surveyapp.domain.drivers import Impact, Place, quadrants, step_impact
from surveyapp.domain.gates import PRIVATE, SOLID
from surveyapp.extensions import db
from surveyapp.queries.console.drivers import MOST, StepLink, step_links
from surveyapp.web.admin import formats
from surveyapp.web.admin.dashboard.address import done, read
from surveyapp.web.admin.dashboard.charts import Chart
from surveyapp.web.admin.dashboard.frame import RELATIONAL, Names, blueprint, known_metric, names_of, refuse, show
from surveyapp.web.admin.dashboard.tables import Cell, Table

PITFALLS = (
    "Associations of people’s own answers, not causes: a bad day lowers both, and a mood colours all.",
    "A step that everybody likes shows no association and may still matter.",
    "Only people who answered both are here; who left answered neither.",
    "The worst step of one period is often better in the next by chance alone.",
)


@dataclass(frozen=True)
class StepImpact:
    """One step: its impact where both groups have five people, `few` where one has under thirty."""

    name: str
    metric: str
    link: StepLink
    impact: Impact | None
    satisfied: float | None
    across: intervals.Interval | None
    few: bool

    @property
    def key(self) -> str:
        return f"{self.link.step} {self.metric}"

    @property
    def n(self) -> int:
        return sum(self.link.satisfied) + sum(self.link.dissatisfied)

    @property
    def words(self) -> str:
        if self.impact is None:
            return f"hidden: shown from {PRIVATE} people on both sides"
        return f"{formats.number(self.impact.value, 1)}, {_span(self.impact.interval)}"


@blueprint.get("/<key>/drivers")
def drivers(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key))
    if key != RELATIONAL:
        reader.wrong("drivers", f"are read of {NAMES[RELATIONAL]} only; {NAMES[key]} is a step's own figure")
    asked = done(asked, reader)
    if asked.problems:
        return refuse(asked, asked.problems)
    names = names_of(asked)
    links = step_links(db.session(), asked.answers)
    steps = [_step(names, link) for link in links.steps]
    order = names.order("step", [step.link.step for step in steps])
    steps.sort(key=lambda step: order.index(step.link.step))
    solid = [step for step in steps if step.impact and not step.few]
    placed = _placed(solid)
    table = _table(steps, placed)
    return show(
        "admin/metrics/drivers.html",
        asked,
        {table.name: table},
        names,
        links=links,
        steps=steps,
        chart=_chart([step for step in steps if step.impact], placed),
        placed=placed,
        pitfalls=PITFALLS,
        most=MOST,
    )


def _step(names: Names, link: StepLink) -> StepImpact:
    yes, no = sum(link.satisfied), sum(link.dissatisfied)
    name = names.group("step", link.step)
    if min(yes, no) < PRIVATE:
        return StepImpact(name, link.metric, link, None, None, None, True)
    across = intervals.wilson(yes, yes + no)
    few = min(yes, no) < SOLID
    impact = step_impact(link.satisfied, link.dissatisfied)
    return StepImpact(name, link.metric, link, impact, 100 * yes / (yes + no), across, few)


@dataclass(frozen=True)
class Placed:
    x: float
    y: float
    names: dict[str, str]


def _placed(steps: Sequence[StepImpact]) -> Placed | None:
    """The matrix's lines and names, from three steps on."""
    if len(steps) < 3:
        return None
    places = {
        step.key: Place(step.satisfied or 0.0, step.across, step.impact.value, step.impact.interval)
        for step in steps
        if step.impact and step.across
    }
    line_x, line_y, found = quadrants(places)
    return Placed(line_x, line_y, found)


def _chart(steps: Sequence[StepImpact], placed: Placed | None) -> Chart | None:
    if not steps:
        return None
    rows = [
        {
            "name": step.name,
            "x": round(step.satisfied or 0.0, 2),
            "xlo": round(step.across.low, 2),
            "xhi": round(step.across.high, 2),
            "y": round(step.impact.value, 2),
            "ylo": round(step.impact.interval.low, 2),
            "yhi": round(step.impact.interval.high, 2),
            "few": step.few,
            "says": f"{step.name}\nsatisfied {formats.number(step.satisfied)} %, {formats.span(*step.across)}\n"
            f"impact {step.words}\nn {step.n}{', too few to name' if step.few else ''}",
        }
        for step in steps
        if step.impact and step.across
    ]
    data = {
        "kind": "crosses",
        "rows": rows,
        "x": _window([row["xlo"] for row in rows], [row["xhi"] for row in rows], 0, 100),
        "y": _window([row["ylo"] for row in rows], [row["yhi"] for row in rows], -100, 100),
        "xname": "satisfied with the step, %",
        "yname": "points of NPS associated with it",
        "lines": [placed.x, placed.y] if placed else None,
    }
    said = "; ".join(
        f"{step.name}: satisfied {formats.number(step.satisfied)} percent, impact {step.words}" for step in steps
    )
    return Chart("drivers", data, f"Importance and performance of {formats.counted(len(rows), 'step')}. {said}.")


def _window(lows: Sequence[Any], highs: Sequence[Any], least: int, most: int) -> list[int]:
    low, high = 10 * int(min(lows) // 10), 10 * int(-(-max(highs) // 10))
    return [max(least, low), min(most, high)]


def _span(interval: intervals.Interval) -> str:
    return formats.span(interval.low, interval.high, 1)


def _table(steps: Sequence[StepImpact], placed: Placed | None) -> Table:
    rows = []
    for step in steps:
        impact = step.impact
        reads = "too early" if impact and step.few else placed.names.get(step.key, "") if placed else ""
        rows.append(
            [
                Cell(step.name, step.name),
                Cell(NAMES[step.metric], step.metric),
                Cell(formats.number(step.n), step.n),
                *(
                    [
                        Cell(formats.percent(impact.share), round(100 * impact.share, 4)),
                        Cell(formats.number(impact.severity, 1), round(impact.severity, 4)),
                        Cell(formats.number(impact.value, 1), round(impact.value, 4)),
                        Cell(_span(impact.interval), f"{impact.interval.low:.4f} to {impact.interval.high:.4f}"),
                    ]
                    if impact
                    else [Cell("hidden", None), Cell("", None), Cell("", None), Cell("", None)]
                ),
                Cell(reads, reads),
            ]
        )
    columns = ("step", "metric", "people", "not satisfied", "gap in NPS", "impact", "interval", "reads as")
    return Table("drivers", "Steps and relational NPS", columns, rows)
