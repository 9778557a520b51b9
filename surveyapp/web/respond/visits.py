"""Who opens a question's page: mints the visit each page carries, notes the fetch, reads what a post says of itself."""

import secrets

from flask import current_app, request

from surveyapp import clock
from surveyapp.domain import tokens
from surveyapp.domain.clicks import HitKind, is_ahead, visit_started, visit_uid, visitor, visitors
from surveyapp.services import clicks
from surveyapp.services.clicks import Claim
from surveyapp.web.respond.shell import keys

FIELD = "visit"
_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_GESTURE = 20


def opened(uid: str) -> str:
    """A signed visit for the page that opens now over this link."""
    return tokens.mint(_purpose(uid), visit_uid(clock.now(), secrets.token_urlsafe(9)), keys())


def carried(uid: str) -> str:
    """The visit that a posted page came with, to go on with it; a fresh one where there is none."""
    given = request.form.get(FIELD, "")
    return given if _read(uid, given) else opened(uid)


def note(uid: str, visit: str | None, value: int | None = None, kind: HitKind | None = None) -> None:
    """Note that the link was fetched. Never fails, hardly waits."""
    if kind is None:
        kind = HitKind.HEAD if request.method == "HEAD" else HitKind.PREFETCH if _ahead() else HitKind.PAGE
    who = visitor(_secret(), uid, *_whence(), clock.now())
    clicks.note_fetch(uid, _read(uid, visit or ""), who, kind, request.method, value)


def claim(uid: str) -> Claim:
    """What this post says of itself: its visit, its visitor, and whether a script, a gesture or a form made it."""
    gesture = request.form.get("gesture", "")[:_GESTURE]
    return Claim(
        visit=_read(uid, request.form.get(FIELD, "")),
        visitors=visitors(_secret(), uid, *_whence(), clock.now()),
        scripted="scripted" in request.form,
        gesture=gesture if gesture else None,
        ahead=_ahead(),
    )


def _read(uid: str, token: str) -> str | None:
    visit = tokens.read(_purpose(uid), token, keys())
    return visit if visit and visit_started(visit) else None


def _purpose(uid: str) -> str:
    return f"visit of {uid}"


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


def _whence() -> tuple[str, str]:
    return request.remote_addr or "", request.user_agent.string


def _ahead() -> bool:
    return is_ahead(request.headers.get(name, "") for name in _AHEAD)
