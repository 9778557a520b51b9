"""What all metric pages share: the blueprint, names of things, filters and tabs, refusing and rendering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from surveyapp.domain.afterwards import STATED
from surveyapp.domain.definitions import NAMES, definition
from surveyapp.domain.expectation import WITHOUT
from surveyapp.domain.reporting_day import days_of
from surveyapp.domain.scores import METRICS
from surveyapp.extensions import db
from surveyapp.queries.console.dashboard import Choices, choices
from surveyapp.queries.console.figures import Period
from surveyapp.queries.console.tallies import HOUR
from surveyapp.queries.metrics import CONTEXT
from surveyapp.web.admin import formats, shell
from surveyapp.web.admin.dashboard.address import DAYS, FILTERS, USUAL, Asked
from surveyapp.web.admin.dashboard.tables import Table, as_csv
from surveyapp.web.admin.words import channel_words

blueprint = Blueprint("dashboard", __name__)

TABS = (
    ("dashboard.metric", "Figure"),
    ("dashboard.breakdown", "Breakdown"),
    ("dashboard.changes", "Changes"),
    ("dashboard.compare", "Compare"),
    ("dashboard.funnel", "Funnel"),
    ("dashboard.choices", "Choices"),
    ("dashboard.expectation", "Expectation"),
    ("dashboard.afterwards", "Afterwards"),
    ("dashboard.drivers", "Drivers"),
)
RELATIONAL = "nps"
"""The metric whose drivers are read: end of the journey, one per person now and then."""
DIMENSIONS = {
    "journey": "Journey",
    "step": "Step",
    "phase": "Phase",
    "channel": "Channel",
    "language": "Language",
    "survey": "Survey",
    "version": "Survey version",
    "partner": "Partner",
}
MOMENTS = {HOUR: "Hour of the day", "week": "Week", "month": "Month"}
"""When it was, as a second dimension; the hour also alone."""


@dataclass(frozen=True)
class Names:
    """The names of things in the reader's language."""

    choices: Choices

    def dimension(self, name: str) -> str:
        return DIMENSIONS.get(name) or MOMENTS.get(name) or plain(name.removeprefix(CONTEXT))

    def dimensions(self) -> list[tuple[str, str]]:
        """Everything figures may be grouped by, as options of a select."""
        attributes = [(CONTEXT + a.name, plain(a.name)) for a in self.choices.attributes]
        partners = () if self.choices.partners else ("partner",)
        return [(name, label) for name, label in DIMENSIONS.items() if name not in partners] + attributes

    def group(self, dimension: str, value: Any) -> str:
        """A group's name; what the answers do not say is `not given`."""
        if value in (None, ""):
            return "not given"
        if dimension == "step":
            return self.step(str(value))
        if dimension == "journey":
            return formats.in_language(self.choices.journeys.get(value), shell.language()) or str(value)
        if dimension == "channel":
            return formats.sentence_case(channel_words(value))
        if dimension == "partner":
            return self.choices.partners.get(value, str(value))
        if dimension == "version":
            return f"version {value}"
        if dimension in MOMENTS:
            return moment_name(dimension, value)
        return plain(str(value)) if dimension in ("phase", "survey") else str(value)

    def step(self, path: str) -> str:
        """A step's name, with its journey's where another step has the same."""
        names = {step.path: formats.in_language(step.name, shell.language()) for step in self.choices.steps}
        name = names.get(path)
        if not name:
            return path
        alone = list(names.values()).count(name) == 1
        return name if alone else f"{name} ({self.group('journey', path.partition('.')[0])})"

    def order(self, dimension: str, values: Sequence[Any]) -> list[Any]:
        """The values in the order a reader expects: steps and journeys as the journey runs, others by name."""
        known = {
            "step": [step.path for step in self.choices.steps],
            "journey": list(self.choices.journeys),
            "phase": self.choices.phases,
        }.get(dimension, [])
        place = {value: i for i, value in enumerate(known)}
        return sorted(values, key=lambda v: (v in (None, ""), v == "other", place.get(v, len(place)), _natural(v)))


def moment_name(dimension: str, value: Any) -> str:
    """`07:00–07:59`, `week of 2 Nov` or `November 2026`."""
    if dimension == HOUR:
        return f"{value:02d}:00–{value:02d}:59"
    first, _ = days_of(value)
    return formats.month_words(first) if dimension == "month" else f"week of {formats.day_words(first, shell.today())}"


def _natural(value: Any) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, str(value or "").casefold())


def plain(text: str) -> str:
    """A key as words: `travel_type` is `Travel type`."""
    return formats.sentence_case(text.replace("_", " "))


def names_of(asked: Asked) -> Names:
    """The names of what the metric may be filtered and grouped by."""
    return Names(asked.choices or choices(db.session(), asked.metric))


def known_metric(key: str) -> str:
    """The metric's key, or a 404 that names what there is."""
    if key not in METRICS:
        abort(404, f"There is no metric '{key[:40]}'. There are {', '.join(METRICS)}.")
    return key


def period_words(period: Period) -> str:
    """`26 Oct – 22 Nov`."""
    first, last = (formats.day_words(day, shell.today()) for day in (period.first, period.last))
    return first if first == last else f"{first} – {last}"


def show(template: str, asked: Asked, tables: Mapping[str, Table], names: Names | None = None, **context: Any) -> Any:
    """The page, or one of its tables as a file when the address says `csv=NAME`."""
    wanted = request.args.get("csv")
    if wanted:
        if wanted not in tables:
            return refuse(asked, [f"csv: this page has no table '{wanted[:40]}'; it has {', '.join(tables) or 'none'}"])
        return as_csv(tables[wanted], asked.metric)
    return render_template(template, tables=tables, **shared(asked, names), **context)


def refuse(asked: Asked, problems: Sequence[str]) -> tuple[str, int] | Response:
    """A page that says what is wrong with the address, and shows no figure."""
    return render_template("admin/metrics/refused.html", sentences=problems, **shared(asked)), 422


def shared(asked: Asked, names: Names | None = None) -> dict[str, Any]:
    """What every metric template needs."""
    names = names or names_of(asked)
    return {
        "asked": asked,
        "names": names,
        "definition": definition(asked.metric),
        "title": NAMES[asked.metric],
        "tabs": _tabs(asked),
        "picks": _picks(asked, names),
        "chosen": _chosen(asked, names),
        "period_items": period_items(asked.days),
        "zone": shell.zone(),
        "today": shell.today(),
        "period_words": period_words,
        "page": asked.metric + _tab(),
        "kept_query": urlencode(_kept()),
        "csv_url": lambda name: url_for(
            request.endpoint or "", **(request.view_args or {}), **(_kept() | {"csv": name})
        ),
    }


def _tab() -> str:
    """The tab's part of the page's own name: `/breakdown`, or nothing on the first."""
    tab = (request.endpoint or "").removeprefix("dashboard.")
    return "" if tab == "metric" else f"/{tab}"


def period_items(days: int | None) -> list[tuple[str, str, bool]]:
    """The period picker: 7, 28 or 91 days, the other parameters kept."""
    return [
        (
            f"{n} days",
            url_for(
                request.endpoint or "",
                **(request.view_args or {}),
                **(_kept(**{"from": None, "to": None, "days": n if n != USUAL else None})),
            ),
            n == days,
        )
        for n in DAYS
    ]


def _kept(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {name: value for name, value in request.args.items() if value and name != "csv"}
    values |= changes
    return {name: value for name, value in values.items() if value not in (None, "")}


def _tabs(asked: Asked) -> list[tuple[str, str, bool]]:
    query = asked.query()
    away = set() if asked.metric == RELATIONAL else {"dashboard.drivers"}
    away |= {"dashboard.expectation"} if asked.metric in WITHOUT else set()
    away |= set() if asked.metric in STATED else {"dashboard.afterwards"}
    shown = [tab for tab in TABS if tab[0] not in away]
    return [(label, url_for(to, key=asked.metric, **query), request.endpoint == to) for to, label in shown]


def _picks(asked: Asked, names: Names) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """The filter bar: name, label, options, value. A dimension with nothing to choose is left out."""
    c = names.choices
    steps = [
        step.path for step in c.steps if not asked.filters.journey or step.path.startswith(asked.filters.journey + ".")
    ]
    versions = sorted({v.number for v in c.versions if asked.filters.survey in (None, v.survey)})
    options: dict[str, Sequence[Any]] = {
        "journey": list(c.journeys),
        "step": steps,
        "phase": c.phases,
        "channel": ["email", "sms", "web", "link", "import"],
        "language": shell.languages(),
        "survey": c.surveys,
        "version": versions,
        "partner": list(c.partners),
    }
    for name in ("language", "version"):
        if len(options[name]) < 2:
            options[name] = []  # one alone leaves nothing to choose
    for name in FILTERS:
        value = getattr(asked.filters, name)
        if value is not None and value not in options[name]:
            options[name] = [*options[name], value]  # what the address says stays chosen when another filter changes
    found = [
        (
            name,
            DIMENSIONS[name],
            [("", "All"), *((str(v), names.group(name, v)) for v in values)],
            getattr(asked.filters, name),
        )
        for name, values in options.items()
        if values
    ]
    found += [
        (
            CONTEXT + a.name,
            plain(a.name),
            [("", "All"), *((v, v) for v in a.values)],
            asked.filters.context.get(a.name),
        )
        for a in c.attributes
    ]
    return [(name, label, pairs, "" if value is None else str(value)) for name, label, pairs, value in found]


def _chosen(asked: Asked, names: Names) -> list[tuple[str, str]]:
    """The filters in force, in words, each with the address without it."""
    found = []
    for name in (*FILTERS, *(CONTEXT + key for key in asked.filters.context)):
        value = (
            asked.filters.context.get(name.removeprefix(CONTEXT))
            if name.startswith(CONTEXT)
            else getattr(asked.filters, name)
        )
        if value is not None:
            url = url_for(request.endpoint or "", **(request.view_args or {}), **_kept(**{name: None}))
            found.append((f"{names.dimension(name)}: {names.group(name, value)}", url))
    return found
