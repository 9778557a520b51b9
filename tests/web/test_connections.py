"""A pooled connection is tried before it is used: by a look while it was asked lately, by a question otherwise."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from surveyapp import extensions
from surveyapp.extensions import db, spare_pings
from tests.bench.harness import connect

DEADLINE_SECONDS = 120


@pytest.fixture
def trusted_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "TRUST_SECONDS", 3_600)


def backend() -> int:
    number: int = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    db.session.remove()
    return number


def test_a_connection_that_the_database_ended_is_replaced(
    trusted_for_long: None, postgres_url: str, make_app: Any
) -> None:
    with make_app(postgres_url).app_context(), connect(postgres_url) as other:
        first = backend()
        assert backend() == first
        other.execute("SELECT pg_terminate_backend(%s)", (first,))
        end = time.monotonic() + DEADLINE_SECONDS
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (first,)).fetchone():
            assert time.monotonic() < end, "the database did not end the connection"
        assert backend() != first


class Line:
    """A driver's connection, as far as it is looked at; `far` is the database's end."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()

    def fileno(self) -> int:
        return self.near.fileno()


@pytest.fixture
def lines() -> Iterator[tuple[Line, Line]]:
    made = Line(), Line()
    yield made
    for line in made:
        line.near.close()
        line.far.close()


def test_a_living_connection_is_asked_once_in_a_while(
    trusted_for_long: None, lines: tuple[Line, Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = lines
    engine, pings = create_engine("postgresql+psycopg://"), []
    engine.dialect.do_ping = lambda connection: pings.append(connection) or True  # type: ignore
    spare_pings(engine)
    assert [engine.dialect.do_ping(line) for line in (one, one, other, one)] == [True] * 4  # type: ignore
    assert pings == [one, other]
    one.far.sendall(b"E")
    assert engine.dialect.do_ping(one)  # type: ignore
    assert pings == [one, other, one]
    monkeypatch.setattr(extensions, "TRUST_SECONDS", 0)
    assert engine.dialect.do_ping(other)  # type: ignore
    assert pings == [one, other, one, other]
