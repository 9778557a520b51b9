"""Indicators: their list, their values, and what was answered at each height of an event's property. Read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.gates import floor_of
from surveyapp.domain.gates import hidden as hidden_keys
from surveyapp.domain.indicators import Band, Better, Definition, Kind, Total, bands, pooled, proposed_edges
from surveyapp.domain.reporting_day import iso_week
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Indicator, IndicatorValue, Response
from surveyapp.queries.metrics import Figure, Sums, drawn, hidden

Database = Session | scoped_session[Session]
SAMPLE = 5000
"""How many of the newest answers propose the bands."""


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator of the list: how many values, over which days, and the steps they are of ('' for none)."""

    key: str
    definition: Definition
    values: int
    first: date | None
    last: date | None
    steps: tuple[str, ...]


def definition_of(row: Indicator) -> Definition:
    return Definition(row.name, Kind(row.kind), row.unit, Total(row.total), Better(row.better), row.property)


def indicators(session: Database) -> list[IndicatorRow]:
    """Every indicator, by key."""
    counts: dict[int, tuple[int, date | None, date | None]] = {
        row[0]: (row[1], row[2], row[3])
        for row in session.execute(
            select(
                IndicatorValue.indicator_id, func.count(), func.min(IndicatorValue.day), func.max(IndicatorValue.day)
            ).group_by(IndicatorValue.indicator_id)
        )
    }
    steps: dict[int, list[str]] = {}
    scopes = select(IndicatorValue.indicator_id, IndicatorValue.step).distinct().order_by(IndicatorValue.step)
    for owner, step in session.execute(scopes):
        steps.setdefault(owner, []).append(step)
    return [
        IndicatorRow(row.key, definition_of(row), *counts.get(row.id, (0, None, None)), tuple(steps.get(row.id, ())))
        for row in session.scalars(select(Indicator).order_by(Indicator.key))
    ]


def indicator(session: Database, key: str) -> IndicatorRow | None:
    """One of them, or None."""
    return next((row for row in indicators(session) if row.key == key), None)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which values; None leaves a part open, '' means the values that tell no such part."""

    step: str | None = None
    service: str | None = None
    product_line: str | None = None
    first: date | None = None
    last: date | None = None


def value_page(
    session: Database, key: str, scope: Scope, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Up to `limit` values in the order of their storing after the mark, and the mark to go on after."""
    query = (
        select(IndicatorValue)
        .join(Indicator, Indicator.id == IndicatorValue.indicator_id)
        .where(Indicator.key == key, IndicatorValue.id > after, *_in_scope(scope))
        .order_by(IndicatorValue.id)
        .limit(limit + 1)
    )
    rows = list(session.scalars(query))
    items = [
        {
            "day": row.day.isoformat(),
            "step": row.step or None,
            "service": row.service or None,
            "product_line": row.product_line or None,
            "value": row.value,
        }
        for row in rows[:limit]
    ]
    return items, rows[limit - 1].id if len(rows) > limit else None


def _in_scope(scope: Scope) -> list[ColumnElement[bool]]:
    parts = (
        (IndicatorValue.step, scope.step),
        (IndicatorValue.service, scope.service),
        (IndicatorValue.product_line, scope.product_line),
    )
    found: list[ColumnElement[bool]] = [column == text for column, text in parts if text is not None]
    if scope.first is not None:
        found.append(IndicatorValue.day >= scope.first)
    if scope.last is not None:
        found.append(IndicatorValue.day <= scope.last)
    return found


@dataclass(frozen=True, slots=True)
class Point:
    """One period of a series: its name and first day, the pooled value, and how many values it pools."""

    name: str
    first: date
    value: float | None
    n: int


def series(session: Database, key: str, total: Total, scope: Scope, weekly: bool) -> list[Point]:
    """The indicator by day or ISO week over the whole scope, periods without a value included as None."""
    query = (
        select(IndicatorValue.day, IndicatorValue.value)
        .join(Indicator, Indicator.id == IndicatorValue.indicator_id)
        .where(Indicator.key == key, *_in_scope(scope))
        .order_by(IndicatorValue.day, IndicatorValue.id)
    )
    found: dict[str, list[float]] = {}
    for day, value in session.execute(query):
        found.setdefault(iso_week(day) if weekly else day.isoformat(), []).append(value)
    if scope.first is None or scope.last is None:
        return []
    points: list[Point] = []
    day = scope.first
    while day <= scope.last:
        name = iso_week(day) if weekly else day.isoformat()
        if not points or points[-1].name != name:
            values = found.get(name, [])
            points.append(Point(name, day, pooled(total, values), len(values)))
        day += timedelta(days=1)
    return points


@dataclass(frozen=True, slots=True)
class AtStep:
    """One indicator at a step over some days: its values pooled its own way, and how many they are."""

    key: str
    definition: Definition
    value: float
    n: int


def at_step(session: Database, step: str, first: date, last: date) -> list[AtStep]:
    """The indicators that have a value of this step (in its long form) in these days, by name. One statement."""
    whole = func.sum(IndicatorValue.value)
    query = (
        select(Indicator, whole, func.count())
        .join(IndicatorValue, IndicatorValue.indicator_id == Indicator.id)
        .where(*_in_scope(Scope(step=step, first=first, last=last)))
        .group_by(Indicator.id)
        .order_by(Indicator.name, Indicator.key)
    )
    return [
        AtStep(row.key, definition_of(row), float(total) if row.total == Total.SUM else float(total) / n, n)
        for row, total, n in session.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class AtEvent:
    """The metric by bands of an event's property, gated, and the answers that do not tell the property."""

    metric: str
    edges: list[float]
    groups: list[tuple[Band, Figure]]
    total: Figure
    untold: int


def at_event(
    session: Database,
    metric: str,
    name: str,
    *,
    step: str | None = None,
    first: date | None = None,
    last: date | None = None,
    edges: Sequence[float] | None = None,
) -> AtEvent:
    """Confirmed answers by bands of the number that their event carried. Reads answers, not cells.

    Without edges, five bands of about as many answers each are proposed by the newest ones.
    """
    height = _number(session, name)
    told = [Response.metric == metric, Response.status == ResponseStatus.CONFIRMED.value, Response.score.is_not(None)]
    if step is not None:
        told.append(Response.step == step)
    if first is not None:
        told.append(Response.reporting_day >= first)
    if last is not None:
        told.append(Response.reporting_day <= last)
    if edges is None:
        newest = select(height).where(*told, height.is_not(None)).order_by(Response.id.desc()).limit(SAMPLE)
        edges = proposed_edges([float(value) for value in session.scalars(newest)])
    cut = bands(edges)
    which = case(*[(_within(height, band), number) for number, band in enumerate(cut)], else_=-1)
    rows = session.execute(
        select(which.label("band"), Response.score, func.count()).where(*told).group_by("band", Response.score)
    )
    sums = {number: Sums() for number in range(-1, len(cut))}
    whole = Sums()
    for number, score, n in rows:
        sums[number].n[score] = n
        if number >= 0:
            whole.n[score] = whole.n.get(score, 0) + n
    figures = {number: drawn(metric, sums[number]) for number in range(len(cut))}
    away = hidden_keys({number: f.n for number, f in figures.items()}, floor_of(metric))
    groups = [(band, hidden(figures[i]) if i in away else figures[i]) for i, band in enumerate(cut)]
    return AtEvent(metric, list(edges), groups, drawn(metric, whole), sum(sums[-1].n.values()))


def _within(height: ColumnElement[Any], band: Band) -> ColumnElement[bool]:
    ends: list[ColumnElement[bool]] = [height.is_not(None)]
    if band.low is not None:
        ends.append(height > band.low)
    if band.high is not None:
        ends.append(height <= band.high)
    return and_(*ends)


def _number(session: Database, name: str) -> ColumnElement[Any]:
    """The number that the frozen context has under this name; null for a text, a flag or nothing."""
    if session.get_bind().dialect.name == "sqlite":
        path = '$."' + name.replace('"', "") + '"'
        kind = func.json_type(Response.context, path)
        return case((kind.in_(("integer", "real")), cast(func.json_extract(Response.context, path), Float)))
    kind = func.jsonb_typeof(Response.context[name])
    return case((kind == "number", cast(Response.context[name].as_string(), Float)))


def properties(session: Database, step: str | None, limit: int = 500) -> list[str]:
    """Names under which the newest answers of the step carry a number, for a choice."""
    query = select(Response.context).order_by(Response.id.desc()).limit(limit)
    if step is not None:
        query = query.where(Response.step == step)
    names: set[str] = set()
    for context in session.scalars(query):
        names |= {n for n, v in context.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return sorted(names)
