"""`/admin/metrics/KEY/funnel`: from event to comment, who was not asked and why, and how many answered."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for

from surveyapp.domain import intervals
from surveyapp.domain.vocabulary import Channel, Outcome
from surveyapp.extensions import db
from surveyapp.queries import funnel as queries
from surveyapp.queries.funnel import Funnel, FunnelFilters
from surveyapp.web.admin import formats
from surveyapp.web.admin.dashboard.address import Asked, done, read
from surveyapp.web.admin.dashboard.answering import weighed
from surveyapp.web.admin.dashboard.frame import Names, blueprint, known_metric, names_of, refuse, show
from surveyapp.web.admin.dashboard.tables import Cell, Table

STAGES = (
    ("events", "Events", "that a trigger looked at"),
    ("eligible", "Eligible", "could be asked at all"),
    ("sampled", "Drawn", "not left out by chance"),
    ("allowed", "Asked", "allowed by the contact policy"),
    ("sent", "Sent", "handed to the provider"),
    ("delivered", "Delivered", "arrived, or answered"),
    ("clicked", "Opened the question", "a person; opens of mail are not used"),
    ("rated", "Gave a score", "confirmed or provisional"),
    ("confirmed", "Confirmed", "counted in the figure"),
    ("commented", "Commented", "with words of their own"),
)
UNFIT = ("phase", "language", "version", "partner")


@dataclass(frozen=True)
class Stage:
    label: str
    hint: str
    count: int
    width: float
    of_before: str
    url: str | None


@dataclass(frozen=True)
class Rate:
    """A share with Wilson's interval; `name` says what it is a share of."""

    name: str
    value: str
    interval: str
    base: str


@blueprint.get("/<key>/funnel")
def funnel(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key))
    asked = done(asked, reader)
    if asked.problems:
        return refuse(asked, asked.problems)
    names = names_of(asked)
    found = queries.counts(db.session(), wanted(asked))
    stages = _stages(asked, found)
    table = _table(stages)
    return show(
        "admin/metrics/funnel.html",
        asked,
        {table.name: table},
        names,
        found=found,
        stages=stages,
        aside=_aside(asked, names),
        **facts(asked, found),
    )


@blueprint.get("/<key>/reach")
def reach(key: str) -> Any:
    """The part of the figure's card that is read after the figure itself."""
    asked, reader = read(db.session(), known_metric(key))
    if reader.problems:
        return "", 422
    found = queries.counts(db.session(), wanted(asked))
    answering = weighed(asked, found, wanted(asked), _aside(asked, names_of(asked)))
    return render_template(
        "admin/metrics/reach.html", found=found, asked=asked, answering=answering, **facts(asked, found)
    )


def wanted(asked: Asked) -> FunnelFilters:
    f = asked.filters
    channel = f.channel if f.channel in tuple(Channel) else None
    return FunnelFilters(
        survey=f.survey,
        journey=f.journey,
        step=f.step,
        channel=channel,
        metric=asked.metric,
        first=asked.now.first,
        last=asked.now.last,
    )


def facts(asked: Asked, found: Funnel) -> dict[str, Any]:
    """Coverage and response rate with their intervals, the reasons of refusals with their links."""
    web = asked.filters.channel == Channel.WEB
    return {
        "coverage": _rate("Events asked", found.allowed, found.events, "event"),
        "response": _rate("Rate per display" if web else "Response rate", found.clicked, found.sent, "ask"),
        "completion": _rate("Scores of those who came", found.confirmed, found.clicked, "visitor"),
        "delivered_rate": _rate("Answers per delivered", found.confirmed, found.delivered, "delivered ask"),
        "reasons": [
            (code, n, decisions_url(asked, outcome=Outcome.REFUSED, reason=code)) for code, n in found.refused.items()
        ],
        "funnel_url": url_for("dashboard.funnel", key=asked.metric, **asked.query()),
        "events_url": decisions_url(asked),
    }


def _rate(name: str, part: int, whole: int, one: str) -> Rate | None:
    if not whole:
        return None
    interval = intervals.wilson(min(part, whole), whole)
    span = formats.span(interval.low, interval.high)
    return Rate(name, formats.percent(part / whole), span, f"of {formats.counted(whole, one)}")


def decisions_url(asked: Asked, **more: Any) -> str:
    """The list of the decisions that a stage counts, by the day of the event."""
    w = wanted(asked)
    query = {"day": "event", "metric": w.metric, "survey": w.survey, "journey": w.journey, "step": w.step}
    query |= {"channel": w.channel, "from": w.first, "to": w.last} | more
    return url_for("decisions.index", **{name: value for name, value in query.items() if value is not None})


def _stages(asked: Asked, found: Funnel) -> list[Stage]:
    stages, before = [], 0
    for name, label, hint in STAGES:
        count = getattr(found, name)
        share = formats.percent(count / before) if before else ""
        width = round(100 * count / found.events, 2) if found.events else 0.0
        stages.append(Stage(label, hint, count, width, share, _url(asked, name) if count else None))
        before = count
    return stages


def _url(asked: Asked, stage: str) -> str | None:
    if stage == "events":
        return decisions_url(asked)
    if stage == "allowed":
        return decisions_url(asked, outcome=Outcome.ASKED)
    if stage not in ("confirmed", "commented") or asked.filters.channel:
        return None
    f = asked.filters
    query = {"metric": asked.metric, "survey": f.survey, "journey": f.journey, "step": f.step, "status": "confirmed"}
    query |= {"asked": 1, "scored": 1, "from": asked.now.first, "to": asked.now.last}
    query |= {"commented": 1} if stage == "commented" else {}
    return url_for("responses.index", **{name: value for name, value in query.items() if value is not None})


def _aside(asked: Asked, names: Names) -> list[str]:
    """The filters that cannot hold for events that were not asked, in words."""
    found = [names.dimension(name).lower() for name in UNFIT if getattr(asked.filters, name) is not None]
    return found + [name.replace("_", " ") for name in asked.filters.context]


def _table(stages: list[Stage]) -> Table:
    rows = [
        [
            Cell(stage.label, stage.label),
            Cell(formats.number(stage.count), stage.count, stage.url),
            Cell(stage.of_before, stage.of_before),
        ]
        for stage in stages
    ]
    return Table("funnel", "From event to comment", ("stage", "count", "of the stage before"), rows)
