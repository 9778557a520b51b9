"""The designer: one form for the whole survey at the left, its warnings, and what customers would see at the right.

Every button posts the form, so that it works without script; with script the same posts save by themselves.
"""

from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain import survey_editing as editing
from surveyapp.domain.programme.survey_draft import read_draft
from surveyapp.domain.questions import CONTEXT, GAPS, QUESTION_LIMIT, SCORE, Kind
from surveyapp.domain.scores import METRICS
from surveyapp.domain.survey_conditions import KEPT, pickable, read_context
from surveyapp.domain.survey_difference import conditions, differences, title
from surveyapp.domain.survey_editing import NothingThere
from surveyapp.domain.survey_review import seconds
from surveyapp.extensions import db
from surveyapp.models import SurveyDraft
from surveyapp.queries import surveys as drafts
from surveyapp.queries.survey_context import known_context
from surveyapp.queries.survey_review import review_of
from surveyapp.queries.words import words
from surveyapp.services import surveys as services
from surveyapp.web.admin import designer_forms, shell, survey_preview
from surveyapp.web.admin.designer_words import placed
from surveyapp.web.admin.figures import METRIC_WORDS
from surveyapp.web.admin.frames import framing
from surveyapp.web.admin.surveys import KIND_WORDS, asked_in, blueprint, may_edit, one, wording

ADDED = {
    "comment": "Comment",
    "reasons": "Reasons",
    "many": "Several choices",
    "one": "One choice",
    "emotion": "Faces",
    "text": "Short text",
    "long": "Long text",
    "number": "Number",
    "date": "Day",
    "consent": "Consent",
}


@blueprint.get("/<key>/design")
def design(key: str) -> Response:
    one(key)
    session = db.session()
    draft, live = drafts.draft_of(session, key), drafts.live_definition(session, key)
    definition = draft.definition if draft else live[1] if live else {}
    return _page(key, draft, definition, request.args.get("open", ""))


def _page(
    key: str,
    draft: SurveyDraft | None,
    definition: dict[str, Any],
    opened: str = "",
    status: int = 200,
    theirs: SurveyDraft | None = None,
) -> Response:
    row, session = one(key), db.session()
    live = drafts.live_definition(session, key)
    view = editing.expanded(definition)
    own, languages = shell.language(), shell.languages()
    _, refusals = read_draft({"key": key, **definition}, own, languages, shell.zone())
    preview = survey_preview.chosen()
    page = render_template(
        "admin/designer.html",
        row=row,
        draft=draft,
        theirs=theirs,
        their_changes=differences(theirs.definition, definition, own) if theirs else [],
        base=live[0] if live else 0,
        stale=bool(draft and live and draft.base_version != live[0]),
        changes=differences(live[1], definition, own) if live else [],
        view=view,
        questions=[_shown(view, n, own) for n in range(len(view["follow_up"]))],
        opened=opened,
        languages=languages,
        language_names={code: words(code).name for code in languages},
        directions={code: words(code).direction for code in languages},
        asked=asked_in(view),
        metrics=METRIC_WORDS,
        scale=list(METRICS[view["metric"]].scale) if view.get("metric") in METRICS else [],
        kinds=[(str(kind), ADDED.get(kind, str(kind).capitalize())) for kind in Kind],
        may_add=len(view["follow_up"]) < QUESTION_LIMIT,
        commented=any(q.get("kind") == "comment" for q in view["follow_up"]),
        gaps=GAPS,
        refusals=[placed(refusal, view, lambda code: words(code).name) for refusal in refusals],
        findings=review_of(session, key, definition),
        took=round(seconds(definition, own)),
        reason=words(own).texts["short"]["reason"],
        may_edit=may_edit(),
        preview=preview,
        screens=survey_preview.screens(definition),
        samples=survey_preview.samples(definition, preview),
        fields=known_context(session, key),
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = framing()
    return response


def _shown(view: dict[str, Any], index: int, language: str) -> dict[str, Any]:
    """One question as its row and its fields show it."""
    question = view["follow_up"][index]
    earlier = view["follow_up"][:index]
    when = question.get("when") or {}
    metric = str(view.get("metric"))
    asked = {str(q.get("key")): q for q in earlier}
    said = dict(zip(when, conditions(view, question, language), strict=True))
    able = [q for q in earlier if pickable(q) and q.get("key") not in when]
    return {
        "q": question,
        "n": index,
        "title": wording(question, language),
        "kind": KIND_WORDS.get(str(question.get("kind")), str(question.get("kind"))),
        "when": " and ".join(said.values()),
        "conditions": [_condition(name, value, metric, asked, said[name]) for name, value in when.items()],
        "can_depend_on": ([(SCORE, "the score")] if SCORE not in when else [])
        + [(q["key"], title(q, language)) for q in able],
        "other": editing.offers_other(question),
        "choices": question.get("kind") in editing.CHOICES,
    }


def _condition(name: str, value: Any, metric: str, asked: dict[str, Any], sentence: str) -> dict[str, Any]:
    """One condition as it is edited: by scores, by picking answers, on the context, or kept as a file says it."""
    shown: dict[str, Any] = {"on": name, "said": sentence, "kind": "kept"}
    question = asked.get(name, {})
    if name == SCORE:
        shown |= {"kind": "score", "picked": editing.score_values(value, metric)}
    elif name.startswith(CONTEXT):
        read = read_context(value)
        field = name.removeprefix(CONTEXT)
        shown |= {"kind": KEPT if read.verb == KEPT else "context", "field": field, "verb": read.verb}
        shown["picked"] = list(read.values)
    elif choices := pickable(question):
        picked = editing.choice_values(value)
        shown |= {"kind": "answers", "question": question, "picked": picked}
        shown["choices"] = choices | {key: {} for key in picked if key not in choices}
    return shown


@blueprint.post("/<key>/design")
def change(key: str) -> Response:
    """Save the form, then do what its button says, such as `save`, `add.many`, `up.2`, `move.2.0`, `when.2.score`."""
    one(key)
    do = designer_forms.pressed(request.form)
    opened = [request.form.get("open", "")]

    def edit(before: dict[str, Any]) -> dict[str, Any]:
        said = designer_forms.read(request.form, before, shell.languages())
        if do == "save":
            return said
        said, opened[0] = designer_forms.carry_out(said, do)
        return said

    try:
        services.save_draft(key, edit, current_user.email, _revision(), typed=do == "save")
    except NothingThere:
        abort(409, "This question is not there any more. Load the page again to see what is.")
    except services.KeyRefused as refusal:
        abort(413, str(refusal))
    except services.DraftChanged as refused:
        theirs = refused.theirs
        if theirs is None:
            abort(409, "The draft was published or discarded meanwhile. Load the page again to see what is.")
        return _page(key, theirs, edit(theirs.definition), opened[0], 409, theirs)
    kept = {**request.args.to_dict(), "open": opened[0] or None}
    anchor = f"q-{opened[0]}" if opened[0] and do != "save" else None
    return redirect(url_for("surveys.design", key=key, _anchor=anchor, **kept), 303)


@blueprint.post("/<key>/undo")
def undo(key: str) -> Response:
    one(key)
    services.undo(key, current_user.email)
    return redirect(url_for("surveys.design", key=key, **request.args.to_dict()), 303)


def _revision() -> int | None:
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
