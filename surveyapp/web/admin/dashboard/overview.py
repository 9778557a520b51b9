"""`/admin/metrics/`: every metric with its interval, its n and what changed against the period before."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask_login import current_user

from surveyapp.domain.definitions import NAMES, Definition, definition
from surveyapp.domain.verdicts import Verdict
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries.console.figures import Pair, Period, joined, pairs
from surveyapp.queries.console.journeys import journey_maps
from surveyapp.queries.console.turns import Turns
from surveyapp.queries.console.views import saved_views, structural_breaks
from surveyapp.queries.metrics import Filters
from surveyapp.web.admin import figures, formats, shell
from surveyapp.web.admin.dashboard.address import Asked, Reader
from surveyapp.web.admin.dashboard.frame import blueprint, period_items, period_words
from surveyapp.web.admin.dashboard.keeping import WRITERS, decided, url_of
from surveyapp.web.admin.dashboard.tables import Cell, Table, as_csv
from surveyapp.web.admin.journey_map import change_verdicts
from surveyapp.web.admin.turns import sentences, turns_of


@dataclass(frozen=True)
class Line:
    """A metric as a whole (`journey` None) or within one journey ('' for answers of no journey)."""

    asked: Asked
    definition: Definition
    journey: str | None
    name: str
    now: figures.Drawn
    before: figures.Drawn
    verdict: Verdict

    @property
    def answers_url(self) -> str:
        return self.asked.answers_url(journey=None) if self.journey == "" else self.asked.answers_url()


@blueprint.get("/")
def index() -> Any:
    session = db.session()
    reader = Reader(session, "")
    period, days = reader.period()
    if reader.problems:
        return render_template(
            "admin/metrics/index.html", lines=[], sentences=reader.problems, **_frame(period, days)
        ), 422
    found = pairs(session, period)
    journeys = {journey.key: formats.in_language(journey.name, shell.language()) for journey in journey_maps(session)}
    turns = turns_of(session, period)
    lines = _lines(found, journeys, period, days, turns)
    table = _table(lines)
    if request.args.get("csv") == table.name:
        return as_csv(table, "all")
    return render_template(
        "admin/metrics/index.html",
        lines=lines,
        turned=sentences(turns, {line.definition.key for line in lines}),
        sentences=[],
        table=table,
        views=[(view, url_of(view)) for view in saved_views(session, current_user.id)],
        breaks=structural_breaks(session),
        decided=decided(),
        names=NAMES,
        may_write=current_user.role in WRITERS,
        is_admin=current_user.role == Role.ADMIN,
        **_frame(period, days),
    )


def _frame(period: Period, days: int | None) -> dict[str, Any]:
    return {
        "period": period,
        "days": days,
        "period_items": period_items(days),
        "period_words": period_words,
        "zone": shell.zone(),
        "tone": figures.tone,
    }


def _lines(
    found: dict[tuple[str, str, str], Pair], journeys: dict[str, str], period: Period, days: int | None, turns: Turns
) -> list[Line]:
    """Every metric, and under it its journeys where it has more than one."""
    chosen: dict[str, tuple[str, Pair]] = {}
    places: dict[str, tuple[str, str | None]] = {}
    for metric in (key for key in NAMES if any(place[0] == key for place in found)):
        own = {place: pair for place, pair in found.items() if place[0] == metric}
        groups: list[str | None] = [None]
        inside = {place[1] for place in own}
        if len(inside) > 1:
            groups += sorted(
                inside, key=lambda key: (key == "", list(journeys).index(key) if key in journeys else 99, key)
            )
        for journey in groups:
            name = f"{metric} {journey}"
            chosen[name] = (metric, joined(p for place, p in own.items() if journey is None or place[1] == journey))
            places[name] = (metric, journey)
    changes = change_verdicts(chosen, turns)
    lines = []
    for name, (metric, pair) in chosen.items():
        now, before = (figures.drawn(figure) for figure in pair.figures(metric))
        journey = places[name][1]
        asked = Asked(metric, Filters(journey=journey or None), period, period.before, days)
        label = NAMES[metric] if journey is None else journeys.get(journey, journey) or "No journey"
        lines.append(Line(asked, definition(metric), journey, label, now, before, changes[name]))
    return lines


def _table(lines: list[Line]) -> Table:
    rows = [
        [
            Cell(line.definition.name, line.definition.key),
            Cell(line.journey or "all", line.journey if line.journey is not None else "all"),
            Cell(line.now.value, line.now.value),
            Cell(line.now.interval, line.now.interval),
            Cell(str(line.now.n), line.now.n),
            Cell(line.verdict.words, line.verdict.words),
        ]
        for line in lines
    ]
    return Table("metrics", "All metrics", ("metric", "journey", "value", "interval 95 %", "n", "against before"), rows)
