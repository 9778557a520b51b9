"""The programme as it stands: promise, journeys, surveys, triggers and contact policy, read-only, and its file."""

from typing import Any

from flask import Blueprint, Response, abort, render_template
from sqlalchemy.orm import Session

from surveyapp.domain import policy_words
from surveyapp.domain.durations import parse_duration
from surveyapp.domain.questions import DefinitionProblems, Kind, parse_definition
from surveyapp.domain.scores import METRICS
from surveyapp.extensions import db
from surveyapp.queries import programme as file_queries
from surveyapp.queries import words
from surveyapp.queries.console import journeys as journey_queries
from surveyapp.queries.console import programme as queries
from surveyapp.queries.console import today
from surveyapp.queries.console.policy import choices
from surveyapp.queries.policy import version_in_force
from surveyapp.web.admin import formats, params, shell
from surveyapp.web.admin.policy_page import names_of
from surveyapp.web.admin.responses import question_words
from surveyapp.web.admin.words import channel_words, step_words

blueprint = Blueprint("programme", __name__)
UNMAPPED_DAYS = 28
VIEWS = {"asking": "What is asked", "surveys": "Surveys", "journeys": "Journeys", "events": "Events"}


@blueprint.get("/")
def index() -> str:
    view = params.choice("view", VIEWS) or "asking"
    session = db.session()
    applied = queries.applied_versions(session)
    reading = {"asking": _asking, "surveys": _surveys, "journeys": _journeys, "events": _events}[view]
    return render_template(
        "admin/programme.html",
        applied=applied,
        view=view,
        views=VIEWS,
        zone=shell.zone(),
        languages=shell.languages(),
        **(reading(session) if applied else {}),
    )


def _asking(session: Session) -> dict[str, Any]:
    policy = version_in_force(session, shell.now())
    return {
        "triggers": [_trigger(row) for row in queries.live_triggers(session)],
        "groups": policy_words.in_groups(policy.definition if policy else {}, names_of(choices(session))),
        "policy": policy,
        "policies": queries.policy_versions(session),
    }


def _surveys(session: Session) -> dict[str, Any]:
    return {"surveys": [_survey(row) for row in queries.live_surveys(session)]}


def _journeys(session: Session) -> dict[str, Any]:
    return {"journeys": journey_queries.journey_maps(session), "promises": queries.promises(session)}


def _events(session: Session) -> dict[str, Any]:
    since, _ = params.span_of(formats.days_back(shell.today(), UNMAPPED_DAYS - 1), None)
    unmapped = today.unmapped_names(session, since) if since else []
    return {"unmapped": unmapped, "unmapped_days": UNMAPPED_DAYS, "journeys": journey_queries.journey_maps(session)}


@blueprint.get("/programme.yaml")
def export() -> Response:
    content = file_queries.export()
    if not content:
        abort(404, "No programme has been applied yet.")
    name = f"programme-{shell.today():%Y-%m-%d}.yaml"
    return Response(content, mimetype="text/yaml", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _survey(row: queries.SurveyRow) -> dict[str, Any]:
    metric = METRICS[row.metric]
    return {
        "row": row,
        "questions": [
            (language, question_words(row.definition, row.metric, language)) for language in shell.languages()
        ],
        "scale": list(metric.scale),
        "labels": _ends(row.metric, shell.language()),
        "further": _further(row, shell.language()),
    }


def _ends(metric: str, language: str) -> tuple[str, str]:
    """The words at the two ends of the scale."""
    try:
        labels = words.words(language).labels(metric)
    except KeyError:
        return "", ""
    return labels.get(METRICS[metric].low, ""), labels.get(METRICS[metric].high, "")


def _further(row: queries.SurveyRow, language: str) -> list[str]:
    """What is asked after the score, a line each."""
    try:
        questions = parse_definition(row.definition).questions
    except DefinitionProblems:
        return []
    return [
        "a comment, in the customer’s own words"
        if question.kind is Kind.COMMENT
        else (formats.in_language(question.ask, language) or question.key)
        + (
            f" ({', '.join(formats.in_language(o.label, language) for o in question.options)})"
            if question.options and question.kind is not Kind.EMOTION
            else ""
        )
        + (" – only after some answers" if question.when else "")
        for question in questions
    ]


def _trigger(row: queries.TriggerRow) -> dict[str, Any]:
    """The trigger as a sentence of words and values, values at odd places."""
    fields = row.definition
    channels = ", then ".join(channel_words(channel) for channel in row.channels)
    about = step_words(row.step, row.path, row.key)
    ask = [formats.key_words(row.survey), " by ", channels]
    if row.every_seconds:
        parts = ["Every ", formats.duration(row.every_seconds), ", ask ", *ask]
    else:
        delay = formats.duration(row.delay_seconds)
        now = delay == "at once"
        parts = ["After ", about, *([", at once ask "] if now else [", ", delay, " later, ask "]), *ask]
    if row.expires_seconds:
        parts += [", until ", formats.duration(row.expires_seconds) + " after"]
    reminder = (fields.get("reminder") or {}).get("after") if isinstance(fields.get("reminder"), dict) else None
    if reminder:
        parts += ["; one reminder after ", policy_words.words(parse_duration(reminder))]
    parts += _sample(fields.get("sample", 1))
    where = fields.get("where") or {}
    if where:
        parts += ["; only where ", ", ".join(f"{name} is {value}" for name, value in where.items())]
    return {"row": row, "parts": [*parts, "."], "about": about}


def _sample(sample: Any) -> list[str]:
    if isinstance(sample, dict):
        return ["; as few as give ", f"±{sample.get('target_half_width')} points", f" in {sample.get('per', '28d')}"]
    if isinstance(sample, int | float) and sample < 1:
        return ["; ", formats.percent(float(sample)), " are drawn"]
    return []
