"""`/admin/metrics/KEY/changes`: which groups, of every dimension read at once, changed beyond chance, largest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for

from surveyapp.domain import gates
from surveyapp.domain.verdicts import Kind, Verdict, verdicts
from surveyapp.extensions import db
from surveyapp.queries.console.dashboard import pairs_by
from surveyapp.queries.console.figures import Pair
from surveyapp.queries.metrics import CONTEXT, TooManyGroups, drawn
from surveyapp.web.admin import figures, formats
from surveyapp.web.admin.dashboard import series
from surveyapp.web.admin.dashboard.address import Asked, done, read
from surveyapp.web.admin.dashboard.breakdown import ACTOR, hidden_groups
from surveyapp.web.admin.dashboard.frame import Names, blueprint, known_metric, names_of, refuse, show
from surveyapp.web.admin.dashboard.keeping import breaks_of
from surveyapp.web.admin.dashboard.metric import figure_cells, new_versions, places_of, since_of
from surveyapp.web.admin.dashboard.tables import Cell, Table
from surveyapp.web.admin.turns import versions_sentence

Group = tuple[str, Any]
SEGMENTS = ("step", "channel", "language", "partner")
"""Beside the reporting attributes: what tells customers or moments apart. Journeys and phases are sums of steps."""


@dataclass(frozen=True)
class Moved:
    """A group that changed for real; `url` is its breakdown."""

    dimension: str
    label: str
    now: figures.Drawn
    before: figures.Drawn
    verdict: Verdict
    url: str
    answers: str
    figure: Any

    @property
    def tone(self) -> str:
        return figures.tone(self.verdict)


@blueprint.get("/<key>/changes")
def changes(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key))
    asked = done(asked, reader)
    if asked.problems:
        return refuse(asked, asked.problems)
    names = names_of(asked)
    broken = series.between(breaks_of(key), asked.before.first, asked.now.last)
    groups = {} if broken and not asked.across else _groups(asked, names)
    judged = verdicts({group: (key, p.before.n, p.now.n) for group, p in groups.items()})
    found = [_moved(asked, names, group, groups[group], judged[group]) for group in judged if judged[group].real]
    found.sort(key=lambda moved: -min(abs(moved.verdict.low or 0.0), abs(moved.verdict.high or 0.0)))
    table = _table(asked, found)
    return show(
        "admin/metrics/changes.html",
        asked,
        {table.name: table},
        names,
        found=found,
        broken=broken if not asked.across else [],
        read=sum(words.low is not None for words in judged.values()),
        between=versions_sentence(new_versions(names, asked, since_of(asked))),
        early=sum(words.kind is Kind.EARLY for words in judged.values()),
    )


def _groups(asked: Asked, names: Names) -> dict[Group, Pair]:
    """The groups of every dimension that may be shown in both periods. One statement for each dimension."""
    found: dict[Group, Pair] = {}
    for dimension, _ in names.dimensions():
        if not dimension.startswith(CONTEXT) and dimension not in SEGMENTS:
            continue
        if dimension == ACTOR or _chosen(asked, dimension):
            continue  # never single employees, and nothing to compare within one chosen group
        try:
            pairs = pairs_by(db.session(), asked.scope, asked.now, asked.before, (dimension,))
        except TooManyGroups:
            continue
        groups: Mapping[Any, Pair] = {key[0]: pair for key, pair in pairs.items()}
        away = hidden_groups(groups, gates.floor_of(asked.metric))
        if len(groups) > 1:
            gone = away[0] | away[1]
            found |= {(dimension, value): pair for value, pair in groups.items() if value not in gone}
    return found


def _chosen(asked: Asked, dimension: str) -> bool:
    """Whether a filter leaves one group of the dimension alone."""
    if dimension.startswith(CONTEXT):
        return dimension.removeprefix(CONTEXT) in asked.filters.context
    return getattr(asked.filters, dimension) is not None


def _moved(asked: Asked, names: Names, group: Group, pair: Pair, words: Verdict) -> Moved:
    dimension, value = group
    now = drawn(asked.metric, pair.now)
    query = asked.query() | {"by": dimension}
    return Moved(
        names.dimension(dimension),
        names.group(dimension, value),
        figures.drawn(now),
        figures.drawn(drawn(asked.metric, pair.before)),
        words,
        url_for("dashboard.breakdown", key=asked.metric, **query),
        asked.answers_url(**{dimension: value}),
        now,
    )


def _table(asked: Asked, found: list[Moved]) -> Table:
    places = places_of(asked.metric)
    rows = [
        [
            Cell(moved.dimension, moved.dimension),
            Cell(moved.label, moved.label),
            *figure_cells(moved.figure, places),
            Cell(formats.number(moved.figure.n), moved.figure.n, moved.answers),
            Cell(moved.verdict.words, moved.verdict.words),
        ]
        for moved in found
    ]
    columns = ("dimension", "group", "value", "low", "high", "n", "against before")
    return Table("changes", "Groups that changed beyond chance", columns, rows)
