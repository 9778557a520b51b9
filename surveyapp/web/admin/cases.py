"""Cases: who waits for us, since when and why; closed with how it ended."""

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
MAY_CLOSE = frozenset({Role.ADMIN, Role.EDITOR, Role.AGENT})
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
    wanted = queries.CaseFilter(
        closed=params.choice("state", ["closed"]) is not None,
        journey=params.choice("journey", [key for key, _ in journeys]),
        customer=params.text("customer"),
    )
    waiting, closed, oldest = queries.case_totals(session, wanted)
    return render_template(
        "admin/cases.html",
        page=queries.case_lines(session, wanted, paging.read_mark(params.text("older"))),
        wanted=wanted,
        waiting=waiting,
        closed=closed,
        oldest=oldest,
        journeys=[(key, in_language(name, shell.language()) or key) for key, name in journeys],
        names=step_names(session),
        outcomes=OUTCOMES,
        may_close=current_user.role in MAY_CLOSE,
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
    kept = {name: value for name, value in request.args.items() if name in ("journey", "customer")}
    return redirect(url_for("cases.index", **kept), 303)
