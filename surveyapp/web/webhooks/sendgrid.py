"""SendGrid's signed Event Webhook: checks the signature over the raw bytes, then hands the events on."""

from flask import Blueprint, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from surveyapp import clock, logs
from surveyapp.channels import sendgrid
from surveyapp.services.delivery_events import apply_events

blueprint = Blueprint("hook_sendgrid", __name__)
log = logs.get(__name__)
HOOK = "sendgrid"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@blueprint.post("/sendgrid")
def events() -> ResponseReturnValue:
    """200 with counts once the events are applied; 403 for a signature that is not theirs, or stale."""
    body = request.get_data(cache=False)
    key = current_app.config["SENDGRID_WEBHOOK_PUBLIC_KEY"]
    sent = request.headers
    if not key or not sendgrid.verify(body, sent.get(SIGNATURE), sent.get(TIMESTAMP), key, clock.now()):
        log.warning("hook_refused", hook=HOOK, configured=bool(key))
        abort(403, "This call is not signed by SendGrid.")
    try:
        found, unreadable = sendgrid.read_events(body)
    except (ValueError, RecursionError):
        log.error("hook_unreadable", hook=HOOK)
        abort(400, "A list of events is expected.")
    done = apply_events(HOOK, found, unreadable)
    return jsonify(taken=done.taken, repeated=done.repeated, unknown=done.unknown, unreadable=done.unreadable)
