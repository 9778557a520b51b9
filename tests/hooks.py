"""What a provider posts to us, signed as it would sign it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy import event as hooks
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from surveyapp import clock
from surveyapp.channels import twilio
from surveyapp.domain import tokens
from surveyapp.extensions import db

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
TOKEN = "an-auth-token-for-tests"
ORIGIN = "https://ask.example.org"
PHONE = "+33612345678"


def sendgrid_event(number: int, word: str, uid: str | None, **fields: Any) -> dict[str, Any]:
    event = {"event": word, "sg_event_id": f"sg-{number}", "sg_message_id": f"x-{number}.filter", "email": "a@b.org"}
    event["timestamp"] = int(clock.now().timestamp())  # type: ignore[assignment]
    if uid is not None:
        event["message_uid"] = uid
    return event | fields


def post_sendgrid(client: FlaskClient, events: Any, at: datetime | None = None, **changes: Any) -> TestResponse:
    """One signed call; `changes` may replace `body` after signing, or the `signature`."""
    body, headers = signed(events if isinstance(events, bytes) else json.dumps(events).encode(), at)
    if "signature" in changes:
        headers["X-Twilio-Email-Event-Webhook-Signature"] = changes["signature"]
    return client.post("/hooks/sendgrid", data=changes.get("body", body), headers=headers)


def signed(body: bytes, at: datetime | None = None) -> tuple[bytes, dict[str, str]]:
    """The body of a call and the headers with which the provider would send it."""
    stamp = str(int((at or clock.now()).astimezone(UTC).timestamp()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(
            KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        ).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        "Content-Type": "application/json",
    }
    return body, headers


def post_twilio(
    client: FlaskClient, path: str, form: Any, query: str = "", token: str = TOKEN, **headers: str
) -> TestResponse:
    """One call signed with `token` for our configured address."""
    fields = MultiDict(form)
    address = current_app.config["BASE_URL"] + path + query
    headers = {"X-Twilio-Signature": twilio.sign(address, fields, token)} | headers
    return client.post(path + query, data=fields, headers=headers)


def text_in(client: FlaskClient, number: int, body: str, sender: str = PHONE, **fields: str) -> TestResponse:
    """A person's text comes in."""
    form = {"MessageSid": f"SM{number:032d}", "From": sender, "To": "+33757000000", "Body": body} | fields
    return post_twilio(client, "/hooks/twilio/sms", form)


def status_of(client: FlaskClient, uid: str, state: str, **fields: str) -> TestResponse:
    """A status call about our message."""
    query = "?m=" + tokens.mint(twilio.CALLBACK, uid, [current_app.config["SECRET_KEY"]])
    form = {"MessageSid": f"SM-{uid}", "MessageStatus": state, "To": PHONE} | fields
    return post_twilio(client, "/hooks/twilio/status", form, query)


@contextmanager
def database_away() -> Iterator[None]:
    """No statement gets through."""
    db.session.rollback()

    def refuse(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the server is away"))

    hooks.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        hooks.remove(db.engine, "before_cursor_execute", refuse)
        db.session.rollback()
