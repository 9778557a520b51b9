"""What a benchmark works with: a durable PostgreSQL, applications on it, a stopwatch that takes turns."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import make_url

from surveyapp import create_app
from surveyapp.extensions import db
from tests.databases import PostgresDatabases, testing_config
from tests.postgres import Server


@dataclass(frozen=True)
class Result:
    """One line of the table. `ratio` is held against `target`; `better` says which way is good."""

    name: str
    ratio: float
    target: float
    better: str  # "higher" or "lower"
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        return self.ratio >= self.target if self.better == "higher" else self.ratio <= self.target


class Bench:
    """The surroundings of one run. Nothing is started before it is asked for."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick
        self._server: Server | None = None
        self._databases: PostgresDatabases | None = None

    def size(self, full: int, quick: int) -> int:
        """How much of something: the full amount, or less in a quick run."""
        return quick if self.quick else full

    def database(self) -> str:
        """A migrated, empty database of its own that waits for the disk at every commit."""
        if self._databases is None:
            self._server = Server(durable=True)
            self._databases = PostgresDatabases(self._server.url(), "bench")
        return self._databases.fresh()

    def drop(self, url: str) -> None:
        assert self._databases is not None
        self._databases.drop(url)

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    @contextmanager
    def app(self, url: str | None = None, **settings: object) -> Iterator[Flask]:
        """An application on that database (or on a fresh one), its context pushed."""
        own = url or self.database()
        app = create_app(testing_config(own, TESTING=False, **settings))
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()
        if url is None:
            self.drop(own)


def connect(url: str) -> psycopg.Connection[Any]:
    """A plain connection, as a floor uses it."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(dsn, autocommit=True)


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_turns(calls: Sequence[Callable[[], object]], rounds: int, warm_up: int = 1) -> list[list[float]]:
    """The times of each call, made alternately so that a noisy moment of the machine meets all of them."""
    for _ in range(warm_up):
        for call in calls:
            call()
    times: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        order = range(len(calls)) if number % 2 else reversed(range(len(calls)))
        for index in order:
            times[index].append(seconds(calls[index]))
    return times


def middle(times: Sequence[float]) -> float:
    """The median: one pause of the machine does not count."""
    return median(times)
