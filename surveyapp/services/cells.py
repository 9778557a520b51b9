"""Adds sums to the stored cells, fine and by day, so that writers of one cell at one moment do not wait for each other.

What is counted in which cell is for `rollups` to say.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Executable, Integer, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.scores import METRICS
from surveyapp.models import MetricCell, MetricDay
from surveyapp.models.metrics import BULK, SCORES, SHARDS, SLOTS, of_scores

Database = Session | scoped_session[Session]
Cell = tuple[Any, ...]
Sums = tuple[int, ...]
Cells = dict[Cell, Sums]
Table = type[MetricCell] | type[MetricDay]

ATTRIBUTES = tuple(f"a{slot}" for slot in range(1, SLOTS + 1))
KEY = (
    *("metric", "survey", "version", "day", "journey", "step", "phase", "channel", "language", "partner", "status"),
    *ATTRIBUTES,
    *("score", "weight_class"),
)
"""What an answer is counted under, from which both tables' keys are made."""
SUMS = ("n", "w", "w2")
CELL_KEY = tuple(name for name in KEY if name != "score")
PLACE = ("metric", "survey", "version", "day", "journey", "step", "phase", "channel", "partner", "status")
DAY_KEY = (*PLACE, "slot", "value", "weight_class")
HISTOGRAM = (*of_scores("n"), *of_scores("w"), *of_scores("q"))


def columns_of(model: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of a table's key, without the shard, and those of its sums; its cells are kept in this order."""
    return (CELL_KEY if model is MetricCell else DAY_KEY), HISTOGRAM


def write(session: Database, cells: Cells, *, bulk: bool = False) -> None:
    """Add the sums (by KEY) to the stored cells, fine and by day. Sums of zero write nothing.

    Rows are written in a fixed order. An answer takes the first shard that nobody holds at this moment, so writers of
    one cell never wait for each other and a quiet cell stays one row; `bulk` writes take a shard of their own.
    """
    if len(cells) == 1 and not bulk and session.get_bind().dialect.name == "postgresql":
        _add_one(session, *next(iter(cells.items())))
        return
    for model in (MetricCell, MetricDay):
        add(session, model, folded(model, cells), bulk=bulk)


def folded(model: Table, cells: Cells) -> Cells:
    """The same sums, which are by KEY, as a table keeps them: histograms by its own key."""
    found: dict[Cell, list[int]] = {}
    for key, sums in cells.items():
        row = dict(zip(KEY, key, strict=True))
        at = _at(row)
        for place in _places(model, row):
            histogram = found.setdefault(place, [0] * len(HISTOGRAM))
            for part, told in enumerate(sums):
                histogram[part * SCORES + at] += told
    return {key: tuple(histogram) for key, histogram in found.items()}


def _places(model: Table, row: Mapping[str, Any]) -> Iterator[Cell]:
    """The keys under which a table counts the answers of a cell."""
    if model is MetricCell:
        yield tuple(row[name] for name in CELL_KEY)
        return
    place = tuple(row[name] for name in PLACE)
    for slot, value in _readings(row):
        yield (*place, slot, value, row["weight_class"])


def _at(row: Mapping[str, Any]) -> int:
    """Where a score stands in a histogram: how far it is above the lowest."""
    at: int = row["score"] - METRICS[row["metric"]].low
    assert 0 <= at < SCORES, f"{row['score']} is no score of {row['metric']}"
    return at


def _readings(row: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The slots and values under which `metric_day` counts the answers of a fine cell; slot 0 holds all."""
    yield 0, ""
    for slot, name in enumerate((*ATTRIBUTES, "language"), 1):
        if row[name]:
            yield slot, row[name]


def add(session: Database, model: Table, cells: Cells, *, bulk: bool) -> None:
    """Add the sums to the cells of one table, in the order of its `columns_of`."""
    keys, sums = columns_of(model)
    rows = [dict(zip((*keys, *sums), (*key, *told), strict=True)) for key, told in sorted(cells.items()) if any(told)]
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    if not bulk and dialect == "postgresql":  # SQLite has one writer at a time
        for row in rows:
            row["place"] = _place(model.__tablename__, [row[name] for name in keys])
    session.connection().execute(_adding(dialect, model, bulk), rows if len(rows) > 1 else rows[0])


@cache
def _adding(dialect: str, model: Table, bulk: bool) -> Executable:
    """Built once for each kind of database and table: an answer is counted with statements that are only filled in."""
    on_postgres = dialect == "postgresql"
    keys, sums = columns_of(model)
    shard = BULK if bulk else _free_shard("place") if on_postgres else 0
    values: dict[str, Any] = {name: bindparam(name) for name in (*keys, *sums)} | {"shard": shard}
    statement: Executable = _upsert(postgresql if on_postgres else sqlite, model, [values], sums)
    return statement


def _upsert(dialect: Any, model: Table, rows: list[dict[str, Any]], sums: tuple[str, ...]) -> Any:
    insert = dialect.insert(model.__table__).values(rows if len(rows) > 1 else rows[0])
    columns = model.__table__.c
    added = {name: columns[name] + insert.excluded[name] for name in sums}
    return insert.on_conflict_do_update(index_elements=[*columns_of(model)[0], "shard"], set_=added)


def _free_shard(place: str) -> Any:
    """The first shard of a cell that nobody holds at this moment. The numbers are written out and few, since the driver
    keeps the form of statements with at most 50 values and 4,096 characters."""
    first, last = (literal_column(str(shard), Integer) for shard in (0, SHARDS - 1))
    shard = func.generate_series(first, last).column_valued("s")
    free = func.pg_try_advisory_xact_lock(bindparam(place, type_=BigInteger) + shard)
    return func.coalesce(select(shard).where(free).limit(literal_column("1")).scalar_subquery(), first)


def _place(table: str, key: list[Any]) -> int:
    """A number of 63 bits for a cell, its last bits free for the shard."""
    digest = hashlib.blake2b(repr((table, key)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 1) & ~(SHARDS - 1)


def _add_one(session: Database, key: Cell, sums: Sums) -> None:
    """One answer's fine cell and its rows by day, in one statement: the values of their keys are the same."""
    if not any(sums):
        return
    row = dict(zip((*KEY, *SUMS), (*key, *sums), strict=True))
    readings = list(_readings(row))
    row["cell"] = _place(MetricCell.__tablename__, [row[name] for name in CELL_KEY])
    for number, (slot, value) in enumerate(readings):
        by_day = row | {"slot": slot, "value": value}
        row[f"slot{number}"], row[f"value{number}"] = slot, value
        row[f"place{number}"] = _place(MetricDay.__tablename__, [by_day[name] for name in DAY_KEY])
    session.connection().exec_driver_sql(_adding_one(_at(row), len(readings)), row)


@cache
def _adding_one(at: int, readings: int) -> str:
    """The statement for a score's place in the histogram and a number of rows by day.

    It is compiled here, since every answer's transaction pays for it, and names only the three sums that change. The
    fine cell is written first, as in `write`.
    """
    counted = dict(zip((f"n{at}", f"w{at}", f"q{at}"), SUMS, strict=True))
    told: dict[str, Any] = {name: bindparam(sum_) for name, sum_ in counted.items()}
    rows = [
        {
            **{name: bindparam(name) for name in (*PLACE, "weight_class")},
            **{name: bindparam(f"{name}{number}") for name in ("slot", "value")},
            **told,
            "shard": _free_shard(f"place{number}"),
        }
        for number in range(readings)
    ]
    by_day = _upsert(postgresql, MetricDay, rows, tuple(counted))
    fine: dict[str, Any] = {**{name: bindparam(name) for name in CELL_KEY}, **told, "shard": _free_shard("cell")}
    both = _upsert(postgresql, MetricCell, [fine], tuple(counted)).add_cte(by_day.cte("by_day"))
    dialect: Any = psycopg.dialect
    return str(both.compile(dialect=dialect()))
