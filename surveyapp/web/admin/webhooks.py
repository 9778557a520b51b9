"""Webhooks as an administrator sees them: the endpoints, what each was told and how that went."""

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from surveyapp.domain.webhooks import TEST, DeliveryState, Told
from surveyapp.extensions import db
from surveyapp.queries import webhooks as queries
from surveyapp.services import vault, webhook_delivery, webhooks
from surveyapp.web.admin import params

blueprint = Blueprint("webhooks", __name__)
PAGE = 50
EVENTS = {
    Told.RESPONSE_CONFIRMED: "an answer counts, or one that counts was changed",
    Told.CASE_OPENED: "somebody waits for us",
    Told.CUSTOMER_OPTED_OUT: "a person may be asked no more",
}
STATES = {
    DeliveryState.PLANNED: "waiting",
    DeliveryState.SENDING: "being sent",
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.FAILED: "not wanted",
    DeliveryState.DEAD: "given up",
}
CREATED = "Copy the secret into the receiver now; whoever looks at it later is noted in the audit log."


@blueprint.get("/webhooks/")
def index() -> str:
    return _list()


@blueprint.post("/webhooks/")
def create() -> Any:
    try:
        row, secret = webhooks.create_webhook(_given())
    except webhooks.WebhookRefused as refusal:
        return _list(_errors(refusal)), 422
    return _secret_page("The endpoint is told what happens from now on", row.uid, secret, CREATED)


@blueprint.get("/webhooks/<uid>")
def detail(uid: str) -> str:
    return _detail(uid)


@blueprint.post("/webhooks/<uid>")
def change(uid: str) -> Any:
    _line(uid)
    try:
        webhooks.change_webhook(uid, _given())
    except webhooks.WebhookRefused as refusal:
        return _detail(uid, _errors(refusal)), 422
    except webhooks.WebhookUnknown:
        abort(404)
    flash("Saved. What waits goes to the address as it stands now.")
    return _to(uid)


@blueprint.post("/webhooks/<uid>/pause")
def pause(uid: str) -> Response:
    return _act(uid, webhooks.pause_webhook, "Paused. What happens is kept for it, for thirty days.")


@blueprint.post("/webhooks/<uid>/resume")
def resume(uid: str) -> Response:
    return _act(uid, webhooks.resume_webhook, "It is told again; what waited leaves now.")


@blueprint.post("/webhooks/<uid>/test")
def test(uid: str) -> Response:
    try:
        return _act(uid, webhooks.send_test, "A test is on its way; the log below will say how it went.")
    except webhooks.WebhookAsleep:
        flash("Nothing was sent: it is paused or disabled.")
        return _to(uid)


@blueprint.post("/webhooks/<uid>/secret")
def show_secret(uid: str) -> Any:
    try:
        secret = webhooks.show_secret(uid)
    except webhooks.WebhookUnknown:
        abort(404)
    except vault.SecretUnreadable:
        flash("The secret was kept under another SECRET_KEY and cannot be read: make a new one.")
        return _to(uid)
    return _secret_page("The secret", uid, secret, "That you looked at it is noted in the audit log.")


@blueprint.route("/webhooks/<uid>/rotate", methods=["GET", "POST"])
def rotate(uid: str) -> Any:
    _line(uid)
    if request.method == "GET":
        sentence = "Messages are signed by both for seven days: the receiver has to have the new one by then."
        return _question(uid, "Make a new secret?", sentence)
    lead = "Copy it into the receiver within seven days; until then messages are signed by the old one too."
    return _secret_page("The new secret", uid, webhooks.rotate_secret(uid), lead)


@blueprint.route("/webhooks/<uid>/end-former", methods=["GET", "POST"])
def end_former(uid: str) -> Any:
    if request.method == "GET" and _line(uid):
        sentence = (
            "From the next message on only the new one signs. A receiver that still checks by the old one refuses."
        )
        return _question(uid, "Sign by the old secret no more?", sentence)
    return _act(uid, webhooks.end_former_secret, "Only the new secret signs.")


@blueprint.route("/webhooks/<uid>/delete", methods=["GET", "POST"])
def delete(uid: str) -> Any:
    line = _line(uid)
    if request.method == "GET":
        sentence = "It is told nothing more, and its log is gone. What waits for it is not sent."
        return _question(uid, f"Delete {line.description or line.url}?", sentence)
    _act(uid, webhooks.delete_webhook, "The endpoint is gone.")
    return redirect(url_for("webhooks.index"), 303)


@blueprint.post("/webhooks/<uid>/deliveries/<message>/replay")
def replay(uid: str, message: str) -> Response:
    try:
        return _act(uid, lambda one: webhook_delivery.replay(one, message), "It is sent again, under the same id.")
    except webhook_delivery.NotReplayable:
        flash("It waits to be sent anyway, or nothing is left of it to send.")
        return _to(uid)


def _act(uid: str, change: Callable[[str], object], done: str) -> Response:
    try:
        change(uid)
    except webhooks.WebhookUnknown:
        abort(404)
    flash(done)
    return _to(uid)


def _to(uid: str) -> Response:
    return redirect(url_for("webhooks.detail", uid=uid), 303)


def _given() -> dict[str, Any]:
    form = request.form
    return {name: form.get(name, "") for name in ("url", "description")} | {"events": form.getlist("events")}


def _errors(refusal: webhooks.WebhookRefused) -> dict[str, str]:
    """The sentences by field, as the form shows them."""
    parts = [sentence.partition(": ") for sentence in refusal.problems]
    errors = {field: f"It {words}." for field, _, words in parts}
    if "events" in errors:
        errors["events"] = "Choose at least one."
    return errors


def _list(errors: dict[str, str] | None = None) -> str:
    return render_template(
        "admin/access/webhooks.html",
        lines=queries.endpoints(db.session),
        events=EVENTS,
        errors=errors or {},
        form=_given(),
    )


def _detail(uid: str, errors: dict[str, str] | None = None) -> str:
    line = _line(uid)
    state, event = params.choice("state", tuple(STATES)), params.choice("event", (*Told, TEST))
    rows = queries.deliveries(db.session, uid, state, event, params.whole("older"), PAGE + 1)
    return render_template(
        "admin/access/webhook.html",
        line=line,
        form=_given() if errors else {"url": line.url, "description": line.description, "events": line.events},
        errors=errors or {},
        events=EVENTS,
        states=STATES,
        state=state,
        event=event,
        rows=rows[:PAGE],
        written=lambda data: json.dumps(data, ensure_ascii=False, indent=1),
        older=rows[PAGE - 1].row if len(rows) > PAGE else None,
        kinds=[("", "All"), *((kind, kind) for kind in (*Told, TEST))],
    )


def _line(uid: str) -> queries.EndpointLine:
    lines = queries.endpoints(db.session, uid)
    return lines[0] if lines else abort(404)


def _question(uid: str, title: str, sentence: str) -> str:
    back = url_for("webhooks.detail", uid=uid)
    return render_template("admin/access/confirm.html", title=title, sentence=sentence, back=back)


def _secret_page(title: str, uid: str, secret: str, lead: str) -> str:
    back = url_for("webhooks.detail", uid=uid)
    values = [("Secret", secret)]
    return render_template("admin/access/once.html", title=title, values=values, lead=lead, note="", back=back)
