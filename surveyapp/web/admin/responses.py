"""Responses: what customers answered, with the context it was answered in."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from surveyapp.domain.questions import DefinitionProblems, Kind, Question, parse_definition
from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import Channel, ResponseStatus, Role
from surveyapp.extensions import db
from surveyapp.queries import words
from surveyapp.queries.cases import case_named, wish_uid
from surveyapp.queries.clicks import raw_evidence
from surveyapp.queries.console import paging
from surveyapp.queries.console import responses as queries
from surveyapp.queries.console.journeys import step_names
from surveyapp.services import cases
from surveyapp.services.overrides import ReasonMissing, ResponseUnknown, override
from surveyapp.web.admin import formats, params, shell
from surveyapp.web.admin.evidence import lines
from surveyapp.web.admin.words import STATUSES, step_words

blueprint = Blueprint("responses", __name__)
USUAL_DAYS = 28
CONTEXT = "context."
CHOSEN = "answers."
MOST_CONTEXT = 8
EDITORS = (Role.ADMIN, Role.EDITOR)
NO_ANSWER = "There is no answer with this number."


@blueprint.get("/")
def index() -> str:
    wanted, first, last, by_answer = _wanted()
    session = db.session()
    return render_template(
        "admin/responses.html",
        page=queries.response_page(session, wanted, paging.read_mark(params.text("older"))),
        totals=queries.response_totals(session, wanted),
        surveys=queries.survey_keys(session),
        names=step_names(session),
        wanted=wanted,
        first=first,
        last=last,
        by_answer=by_answer,
        statuses=list(ResponseStatus),
        channels=[*Channel, "link", "import"],
    )


def _wanted() -> tuple[queries.ResponseFilter, date | None, date | None, bool]:
    """The filter of the address; without days or a customer, the answers of the last four weeks."""
    first, last, customer = params.day("from"), params.day("to"), params.text("customer")
    by_answer = params.text("day") == "answer"
    if first is None and last is None and customer is None and params.text("all") is None:
        first, by_answer = formats.days_back(shell.today(), USUAL_DAYS - 1), True
    start, end = params.span_of(first, last) if by_answer else (None, None)
    wanted = queries.ResponseFilter(
        survey=params.text("survey"),
        metric=params.choice("metric", METRICS),
        journey=params.text("journey"),
        step=params.text("step"),
        channel=params.text("channel"),
        status=params.choice("status", list(ResponseStatus)),
        score=params.whole("score"),
        customer=customer,
        commented=params.text("commented") == "1",
        first_day=None if by_answer else first,
        last_day=None if by_answer else last,
        answered_from=start,
        answered_until=end,
        context=_named(CONTEXT),
        hour=params.whole("hour"),
        chosen=_named(CHOSEN),
        language=params.text("language"),
        phase=params.text("phase"),
        version=params.whole("version"),
        partner=params.text("partner"),
        asked=params.text("asked") == "1",
        scored=params.text("scored") == "1",
        absent=tuple(
            name
            for name in (params.text("absent") or "").split(",")
            if name in queries.ABSENT or name.startswith(CONTEXT)
        ),
    )
    return wanted, first, last, by_answer


def _named(prefix: str) -> dict[str, str]:
    """The filters whose names begin so, without that beginning."""
    return {
        name.removeprefix(prefix): value
        for name, value in list(request.args.items())[: MOST_CONTEXT * 4]
        if name.startswith(prefix) and value and len(name) < 90
    }


@blueprint.get("/<uid>")
def detail(uid: str) -> str:
    return _detail(uid)


@blueprint.post("/<uid>/status")
def judge(uid: str) -> Any:
    """A person's own judgement of whether a person answered."""
    status, why = request.form.get("status", ""), request.form.get("why", "")
    try:
        override(uid, ResponseStatus(status), why)
    except ResponseUnknown:
        abort(404, NO_ANSWER)
    except (ReasonMissing, ValueError):
        return _detail(uid, problem="Say why in a few words, at most 500 characters.", typed=why, picked=status), 422
    flash(f"This answer is now {STATUSES[status]}.")
    return redirect(url_for("responses.detail", uid=uid), 303)


@blueprint.post("/<uid>/case/close")
def close_case(uid: str) -> Any:
    """Somebody has looked after the person who asked, in this answer, to be contacted."""
    try:
        cases.close_case(wish_uid(uid))
    except cases.CaseUnknown:
        abort(404, "No case was opened by this answer.")
    flash("The case is closed.")
    return redirect(url_for("responses.detail", uid=uid), 303)


def _detail(uid: str, problem: str | None = None, typed: str = "", picked: str | None = None) -> str:
    found = queries.response_detail(db.session(), uid)
    if found is None:
        abort(404, NO_ANSWER)
    response = found.response
    metric = METRICS.get(response.metric)
    raw = raw_evidence(db.session(), response)
    return render_template(
        "admin/response.html",
        found=found,
        r=response,
        about=step_words(step_names(db.session()).get(response.step or ""), response.step, found.survey),
        question=question_words(found.definition, response.metric, response.language or shell.language()),
        label=_label(response.metric, response.score, response.language or shell.language()),
        further=_further(found.definition, response.answers or {}, response.language or shell.language()),
        scale=list(metric.scale) if metric else [],
        evidence=lines(raw) if raw else [],
        wish=case_named(db.session(), wish_uid(uid)),
        may_edit=current_user.role in EDITORS,
        problem=problem,
        typed=typed,
        picked=picked or response.status,
    )


def question_words(definition: Mapping[str, Any], metric: str, language: str) -> str:
    """The question as it was put."""
    about = formats.in_language(definition.get("about"), language)
    try:
        return words.words(language).question(metric, shell.brand_name(), about)
    except KeyError:
        return about


def _label(metric: str, score: int | None, language: str) -> str:
    if score is None:
        return ""
    try:
        return words.words(language).labels(metric).get(score, "")
    except KeyError:
        return ""


def _further(definition: Mapping[str, Any], answers: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """The further questions that were answered, with the answers in words; then whatever else was said."""
    try:
        parsed = parse_definition(definition)
    except DefinitionProblems:
        return [(name, str(value)) for name, value in answers.items()]
    asked = (*parsed.questions, *parsed.thanks.questions)
    known = [(question, answers.get(question.key)) for question in asked if question.kind is not Kind.COMMENT]
    return [
        (
            formats.in_language(question.ask, language) or _standard(question, language),
            _chosen(question, value, language),
        )
        for question, value in known
        if value not in (None, "", [])
    ]


def _standard(question: Question, language: str) -> str:
    """The standard wording of a question that a survey asks without words of its own."""
    texts = words.words(language).texts["standard"]
    return str((texts.get(question.key) or texts.get(question.kind) or {}).get("ask", question.key))


def _chosen(question: Question, value: Any, language: str) -> str:
    labels = {option.key: formats.in_language(option.label, language) for option in question.options}
    if question.kind is Kind.EMOTION:
        labels = dict(words.words(language).texts["standard"]["emotion"]["labels"])
    if question.kind is Kind.CONSENT:
        return "Yes"
    values = value if isinstance(value, list) else [value]
    return ", ".join(labels.get(str(item), str(item)) for item in values)
