"""Indicators: operational series beside what customers perceived at the same step. Associated with, never the cause."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from surveyapp.domain.indicators import KEY as KEY_SHAPE
from surveyapp.domain.indicators import (
    MOST_BANDS,
    Band,
    Better,
    Definition,
    Kind,
    Total,
    first_definition,
    pooled,
    read_csv,
    read_edges,
)
from surveyapp.domain.tables import NotATable
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import indicators as queries
from surveyapp.queries import metrics
from surveyapp.queries.console.journeys import step_names
from surveyapp.queries.metrics import Filters
from surveyapp.services import indicators
from surveyapp.web.admin import params, series_chart, shell
from surveyapp.web.admin.figures import Drawn, drawn
from surveyapp.web.admin.formats import days_back
from surveyapp.web.admin.uploads import refused_lines, uploaded_text
from surveyapp.web.admin.words import KINDS, step_words

blueprint = Blueprint("indicators", __name__)
EDITORS = (Role.ADMIN, Role.EDITOR)
LIMIT = 10_000
FILE_MEGABYTES = 2
PERIODS = (28, 91)
TOTALS = {Total.MEAN: "averaged (a duration, a rate)", Total.SUM: "added up (a count)"}
BETTERS = {Better.NEITHER: "neither way", Better.HIGHER: "when higher", Better.LOWER: "when lower"}


@dataclass(frozen=True)
class BandRow:
    words: str
    figure: Drawn


@blueprint.get("/")
def index() -> str:
    return _index()


def _index(problem: str | None = None) -> str:
    rows = queries.indicators(db.session)
    last = shell.today()
    scope = queries.Scope(first=days_back(last, 27), last=last)
    recent = {row.key: _recent(row, scope) for row in rows}
    return render_template(
        "admin/indicators.html",
        kinds=[(kind, KINDS[kind], [row for row in rows if row.definition.kind is kind]) for kind in Kind],
        total=len(rows),
        recent=recent,
        names=step_names(db.session()),
        may_edit=current_user.role in EDITORS,
        problem=problem,
        typed=request.form.get("key", ""),
        today_example=last.isoformat(),
    )


def _recent(row: queries.IndicatorRow, scope: queries.Scope) -> str | None:
    """The last four weeks in one value, in words."""
    days = queries.series(db.session, row.key, row.definition.total, scope, weekly=False)
    value = pooled(row.definition.total, [day.value for day in days if day.value is not None])
    return None if value is None else series_chart.plain(value)


@blueprint.post("/")
def create() -> Any:
    """A new indicator, described on its own page."""
    key = request.form.get("key", "").strip()
    if not KEY_SHAPE.fullmatch(key):
        return _index("Key: letters, digits, _ and -, beginning with a letter or digit, at most 80 characters."), 422
    if queries.indicator(db.session, key) is None:
        indicators.define(key, first_definition(key))
    return redirect(url_for("indicators.detail", key=key), 303)


@blueprint.get("/<key>")
def detail(key: str) -> str:
    return _detail(key)


@blueprint.post("/<key>")
def describe(key: str) -> Any:
    """Say what the indicator means."""
    if queries.indicator(db.session, key) is None:
        abort(404)
    form = request.form
    name, unit, prop = (form.get(field, "").strip() for field in ("name", "unit", "property"))
    problems = {
        field: f"{field.capitalize()}: one line of at most {most} characters."
        for field, text, most in (("name", name, 200), ("unit", unit, 40), ("property", prop, 80))
        if len(text) > most or not (text.isprintable()) or (field == "name" and not text)
    }
    try:
        kind, total, better = Kind(form.get("kind", "")), Total(form.get("total", "")), Better(form.get("better", ""))
    except ValueError:
        abort(400, "The type, the way of adding up or the direction is none of those offered.")
    if problems:
        return _detail(key, problems=problems), 422
    indicators.define(key, Definition(name, kind, unit, total, better, prop))
    flash(f"{name} is described.")
    return redirect(url_for("indicators.detail", key=key), 303)


@blueprint.post("/<key>/values")
def import_values(key: str) -> Any:
    """Values from a CSV file or pasted lines; good lines are kept when others are bad."""
    if queries.indicator(db.session, key) is None:
        abort(404)
    try:
        lines = read_csv(uploaded_text(FILE_MEGABYTES), LIMIT)
    except NotATable as problem:
        return _detail(key, wrong=[str(problem)]), 422
    done = indicators.keep_values(key, [line.cells for line in lines])
    told = f"{done.accepted} kept, {done.removed} taken away, {len(done.rejected)} refused."
    if done.rejected:
        return _detail(key, wrong=[told, *refused_lines(lines, done.rejected)]), 422
    flash(told)
    return redirect(url_for("indicators.detail", key=key), 303)


def _detail(key: str, wrong: list[str] | None = None, problems: dict[str, str] | None = None) -> str:
    row = queries.indicator(db.session, key)
    if row is None:
        abort(404, "There is no indicator of this key.")
    days = params.days(91, PERIODS)
    last = params.day("to") or shell.today()
    first = days_back(last, days - 1)
    weekly = days > 28
    step = params.text("step") or next((s for s in row.steps if s), None)
    scope = queries.Scope(step=step, first=first, last=last)
    points = queries.series(db.session, key, row.definition.total, scope, weekly)
    found = metrics.step_figures(db.session, step.partition(".")[0], Filters(first=first, last=last)) if step else {}
    perceived = found.get(step or "")
    period = "week" if weekly else "day"
    filters, names = Filters(step=step, first=first, last=last), step_names(db.session())
    figures = metrics.figures_by(db.session, perceived.metric, (period,), filters) if perceived else []
    return render_template(
        "admin/indicator.html",
        row=row,
        days=days,
        first=first,
        last=last,
        step=step,
        names=names,
        step_choices=[(s, step_words(names.get(s), s)) for s in row.steps if s],
        chart=series_chart.chart(points, figures, perceived.metric if perceived else None, period),
        whole=_whole(row, points),
        perceived=drawn(perceived) if perceived else None,
        perceived_key=perceived.metric if perceived else None,
        period=period,
        wrong=wrong,
        problems=problems or {},
        form=request.form if request.method == "POST" and problems else None,
        choices={"kind": KINDS, "total": TOTALS, "better": BETTERS},
        may_edit=current_user.role in EDITORS,
        **_at_event(row, perceived.metric if perceived else None, step, first, last),
    )


def _whole(row: queries.IndicatorRow, points: list[queries.Point]) -> str | None:
    """The whole period in one value, each period weighing by its number of values."""
    if row.definition.total is Total.SUM:
        value = pooled(Total.SUM, [p.value for p in points if p.value is not None])
    else:
        n = sum(p.n for p in points)
        value = sum(p.value * p.n for p in points if p.value is not None) / n if n else None
    return None if value is None else series_chart.plain(value)


def _at_event(
    row: queries.IndicatorRow, metric: str | None, step: str | None, first: date, last: date
) -> dict[str, Any]:
    """The metric by bands of the event's property, with what the page needs to choose them."""
    name = params.text("property") or row.definition.property
    given = params.text("bands")
    edges = read_edges(given) if given else None
    chosen = {
        "property": name,
        "bands": given or "",
        "bands_wrong": bool(given) and edges is None,
        "most_bands": MOST_BANDS - 1,
        "band_rows": [],
        "untold": 0,
        "whole_figure": None,
        "properties": [],
    }
    if metric is None:
        return chosen
    chosen["properties"] = queries.properties(db.session, step)
    if not name:
        return chosen
    found = queries.at_event(db.session, metric, name, step=step, first=first, last=last, edges=edges)
    if found.total.n == 0:
        return chosen
    chosen["band_rows"] = [BandRow(_band_words(band), drawn(figure)) for band, figure in found.groups]
    chosen["whole_figure"], chosen["untold"] = drawn(found.total), found.untold
    chosen["bands"] = given or ", ".join(f"{edge:g}" for edge in found.edges)
    return chosen


def _band_words(band: Band) -> str:
    low, high = (None if end is None else series_chart.plain(end) for end in (band.low, band.high))
    if low is None and high is None:
        return "any"
    if low is None:
        return f"up to {high}"
    return f"above {low}" if high is None else f"above {low}, up to {high}"
