"""The demonstration's own page: let an invented customer reach a step and see what becomes of it. Absent elsewhere."""

from datetime import timedelta

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision
from surveyapp.queries.catalog import wording
from surveyapp.services import delivery, demonstration, senders
from surveyapp.web.admin import shell

blueprint = Blueprint("try_it", __name__)
SINCE = timedelta(seconds=20)  # a click within seconds of the hand-over would look like a gateway's, not a newcomer's


@blueprint.before_request
def _only_in_the_demonstration() -> None:
    if not current_app.config["DEMO"]:
        abort(404)


@blueprint.get("/")
def index() -> str:
    languages = [(code, wording(code)["name"]) for code in shell.languages()]
    return render_template("admin/try_it.html", steps=demonstration.steps_to_try(), languages=languages)


@blueprint.post("/")
def reach() -> Response:
    """Make the step happen, let one dispatch pass decide and send, and show the message or the refusal."""
    path, language = request.form.get("step", ""), request.form.get("language", "")
    if path not in {step.path for step in demonstration.steps_to_try()}:
        abort(404)
    began = clock.now() - SINCE
    with clock.at(began):
        customer = demonstration.try_step(path, language[:20] or None)
        delivery.send_due(senders.configured(), most=200)
    demonstration.date_back(customer, began)
    query = select(Decision).join(Customer, Customer.id == Decision.customer_id).where(Customer.external_id == customer)
    decisions = db.session.scalars(query.order_by(Decision.outcome)).all()
    asked = next((d for d in decisions if d.outcome == "asked"), None)
    if asked is not None:
        return redirect(url_for("dev.mailbox", to=demonstration.address_of(customer)), 303)
    if decisions:
        return redirect(url_for("decisions.detail", uid=decisions[0].uid), 303)
    return redirect(url_for("customers.timeline", external_id=customer), 303)
