"""Sends the writes of one happening together: one statement on PostgreSQL, one after the other on SQLite.

Knows no subject. What is sent together must not touch the same row twice, nor read what its neighbours write.
"""

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import Insert, Update
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import Session, scoped_session

AnySession = Session | scoped_session[Session]
Write = Insert | Update


class Together:
    """Writes that wait for `send`, in the caller's transaction.

    A statement is built once and only filled in; the names of its values are its own among those sent together, and
    times have a zone. It gives nothing back. The driver keeps the form of statements with at most 50 values and 4,096
    characters.
    """

    def __init__(self, session: AnySession) -> None:
        self._session = session
        self.dialect = session.get_bind().dialect.name
        self._writes: list[Write] = []
        self._values: list[dict[str, Any]] = []

    def add(self, write: Write, values: dict[str, Any]) -> None:
        """Send this one too."""
        self._writes.append(write)
        self._values.append(values)

    def send(self) -> None:
        """Send what waits. Nothing waits afterwards."""
        if not self._writes:
            return
        connection = self._session.connection()
        if self.dialect == "postgresql":
            statement, fixed = _joined(*self._writes)
            values = {name: _plain(value) for one in self._values for name, value in one.items()}
            connection.exec_driver_sql(statement, fixed | values)
        else:
            for write, values in zip(self._writes, self._values, strict=True):
                connection.execute(write, values)
        self._writes, self._values = [], []


@lru_cache(maxsize=32)
def _joined(*writes: Write) -> tuple[str, dict[str, Any]]:
    """The last one with the others before it as common table expressions, and the values that never change.

    It is compiled here, since every answer's transaction pays for it.
    """
    *others, last = writes
    both = last.add_cte(*(one.cte(f"write_{number}") for number, one in enumerate(others)))
    dialect: Any = psycopg.dialect
    compiled = both.compile(dialect=dialect())
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
