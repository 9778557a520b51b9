"""Cases: who waits for us, since when and why; taken by somebody, closed with how it ended."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from surveyapp.domain.vocabulary import CaseOutcome, Role
from surveyapp.extensions import db
from surveyapp.queries.console import cases as queries
from surveyapp.queries.console import paging
from surveyapp.queries.console.journeys import step_names
from surveyapp.services import cases
from surveyapp.web.admin import params, shell
from surveyapp.web.admin.formats import in_language

blueprint = Blueprint("cases", __name__)
MAY_CHANGE = frozenset({Role.ADMIN, Role.EDITOR, Role.AGENT})
OUTCOMES = {
    CaseOutcome.SOLVED: "solved",
    CaseOutcome.EXPLAINED: "explained",
    CaseOutcome.COMPENSATED: "compensated",
    CaseOutcome.OUT_OF_OUR_HANDS: "out of our hands",
}


@blueprint.get("/")
def index() -> str:
    session = db.session()
    journeys = queries.journeys(session)
    state = params.choice("state", ["mine", "closed"])
    wanted = queries.CaseFilter(
        closed=state == "closed",
        looked_after_by=current_user.email if state == "mine" else None,
        journey=params.choice("journey", [key for key, _ in journeys]),
        customer=params.text("customer"),
    )
    return render_template(
        "admin/cases.html",
        page=queries.case_lines(session, wanted, paging.read_mark(params.text("older"))),
        wanted=wanted,
        state=state,
        me=current_user.email,
        totals=queries.case_totals(session, wanted, current_user.email),
        journeys=[(key, in_language(name, shell.language()) or key) for key, name in journeys],
        names=step_names(session),
        outcomes=OUTCOMES,
        may_change=current_user.role in MAY_CHANGE,
    )


@blueprint.post("/<uid>/close")
def close(uid: str) -> Any:
    """Somebody has looked after the person; how it ended stands in the audit."""
    outcome = request.form.get("outcome", "")
    if outcome not in set(CaseOutcome):
        flash("Not closed: choose how it ended.")
    else:
        try:
            cases.close_case(uid, CaseOutcome(outcome))
        except cases.CaseUnknown:
            abort(404, "There is no case of this id.")
        flash(f"The case is closed: {OUTCOMES[CaseOutcome(outcome)]}.")
    return _back()


@blueprint.post("/<uid>/take")
def take(uid: str) -> Any:
    """Whoever presses looks after the person from now on; `previous` is who did when the page was made."""
    _looked_after(uid, lambda: cases.take_case(uid, request.form.get("previous") or None), "You look after this case.")
    return _back()


@blueprint.post("/<uid>/give-back")
def give_back(uid: str) -> Any:
    """Free again, for anybody to take."""
    _looked_after(uid, lambda: cases.give_back_case(uid), "The case is free again.")
    return _back()


def _looked_after(uid: str, change: Callable[[], object], done: str) -> None:
    try:
        change()
    except cases.CaseUnknown:
        abort(404, "There is no case of this id.")
    except cases.CaseClosed:
        flash("Nothing changed: the case is closed.")
    except cases.CaseTaken as taken:
        flash(f"Nothing changed: {taken} looks after this case.")
    else:
        flash(done)


def _back() -> Any:
    kept = {name: value for name, value in request.args.items() if name in ("state", "journey", "customer")}
    return redirect(url_for("cases.index", **kept), 303)
