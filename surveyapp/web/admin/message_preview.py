"""A trigger's messages as a customer would see them, and a test to one's own address. Asks no customer anything.

The e-mail is hostile text here: it is shown from an address of its own, in a sandbox where nothing runs or opens.
"""

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from surveyapp.channels.base import ReceiptKind
from surveyapp.domain.vocabulary import MessageKind, Role
from surveyapp.queries.catalog import wording
from surveyapp.services import message_preview as services
from surveyapp.web.admin import params, shell
from surveyapp.web.headers import CONTENT_SECURITY_POLICY

blueprint = Blueprint("message_preview", __name__)
PAGE_POLICY = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
BODY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)
KINDS = {MessageKind.FIRST: "The question", MessageKind.REMINDER: "Its reminder"}
WHAT_BECAME_OF_IT = {
    ReceiptKind.ACCEPTED: "A test is on its way to {}.",
    ReceiptKind.REFUSED: "The test was refused for {}: {}",
    ReceiptKind.RETRY: "The provider asks us to try later. Nothing was sent to {}: {}",
    ReceiptKind.CONFIGURATION: "The provider does not take our messages. Nothing was sent to {}: {}",
    ReceiptKind.UNKNOWN: "The test may have left for {}, or not: {}",
}


@blueprint.get("/<key>")
def index(key: str) -> Response:
    found, language, kind = _found(key)
    page = render_template(
        "admin/message_preview.html",
        key=key,
        preview=found,
        language=language,
        kind=kind,
        kinds=KINDS,
        languages=[(code, _name(code)) for code in shell.languages()],
        may_test=current_user.role in (Role.ADMIN, Role.EDITOR),
        kept={"language": language, "kind": kind if kind != MessageKind.FIRST else None},
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


@blueprint.get("/<key>/body")
def body(key: str) -> Response:
    """The HTML of the e-mail, alone, under a policy that lets nothing run."""
    found, _, _ = _found(key)
    if found.email is None:
        abort(404)
    response = Response(found.email.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = BODY_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.post("/<key>/test")
def test(key: str) -> BaseResponse:
    """Send the e-mail, marked as a test, to who asks for it and to nobody else."""
    language, kind = _chosen(request.form.get("language"), request.form.get("kind"))
    address = current_user.email
    try:
        receipt = services.send_test(_clean(key), language, address, kind)
    except services.NothingToTest as problem:
        abort(404, f"No test was sent: {problem}.")
    flash(WHAT_BECAME_OF_IT[receipt.kind].format(address, receipt.error or "no reason was given"))
    return redirect(url_for("message_preview.index", key=key, language=language, kind=kind), 303)


def _found(key: str) -> tuple[services.Preview, str, MessageKind]:
    language, kind = _chosen(params.text("language"), params.text("kind"))
    found = services.preview(_clean(key), language, kind)
    if found is None:
        abort(404, "There is no such trigger.")
    return found, language, kind


def _chosen(language: str | None, kind: str | None) -> tuple[str, MessageKind]:
    known = shell.languages()
    return (
        language if language in known else known[0],
        MessageKind.REMINDER if kind == MessageKind.REMINDER else MessageKind.FIRST,
    )


def _clean(key: str) -> str:
    if not key.isprintable():
        abort(404)
    return key


def _name(language: str) -> str:
    try:
        return str(wording(language)["name"])
    except LookupError:
        return language
