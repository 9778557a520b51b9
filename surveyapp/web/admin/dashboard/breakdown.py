"""`/admin/metrics/KEY/breakdown`: the figure by any dimension, or by any two as a grid, hidden where few answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_login import current_user

from surveyapp.domain import contrasts, gates, grids, scores
from surveyapp.domain.contrasts import Contrast
from surveyapp.domain.reporting_day import days_of
from surveyapp.domain.verdicts import ACROSS, NOT_COMPUTED, Verdict, places_of, verdicts
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries.console.dashboard import pairs_by
from surveyapp.queries.console.figures import Pair, Period, joined
from surveyapp.queries.console.tallies import HOUR, MOST, TooManyAnswers, pairs_by_tally
from surveyapp.queries.metrics import CONTEXT, MOST_GROUPS, PERIODS, Figure, Key, Sums, TooManyGroups, drawn, hidden
from surveyapp.web.admin import figures, formats
from surveyapp.web.admin.dashboard import series
from surveyapp.web.admin.dashboard.address import Asked, Reader, done, read
from surveyapp.web.admin.dashboard.frame import MOMENTS, Names, blueprint, known_metric, names_of, refuse, show
from surveyapp.web.admin.dashboard.keeping import breaks_of
from surveyapp.web.admin.dashboard.metric import figure_cells, new_versions, since_of
from surveyapp.web.admin.dashboard.tables import Cell, Table
from surveyapp.web.admin.turns import versions_sentence

ACTOR = CONTEXT + "actor"
ACTOR_FLOOR = 30
ACTOR_ROLES = (Role.ADMIN, Role.ANALYST)
MOST_COLUMNS = 12
MOST_ROWS = 60
MOST_MOMENTS = {HOUR: 25, "week": 14, "month": 13}
"""All hours and one column for answers of which it is not known; what 91 days and a year touch."""


@dataclass(frozen=True)
class Row:
    """One group (or all of them): its figure, the one before, and the verdict corrected for all groups read."""

    label: str
    now: figures.Drawn
    before: figures.Drawn
    verdict: Verdict
    url: str | None
    figure: Figure

    @property
    def tone(self) -> str:
        return figures.tone(self.verdict)


@dataclass(frozen=True)
class GridCell:
    """One cell: `look` is its class, `said` what its colour means."""

    figure: Figure
    drawn: figures.Drawn
    look: str
    said: str
    url: str | None


@blueprint.get("/<key>/breakdown")
def breakdown(key: str) -> Any:
    asked, reader = read(db.session(), known_metric(key), "by", "over")
    names = names_of(asked)
    by = reader.dimension("by", _usual(asked), (HOUR,)) or "channel"
    over = reader.dimension("over", also=tuple(MOMENTS))
    _check(reader, asked, by, over)
    asked = done(asked, reader, by=by, over=over)
    if asked.problems:
        return refuse(asked, asked.problems)
    try:
        groups = _groups(asked, (by, over) if over else (by,))
    except TooManyGroups:
        return refuse(asked, [f"by: this gives more than {MOST_GROUPS} groups; filter, or group by less"])
    except TooManyAnswers:
        return refuse(asked, [f"{HOUR}: read from at most {MOST:,} answers; these days hold more; shorten or filter"])
    floor = ACTOR_FLOOR if ACTOR in (by, over) else gates.floor_of(key)
    if over:
        return _grid(asked, names, by, over, {place: pair.now for place, pair in groups.items()}, floor)
    broken = series.between(breaks_of(key), asked.before.first, asked.now.last) if not asked.across else []
    rows, total = _rows(asked, names, by, {place[0]: pair for place, pair in groups.items()}, floor, bool(broken))
    table = _table(asked, names.dimension(by), [*rows, total])
    return show(
        "admin/metrics/breakdown.html",
        asked,
        {table.name: table},
        names,
        by=by,
        rows=rows,
        total=total,
        broken=broken,
        between=versions_sentence(new_versions(names, asked, since_of(asked))),
        compared=sum(row.verdict.low is not None for row in rows),
    )


def _groups(asked: Asked, by: tuple[str, ...]) -> dict[Key, Pair]:
    """The sums by group: of the period alone for a grid, else beside those of the period before."""
    before = None if len(by) > 1 else asked.before
    if HOUR in by:
        return pairs_by_tally(db.session(), asked.answers, asked.now, before, by)
    return pairs_by(db.session(), asked.scope, asked.now, before, by)


def _usual(asked: Asked) -> str:
    steps = {step.path for step in asked.choices.steps} if asked.choices else set()
    return "step" if steps and asked.filters.step is None else "channel"


def _check(reader: Reader, asked: Asked, by: str, over: str | None) -> None:
    if over == by:
        reader.wrong("over", f"'{by}' is there already; choose another dimension, or none")
    if ACTOR in (by, over) and current_user.role not in ACTOR_ROLES:
        reader.wrong("by", "figures of single employees are for analysts and admins; ask one of them")


def hidden_groups(groups: Mapping[Any, Pair], floor: int) -> tuple[set[Any], set[Any]]:
    """The groups to hide in the period and in the one before, so that neither total reveals a few answers."""
    return (
        gates.hidden({value: scores.answers(pair.now.n) for value, pair in groups.items()}, floor),
        gates.hidden({value: scores.answers(pair.before.n) for value, pair in groups.items()}, floor),
    )


def _rows(
    asked: Asked, names: Names, by: str, groups: Mapping[Any, Pair], floor: int, broken: bool
) -> tuple[list[Row], Row]:
    """The groups in a reader's order and their total; small groups hidden so that the total does not reveal them.

    Nothing is compared where a structural break lies between.
    """
    away = hidden_groups(groups, floor)
    open_groups = {value: pair for value, pair in groups.items() if value not in away[0] | away[1]}
    changes = verdicts({value: (asked.metric, p.before.n, p.now.n) for value, p in open_groups.items()})
    found = []
    for value in names.order(by, list(groups)):
        now, before = (drawn(asked.metric, side) for side in (groups[value].now, groups[value].before))
        now, before = (hidden(f) if value in gone else f for f, gone in zip((now, before), away, strict=True))
        if now.n == 0 and before.n == 0:
            continue
        url = asked.answers_url(**{by: value}) if now.n else None
        words = ACROSS if broken else changes.get(value, NOT_COMPUTED)
        found.append(_row(names.group(by, value), now, before, words, url))
    whole = joined(groups.values())
    now, before = (drawn(asked.metric, side) for side in (whole.now, whole.before))
    words = ACROSS if broken else verdicts({"": (asked.metric, whole.before.n, whole.now.n)})[""]
    return found, _row("All", now, before, words, asked.answers_url() if now.n else None)


def _row(label: str, now: Figure, before: Figure, words: Verdict, url: str | None) -> Row:
    if now.value is None or before.value is None:
        words = NOT_COMPUTED
    return Row(label, figures.drawn(now), figures.drawn(before), words, url, now)


def _table(asked: Asked, dimension: str, rows: list[Row]) -> Table:
    places = places_of(asked.metric)
    found = [
        [
            Cell(row.label, row.label),
            *figure_cells(row.figure, places),
            Cell(formats.number(row.figure.n), row.figure.n, row.url),
            Cell(row.figure.status.value.replace("_", " "), row.figure.status.value),
            Cell(row.verdict.words, row.verdict.words),
        ]
        for row in rows
    ]
    columns = (dimension.lower(), "value", "low", "high", "n", "status", "against before")
    return Table("breakdown", f"By {dimension.lower()}", columns, found)


def _grid(asked: Asked, names: Names, by: str, over: str, cells: Mapping[Key, Sums], floor: int) -> Any:
    """The page of two dimensions: a figure with n and interval in each cell, totals at both ends."""
    cells = _named(cells)
    down = names.order(by, list({row for row, _ in cells}))
    across = names.order(over, list({column for _, column in cells}))
    columns = MOST_MOMENTS.get(over, MOST_COLUMNS)
    if len(across) > columns or len(down) > MOST_ROWS:
        most = f"{len(down)} × {len(across)} cells; at most {MOST_ROWS} × {columns} can be read"
        return refuse(asked, [f"over: this gives {most}. Swap the two, filter, or choose a smaller dimension"])
    whole = _with_totals(cells)
    away = grids.hidden({place: scores.answers(sums.n) for place, sums in cells.items()}, floor)
    shown = {place: sums.n for place, sums in whole.items() if None not in place and place not in away}
    differ, tested = contrasts.against_the_rest(asked.metric, shown, whole.get((ALL, ALL), Sums()).n)
    rows = [
        (_name(names, by, row), [_cell(asked, by, over, row, column, whole, away, differ) for column in [*across, ALL]])
        for row in [*down, ALL]
    ]
    heads = [_name(names, over, column) for column in [*across, ALL]]
    table = _grid_table(asked, names, by, over, heads, rows)
    return show(
        "admin/metrics/grid.html",
        asked,
        {table.name: table},
        names,
        by=by,
        over=over,
        heads=heads,
        rows=rows,
        tested=tested,
        differ=len(differ),
        concealed=sum(cell.look == "h-hide" for _, line in rows for cell in line),
        swapped=None if over in PERIODS else {"by": over, "over": by},
    )


ALL = grids.TOTAL
UNSAID = ""
"""A group of answers that do not say; None is the total's name here."""


def _named(cells: Mapping[Key, Sums]) -> dict[Any, Sums]:
    return {
        (UNSAID if row is None else row, UNSAID if column is None else column): s for (row, column), s in cells.items()
    }


def _with_totals(cells: Mapping[Key, Sums]) -> dict[tuple[Any, Any], Sums]:
    """The cells, the rows' and columns' totals and the total of all, merged from counts and never from values."""
    parts: dict[tuple[Any, Any], list[Pair]] = {}
    for (row, column), sums in cells.items():
        for place in ((row, column), (row, ALL), (ALL, column), (ALL, ALL)):
            parts.setdefault(place, []).append(Pair(sums, Sums()))
    return {place: joined(pairs).now for place, pairs in parts.items()}


def _name(names: Names, dimension: str, value: Any) -> str:
    return "All" if value is ALL else names.group(dimension, value)


def _cell(
    asked: Asked,
    by: str,
    over: str,
    row: Any,
    column: Any,
    whole: Mapping[tuple[Any, Any], Sums],
    away: set[tuple[Any, Any]],
    differ: Mapping[tuple[Any, Any], Contrast],
) -> GridCell:
    place = (row, column)
    figure = drawn(asked.metric, whole.get(place, Sums()))
    figure = hidden(figure) if place in away else figure
    group = {
        name: None if value == UNSAID else value for name, value in ((by, row), (over, column)) if value is not ALL
    }
    url = _answers_url(asked, group) if figure.n else None
    contrast = differ.get(place)
    said = ""
    if figure.status == gates.Status.NO_DATA:
        look = "h-none"
    elif figure.value is None:
        look = "h-hide"
    elif figure.status == gates.Status.LOW_N:
        look = "h-low"
    elif contrast:
        look, said = f"h-{'f' if contrast.good else 'u'}{contrast.level}", contrast.words
    else:
        look = "h-total" if ALL in place else "h-m"
    return GridCell(figure, figures.drawn(figure), look, said, url)


def _answers_url(asked: Asked, group: Mapping[str, Any]) -> str:
    """The answers behind a cell; a week or a month narrows the days."""
    first, last = asked.now.first, asked.now.last
    for name in PERIODS:
        if name in group:
            begins, ends = days_of(group[name])
            first, last = max(first, begins), min(last, ends)
    return asked.answers_url(Period(first, last), **{k: value for k, value in group.items() if k not in PERIODS})


def _grid_table(
    asked: Asked, names: Names, by: str, over: str, heads: list[str], rows: list[tuple[str, list[GridCell]]]
) -> Table:
    places = places_of(asked.metric)
    found = [
        [
            Cell(name, name),
            Cell(head, head),
            *figure_cells(cell.figure, places),
            Cell(formats.number(cell.figure.n), cell.figure.n, cell.url),
            Cell(cell.figure.status.value.replace("_", " "), cell.figure.status.value),
            Cell(cell.said, cell.said),
        ]
        for name, line in rows
        for head, cell in zip(heads, line, strict=True)
        if cell.figure.n
    ]
    dimensions = [names.dimension(name).lower() for name in (by, over)]
    columns = (*dimensions, "value", "low", "high", "n", "status", "differs")
    return Table("grid", f"By {dimensions[0]} and {dimensions[1]}", columns, found)
