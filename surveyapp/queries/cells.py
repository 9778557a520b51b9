"""Sums of roll-up cells, read from the smallest rows that hold them. Read only; what they mean is for `metrics`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Integer, Select, and_, case, func, literal_column, or_, select, true
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.scores import METRICS
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import MetricCell, MetricDay
from surveyapp.models.metrics import LANGUAGE, SCORES, SLOTS, of_scores

Database = Session | scoped_session[Session]
Key = tuple[Any, ...]
Span = tuple[date | None, date | None]
"""Reporting days, both included; None leaves an end open."""

SLICES = {**{f"a{slot}": slot for slot in range(1, SLOTS + 1)}, "language": LANGUAGE}
"""The columns of a fine cell that `metric_day` keeps in rows of their own, and the slot of these rows."""
SHOWN = (ResponseStatus.CONFIRMED.value, ResponseStatus.PROVISIONAL.value)


class Row(NamedTuple):
    """One sum. `parts` are the values of the columns asked for, `span` is the number of the span that holds its days.

    `weight_class`, `w` and `w2` are 0 unless weights were asked for.
    """

    parts: tuple[Any, ...]
    span: int
    status: str
    score: int
    weight_class: int
    n: int
    w: int
    w2: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cells, and by which of their columns: names of columns of a fine cell. `equal` are conditions on them.

    Without a `metric`, the columns must have it. Spans do not overlap; there is at least one.
    """

    columns: Sequence[str] = ()
    metric: str | None = None
    equal: Mapping[str, Any] = field(default_factory=dict)
    spans: Sequence[Span] = ((None, None),)
    weighted: bool = False


def sums(session: Database, wanted: Wanted) -> Iterator[Row]:
    """The sums of confirmed and provisional answers by the columns wanted, by span and score; none is nought.

    One statement. Whatever needs at most one attribute (or the language) reads the histograms by day.
    """
    sliced = sorted({name for name in (*wanted.columns, *wanted.equal) if name in SLICES})
    if len(sliced) > 1 or any(wanted.equal.get(name) == "" for name in sliced):
        return _fine(session, wanted)
    return _by_day(session, wanted, sliced[0] if sliced else None)


def _fine(session: Database, wanted: Wanted) -> Iterator[Row]:
    table = MetricCell.__table__
    by = _grouping(table, wanted, [table.c[name] for name in wanted.columns])
    query = _narrowed(select(*by, *_totals(table, wanted)), table, wanted).group_by(*by)
    rows = session.execute(_with_equal(query, table, wanted.equal))
    return _unfolded({tuple(row[: len(by)]): [int(told) for told in row[len(by) :]] for row in rows}, wanted)


def _by_day(session: Database, wanted: Wanted, sliced: str | None) -> Iterator[Row]:
    """As `_fine`, from the rows by day. Answers without a value of the attribute are all less those with one."""
    table = MetricDay.__table__
    by = _grouping(table, wanted, [table.c["value" if name == sliced else name] for name in wanted.columns])
    slot = SLICES[sliced] if sliced else 0
    all_too = sliced is not None and sliced not in wanted.equal
    query = _narrowed(select(table.c.slot, *by, *_totals(table, wanted)), table, wanted).group_by(table.c.slot, *by)
    query = query.where(table.c.slot.in_([0, slot] if all_too else [slot]))
    equal = {"value" if name == sliced else name: value for name, value in wanted.equal.items()}
    place = wanted.columns.index(sliced) if sliced and all_too else 0
    found: dict[Key, list[int]] = {}
    for at, *row in session.execute(_with_equal(query, table, equal)):
        key, told = tuple(row[: len(by)]), [int(total) for total in row[len(by) :]]
        _add(found, key, told)
        if all_too and at:
            _add(found, (*key[:place], "", *key[place + 1 :]), [-total for total in told])
    return _unfolded(found, wanted)


def _grouping(table: FromClause, wanted: Wanted, columns: list[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """What a histogram is read by: the columns wanted, span and status, and the weight class where weights are."""
    weight = [table.c.weight_class] if wanted.weighted else []
    return [*columns, _span(table, wanted.spans), table.c.status, *weight]


def _totals(table: FromClause, wanted: Wanted) -> list[ColumnElement[int]]:
    """The sums of the histogram's columns, as far as the metric's scale reaches."""
    prefixes = ("n", "w", "q") if wanted.weighted else ("n",)
    return [func.sum(table.c[name]) for prefix in prefixes for name in of_scores(prefix)[: _size(wanted)]]


def _size(wanted: Wanted) -> int:
    return len(METRICS[wanted.metric].scale) if wanted.metric else SCORES


def _add(found: dict[Key, list[int]], key: Key, told: list[int]) -> None:
    before = found.get(key)
    found[key] = told if before is None else [a + b for a, b in zip(before, told, strict=True)]


def _unfolded(found: Mapping[Key, list[int]], wanted: Wanted) -> Iterator[Row]:
    """A row for every score of the histograms that somebody gave."""
    width, size = len(wanted.columns), _size(wanted)
    for key, told in found.items():
        parts, (span, status, *classes) = key[:width], key[width:]
        lowest = METRICS[wanted.metric or parts[wanted.columns.index("metric")]].low
        for at, n in enumerate(told[:size]):
            if n:
                w, w2 = (told[size + at], told[2 * size + at]) if wanted.weighted else (0, 0)
                yield Row(parts, span, status, lowest + at, classes[0] if classes else 0, n, w, w2)


def _narrowed(query: Select[Any], table: FromClause, wanted: Wanted) -> Select[Any]:
    """The query over the days and the metric wanted. Naming all metrics lets an index find the days of each."""
    metrics = [wanted.metric] if wanted.metric else list(METRICS)
    query = query.where(table.c.metric.in_(metrics), table.c.status.in_(SHOWN))
    firsts = [first for first, _ in wanted.spans if first is not None]
    lasts = [last for _, last in wanted.spans if last is not None]
    if len(firsts) == len(wanted.spans):
        query = query.where(table.c.day >= min(firsts))
    if len(lasts) == len(wanted.spans):
        query = query.where(table.c.day <= max(lasts))
    return query.where(or_(*(_within(table, span) for span in wanted.spans))) if len(wanted.spans) > 1 else query


def _with_equal(query: Select[Any], table: FromClause, equal: Mapping[str, Any]) -> Select[Any]:
    return query.where(*(table.c[name] == value for name, value in equal.items()))


def _span(table: FromClause, spans: Sequence[Span]) -> ColumnElement[int]:
    if len(spans) == 1:
        return literal_column("CAST(0 AS INTEGER)", Integer)  # a bare number in GROUP BY is a column's place
    return case(*((_within(table, span), at) for at, span in enumerate(spans)))


def _within(table: FromClause, span: Span) -> ColumnElement[bool]:
    first, last = span
    return and_(
        true(),
        *([] if first is None else [table.c.day >= first]),
        *([] if last is None else [table.c.day <= last]),
    )
