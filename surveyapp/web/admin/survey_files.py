"""Surveys as files: ours out and in as YAML or JSON, LimeSurvey's and SurveyJS's in, with a report in words."""

import json
from typing import Any

import yaml
from flask import make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from surveyapp.domain.programme import plain as written
from surveyapp.domain.programme.tree import plain
from surveyapp.domain.survey_editing import expanded, key_of
from surveyapp.domain.survey_editing import plain as as_file
from surveyapp.domain.survey_import import Carried, Unreadable, read_limesurvey, read_surveyjs
from surveyapp.extensions import db
from surveyapp.queries import surveys as drafts
from surveyapp.services import surveys as services
from surveyapp.services.programme_file import read_tree
from surveyapp.web.admin import designer, look, shell, survey_preview
from surveyapp.web.admin.surveys import blueprint, free, may_edit, one

LARGEST = 1024 * 1024
TOO_LARGE = "The file has more than 1 MiB. A survey of ten questions takes a few thousand characters."
PARTS = (designer, look, survey_preview)  # whose pages belong to the same blueprint

__all__ = ["PARTS", "blueprint"]


@blueprint.get("/<key>/survey.<any('yaml', 'json'):kind>")
def export(key: str, kind: str) -> Response:
    """The survey as it is live, or its draft where it was never published; imported again it says the same."""
    one(key)
    session = db.session()
    live, draft = drafts.live_definition(session, key), drafts.draft_of(session, key)
    said = written.ordered({"key": key, **(live[1] if live else draft.definition if draft else {})})
    if kind == "json":
        text = json.dumps(said, ensure_ascii=False, indent=2) + "\n"
    else:
        text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False, width=120)
    response = make_response(text)
    response.headers["Content-Type"] = f"{'application/json' if kind == 'json' else 'text/yaml'}; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{key}.{kind}"'
    return response


@blueprint.get("/-/import")
def show_import() -> str:
    return _page()


@blueprint.post("/-/import")
def take_import() -> Any:
    """A draft of what a file holds, and what could not be carried; nothing is asked by it."""
    file = request.files.get("file")
    content = (request.form.get("text") or "").encode("utf-8", "replace")
    if file and file.filename:
        content = file.read(LARGEST + 1)
        file.close()
    if len(content) > LARGEST:
        return _page(TOO_LARGE), 413
    if not content.strip():
        return _page("Choose a file or paste its content."), 422
    try:
        name, definition, carried = _read(content)
        wanted = (request.form.get("key") or "").strip() or free(name)
        services.new_survey(wanted, definition, current_user.email)
    except Unreadable as problem:
        return _page(f"Nothing was imported: {problem}."), 422
    except services.KeyRefused as refusal:
        return _page(str(refusal)), 422
    except services.NoProgramme:
        return _page("Apply a programme first: a survey asks in the name of a brand."), 422
    if carried is None:
        return redirect(url_for("surveys.design", key=wanted), 303)
    return render_template("admin/survey_imported.html", key=wanted, carried=carried)


def _page(error: str = "") -> str:
    return render_template("admin/survey_import.html", error=error, may_edit=may_edit())


def _read(content: bytes) -> tuple[str, dict[str, Any], Carried | None]:
    """A name for the survey, its definition, and the report where it came from another tool. Raises Unreadable."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        carried = read_limesurvey(content, shell.languages())
        return _name(carried.title), as_file(carried.definition), carried
    value = _json(content) if start in (b"{", b"[") else _yaml(content)
    if isinstance(value, dict) and isinstance(value.get("surveys"), list) and len(value["surveys"]) == 1:
        value = value["surveys"][0]  # a programme file with this one survey
    if isinstance(value, dict) and isinstance(value.get("metric"), str):
        key = value.get("key")
        return _name(key if isinstance(key, str) else ""), as_file(expanded(value)), None
    if isinstance(value, dict) and "surveys" in value:
        raise Unreadable("it holds more than one survey: a whole programme is applied, not imported")
    if isinstance(value, dict) and start != b"{":
        raise Unreadable("it has no 'metric', so it is no survey of ours; SurveyJS comes as JSON, LimeSurvey as .lss")
    carried = read_surveyjs(value, shell.languages())
    return _name(carried.title), as_file(carried.definition), carried


def _name(text: str) -> str:
    return key_of(text, set(), "imported")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error.msg} on line {error.lineno}") from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("it is nested too deeply or holds a number that is none") from error


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _yaml(content: bytes) -> Any:
    tree, problems = read_tree(content)
    if tree is None or problems:
        raise Unreadable(" ".join(f"line {problem.line}: {problem.sentence.rstrip('.')}" for problem in problems[:3]))
    return plain(tree)
