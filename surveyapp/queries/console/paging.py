"""Pages of a list by key, newest first: the mark of the last row shown, never an offset. No database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_

Row = TypeVar("Row")
Query = TypeVar("Query", bound=Select[Any, *tuple[Any, ...]])
SIZE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page ends: the instant and the public id of its last row."""

    at: datetime
    uid: str

    def text(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}_{self.uid}"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page; `older` leads to the next, None on the last."""

    rows: Sequence[Row]
    older: str | None


def read_mark(text: str | None) -> Mark | None:
    """The mark written in a query string, or None for anything else."""
    moment, joint, uid = (text or "").partition("_")
    if not joint or not uid or not moment.isascii() or not moment.isdigit() or len(moment) > 17:
        return None
    return Mark(EPOCH + timedelta(microseconds=int(moment)), uid[:40])


def after_mark(
    query: Query, at: ColumnElement[Any], uid: ColumnElement[Any], mark: Mark | None, size: int = SIZE
) -> Query:
    """The query, newest first, of the rows older than the mark: one more than a page, to know whether more follow."""
    if mark is not None:
        query = query.where(tuple_(at, uid) < (mark.at, mark.uid), at <= mark.at)
    return query.order_by(at.desc(), uid.desc()).limit(size + 1)


def paged(rows: Sequence[Row], mark_of: Callable[[Row], Mark], size: int = SIZE) -> Page[Row]:
    """The first `size` of the rows read, and the mark of the last one when there was one more."""
    shown = rows[:size]
    return Page(shown, mark_of(shown[-1]).text() if len(rows) > size else None)
