"""Bulk inserts that leave rows alone which are there already, for both databases. Knows no subject."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models.base import Base

Row = TypeVar("Row", bound=Base)
AnySession = Session | scoped_session[Session]


def insert_new(
    session: AnySession, model: type[Row], rows: Sequence[dict[str, Any]], unique: Sequence[str]
) -> list[Row]:
    """The rows that were not there yet, loaded; a row whose `unique` columns are taken is skipped.

    On PostgreSQL a concurrent insert of the same key is waited for, so pass rows in a fixed order.
    """
    if not rows:
        return []
    statement = _insert(session, model).on_conflict_do_nothing(index_elements=list(unique)).returning(model)
    return list(session.scalars(statement, list(rows)))


def insert_quietly(
    session: AnySession, model: type[Base], rows: Sequence[dict[str, Any]], unique: Sequence[str]
) -> None:
    """Insert the rows that are not there yet, without reading anything back."""
    if rows:
        session.execute(_insert(session, model).on_conflict_do_nothing(index_elements=list(unique)), list(rows))


def _insert(session: AnySession, model: type[Base]) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(model)
