"""Proves that the roll-up cells equal the answers, and repairs them. A day at a time, so memory stays flat.

Each day is compared within one snapshot, and what is wrong is corrected by adding the difference: answers that
arrive meanwhile change both sides alike and are never lost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from surveyapp.extensions import db
from surveyapp.models import MetricCell, MetricDay, Response
from surveyapp.services import cells, rollups
from surveyapp.services.cells import Cell, Cells, Table, columns_of
from surveyapp.services.rollups import COUNTED, Names
from surveyapp.services.transaction import transaction

MOST_NAMED = 1000
TABLES: tuple[Table, ...] = (MetricCell, MetricDay)


@dataclass(frozen=True)
class Rebuilt:
    """How many days were compared, how many cells differed, and the first of them in words."""

    days: int
    cells: int
    differences: list[str]


def rebuild(check: bool = False) -> Rebuilt:
    """Compare every cell with the answers; correct what differs, unless only checking."""
    with _snapshot() as session:
        names, days = rollups.all_names(session), _days(session)
    found = 0
    sentences: list[str] = []
    for day in days:
        with _snapshot() as session:
            differences = _compared(session, names, day)
        for one in differences:
            found += len(one.wrong)
            sentences += [_sentence(one, key) for key in sorted(one.wrong)][: MOST_NAMED - len(sentences)]
            if one.wrong and not check:
                with transaction() as writing:
                    rollups.keep_values(writing, names.fresh)
                    cells.add(writing, one.model, one.wrong, bulk=True)
    if not check:
        with transaction() as writing:
            for model in TABLES:
                writing.execute(delete(model).where(*(model.__table__.c[name] == 0 for name in columns_of(model)[1])))
    return Rebuilt(len(days), found, sentences)


@contextmanager
def _snapshot() -> Iterator[Session]:
    """A session that sees one moment of the database and keeps no writer waiting."""
    connection = db.engine.connect()
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    else:
        connection = connection.execution_options(sqlite_begin="DEFERRED")
    with connection, Session(connection) as session:
        yield session


def _days(session: Session) -> list[date]:
    """Every day that has an answer or a cell."""
    days = (Response.reporting_day, MetricCell.day, MetricDay.day)
    return sorted({day for column in days for day in session.scalars(select(column).distinct())})


@dataclass(frozen=True)
class Difference:
    """What must be added to one table's cells of a day to make them equal to its answers, and the cells as stored."""

    model: Table
    wrong: Cells
    stored: Cells


def _compared(session: Session, names: Names, day: date) -> list[Difference]:
    counted: Cells = {}
    answers = select(*COUNTED).where(Response.reporting_day == day, Response.score.is_not(None)).order_by(Response.id)
    for row in session.execute(answers.execution_options(yield_per=2000)):
        rollups.add_to(counted, names, row)
    return [_difference(session, model, cells.folded(model, counted), day) for model in TABLES]


def _difference(session: Session, model: Table, counted: Cells, day: date) -> Difference:
    keys, sums = columns_of(model)
    columns = [model.__table__.c[name] for name in keys]
    totals = [func.sum(model.__table__.c[name]) for name in sums]
    rows = session.execute(select(*columns, *totals).where(model.day == day).group_by(*columns))
    stored: Cells = {tuple(row[: len(keys)]): tuple(int(told) for told in row[len(keys) :]) for row in rows}
    wrong: Cells = {}
    nothing = (0,) * len(sums)
    for key in counted.keys() | stored.keys():
        right, kept = counted.get(key, nothing), stored.get(key, nothing)
        if right != kept:
            wrong[key] = tuple(a - b for a, b in zip(right, kept, strict=True))
    return Difference(model, wrong, stored)


def _sentence(found: Difference, key: Cell) -> str:
    keys, sums = columns_of(found.model)
    counts = sum(name.startswith("n") for name in sums)  # they stand first
    n, difference = sum(found.stored.get(key, ())[:counts]), sum(found.wrong[key][:counts])
    usual = (("weight_class", 0), ("slot", 0))
    told = [(name, value) for name, value in zip(keys, key, strict=True) if value != "" and (name, value) not in usual]
    place = ", ".join(f"{name}={value}" for name, value in told)
    by = "" if found.model is MetricCell else "by day: "
    rest = "" if difference else " (scores or weights differ)"
    return f"{by}{place}: {n} stored, {n + difference} by the answers{rest}"
