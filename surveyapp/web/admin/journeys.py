"""Journeys: the list, and the map of one: where it is good, where it is not, and whether that is real."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, render_template

from surveyapp.domain.definitions import KINDS
from surveyapp.domain.indicators import Kind
from surveyapp.extensions import db
from surveyapp.queries import indicators
from surveyapp.queries.console import figures as figure_queries
from surveyapp.queries.console import journeys as queries
from surveyapp.web.admin import formats, params, shell
from surveyapp.web.admin.figures import drawn
from surveyapp.web.admin.journey_map import map_view, reasons_words
from surveyapp.web.admin.series_chart import plain
from surveyapp.web.admin.turns import sentences, turns_of
from surveyapp.web.admin.words import KINDS as KIND_WORDS

blueprint = Blueprint("journeys", __name__)
CONTEXT = "context."


@blueprint.get("/")
def index() -> str:
    session = db.session()
    journeys = queries.journey_maps(session)
    period = _period(28)
    start, end = params.span_of(period.first, period.last)
    pairs = figure_queries.pairs(session, period) if journeys else {}
    ids = [step.id for journey in journeys for step in journey.steps]
    moments = queries.moments(session, ids, start, end) if journeys and start and end else {}
    turns = turns_of(session, period)
    views = [(journey, map_view(journey, pairs, moments, {}, turns, _moment)) for journey in journeys]
    return render_template("admin/journeys.html", views=views, period=period)


@blueprint.get("/<key>")
def detail(key: str) -> str:
    session = db.session()
    found = queries.journey_maps(session, key)
    if not found:
        abort(404, "There is no journey with this key.")
    journey = found[0]
    days = params.days()
    period = _period(days)
    start, end = params.span_of(period.first, period.last)
    today_start, today_end = params.span_of(shell.today(), shell.today())
    if start is None or end is None or today_start is None or today_end is None:
        abort(400)
    attributes = figure_queries.reporting_choices(session)
    context = {a.column: value for a in attributes if (value := params.choice(CONTEXT + a.name, a.values))}
    triggers = [trigger.id for step in journey.steps for trigger in step.triggers]
    turns = turns_of(session, period)
    view = map_view(
        journey,
        figure_queries.pairs(session, period, key, context),
        queries.moments(session, [step.id for step in journey.steps], start, end),
        queries.decisions_by_trigger(session, triggers, today_start, today_end),
        turns,
        _moment,
    )
    instance = formats.in_language(journey.instance_name, shell.language()) or "journey"
    return render_template(
        "admin/journey.html",
        journey=journey,
        view=view,
        turned=sentences(
            turns,
            {step.figure.metric for phase in view.phases for step in phase.steps if step.figure},
            {trigger.survey for step in journey.steps for trigger in step.triggers},
        ),
        period=period,
        days=days,
        periods=params.PERIODS,
        attributes=attributes,
        chosen={a.name: context[a.column] for a in attributes if a.column in context},
        instance=instance,
        top_reason=lambda reasons: reasons_words(reasons, instance),
        zone=shell.zone(),
        today=shell.today(),
    )


@blueprint.get("/<key>/<step>")
def step(key: str, step: str) -> str:
    """One step by type of measure: what customers say, what happened, what they say they will do."""
    session = db.session()
    found = queries.journey_maps(session, key)
    here = next((known for known in found[0].steps if known.key == step), None) if found else None
    if here is None:
        abort(404, "There is no step with this key on this journey.")
    days = params.days()
    period = _period(days)
    figures = [
        (KINDS.get(metric, Kind.PERCEPTION.value), drawn(pair.figures(metric)[0]))
        for (metric, _, path), pair in sorted(figure_queries.pairs(session, period, key).items())
        if path == here.path and (pair.now.n or pair.now.provisional)
    ]
    series = indicators.at_step(session, here.path, period.first, period.last)
    return render_template(
        "admin/step.html",
        journey=found[0],
        step=here,
        period=period,
        days=days,
        kinds=[
            (
                kind,
                KIND_WORDS[kind],
                [figure for at, figure in figures if at == kind],
                [(row, plain(row.value)) for row in series if row.definition.kind is kind],
            )
            for kind in Kind
        ],
        zone=shell.zone(),
    )


def _period(days: int) -> figure_queries.Period:
    today = shell.today()
    return figure_queries.Period(today - timedelta(days=days - 1), today)


def _moment(moment: Any) -> str:
    return formats.moment_words(moment, shell.now(), shell.zone())
