"""Surveys: the list, one survey's page, its versions compared, and its life: new, copied, archived, brought back.

How a survey is written is `designer`; nothing here changes what is asked.
"""

import io
import secrets
from typing import Any

import segno
from flask import Blueprint, abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain import tokens
from surveyapp.domain.public_links import draft_uid, public_uid
from surveyapp.domain.questions import DefinitionProblems, parse_definition
from surveyapp.domain.scores import METRICS
from surveyapp.domain.survey_difference import conditions, differences
from surveyapp.domain.survey_editing import expanded
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import surveys as drafts
from surveyapp.queries import test_links, words
from surveyapp.queries.answering_time import answering_effort, answering_time
from surveyapp.queries.console import surveys as queries
from surveyapp.queries.console.surveys import Listed
from surveyapp.queries.survey_review import review_of
from surveyapp.queries.survey_templates import library
from surveyapp.services import audit, test_answers
from surveyapp.services import surveys as services
from surveyapp.services.transaction import transaction
from surveyapp.web.admin import params, shell
from surveyapp.web.admin.formats import counted, in_language
from surveyapp.web.respond.pages import PURPOSE
from surveyapp.web.respond.shell import keys

blueprint = Blueprint("surveys", __name__)
EDITORS = frozenset({Role.ADMIN, Role.EDITOR})
NO_SURVEY = "There is no survey with this key."
STATES = {
    "draft": ("pencil", "never published"),
    "live": ("check", "live"),
    "idle": ("minus", "asked by nothing"),
    "stopped": ("ban", "stopped"),
    "closed": ("lock", "closed"),
    "full": ("lock", "quota reached"),
    "archived": ("circle-off", "archived"),
}
KIND_WORDS = {
    "comment": "comment, in their own words",
    "one": "choose one",
    "many": "choose any",
    "reasons": "reasons, each mapped to a gap",
    "emotion": "five faces with names",
    "number": "a number",
    "date": "a day",
    "text": "a short text",
    "long": "a longer text",
    "consent": "yes or nothing, kept with its text",
}


@blueprint.get("/")
def index() -> str:
    rows = queries.listed(db.session(), shell.now())
    shown = [row for row in rows if row.archived_at is None]
    return render_template(
        "admin/surveys.html",
        rows=shown,
        archived=[row for row in rows if row.archived_at is not None],
        states=STATES,
        now=shell.now(),
        answers=sum(row.answers for row in shown),
        may_edit=may_edit(),
    )


@blueprint.get("/-/new")
def new() -> str:
    return _new()


def _new(errors: dict[str, str] | None = None) -> str:
    languages = shell.languages()
    return render_template(
        "admin/survey_new.html",
        library=[(t, asked_in(dict(t.survey))[0][2], steps_of(dict(t.survey))) for t in library(languages)],
        errors=errors or {},
        typed=request.form,
        may_edit=may_edit(),
    )


@blueprint.post("/-/new")
def create() -> Any:
    """A draft from a template: one click, and it can be published as it is."""
    wanted = request.form.get("template", "")
    template = next((t for t in library(shell.languages()) if t.key == wanted), None)
    if template is None:
        abort(404, "There is no such template.")
    key = (request.form.get("key") or "").strip() or free(wanted)
    try:
        services.new_survey(key, template.survey, current_user.email)
    except services.KeyRefused as refusal:
        return _new({f"key-{wanted}": str(refusal)}), 422
    except services.NoProgramme:
        flash("Apply a programme first: a survey asks in the name of a brand.")
        return redirect(url_for("surveys.new"), 303)
    return redirect(url_for("surveys.design", key=key), 303)


@blueprint.get("/<key>")
def detail(key: str) -> str:
    return _detail(one(key))


def _detail(row: Listed, **found: Any) -> str:
    key, session = row.key, db.session()
    versions = queries.versions(session, key)
    live = drafts.live_definition(session, key)
    draft = queries.draft(session, key)
    shown = draft.definition if draft and live is None else live[1] if live else {}
    return render_template(
        "admin/survey.html",
        row=row,
        state=STATES[row.state(shell.now())],
        versions=versions,
        draft=draft,
        draft_changes=compared(live[1], draft.definition) if draft and live else [],
        questions=asked_in(shown),
        steps=steps_of(shown),
        may_edit=may_edit(),
        address=public_address(row),
        base=str(current_app.config["BASE_URL"]).rstrip("/"),
        tests=test_links.trials(session, key),
        time=answering_time(session, key) if versions else None,
        effort=answering_effort(session, key) if versions else None,
        **found,
    )


@blueprint.get("/<key>/changes")
def changes(key: str) -> str:
    """Two versions beside one another in words, or a version and the draft."""
    row = one(key)
    session = db.session()
    draft = queries.draft(session, key)
    known = [version.number for version in queries.versions(session, key)]
    right: int | str | None = params.whole("to") if params.text("to") != "draft" else "draft"
    if right is None:
        right = "draft" if draft else row.number
    left = params.whole("from")
    if left is None:
        left = row.number if right == "draft" else max((n for n in known if n < int(right)), default=row.number)
    before = drafts.live_definition(session, key, left) if left < 2**31 else None
    after = draft.definition if right == "draft" and draft else None
    if isinstance(right, int) and right < 2**31:
        found = drafts.live_definition(session, key, right)
        after = found[1] if found else None
    if before is None or after is None:
        abort(404, "There is no such version of this survey.")
    return render_template(
        "admin/survey_changes.html",
        row=row,
        left=left,
        right=right,
        known=known,
        draft=draft,
        changes=compared(before[1], after),
        findings=review_of(session, key, after) if right == "draft" else [],
        may_publish=right == "draft" and may_edit(),
    )


@blueprint.post("/<key>/test")
def try_it(key: str) -> Response:
    """A test link: the live survey, or the draft (`draft=1`), as customers meet it; its answer counts nowhere."""
    if request.form.get("draft") == "1":
        return _try_draft(key)
    version = test_links.version_to_try(db.session(), one(key).key)
    if version is None:
        abort(404, "A survey can be tried once it is published; before that, the preview shows it.")
    uid = public_uid(version, shell.now(), secrets.token_urlsafe(12), test=True)
    return redirect(url_for("respond.question_page", token=tokens.mint(PURPOSE, uid, keys())), 303)


def _try_draft(key: str) -> Response:
    """The draft as it stands; its trials go with it when it is published or discarded."""
    draft = queries.draft(db.session(), one(key).key)
    if draft is None:
        abort(404, "There is no draft of this survey to try. Its test link shows what is live.")
    try:
        parse_definition(draft.definition)
    except DefinitionProblems as wrong:
        flash(f"Not opened: the draft cannot be asked yet. {wrong.problems[0][1].capitalize()}.")
        return redirect(url_for("surveys.design", key=key), 303)
    uid = draft_uid(draft.id, shell.now(), secrets.token_urlsafe(12))
    return redirect(url_for("respond.question_page", token=tokens.mint(PURPOSE, uid, keys())), 303)


@blueprint.post("/<key>/clear-tests")
def clear_tests(key: str) -> Response:
    gone = test_answers.clear(one(key).key)
    flash(f"{counted(gone, 'test answer')} cleared. No figure has ever counted them.")
    return redirect(url_for("surveys.detail", key=key), 303)


@blueprint.get("/<key>/qr.<any('svg', 'png'):kind>")
def code(key: str, kind: str) -> Response:
    """The public link as a code to print; SVG for print, PNG for a screen."""
    address = public_address(one(key))
    if address is None:
        abort(404, "This survey has no public link. Give it one in the designer.")
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind=kind, scale=10, border=4)
    response = make_response(drawn.getvalue())
    response.headers["Content-Type"] = "image/svg+xml" if kind == "svg" else "image/png"
    if request.args.get("download"):
        response.headers["Content-Disposition"] = f'attachment; filename="{key}-qr.{kind}"'
    return response


def public_address(row: Listed) -> str | None:
    """The whole address of the survey's public link."""
    base = str(current_app.config["BASE_URL"]).rstrip("/")
    return f"{base}/l/{row.public_slug}" if row.public_slug and row.archived_at is None else None


@blueprint.post("/<key>/person")
def person(key: str) -> Any:
    """One customer's own link, as it was made when the policy let us ask. Looking is written down."""
    row = one(key)
    wanted = (request.form.get("customer") or "").strip()[:200]
    uid = test_links.latest_invitation(db.session(), key, wanted) if wanted.isprintable() else None
    with transaction() as session:
        audit.note(session, "survey.link_shown", key, {"customer": wanted, "found": uid is not None})
    found = None
    if uid:
        found = current_app.config["BASE_URL"].rstrip("/") + url_for(
            "respond.question_page", token=tokens.mint(PURPOSE, uid, keys())
        )
    return _detail(row, person=wanted, person_link=found)


@blueprint.post("/<key>/copy")
def copy(key: str) -> Response:
    """A new draft that says the same under another key; nothing of the first one changes."""
    session = db.session()
    draft, live = drafts.draft_of(session, key), drafts.live_definition(session, key)
    if draft is None and live is None:
        abort(404, NO_SURVEY)
    source: dict[str, Any] = dict(draft.definition if draft else live[1] if live else {})
    source.pop("public", None)  # a link belongs to one survey
    wanted = (request.form.get("key") or "").strip() or free(f"{key[:70]}_copy")
    try:
        services.new_survey(wanted, source, current_user.email)
    except (services.KeyRefused, services.NoProgramme) as refusal:
        flash(str(refusal) or "Apply a programme first: a survey asks in the name of a brand.")
        return redirect(url_for("surveys.detail", key=key), 303)
    flash(f"Copied. {wanted} asks nobody until it is published and a trigger or a link uses it.")
    return redirect(url_for("surveys.detail", key=wanted), 303)


def free(stem: str) -> str:
    """The key, or the first of `stem_2`, `stem_3` … that no survey has."""
    taken = {row.key for row in queries.listed(db.session(), shell.now())}
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}_{number}"
    return key


@blueprint.get("/<key>/archive")
def ask_archive(key: str) -> str:
    """What would stop, before it does."""
    row = one(key)
    if row.archived_at is not None or row.number == 0:
        abort(404, NO_SURVEY)
    return render_template("admin/survey_archive.html", row=row)


@blueprint.post("/<key>/archive")
def archive(key: str) -> Response:
    try:
        stopped = services.archive(key, current_user.email)
    except services.SurveyUnknown:
        abort(404, NO_SURVEY)
    except services.SurveyInUse as reason:
        flash(f"Not archived, since the programme would no longer hold together. {reason}")
        return redirect(url_for("surveys.detail", key=key), 303)
    gone = f" with {', '.join(stopped)}" if stopped else ""
    flash(f"Archived {key}{gone}. Its answers stay. It can be brought back below.")
    return redirect(url_for("surveys.detail", key=key), 303)


@blueprint.post("/<key>/restore")
def restore(key: str) -> Response:
    try:
        services.restore(key, current_user.email)
    except services.SurveyUnknown:
        abort(404, NO_SURVEY)
    except services.SurveyRefused as refusal:
        flash(f"Not brought back. {refusal.problems[0].sentence}")
    else:
        flash(f"{key} is back, with the triggers that were archived with it.")
    return redirect(url_for("surveys.detail", key=key), 303)


@blueprint.post("/<key>/discard")
def discard(key: str) -> Response:
    one(key)
    services.discard_draft(key)
    flash(f"The draft of {key} is discarded.")
    known = drafts.survey_named(db.session(), key) is not None
    return redirect(url_for("surveys.detail", key=key) if known else url_for("surveys.index"), 303)


@blueprint.post("/<key>/publish")
def publish(key: str) -> Response:
    text = request.form.get("revision", "")
    revision = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    try:
        version = services.publish(key, current_user.email, revision)
    except services.SurveyUnknown:
        abort(404, "There is no draft of this survey to publish.")
    except services.DraftChanged as change:
        who = f"{change.theirs.updated_by} saved it meanwhile" if change.theirs else "it is gone"
        flash(f"Not published: {who}. The page shows what it says now.")
    except services.NothingToPublish:
        flash("Not published: the draft says what is live already.")
    except services.SurveyRefused as refusal:
        flash("Not published. " + " ".join(problem.sentence for problem in refusal.problems[:3]))
    else:
        flash(f"Version {version.number} is live. Links that were sent keep theirs. The programme file says so too.")
    return redirect(url_for("surveys.detail", key=key), 303)


def one(key: str) -> Listed:
    """The survey, or the page that says there is none."""
    found = queries.listed(db.session(), shell.now(), key) if key.isprintable() and len(key) <= 80 else []
    if not found:
        abort(404, NO_SURVEY)
    return found[0]


def may_edit() -> bool:
    return current_user.role in EDITORS


def compared(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    return differences(before, after, shell.language())


def asked_in(definition: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The standard question in each of the brand's languages: language, direction, text."""
    metric = definition.get("metric")
    if metric not in METRICS:
        return []
    found = []
    for language in shell.languages():
        texts = words.words(language)
        about = in_language(definition.get("about"), language)
        found.append((language, texts.direction, texts.question(metric, shell.brand_name(), about or "…")))
    return found


def steps_of(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """What is asked after the score: wording, kind in words, its choices, its condition as a sentence."""
    draft, language = expanded(definition), shell.language()
    return [
        {
            "title": wording(q, language),
            "kind": KIND_WORDS.get(str(q.get("kind")), str(q.get("kind"))),
            "choices": [in_language(o.get("label"), language) or o.get("key") for o in q.get("options") or []],
            "when": " and ".join(conditions(draft, q, language)),
        }
        for q in draft["follow_up"]
    ]


def wording(question: dict[str, Any], language: str) -> str:
    """What a question asks: its own words, else the standard ones of its kind, else its key."""
    if own := in_language(question.get("ask"), language):
        return own
    texts, kind = words.words(language).texts, str(question.get("kind"))
    if kind == "comment":
        return str(texts["short"]["reason"])
    return str(texts["standard"].get(kind, {}).get("ask") or question.get("key"))
