"""Try a policy on recorded events: choose policy and period, see how far it is, then current against draft."""

import json
from datetime import date, timedelta
from typing import Any

import yaml
from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.domain.programme.tree import Node, Table, locate, plain
from surveyapp.extensions import db
from surveyapp.models import Simulation
from surveyapp.queries.console import simulations as queries
from surveyapp.queries.console.journeys import step_names
from surveyapp.services import simulation_runs
from surveyapp.services.programme_file import read_tree
from surveyapp.services.simulation import PeriodRefused
from surveyapp.web.admin import formats, shell, simulated
from surveyapp.web.admin.words import step_words

blueprint = Blueprint("simulation", __name__)
USUAL_DAYS = 91
LONGEST_TEXT = 100_000
MOST_ROWS = 12


@blueprint.get("/")
def index() -> str:
    session = db.session()
    start = queries.beginning(session, shell.now())
    last = queries.last_event(session)
    last_day = min(formats.local(last, shell.zone()).date(), shell.today()) if last else shell.today()
    return _form(start, _written(start.definition), last_day - timedelta(days=USUAL_DAYS - 1), last_day, {})


def _form(start: queries.Beginning, text: str, first: date | str, last: date | str, errors: dict[str, str]) -> str:
    return render_template(
        "admin/simulation_new.html",
        start=start,
        text=text,
        first=first,
        last=last,
        errors=errors,
        latest=queries.latest(db.session()),
    )


def _written(definition: Any) -> str:
    return yaml.safe_dump(dict(definition), sort_keys=False, allow_unicode=True) if definition else ""


@blueprint.post("/")
def order() -> Response | tuple[str, int]:
    text = request.form.get("policy", "").replace("\r\n", "\n")[:LONGEST_TEXT]
    errors: dict[str, str] = {}
    tree = _policy(text, errors)
    first, last = (_day(name, errors) for name in ("from", "to"))
    if first and last and tree is not None:
        start, end = (formats.day_start(day, shell.zone()) for day in (first, last + timedelta(days=1)))
        try:
            uid = simulation_runs.order(_plain(tree), start, end - timedelta(microseconds=1))
            return redirect(url_for("simulation.detail", uid=uid), 303)
        except PolicyProblems as found:
            errors["policy"] = _sentences(found, tree)
        except PeriodRefused:
            errors["to"] = "The last day lies before the first."
    start_from = queries.beginning(db.session(), shell.now())
    return _form(start_from, text, request.form.get("from", ""), request.form.get("to", ""), errors), 422


def _policy(text: str, errors: dict[str, str]) -> Node | None:
    """The policy that was written, with the place of each value: read exactly as a programme file is."""
    if not text.strip():
        return Table(1, 1, ())
    tree, problems = read_tree(text)
    if tree is None or problems:
        errors["policy"] = " ".join(f"Line {problem.line}: {problem.sentence}" for problem in problems[:5])
        return None
    if isinstance(tree, Table) and isinstance(inner := tree.get("policy"), Table):
        tree = inner
    if not isinstance(tree, Table):
        errors["policy"] = "A policy is names with values, such as “gap: {1: 7d, 2: 30d}”."
        return None
    return tree


def _plain(tree: Node) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(json.dumps(plain(tree), default=str))
    return definition


def _sentences(problems: PolicyProblems, tree: Node) -> str:
    """What is wrong, each with its line."""
    return " ".join(f"Line {locate(tree, path).line}: {why}." for path, why in problems.problems[:5])


def _day(name: str, errors: dict[str, str]) -> date | None:
    try:
        day = date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        day = None
    if day is None or not 1971 <= day.year <= 2999:
        errors[name] = "Choose a day."
        return None
    return day


@blueprint.get("/<uid>")
def detail(uid: str) -> str | Response:
    row = _found(uid)
    if row.result is None:
        waits = queries.ahead(db.session(), row) if row.state == "waiting" else 0
        if request.headers.get("HX-Request"):
            return render_template("admin/simulation_progress.html", row=row, ahead=waits)
        return render_template("admin/simulation_waiting.html", row=row, ahead=waits)
    if request.headers.get("HX-Request"):
        return Response("", headers={"HX-Refresh": "true"})
    return _result(row)


def _result(row: Simulation) -> str:
    session = db.session()
    result: dict[str, Any] = row.result or {}
    names = step_names(session)

    def step(place: str) -> str:
        return step_words(names.get(place), place if "." in place else None, formats.sentence_case(place))

    def trigger(key: str) -> str:
        return formats.sentence_case(key.replace("_", " "))

    now, then = result["current"], result["proposed"]
    end = formats.local(row.end, shell.zone()).date()
    return render_template(
        "admin/simulation.html",
        row=row,
        result=result,
        first=formats.local(row.start, shell.zone()).date(),
        last=end,
        days=(end - formats.local(row.start, shell.zone()).date()).days + 1,
        pairs=simulated.pairs(result, step),
        triggers=simulated.bars(now["asked_by_trigger"], then["asked_by_trigger"], trigger),
        refusals=simulated.refusals(result),
        contacts=simulated.contacts(result),
        precision=simulated.precision(result, step),
        paragraph=simulated.paragraph(result, trigger, step),
        most=MOST_ROWS,
        policy=_written(row.definition),
    )


@blueprint.post("/<uid>/cancel")
def cancel(uid: str) -> Response:
    _found(uid)
    simulation_runs.cancel(uid)
    return redirect(url_for("simulation.index"), 303)


def _found(uid: str) -> Simulation:
    row = queries.one(db.session(), uid)
    if row is None:
        abort(404, "There is no simulation with this number; only the latest fifty are kept.")
    return row
