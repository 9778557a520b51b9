"""`Idempotency-Key` on the API's POST calls: found before the call is made, its answer kept after. Knows no subject."""

import re
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest

from surveyapp import failpoints, logs
from surveyapp.services import idempotency as service
from surveyapp.web import problems, security

log = logs.get(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_LIMIT = 200
# What changes nothing, and what shows a secret this once, which must not lie in a table.
NOT_KEPT = re.compile(r"/api/v1/(policy/simulate|webhooks(/[^/]+/secret)?)")
PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Yours, one for each call. Within 24 hours the same call by the same API key is made once, and a "
    f"repetition gets the first answer, marked `{REPLAYED}: true`; 5xx is not kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT, "pattern": "^[!-~]+$"},
}
CONFLICT = "A call with this Idempotency-Key is under way"


def install(app: Flask) -> None:
    """Honour the header on every POST under /api/v1 that can change something, once its key was let in."""
    app.before_request(_begin)
    app.after_request(_end)


def applies(path: str, method: str) -> bool:
    return method.upper() == "POST" and path.startswith("/api/v1/") and not NOT_KEPT.fullmatch(path)


def uid() -> str | None:
    """The id for what this call makes, the same for every attempt under its Idempotency-Key; None without one."""
    held: service.Claim | None = g.get("keyed_call")
    return held.uid if held else None


def _begin() -> Response | Any | None:
    key = request.headers.get(HEADER)
    if key is None or "api_key" not in g or not applies(request.path, request.method):
        return None
    if not 0 < len(key) <= KEY_LIMIT or not all("!" <= one <= "~" for one in key):
        raise BadRequest(f"{HEADER}: must be 1 to {KEY_LIMIT} visible ASCII characters.")
    sent = request.get_data()  # within this address's limit, and read again by the call itself
    try:
        found = service.claim(security.current_key().id, key, f"{request.full_path}\n".encode() + sent)
    except service.AnotherRequest:
        return problems.problem(422, detail=f"This {HEADER} came with another request before; take a new one.")
    except service.UnderWay as other:
        return problems.problem(409, detail=f"{CONFLICT}.", headers={"Retry-After": str(other.seconds)})
    if isinstance(found, service.Claim):
        g.keyed_call = found
        return None
    content_type = "application/json" if found.status < 400 else problems.CONTENT_TYPE
    return Response(found.body, found.status, {REPLAYED: "true"}, content_type=content_type)


def _end(response: Response) -> Response:
    held: service.Claim | None = g.pop("keyed_call", None)
    if held is None:
        return response
    failpoints.reached("call_made")
    try:
        if response.status_code < 500:
            service.answer(held, response.status_code, response.get_data(as_text=True))
        else:
            service.give_up(held)
    except (DBAPIError, PoolTimeout) as error:  # what was done is done; a repetition does it again under the same id
        log.warning("keyed_answer_not_kept", error=type(error).__name__)
    return response
