"""A partner and calls of their page, for the tests of the widget."""

import hashlib
import hmac
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from surveyapp.services.keys import NewPartner, create_partner
from tests import outreach

ORIGIN = "https://hotel.example"
PROGRAMME = outreach.PROGRAMME.replace("check_in_csat, channels: [email, sms]", "check_in_csat, channels: [web, email]")
WEB_ONLY = outreach.PROGRAMME.replace("channels: [email, sms]", "channels: [web]")
FURTHER = """[
  {key: why, kind: many, ask: {en: What stood out?}, options: [
    {key: speed, label: {en: Speed}}, {key: staff, label: {en: Staff}}, {key: food, label: {en: Food and drink}}]},
  {key: again, kind: one, ask: {en: Was it your first time?}, when: {score: {from: 1, to: 3}}, options: [
    {key: first, label: {en: It was}}, {key: often, label: {en: I come often}}]},
  {key: who, kind: text, ask: {en: Who helped you?}, when: {why: [staff]}},
  comment]"""


def further(programme: str) -> str:
    """The programme with more than a comment after its first question."""
    return programme.replace("follow_up: comment", f"follow_up: {FURTHER}", 1)


def partner(key: str = "hotel", *origins: str) -> NewPartner:
    return create_partner(key, key.title(), origins or (ORIGIN,))


def sign(made: NewPartner, customer: str) -> str:
    return hmac.new(made.secret.encode(), customer.encode(), hashlib.sha256).hexdigest()


def ask(
    client: FlaskClient, made: NewPartner, customer: str | None = None, origin: str = ORIGIN, **changes: Any
) -> TestResponse:
    body: dict[str, Any] = {"key": made.publishable, "journey": "flight", "step": "check_in", "properties": {}}
    if customer is not None:
        body |= {"customer": customer, "signature": sign(made, customer)}
    return call(client, "offer", body | changes, origin)


def call(client: FlaskClient, name: str, body: Any, origin: str | None = ORIGIN, **options: Any) -> TestResponse:
    headers = {"Origin": origin} if origin is not None else {}
    return client.post(f"/widget/v1/{name}", json=body, headers=headers, **options)
