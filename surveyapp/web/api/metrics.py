"""`GET /api/v1/metrics` and `/funnel`: figures with their intervals, and where asks went. Parses, calls, renders."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from flask import request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from surveyapp import clock
from surveyapp.domain.reporting_day import days_of
from surveyapp.domain.response_window import still_open
from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import Channel
from surveyapp.extensions import db
from surveyapp.queries import funnel, metrics
from surveyapp.queries.console.views import BreakRow, structural_breaks
from surveyapp.queries.metrics import CONTEXT, PERIODS, PLAIN, Figure, Filters
from surveyapp.web.api.parameters import Parameters
from surveyapp.web.api.strict import WrongFields

MOST_DIMENSIONS = 4
FILTERS = ("survey", "journey", "step", "phase", "channel", "language", "version", "partner", "from", "to")

blueprint = APIBlueprint("api_metrics", __name__, abp_tags=[Tag(name="Figures")], abp_security=[{"bearer": []}])


class FilterQuery(BaseModel):
    survey: str | None = Field(None, description="A survey's key")
    journey: str | None = Field(None, description="A journey's key")
    step: str | None = Field(None, description="A step as journey.step")
    phase: str | None = None
    channel: str | None = Field(None, description="email, sms or web")
    language: str | None = None
    version: str | None = Field(None, description="A survey version's number")
    partner: str | None = None
    first: str | None = Field(None, alias="from", description="First reporting day, included")
    last: str | None = Field(None, alias="to", description="Last reporting day, included")


class MetricsQuery(FilterQuery):
    metric: str | None = Field(None, description="nps, csat5, ces2 …; the survey's own when only a survey is given")
    group_by: str | None = Field(
        None,
        description="Up to four of journey, step, phase, channel, language, survey, version, partner, day, week, "
        "month, context.NAME; comma-separated. Any reporting attribute also filters, as context.NAME=value.",
    )
    weighted: str | None = Field(None, description="true: each answer stands for 1/its chance of being asked")


class FunnelQuery(BaseModel):
    survey: str | None = None
    journey: str | None = None
    step: str | None = Field(None, description="A step as journey.step")
    trigger: str | None = None
    channel: str | None = None
    first: str | None = Field(None, alias="from", description="First day of the events, included")
    last: str | None = Field(None, alias="to", description="Last day of the events, included")


class FigureShape(BaseModel):
    """One figure. Hidden (`suppressed`) and empty (`no_data`) ones carry no value, interval, mean or histogram."""

    n: int
    n_eff: float
    value: float | None
    ci: list[float] | None
    mean: float | None
    histogram: dict[str, int] | None
    status: Literal["ok", "low_n", "suppressed", "no_data"]
    provisional: int = Field(description="Answers that no person has confirmed yet; in no other number")
    open: bool = Field(description="Late answers may still come in: the response window of its last day has not closed")
    refused: bool = Field(description="True: weighted, but worth fewer than 30 answers, so no value is given")
    versions: dict[str, list[int]] = Field(description="By survey, the versions whose answers are in it, when shown")


class GroupShape(FigureShape):
    key: dict[str, str | int | None]


class BreakShape(BaseModel):
    """From this day on the metric measures something that differs in kind."""

    day: date
    name: str


class MetricsShape(BaseModel):
    metric: str
    method: str
    weighted: bool
    first: date | None = Field(None, alias="from")
    last: date | None = Field(None, alias="to")
    groups: list[GroupShape]
    total: FigureShape
    trimmed_at: float | None = Field(description="Weighted: the most that one answer counts for")
    breaks: list[BreakShape] = Field(description="Structural breaks of the metric that lie within these days")
    notes: list[str] = Field(description="Sentences on what these figures join: breaks, versions of a survey")


class FunnelShape(BaseModel):
    first: date | None = Field(None, alias="from")
    last: date | None = Field(None, alias="to")
    events: int
    waiting: int
    eligible: int
    sampled: int
    allowed: int
    sent: int
    delivered: int
    clicked: int
    rated: int
    confirmed: int
    commented: int
    refused: dict[str, int]
    response_rate: float | None
    answers_per_delivered: float | None


@blueprint.get("/metrics", responses={200: MetricsShape})
def read_metrics(query: MetricsQuery):
    """Figures with their intervals

    Role: read. Only confirmed answers count. Values are points (NPS), percent (shares) or means; a figure under five
    answers is hidden, and with it the next smallest where the total would reveal it.
    """
    given = Parameters(request.args, ("metric", *FILTERS, "group_by", "weighted"), context=True)
    filters = _filters(given)
    metric = _metric(given, filters)
    group_by = _group_by(given)
    weighted = given.flag("weighted")
    given.known(filters)
    report = _report(metric or "", filters, group_by, weighted=weighted)
    breaks = _breaks(metric or "", filters)
    groups = [{"key": dict(g.key)} | _figure(g, filters) for g in report.groups]
    if not group_by:
        groups = [{"key": {}} | _figure(report.total, filters)]
    return {
        "metric": metric,
        "method": metrics.method(metric or "", weighted=weighted),
        "weighted": weighted,
        "from": _iso(filters.first),
        "to": _iso(filters.last),
        "groups": groups,
        "total": _figure(report.total, filters),
        "trimmed_at": _rounded(report.trimmed_at),
        "breaks": [{"day": row.day.isoformat(), "name": row.name} for row in breaks],
        "notes": _notes(report.groups if group_by else [report.total], breaks),
    }


@blueprint.get("/funnel", responses={200: FunnelShape})
def read_funnel(query: FunnelQuery):
    """Where asks went, from event to comment

    Role: read. One invitation is one unit, reminders add none; opens are not used. `response_rate` is AAPOR's RR2.
    """
    given = Parameters(request.args, ("survey", "journey", "step", "trigger", "channel", "from", "to"))
    first, last = given.days()
    step, journey = given.step()
    wanted = funnel.FunnelFilters(
        survey=given.text("survey"),
        journey=journey,
        step=step,
        trigger=given.text("trigger"),
        channel=given.choice("channel", tuple(Channel)),
        first=first,
        last=last,
    )
    given.known(Filters(survey=wanted.survey, journey=journey, step=step))
    found = funnel.counts(db.session, wanted)
    return {"from": _iso(first), "to": _iso(last)} | {
        name: getattr(found, name) for name in FunnelShape.model_fields if name not in ("first", "last")
    }


def _filters(given: Parameters) -> Filters:
    first, last = given.days()
    step, journey = given.step()
    return Filters(
        survey=given.text("survey"),
        journey=journey,
        step=step,
        phase=given.text("phase"),
        channel=given.choice("channel", tuple(Channel)),
        language=given.text("language"),
        version=given.number("version", 1, 1_000_000),
        partner=given.text("partner"),
        context=given.context(),
        first=first,
        last=last,
    )


def _metric(given: Parameters, filters: Filters) -> str | None:
    metric = given.choice("metric", tuple(METRICS))
    own = metrics.metric_of(db.session, filters.survey) if filters.survey else None
    if metric is None and given.text("metric") is None:
        if own is None:
            given.wrong("metric", f"is missing; one of {', '.join(METRICS)}")
        return own
    if metric and own and own != metric:
        given.wrong("survey", f"'{filters.survey}' asks {own}, not {metric}; two scales are never one figure")
    return metric


def _group_by(given: Parameters) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (given.text("group_by") or "").split(",") if name.strip())
    for name in names:
        if name not in PLAIN and name not in PERIODS and not (name.startswith(CONTEXT) and len(name) > len(CONTEXT)):
            known = ", ".join((*PLAIN, *PERIODS, "context.NAME"))
            given.wrong("group_by", f"'{name[:80]}' is none of {known}")
    if len(set(names)) < len(names):
        given.wrong("group_by", "names the same twice")
    if len(names) > MOST_DIMENSIONS:
        given.wrong("group_by", f"has {len(names)} names; at most {MOST_DIMENSIONS} are combined")
    return names


def _report(metric: str, filters: Filters, group_by: tuple[str, ...], *, weighted: bool) -> metrics.Report:
    try:
        return metrics.report(db.session, metric, filters, group_by, weighted=weighted, versions=True)
    except metrics.NotReporting as problem:
        name = str(problem)
        where = f"{CONTEXT}{name}" if name in filters.context else "group_by"
        raise WrongFields([f"{where}: '{name[:80]}' is none of the programme's reporting_attributes"]) from None
    except metrics.CountedAsOther as problem:
        sentence = "this value came after the first 50 and is counted as 'other'"
        raise WrongFields([f"{CONTEXT}{problem}: {sentence}"]) from None
    except metrics.TooManyGroups:
        sentence = f"gives more than {metrics.MOST_GROUPS:,} groups; narrow the days or group by less"
        raise WrongFields([f"group_by: {sentence}"]) from None


def _breaks(metric: str, filters: Filters) -> list[BreakRow]:
    """The structural breaks with days on both sides."""
    first, last = filters.first or date.min, filters.last or date.max
    return [row for row in structural_breaks(db.session(), metric) if first < row.day <= last]


def _notes(figures: Sequence[Figure], breaks: Sequence[BreakRow]) -> list[str]:
    """One sentence for each break, and for each survey of which one figure joins several versions."""
    joined: dict[str, set[int]] = {}
    for figure in figures:
        for survey, numbers in figure.versions.items():
            if len(numbers) > 1:
                joined.setdefault(survey, set()).update(numbers)
    return [
        *(f"'{row.name}' ({row.day}) lies in these days: what was asked before it differs in kind." for row in breaks),
        *(
            f"Versions {', '.join(map(str, sorted(numbers)))} of {survey} are joined: a new wording may answer "
            "differently. group_by=version tells them apart."
            for survey, numbers in sorted(joined.items())
        ),
    ]


def _figure(found: Figure, filters: Filters) -> Mapping[str, Any]:
    histogram = found.histogram
    today = clock.now().date()
    ends = [days_of(str(found.key[period]))[1] for period in PERIODS if period in found.key]
    channel = found.key.get("channel") or filters.channel
    last = min([*ends, filters.last or today, today])
    return {
        "n": found.n,
        "n_eff": round(found.n_eff, 6),
        "value": _rounded(found.value),
        "ci": None if found.low is None or found.high is None else [_rounded(found.low), _rounded(found.high)],
        "mean": _rounded(found.mean),
        "histogram": None if histogram is None else {str(score): n for score, n in histogram.items()},
        "status": found.status.value,
        "provisional": found.provisional,
        "open": still_open(last, today, [channel] if channel else ()),
        "refused": found.refused,
        "versions": {survey: list(numbers) for survey, numbers in found.versions.items()},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
