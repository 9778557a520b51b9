"""Maps what services and parsers raise to an answer, once: `problem+json` for programs, a page for people."""

from http import HTTPStatus

from flask import Flask, g, make_response, render_template, request
from jinja2 import TemplateError
from markupsafe import escape
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from surveyapp import logs
from surveyapp.extensions import db
from surveyapp.web.problems import problem, wants_problem

log = logs.get(__name__)

RETRY_SECONDS = 5
SENTENCES = {
    400: ("This could not be read", "The request was not in a form we understand."),
    401: ("Please sign in", "This page is for people who have signed in."),
    403: ("Not open to you", "You may not do this."),
    404: ("Nothing here", "This page does not exist, or no longer."),
    405: ("Not like that", "This address does not take that kind of request."),
    410: ("No longer open", "This page has closed."),
    413: ("Too large", "What was sent is larger than this address takes."),
    415: ("Another format, please", "This address does not take that content type."),
    422: ("This does not fit", "Something in the request does not fit."),
    429: ("A little slower, please", "There were too many requests. Try again shortly."),
    500: (
        "Something went wrong on our side",
        "It has been noted. Please try again in a moment.",
    ),
    503: ("One moment, please", "The service is busy for a moment. Nothing was changed; please try again."),
}

PLAIN = "<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{sentence}</p>"


def register(app: Flask) -> None:
    """Install the handlers. None of them shows a trace, a query or what was sent."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(InterfaceError, _database_away)
    app.register_error_handler(PoolTimeout, _database_away)
    app.register_error_handler(Exception, _unexpected)


def answer(status: int, detail: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """The error as this caller reads it: a problem document or a calm page, with the same status and sentence."""
    title, sentence = SENTENCES.get(status, (HTTPStatus(status).phrase, ""))
    if wants_problem():
        return problem(status, HTTPStatus(status).phrase, detail or sentence, headers=headers)
    response = make_response(_page(status, title, detail or sentence), status)
    response.headers.update(headers or {})
    return response


def _page(status: int, title: str, sentence: str) -> str:
    request_id = g.get("request_id") if status >= 500 else None
    home = "/admin/" if request.path.startswith("/admin") and status != 401 else None
    try:
        return render_template("errors/page.html", title=title, sentence=sentence, request_id=request_id, home=home)
    except TemplateError:
        log.exception("error_page_failed")
        return PLAIN.format(title=escape(title), sentence=escape(sentence))


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response
    if error.code is None or error.code < 400:
        return error.get_response()
    kept = {k: v for k, v in error.get_headers() if k.lower() not in ("content-type", "content-length")}
    own_words = error.description if error.description != type(error).description else None
    response = answer(error.code, own_words, kept)
    if error.code == 413:
        response.headers["Connection"] = "close"
    return response


def _database_away(error: DBAPIError) -> Response:
    db.session.rollback()
    log.warning("database_away", error=type(error.orig if isinstance(error, DBAPIError) else error).__name__)
    return answer(503, headers={"Retry-After": str(RETRY_SECONDS)})


def _unexpected(error: Exception) -> Response:
    db.session.rollback()
    log.error("request_failed", error=type(error).__name__, exc_info=error)
    return answer(500)
