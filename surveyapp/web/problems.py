"""An error as a program reads it: `application/problem+json` (RFC 9457). Decides nothing about when."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import g, json, request
from pydantic import ValidationError
from werkzeug.wrappers import Response

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int,
    title: str | None = None,
    detail: str | None = None,
    errors: Sequence[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for one problem; `errors` lists fields: `{"field": "events.0.id", "message": "…"}`.

    `instance` names this very happening, as the log does; it carries neither the address called nor its query.
    """
    body: dict[str, Any] = {"type": "about:blank", "title": title or HTTPStatus(status).phrase, "status": int(status)}
    if detail:
        body["detail"] = detail
    if errors is not None:
        body["errors"] = [dict(e) for e in errors]
    if "request_id" in g:
        body["instance"] = f"urn:uuid:{g.request_id}"
    return Response(json.dumps(body), status, dict(headers or {}), content_type=CONTENT_TYPE)


def invalid(failure: ValidationError) -> Response:
    """422 with one field and one sentence for each thing wrong; the values sent are not repeated."""
    errors = [
        {"field": ".".join(str(part) for part in error["loc"]) or "body", "message": _sentence(error["msg"])}
        for error in failure.errors(include_url=False, include_context=False, include_input=False)[:100]
    ]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request does not fit", _count(len(errors)), errors)


def wants_problem() -> bool:
    """Whether the caller is a program: by the address called, else by what it accepts."""
    if request.path.startswith(("/api/", "/v1/", "/widget/", "/hooks/")) or request.path in ("/api", "/v1"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", CONTENT_TYPE])
    return best in ("application/json", CONTENT_TYPE) and not request.accept_mimetypes.accept_html


def _sentence(text: str) -> str:
    text = text.removeprefix("Value error, ").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _count(number: int) -> str:
    return "One field is wrong." if number == 1 else f"{number} fields are wrong."
