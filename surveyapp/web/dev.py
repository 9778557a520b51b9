"""The local mailbox and the local phone, for looking at what would have left. Absent when no local backend is set.

The body of an e-mail is hostile text here: it is shown from an address of its own, in a sandbox without scripts.
"""

import json
import re
from collections.abc import Iterator

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from surveyapp.domain import segments
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.models import LocalMessage
from surveyapp.queries import mailbox as queries
from surveyapp.services import mailbox as services
from surveyapp.web.webhooks.twilio import signed_by_us, take_text

blueprint = Blueprint("dev", __name__)

PAGE = 50
BATCH = 200
BUBBLES = 100
LARGEST_ID = 2**63 - 1
NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")
VIEWS = ("read", "text", "headers")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The e-mail's own styles are inline, as in every e-mail; nothing else of it may run, load, post or reach our origin.
BODY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
NEW_TAB = '<base target="_blank">'


@blueprint.before_request
def only_when_local() -> None:
    if not (_has_mailbox() or _has_phone()):
        abort(404)


@blueprint.after_request
def keep_to_this_page(response: Response) -> Response:
    if response.status_code < 400:
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/mailbox")
def mailbox() -> str:
    """Every message in and out, newest first, with the newest one opened beside the list."""
    return _page(None)


@blueprint.get("/mailbox/<int:number>")
def message(number: int) -> str:
    """One message as its reader sees it, as plain text, or with its headers."""
    return _page(_found(number))


@blueprint.get("/mailbox/<int:number>/body")
def body(number: int) -> Response:
    """The HTML of an e-mail, alone, under a policy that lets nothing run."""
    found = _found(number)
    if found.html is None:
        abort(404)
    response = Response(found.html.replace("<head>", "<head>" + NEW_TAB, 1), mimetype="text/html")
    response.headers["Content-Security-Policy"] = BODY_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/mailbox.json")
def messages() -> Response:
    """Everything we sent after `after`, oldest first; written out as it is read, however much there is."""
    return Response(stream_with_context(_json(_number(request.args.get("after", "0")))), mimetype="application/json")


@blueprint.get("/phone")
def phone() -> BaseResponse:
    return redirect(url_for("dev.mailbox", channel=Channel.SMS), 303)


@blueprint.post("/phone")
def text_in() -> BaseResponse:
    """A text message from a person's phone comes in, signed by us, by the provider's own way."""
    if not _has_phone():
        abort(404)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    values = request.get_json(silent=True) if request.is_json else request.form
    sender, words = _text(values, "from"), _text(values, "body")
    if not NUMBER.fullmatch(sender):
        abort(422, "from: a number in international form, such as +33612345678")
    if not words.strip() or len(words) > segments.LONGEST:
        abort(422, f"body: between 1 and {segments.LONGEST} characters")
    number = services.receive(sender, current_app.config["TWILIO_FROM"] or "surveyapp", words)
    form = MultiDict({"MessageSid": f"phone-{number}", "From": sender, "To": "surveyapp", "Body": words})
    take_text(form, *signed_by_us(form))
    if request.accept_mimetypes.accept_html and request.accept_mimetypes.best != "*/*":
        return redirect(url_for("dev.message", number=number, _anchor="end"), 303)
    return Response(json.dumps({"id": number}), 202, mimetype="application/json")


def _page(opened: LocalMessage | None) -> str:
    address = request.args.get("to", "").strip()[:254]
    channel = request.args.get("channel") if request.args.get("channel") in (Channel.EMAIL, Channel.SMS) else None
    before = _number(request.args["before"]) if "before" in request.args else None
    listed = queries.lines(db.session, address=address, channel=channel, before=before, limit=PAGE + 1)
    newest = opened or (queries.message(db.session, listed[0].id) if listed else None)
    return render_template(
        "dev/mailbox.html",
        listed=listed[:PAGE],
        older=listed[PAGE - 1].id if len(listed) > PAGE else None,
        message=newest,
        chosen=opened is not None,
        bubbles=_bubbles(newest),
        view=request.args.get("view") if request.args.get("view") in VIEWS else "read",
        kept={name: value for name, value in (("to", address), ("channel", channel)) if value},
        address=address,
        channel=channel,
        latest=queries.latest_number(db.session),
        has_phone=_has_phone(),
    )


def _bubbles(found: LocalMessage | None) -> list[tuple[LocalMessage, segments.Segments]]:
    """The conversation a text message belongs to, each line with its cost."""
    if found is None or found.channel != Channel.SMS:
        return []
    number = found.sender if found.direction == "in" else found.recipient
    return [(line, segments.count(line.text)) for line in queries.conversation(db.session, number, BUBBLES)]


def _json(after: int) -> Iterator[str]:
    yield '{"messages":['
    comma = ""
    while found := queries.messages_after(db.session, after, BATCH):
        for row in found:
            yield comma + json.dumps(_as_json(row))
            comma = ","
        after = found[-1].id
        db.session.rollback()  # neither the rows nor the transaction are held while the reader takes its time
    yield "]}"


def _as_json(row: LocalMessage) -> dict[str, object]:
    return {
        "id": row.id,
        "channel": row.channel,
        "to": row.recipient,
        "from": row.sender,
        "subject": row.subject,
        "text": row.text,
        "html": row.html,
        "headers": row.headers,
        "sent_at": row.sent_at.isoformat().replace("+00:00", "Z"),
    }


def _found(number: int) -> LocalMessage:
    found = queries.message(db.session, number) if number <= LARGEST_ID else None
    if found is None:
        abort(404)
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID):
        abort(400, "after, before: a whole number")
    return int(text)


def _text(values: object, name: str) -> str:
    value = values.get(name) if hasattr(values, "get") else None
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        abort(422, f"{name}: missing, or not a text")
    return value


def _has_mailbox() -> bool:
    return current_app.config["EMAIL_BACKEND"] == "mailbox"


def _has_phone() -> bool:
    return current_app.config["SMS_BACKEND"] == "phone"
