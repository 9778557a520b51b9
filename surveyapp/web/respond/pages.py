"""The question and its answer: /s/TOKEN, /t/SLUG, /l/SLUG. A GET notes that it came; a POST records, then redirects."""

import secrets
from collections.abc import Mapping

from flask import Blueprint, make_response, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from surveyapp import clock, logs
from surveyapp.domain import tokens
from surveyapp.domain.clicks import HitKind
from surveyapp.domain.public_links import public_uid
from surveyapp.domain.questions import Kind, applies, read_primary
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.queries import respond
from surveyapp.queries.respond import Asked, BrandFacts
from surveyapp.queries.words import languages
from surveyapp.services import responses
from surveyapp.services.answer_forms import CLOSING, is_cut
from surveyapp.web.respond import bodies, guesses, screens, script, shell, visits
from surveyapp.web.respond.shell import Frame

blueprint = guesses.watched(Blueprint("respond", __name__))
log = logs.get(__name__)

PURPOSE = "answer"
RETRY_SECONDS = "5"


@blueprint.get("/s/<token>")
def question_page(token: str) -> Response:
    opened = _open(token)
    if isinstance(opened, Response):
        return opened
    page, asked = opened
    chosen = read_primary(asked.definition.metric, request.args.get("score", ""))
    visit = visits.opened(str(page.uid))
    if chosen is None and asked.status == ResponseStatus.CONFIRMED:
        shown = _go_on(page, asked, token)
    else:
        shown = screens.score_screen(page, asked, chosen, visit)
    visits.note(str(page.uid), visit, chosen if isinstance(chosen, int) else None)
    return shown


@blueprint.get("/s/<token>/all")
def honeypot(token: str) -> Response:
    """A link that no person sees, in the message and on the page: whoever follows it follows every link."""
    uid = tokens.read(PURPOSE, token, shell.keys())
    gone = shell.unknown()
    if uid is not None:
        visits.note(uid, None, kind=HitKind.HONEYPOT)
    return gone


@blueprint.get("/s/<digest>.js")
def script_file(digest: str) -> Response:
    """The pages' one script, kept by browsers for good: its name changes when it does."""
    if digest != script.digest():
        return shell.unknown()
    response = make_response(script.source())
    response.headers["Content-Type"] = "text/javascript; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/s/<token>/<int:number>")
def more_page(token: str, number: int) -> Response:
    opened = _open(token)
    if isinstance(opened, Response):
        return opened
    page, asked = opened
    if not asked.answered:
        return redirect(page.address("respond.question_page", token=token), 303)
    questions = asked.definition.on_page(number, asked.known)
    if not questions:
        later = asked.definition.next_page(number, asked.known)
        where = {"number": later} if later else {}
        name = "respond.more_page" if later else "respond.thanks_page"
        return redirect(page.address(name, token=token, **where), 303)
    return screens.more_screen(page, asked, number, questions, screens.primary(asked), cut="cut" in request.args)


@blueprint.get("/s/<token>/done")
def thanks_page(token: str) -> Response:
    opened = _open(token, settled_too=True)
    if isinstance(opened, Response):
        return opened
    page, asked = opened
    if not asked.answered:
        return redirect(page.address("respond.question_page", token=token), 303)
    return screens.thanks_screen(page, asked, saved="saved" in request.args, cut="cut" in request.args)


@blueprint.post("/s/<token>/done")
def closing_answer(token: str) -> Response:
    """What the closing page asked: an idea, leave to get in touch."""
    uid = tokens.read(PURPOSE, token, shell.keys())
    return shell.unknown() if uid is None else _record(token, uid, CLOSING)


@blueprint.post("/s/<token>")
@blueprint.post("/s/<token>/<int:number>")
def answer(token: str, number: int = 1) -> Response:
    uid = tokens.read(PURPOSE, token, shell.keys())
    return shell.unknown() if uid is None else _record(token, uid, number)


@blueprint.get("/t/<slug>")
def short_page(slug: str) -> Response:
    """The short link of a text message. Nothing is noted: a preview that fetches it has not opened the question."""
    uid = respond.uid_behind(db.session, slug)
    token = tokens.mint(PURPOSE, uid, shell.keys()) if uid else None
    return redirect(shell.url_for("respond.question_page", token=token), 303) if token else shell.unknown()


@blueprint.get("/l/<slug>")
def public_page(slug: str) -> Response:
    token = _fresh_token(slug)
    if token is None:
        return shell.unknown()
    kept = {name: request.args[name] for name in ("score", "lang") if name in request.args}
    return redirect(shell.url_for("respond.question_page", token=token, **kept), 303)


@blueprint.post("/l/<slug>")
def public_answer(slug: str) -> Response:
    token = _fresh_token(slug)
    uid = tokens.read(PURPOSE, token, shell.keys()) if token else None
    return shell.unknown() if token is None or uid is None else _record(token, uid, 1)


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Response:
    page = shell.frame(respond.brand_facts(db.session))
    response = shell.ended(page, 413, "page.too_large", page.say("page.too_large_more"), mark="bad")
    response.headers["Connection"] = "close"
    return response


@blueprint.errorhandler(Exception)
def failed(error: Exception) -> Response | HTTPException:
    """Ours is the fault: what was sent is kept in the page, which needs no database, and one button sends it again."""
    if isinstance(error, HTTPException):
        return error
    db.session.rollback()
    away = isinstance(error, SQLAlchemyError)
    log.error(
        "answer_failed" if request.method == "POST" else "page_failed", error=type(error).__name__, exc_info=error
    )
    page = shell.frame(BrandFacts(languages=tuple(languages())))
    status = 503 if away else 500
    if request.method == "POST":
        fields = [(name, value) for name, value in request.form.items(multi=True) if name != "lang"]
        words = "page.failed_words" if request.form.get("comment") else "page.failed_more"
        response = shell.ended(
            page,
            status,
            "page.failed",
            page.say(words),
            mark="bad",
            fields=fields,
            action=request.full_path.rstrip("?"),
            aside={"text": page.say("page.failed_later")},
        )
    else:
        response = shell.ended(page, status, "page.unavailable", page.say("page.unavailable_more"), mark="bad")
    if away:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _fresh_token(slug: str) -> str | None:
    """A link of their own for one visitor of a public link; nothing is stored before they answer."""
    version = respond.public_version(db.session, slug)
    if version is None:
        return None
    return tokens.mint(PURPOSE, public_uid(version, clock.now(), secrets.token_urlsafe(12)), shell.keys())


def _open(token: str, *, settled_too: bool = False) -> tuple[Frame, Asked] | Response:
    """The page and the question behind a token, or the page that says why there is none."""
    uid = tokens.read(PURPOSE, token, shell.keys())
    asked = respond.asked(db.session, uid) if uid else None
    if uid is None or asked is None:
        return shell.unknown()
    page = _frame(token, uid, asked)
    now = clock.now()
    until = screens.edit_until(asked)
    if settled_too and until is not None and not asked.erased:
        return page, asked
    if asked.closed(now):
        return screens.closed_screen(page, None if asked.erased else asked.closes_at)
    if until is not None and until <= now:
        return screens.settled_screen(page, asked, 200)
    return page, asked


def _frame(token: str, uid: str, asked: Asked) -> Frame:
    return shell.frame(asked.brand, asked.language, token=token, uid=uid, anonymous=asked.public)


def _record(token: str, uid: str, number: int) -> Response:
    form = _posted(uid)
    page_number = 2 if number == 1 and "comment" in form else number
    wanted = request.args.get("lang")
    try:
        recorded = responses.record_form(
            uid,
            form,
            page=page_number,
            status=ResponseStatus.CONFIRMED,
            claim=visits.claim(uid),
            language=wanted if wanted and wanted.split("-")[0] in languages() and len(wanted) <= 20 else None,
        )
    except responses.InvitationUnknown:
        return shell.unknown()
    except (responses.InvitationClosed, responses.AnswerWindowClosed, responses.AnswerRefused) as reason:
        return _not_recorded(token, uid, page_number, form, reason)
    kept = {"lang": wanted} if wanted else {}
    if page_number == CLOSING:
        return redirect(shell.url_for("respond.thanks_page", token=token, saved=1, **kept), 303)
    kept |= {"cut": "1"} if is_cut(form) else {}
    if recorded.next_page is None:
        return redirect(shell.url_for("respond.thanks_page", token=token, **kept), 303)
    return redirect(shell.url_for("respond.more_page", token=token, number=recorded.next_page, **kept), 303)


def _posted(uid: str) -> dict[str, list[str]]:
    """The fields of the form. One that is too large is refused, unless the first score would be lost with it."""
    request.max_content_length = shell.BODY_LIMIT
    try:
        fields = request.form
    except RequestEntityTooLarge:
        begun = bodies.beginning()
        asked = respond.asked(db.session, uid) if "score" in begun else None
        if asked is None or asked.answered:
            raise
        fields = request.form = begun
    return {name: fields.getlist(name) for name in fields}


def _go_on(page: Frame, asked: Asked, token: str) -> Response:
    """Where somebody who has answered goes on, on this device or another: the first question left open, or the end."""
    said = asked.known
    for question in asked.definition.wanted:
        open_still = asked.comment is None if question.kind is Kind.COMMENT else question.key not in said
        if open_still and applies(question, said):
            number = asked.definition.page_of(question)
            return redirect(page.address("respond.more_page", token=token, number=number), 303)
    return redirect(page.address("respond.thanks_page", token=token), 303)


def _not_recorded(token: str, uid: str, number: int, form: Mapping[str, list[str]], reason: Exception) -> Response:
    asked = respond.asked(db.session, uid)
    if asked is None:
        return shell.unknown()
    page = _frame(token, uid, asked)
    if isinstance(reason, responses.InvitationClosed):
        return screens.closed_screen(page, reason.until)
    if isinstance(reason, responses.AnswerWindowClosed):
        return screens.settled_screen(page, asked, 409)
    assert isinstance(reason, responses.AnswerRefused)
    problems = {p.field: p for p in reason.problems}
    chosen = read_primary(asked.definition.metric, (form.get("score") or [""])[0])
    first = screens.primary(asked) if chosen is None else chosen
    if "score" in problems or first is None:
        return screens.score_screen(page, asked, None, visits.carried(uid), error=page.say("page.choose"))
    if number == CLOSING:
        return screens.thanks_screen(page, asked, form=form, problems=problems)
    said = {**asked.known, "score": first if isinstance(first, int) else None}
    return screens.more_screen(page, asked, number, asked.definition.on_page(number, said), first, form, problems)
