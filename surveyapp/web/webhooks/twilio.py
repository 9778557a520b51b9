"""Twilio's signed hooks: what became of a text, and texts that people send. The local phone comes in here too."""

from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from twilio.twiml.messaging_response import MessagingResponse
from werkzeug.datastructures import MultiDict

from surveyapp import logs
from surveyapp.channels import twilio
from surveyapp.domain.identity import hashed
from surveyapp.services import replies
from surveyapp.services.delivery_events import apply_events

blueprint = Blueprint("hook_twilio", __name__)
log = logs.get(__name__)
STATUS = "twilio_status"
TEXTS = "twilio_sms"
TEXT_PATH = "/hooks/twilio/sms"
SIGNATURE = "X-Twilio-Signature"
LARGEST = 64 * 1024


@blueprint.before_request
def only_small() -> None:
    request.max_content_length = LARGEST


@blueprint.post("/twilio/sms")
def text_in() -> Response:
    """A text came in: 200 with an empty answer document, since what we say goes out like any other text."""
    return take_text(request.form, request.headers.get(SIGNATURE), _own_address())


@blueprint.post("/twilio/status")
def status() -> Response:
    """What became of a text: 204 once it is applied."""
    body = request.get_data(as_text=True) if request.is_json and "bodySHA256" in request.args else None
    _check(twilio.verify(_own_address(), request.form, request.headers.get(SIGNATURE), token(), body), STATUS)
    given = request.get_json(silent=True) if body is not None else request.form
    form: dict[str, str] = {k: v for k, v in dict(given or {}).items() if isinstance(v, str)}
    settings = current_app.config
    keys = [settings["SECRET_KEY"], *settings["SECRET_KEY_FALLBACKS"]]
    found = twilio.read_events(form, twilio.message_of(request.args.get("m", ""), keys))
    apply_events(STATUS, found, unreadable=0 if found else 1)
    return Response(status=204)


def take_text(form: MultiDict[str, str], signature: str | None, address: str) -> Response:
    """Check the signature of a text that came in, and hand it on. Raises 403."""
    _check(twilio.verify(address, form, signature, token()), TEXTS)
    text = twilio.read_text(form)
    if text is None:
        abort(400, "MessageSid and From are expected.")
    replies.receive_text(text, current_app.config["SMS_BACKEND"])
    return Response(str(MessagingResponse()), mimetype="text/xml")


def signed_by_us(form: MultiDict[str, str]) -> tuple[str, str]:
    """The signature that the local phone's text needs to come in, and the address it is for."""
    address = current_app.config["BASE_URL"] + TEXT_PATH
    return twilio.sign(address, form, token()), address


def token() -> str:
    """What signs these hooks: the account's token; for the local phone alone a secret that leaves nowhere."""
    settings: Any = current_app.config
    if not settings["TWILIO_AUTH_TOKEN"] and settings["SMS_BACKEND"] == "phone":
        return hashed("phone", "hook", settings["SECRET_KEY"])
    return str(settings["TWILIO_AUTH_TOKEN"])


def _own_address() -> str:
    """The address as the provider knows it: ours as configured, whatever the request says of itself."""
    query = request.query_string.decode("latin-1")
    return current_app.config["BASE_URL"] + request.path + (f"?{query}" if query else "")


def _check(signed: bool, hook: str) -> None:
    if not token() or not signed:
        log.warning("hook_refused", hook=hook, configured=bool(token()))
        abort(403, "This call is not signed by Twilio.")
