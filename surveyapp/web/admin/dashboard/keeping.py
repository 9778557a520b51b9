"""Saving a page of a metric under a name, opening it by its link, and naming structural breaks. Parses and calls."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain.definitions import NAMES
from surveyapp.domain.scores import METRICS
from surveyapp.domain.verdicts import places_of
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import metrics
from surveyapp.queries.audit import Entry, entries
from surveyapp.queries.console import views as queries
from surveyapp.queries.console.views import ViewRow
from surveyapp.services import dashboard as services
from surveyapp.web.admin import formats
from surveyapp.web.admin.dashboard.address import done, read
from surveyapp.web.admin.dashboard.frame import blueprint, known_metric
from surveyapp.web.admin.dashboard.series import Break

WRITERS = (Role.ADMIN, Role.EDITOR, Role.ANALYST)
DROPPED = ("csv",)
MOST_DECIDED = 20
NAMED = "Give it a name of 1 to 80 characters."
NOT_THERE = "There is no such view; it was removed, or its owner does not share it."


def url_of(view: ViewRow) -> str:
    """The address that the view stands for."""
    metric, _, tab = view.page.partition("/")
    base = url_for(f"dashboard.{tab or 'metric'}", key=metric)
    return f"{base}?{view.query}" if view.query else base


def breaks_of(metric: str) -> list[Break]:
    """The structural breaks of a metric, in order of time."""
    return [Break(row.day, row.name, row.uid) for row in queries.structural_breaks(db.session(), metric)]


@blueprint.post("/views")
def save_view() -> Any:
    """The page that the form stands on, kept with its filters."""
    query = urlencode([pair for pair in parse_qsl(request.form.get("query", "")) if pair[0] not in DROPPED])
    try:
        services.save_view(
            current_user.id,
            request.form.get("name", ""),
            request.form.get("page", ""),
            query,
            shared=request.form.get("shared") == "1",
        )
    except services.NameMissing:
        abort(422, f"name: {NAMED}")
    except services.NoSuchPage:
        abort(422, "page: this page cannot be kept; open a metric and save it there.")
    except services.TooManyViews:
        abort(422, f"name: you keep {services.MOST_VIEWS} views already; remove one first.")
    flash("Saved. It is listed under Metrics.")
    return redirect(url_for("dashboard.index", _anchor="views"), 303)


@blueprint.get("/views/<uid>")
def open_view(uid: str) -> Response:
    found = queries.saved_view(db.session(), uid, current_user.id)
    if found is None:
        abort(404, NOT_THERE)
    return redirect(url_of(found), 303)


@blueprint.post("/views/<uid>/remove")
def remove_view(uid: str) -> Response:
    try:
        services.remove_view(uid, current_user.id, any_owner=current_user.role == Role.ADMIN)
    except services.NotYours:
        abort(404, NOT_THERE)
    flash("Removed.")
    return redirect(url_for("dashboard.index", _anchor="views"), 303)


@blueprint.post("/breaks")
def add_break() -> Response:
    _writer()
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        abort(422, "day: must be a day such as 2026-11-02.")
    if not 2000 <= day.year <= 2999:
        abort(422, "day: must lie between 2000 and 2999.")
    try:
        services.add_break(day, request.form.get("name", ""), request.form.get("metric") or None)
    except services.NameMissing:
        abort(422, f"name: {NAMED}")
    except services.NoSuchPage:
        abort(422, "metric: there is no such metric.")
    flash("Added. Figures are drawn apart there and not compared across it.")
    return redirect(url_for("dashboard.index", _anchor="breaks"), 303)


@blueprint.post("/breaks/<uid>/remove")
def remove_break(uid: str) -> Response:
    _writer()
    try:
        services.remove_break(uid)
    except services.NotYours:
        abort(404, "There is no such break.")
    flash("Removed. Figures are compared across that day again.")
    return redirect(url_for("dashboard.index", _anchor="breaks"), 303)


@blueprint.post("/<key>/decisions")
def keep_decision(key: str) -> Response:
    """What was decided on the figure of this address, which is read anew and kept as it stands."""
    _writer()
    asked, reader = read(db.session(), known_metric(key))
    asked = done(asked, reader)
    if asked.problems:
        abort(422, " ".join(asked.problems))
    figure = metrics.figure(db.session(), key, asked.dated)
    if figure.value is None or figure.low is None or figure.high is None:
        abort(422, "There is no figure that may be shown on these days, so nothing can be decided on it.")
    kept = {name: round(getattr(figure, name), 4) for name in ("value", "low", "high")}
    period = {"n": figure.n, "from": asked.now.first.isoformat(), "to": asked.now.last.isoformat()}
    query = {name: value for name, value in asked.query().items() if name != "days"} | {
        "from": asked.now.first,
        "to": asked.now.last,
    }
    try:
        services.keep_decision(
            key, urlencode(query), kept | period, request.form.get("decision", ""), request.form.get("owner", "")
        )
    except services.NameMissing:
        abort(422, "decision and owner: one line each, at most 300 and 80 characters.")
    flash("Kept with the figure as it stands. It is listed under Metrics.")
    return redirect(url_for("dashboard.index", _anchor="decided"), 303)


@dataclass(frozen=True)
class Decided:
    """What was once decided on a figure, in words as the figure stood then."""

    decision: str
    owner: str
    by: str
    at: datetime
    figure: str
    url: str


def decided() -> list[Decided]:
    """The newest decisions that were kept."""
    return [_decided(entry) for entry in entries(db.session(), subject="figure", limit=MOST_DECIDED)]


def _decided(entry: Entry) -> Decided:
    then, metric = entry.detail["figure"], METRICS[entry.target]
    places, unit = places_of(metric.key), f"{formats.THIN}%" if metric.headline == "share" else ""
    value = f"{formats.number(then['value'], places)}{unit}"
    interval = formats.span(then["low"], then["high"], places)
    days = f"{then['from']} to {then['to']}"
    words = f"{NAMES[metric.key]} {value}, {interval}, n {formats.number(then['n'])}, {days}"
    url = f"{url_for('dashboard.metric', key=metric.key)}?{entry.detail['query']}"
    return Decided(entry.detail["decision"], entry.detail["owner"], entry.actor, entry.at, words, url)


def _writer() -> None:
    if current_user.role not in WRITERS:
        abort(403, "This is for analysts, editors and admins.")
