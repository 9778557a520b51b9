"""What a partner's page calls: the script, and offer, seen and answer under exact CORS. Decides nothing itself.

A page that may not ask learns only that nothing is shown; why is counted for the partner's own console.
"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from surveyapp import clock, logs
from surveyapp.domain.fields import read_id, read_names
from surveyapp.domain.networks import network_of
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.queries import partners as queries
from surveyapp.queries import respond
from surveyapp.queries.partners import PartnerFacts
from surveyapp.services import offers, partners, responses, tickets
from surveyapp.services.offers import NotOffered, Visit
from surveyapp.web.widget import abuse
from surveyapp.web.widget.files import script
from surveyapp.web.widget.payload import survey

blueprint = Blueprint("widget", __name__)
log = logs.get(__name__)

BODY_LIMIT = 64 * 1024
FRAMES = 20
HOUR, YEAR = 3_600, 31_536_000


@blueprint.get("/widget.js")
def loader() -> Response:
    """The loader. Where it was fetched from is a sign of life for the partner whose page that is."""
    referrer = _origin_of(request.headers.get("Referer", ""))
    if referrer and referrer != current_app.config["BASE_URL"]:
        for partner_id in queries.listing(db.session, referrer):
            _sign(partner_id, referrer, "loaded", heartbeat=True)
    return _script("widget.js", HOUR)


@blueprint.get("/widget/panel.js")
def panel() -> Response:
    """The rest of the widget, fetched only when there is something to show."""
    marked = request.args.get("v") == script("panel.js").mark
    return _script("panel.js", YEAR if marked else HOUR)


@blueprint.post("/widget/v1/offer", provide_automatic_options=False)
def offer() -> Any:
    """Anything for this visitor at this step?"""
    body = _body()
    partner = _partner(body)
    if partner is None:
        return _nobody()
    origin = _origin()
    if origin not in partner.origins:
        _sign(partner.id, origin or "null", "wrong_origin")
        return _nobody()
    g.allowed_origin = origin
    _sign(partner.id, origin, "asked", heartbeat=True)
    try:
        _refuse_frames(body.get("within"), partner)
        if abuse.too_many_offers(partner.id, network_of(request.remote_addr or "")):
            raise NotOffered("busy", "too_many")
        made = offers.offer(partner, _visit(body), origin)
    except NotOffered as refusal:
        if refusal.sign:
            _sign(partner.id, origin, refusal.sign)
        return {"show": False, "reason": str(refusal.reason)}
    asked = respond.asked(db.session, made.invitation)
    assert asked is not None
    person, theme = made.invitation if made.known else None, body.get("theme")
    shown = survey(asked.definition, asked.brand, made.language, partner.settings, person, theme)
    return {"show": True, "ticket": made.ticket, "survey": shown}


@blueprint.post("/widget/v1/seen", provide_automatic_options=False)
def seen() -> Any:
    """The question was really visible, or closed unanswered."""
    body = _body()
    what = body.get("what")
    if what not in ("shown", "dismissed"):
        return _problem(422, "what: is shown or dismissed")
    origin = _origin()
    tickets.seen(_ticket(body), str(what), origin)
    g.allowed_origin = origin
    return Response(status=204)


@blueprint.post("/widget/v1/answer", provide_automatic_options=False)
def answer() -> Any:
    """The answer: the first tap stores, what follows changes it."""
    body = _body()
    given = _given(body)
    if isinstance(given, str):
        return _problem(422, given)
    text, origin = _ticket(body), _origin()
    partner_id, network = tickets.partner_of(text, origin), network_of(request.remote_addr or "")

    def suspicious(in_sight: timedelta) -> bool:
        return abuse.stuffing(partner_id, network, in_sight)

    stored = tickets.answer(text, given, origin, suspicious)
    if stored.status == ResponseStatus.SUSPECTED_BOT:
        _sign(partner_id, origin, "quarantined")
        log.warning("answer_quarantined", partner=partner_id)
    g.allowed_origin = origin
    # Somebody who stuffs ballots is not told that it was noticed.
    return {"status": str(ResponseStatus.CONFIRMED)}


def _given(body: dict[str, Any]) -> tickets.Given | str:
    """What was answered, or a sentence on what does not fit."""
    score, comment, answers = body.get("score"), body.get("comment"), body.get("answers") or {}
    if score is not None and type(score) is not int:
        return "score: must be an integer of the scale"
    if comment is not None and type(comment) is not str:
        return "comment: must be a text"
    if not isinstance(answers, dict):
        return "answers: must be an object of lists of texts, by question"
    for key, values in answers.items():
        if not isinstance(values, list) or not all(type(value) is str for value in values):
            return f"answers.{key[:40]}: must be a list of texts"
    return tickets.Given(score, comment, answers)


@blueprint.route("/widget/v1/<any(offer, seen, answer):call>", methods=["OPTIONS"])
def preflight(call: str) -> Response:
    """Whether a page of this origin may call at all; which key may is looked at with the call."""
    response = Response(status=204)
    origin = request.headers.get("Origin", "")
    if origin != "null" and queries.listing(db.session, origin):
        g.allowed_origin = origin
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "content-type"
        response.headers["Access-Control-Max-Age"] = "600"
    else:
        _tell_who_may_wonder(origin[:200])
    return response


def _tell_who_may_wonder(origin: str) -> None:
    """A browser asks before it sends a key, so that a page of a wrong origin is told only to partners it resembles."""
    try:
        for partner_id in queries.resembling(db.session, origin):
            _sign(partner_id, origin, "wrong_origin")
    except ValueError:  # no address at all
        return


@blueprint.after_request
def _allow(response: Response) -> Response:
    """Exactly the origin that was checked, never a wildcard; a cache must not mix them up."""
    if request.path.startswith("/widget/v1/"):
        response.headers.add("Vary", "Origin")
        if allowed := g.get("allowed_origin"):
            response.headers["Access-Control-Allow-Origin"] = allowed
    return response


@blueprint.errorhandler(tickets.TicketRefused)
def ticket_refused(error: Exception) -> Response:
    return _problem(403, "this ticket does not count here")


@blueprint.errorhandler(responses.InvitationClosed)
@blueprint.errorhandler(responses.AnswerWindowClosed)
def closed(error: Exception) -> Response:
    return _problem(403, "the question has closed")


@blueprint.errorhandler(responses.AnswerRefused)
def refused(error: responses.AnswerRefused) -> Response:
    return _problem(422, str(error))


@blueprint.errorhandler(HTTPException)
def not_like_that(error: HTTPException) -> Response:
    response = _problem(error.code or 400, error.name)
    if isinstance(error, RequestEntityTooLarge):
        response.headers["Connection"] = "close"
    return response


def _problem(status: int, detail: str) -> Response:
    return make_response(jsonify({"error": detail}), status)


def _nobody() -> tuple[dict[str, Any], int]:
    """An answer that no page may read: the caller is not who the key was made for."""
    return {"show": False, "reason": "refused"}, 403


def _body() -> dict[str, Any]:
    request.max_content_length = BODY_LIMIT
    if (request.content_length or 0) > BODY_LIMIT:
        raise RequestEntityTooLarge
    body = request.get_json()
    return body if isinstance(body, dict) else {}


def _partner(body: dict[str, Any]) -> PartnerFacts | None:
    key = body.get("key")
    found = queries.by_publishable(db.session, key, clock.now()) if isinstance(key, str) and len(key) <= 64 else None
    db.session.rollback()
    return found


def _visit(body: dict[str, Any]) -> Visit:
    problems: list[str] = []
    journey, step = (read_id(body.get(name), name, problems) for name in ("journey", "step"))
    optional = {
        name: read_id(body[name], name, problems)
        for name in ("customer", "signature", "instance", "language")
        if body.get(name) not in (None, "")
    }
    if problems:
        raise NotOffered("refused", "unreadable")
    properties = read_names(body.get("properties"), "properties", problems)
    if problems:
        raise NotOffered("refused", "bad_properties")
    language = optional.pop("language", None)
    return Visit(journey, step, properties=properties, language=language and language[:20], **optional)


def _refuse_frames(within: object, partner: PartnerFacts) -> None:
    """A page in a frame of somebody else's asks nobody: what is tapped there may be aimed by the frame's owner."""
    if within is None:
        return
    frames = within if isinstance(within, list) else [within]
    if len(frames) > FRAMES or not all(isinstance(f, str) and _origin_of(f) in partner.origins for f in frames):
        raise NotOffered("refused", "framed")


def _ticket(body: dict[str, Any]) -> str:
    text = body.get("ticket")
    if not isinstance(text, str) or len(text) > 200:
        raise tickets.TicketRefused
    if abuse.too_many_calls(text):
        raise tickets.TicketRefused
    return text


def _origin() -> str:
    """The page's origin as the browser says it; `null` and none are no origin."""
    told = request.headers.get("Origin", "")
    return "" if told == "null" else told[:200]


def _origin_of(address: str) -> str:
    scheme, slashes, rest = address[:500].partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower() if slashes else ""


def _sign(partner_id: int, origin: str, what: str, *, heartbeat: bool = False) -> None:
    """Count a sign of life, at most once a minute for what happens at every visit."""
    if not abuse.too_many_signs(partner_id, what, origin if heartbeat else None):
        db.session.rollback()
        partners.note_sign(partner_id, origin or "null", what, clock.now())


def _script(name: str, seconds: int) -> Response:
    found = script(name)
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(found.packed if packed else found.plain, mimetype="text/javascript")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(found.mark + ("-gzip" if packed else ""))
    return response.make_conditional(request)
