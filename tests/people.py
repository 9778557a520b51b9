"""People and programs that call: users with a session, API keys. Small functions, real rows."""

import itertools
import secrets
from collections.abc import MutableMapping
from typing import Any

from flask import current_app
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Partner, User
from surveyapp.services import accounts, keys, sign_in

PASSWORD = "three calm green whales"
_numbers = itertools.count(1)


def number_anew() -> None:
    """Names and ids begin at 1 again, so that a test meets the same ones whatever ran before it."""
    global _numbers
    _numbers = itertools.count(1)


def make_user(role: str = "admin", password: str | None = PASSWORD, **overrides: object) -> User:
    """A user, with a password unless told otherwise; a partner's user gets a partner."""
    user = User(email=f"{role}{next(_numbers)}@example.org", role=role, created_at=clock.now())
    for name, value in overrides.items():
        setattr(user, name, value)
    if password is not None:
        user.password_hash = accounts.hasher().hash(password)
    if role == "partner" and user.partner_id is None:
        user.partner_id = make_partner().id
    db.session.add(user)
    db.session.commit()
    return user


def make_partner(key: str | None = None) -> Partner:
    key = key or f"partner-{next(_numbers)}"
    keys.create_partner(key, key.title(), ["https://partner.example"])
    partner: Partner = db.session.scalars(db.select(Partner).where(Partner.key == key)).one()
    return partner


def make_key(role: str = "ingest", name: str = "test") -> str:
    """An API key in clear."""
    return keys.create_key(name, role, make_partner().key if role == "partner" else None)


def bearer(role_or_key: str) -> dict[str, str]:
    """The header of an API call by a fresh key of this role, or by this key."""
    key = role_or_key if role_or_key.startswith("svk_") else make_key(role_or_key)
    return {"Authorization": f"Bearer {key}"}


def sign_in_as(client: FlaskClient, role: str = "admin", user: User | None = None) -> str:
    """Let the client be signed in; returns the CSRF token that its forms carry as `csrf_token`."""
    token = sign_in.open_session((user or make_user(role)).id)
    with client.session_transaction() as browser:
        browser["_user_id"] = token
        return csrf_for(browser)


def csrf_for(browser: MutableMapping[str, Any]) -> str:
    """A token that fits this browser's session."""
    raw = browser.setdefault("csrf_token", secrets.token_hex(20))
    return str(URLSafeTimedSerializer(current_app.secret_key or "", salt="wtf-csrf-token").dumps(raw))
