"""Who is calling, and may they enter? Enforces the table of `surfaces`; a route outside it is refused.

Decides by blueprint and verb only; what a caller may see inside a page is the page's own question.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

import structlog
from flask import Blueprint, Flask, abort, current_app, g, redirect, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import UserMixin, current_user
from flask_openapi3 import APIBlueprint
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized
from werkzeug.wrappers import Response

from surveyapp import clock, logs
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import csrf, db, login
from surveyapp.queries import accounts as queries
from surveyapp.queries.accounts import KeyFacts, UserFacts
from surveyapp.services import audit, keys
from surveyapp.web import limits

log = logs.get(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NO_DATABASE = frozenset({"health", "api_document"})  # these answer without one, or say themselves that it is away


class By(StrEnum):
    """How a caller shows who they are."""

    NOTHING = "nothing"
    FORM = "form"  # no credential, but a form of ours in a browser: checked against cross-site posts
    SESSION = "session"
    BEARER = "bearer"
    BASIC = "basic"


ANYONE: frozenset[str] = frozenset({"anyone"})


@dataclass(frozen=True)
class Surface:
    blueprint: Blueprint | APIBlueprint
    prefix: str
    by: By
    reads: frozenset[str]
    writes: frozenset[str]


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """The person of this request, as templates and pages read it: `current_user.email`, `.role`, `.partner_id` …"""

    facts: UserFacts
    token: str

    def get_id(self) -> str:
        return self.token

    def __getattr__(self, name):
        return getattr(self.facts, name)


class Sessions(SecureCookieSessionInterface):
    """Flask's own; who sends no cookie, as customers and programs do, is not made to pay for a signature's check."""

    def open_session(self, app, request):
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def guard(app: Flask, surfaces: Iterable[Surface]) -> None:
    """Refuse every request that the table of surfaces does not let in."""
    table = {surface.blueprint.name: surface for surface in surfaces}
    login.session_protection = None
    login.user_loader(_load_user)
    app.session_interface = Sessions()

    @app.before_request
    def enforce() -> Response | None:
        g.request_id = str(uuid.uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)
        audit.actor.set("anonymous")
        if request.url_rule is None or request.endpoint == "static":
            return None
        surface = table.get(request.blueprint or "")
        if surface is None:
            abort(404)
        safe = request.method in SAFE
        if safe and surface.blueprint.name not in NO_DATABASE:
            read_only()
        return _enter(surface, surface.reads if safe else surface.writes, safe)


def _enter(surface: Surface, allowed: frozenset[str], safe: bool) -> Response | None:
    if surface.by is By.SESSION:
        return _enter_by_session(allowed, safe)
    if surface.by in (By.BEARER, By.BASIC):
        _enter_by_key(surface.by, allowed)
        return None
    if allowed != ANYONE:
        raise Forbidden()
    if surface.by is By.FORM and not safe:
        _refuse_cross_site()
    return None


def _enter_by_session(allowed: frozenset[str], safe: bool) -> Response | None:
    if not safe:
        _refuse_foreign_origin()
    if not current_user.is_authenticated:
        return redirect(sign_in_address(request.full_path if request.method == "GET" else ""), 303)
    audit.actor.set(current_user.email)
    if current_user.role not in allowed:
        log.info("entry_refused", endpoint=request.endpoint, role=current_user.role)
        raise Forbidden("Your role does not include this page.")
    if not safe:
        _refuse_cross_site()
    if factor_required(current_user) and not current_user.second_factor:
        return redirect("/second-factor/set-up", 303)
    return None


def factor_required(user: SignedIn) -> bool:
    """Administrators of an installation on https sign in with a second factor."""
    return bool(user.role == Role.ADMIN and current_app.config["BASE_URL"].startswith("https://"))


def _enter_by_key(by: By, allowed: frozenset[str]) -> None:
    key = calling_key(by)
    if key is None:
        log.info("key_refused", endpoint=request.endpoint)
        challenge = WWWAuthenticate("basic" if by is By.BASIC else "bearer", {"realm": "surveyapp"})
        raise Unauthorized("A valid API key is needed.", www_authenticate=challenge)
    g.api_key = key
    audit.actor.set(f"key:{key.name}")
    if key.role not in allowed:
        log.info("entry_refused", endpoint=request.endpoint, role=key.role)
        raise Forbidden(f"A key with the role '{key.role}' may not do this.")
    limiter = limits.limiter("key")
    if seconds := limiter.wait(f"key:{key.id}", current_app.config["KEY_CALLS_PER_MINUTE"]):
        raise TooManyRequests("This key has made too many calls.", retry_after=seconds)


def calling_key(by: By = By.BEARER) -> KeyFacts | None:
    """The usable API key in the Authorization header, whatever its role; None without one.

    Unknown, revoked and expired keys cost the same one look-up as a good one. Nothing else of the request is read:
    a key in the address is no key.
    """
    header = request.authorization
    secret = None
    if header is not None and header.type == by:
        secret = header.username if by is By.BASIC else header.token
    if not secret:
        return None
    now = clock.now()
    read_only()
    key = queries.key_by_hash(db.session, keys.hashed(secret), now)
    if request.method not in SAFE:
        db.session.rollback()  # the page's own transaction starts afresh, and on SQLite as a writer
    if key is None or not key.usable:
        return None
    try:
        keys.touch_key(key, now)
    except OperationalError:
        log.warning("key_use_not_noted", key=key.id)
    if request.method in SAFE:
        read_only()
    return key


def current_key() -> KeyFacts:
    """The API key of this call; only inside a surface that asks for one."""
    key: KeyFacts = g.api_key
    return key


def read_only() -> None:
    """On SQLite, let this request's transaction start as a reader, which waits for no writer."""
    if db.engine.dialect.name == "sqlite" and not db.session().in_transaction():
        db.session.connection(execution_options={"sqlite_begin": "DEFERRED"})


def sign_in_address(wanted: str = "") -> str:
    """Where to sign in, coming back to `wanted` afterwards if that is a page of ours."""
    target = local_path(wanted)
    return "/sign-in" + (f"?next={quote(target, safe='/')}" if target else "")


def local_path(wanted: str | None) -> str | None:
    """`wanted` if it is a path of our console and nothing a browser could read as another place; else None."""
    if not wanted or not wanted.isascii() or not wanted.isprintable() or "\\" in wanted or " " in wanted:
        return None
    parts = urlsplit(wanted)
    path = parts.path
    if (
        parts.scheme
        or parts.netloc
        or ".." in path
        or "//" in path
        or not any(path == own or path.startswith(f"{own}/") for own in ("/admin", "/partner"))
    ):
        return None
    return wanted.rstrip("?")


def _load_user(token: str) -> SignedIn | None:
    read_only()
    facts = queries.signed_in_user(db.session, keys.hashed(token), clock.now())
    if request.method not in SAFE:
        db.session.rollback()
    if facts is None:
        session.clear()
        return None
    return SignedIn(facts, token)


def _refuse_foreign_origin() -> None:
    """Unsafe requests come from our own pages; browsers say where they come from, programs say nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This request came from another site.")
    origin = request.headers.get("Origin")
    if origin is None:
        return
    parts = urlsplit(origin)
    own = current_app.config["BASE_URL"]
    if origin != own and not (parts.scheme in ("http", "https") and parts.netloc == request.host):
        raise Forbidden("This request came from another site.")


def _refuse_cross_site() -> None:
    _refuse_foreign_origin()
    try:
        csrf.protect()
    except CSRFError as reason:
        raise Forbidden("This page was open for too long. Load it again, then repeat.") from reason
