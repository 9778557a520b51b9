"""Figures of a metric page over 100,000 and 10,000,000 answers, their cells loaded by COPY; exports; a roll-up's cost.

Figures read cells alone, so only cells are loaded, as answers of a year would have left them: 15 steps, three channels,
two languages, three classes, two kinds of customer, five scores.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from surveyapp.extensions import db
from surveyapp.models import MetricCell
from surveyapp.models.metrics import LANGUAGE, SCORES, SLOTS
from surveyapp.queries import metrics
from surveyapp.queries.metrics import Filters
from surveyapp.services.cells import CELL_KEY, HISTOGRAM, PLACE
from tests.bench.harness import Bench, Result, connect, in_turns, middle
from tests.builders import make_brand, make_reporting_attribute, make_survey
from tests.databases import migrate

DAYS = 365
LAST = date(2026, 11, 21)
AIM = 0.060
GROWTH = 1.5
STEPS = [f"flight.step_{number:02d}" for number in range(15)]
PLACES = list(
    product(STEPS, ("email", "sms", "web"), ("en", "fr"), ("Eco", "Plus", "Business"), ("First", "Returning"))
)
GIVEN = list(product(PLACES, range(1, 6)))
HEAVY = [(1 + score) * (3 if channel == "email" else 1) for (_, channel, *_), score in GIVEN]
COLUMNS = (*CELL_KEY, "shard", *HISTOGRAM)


def pages(bench: Bench) -> list[Result]:
    """All figures of a metric page in one go, on both databases, small beside large."""
    return [
        *_compared(bench, "postgresql", bench.size(10_000_000, 500_000)),
        *_compared(bench, "sqlite", bench.size(1_000_000, 100_000)),
    ]


def _compared(bench: Bench, kind: str, many: int) -> list[Result]:
    """Both sizes lie side by side and are asked in turns, so that a busy machine meets both alike."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_apps:
        apps, cells = [], 0
        for number, answers in enumerate((100_000, many)):
            url = bench.database() if kind == "postgresql" else f"sqlite:///{Path(folder) / str(number)}.sqlite3"
            if kind == "postgresql":
                open_apps.callback(bench.drop, url)
            else:
                migrate(url)
            apps.append(open_apps.enter_context(bench.app(url)))
            cells = _load(url, answers)
        calls = [partial(_asked_of, app, call) for call in (_page, _by_class, _by_two) for app in apps]
        times = [middle(found) for found in in_turns(calls, bench.size(15, 5), warm_up=2)]
    detail: dict[str, Any] = {"answers": many, "cells": cells}
    for name, small, large in zip(("page", "by_class", "by_two"), times[::2], times[1::2], strict=True):
        detail |= {f"{name}_ms": round(1000 * large, 1), f"{name}_ms_at_100000": round(1000 * small, 1)}
    return [
        Result(f"figures_page_against_60ms_{kind}", times[1] / AIM, 1.0, "lower", detail),
        Result(f"figures_page_against_100000_{kind}", times[1] / times[0], GROWTH, "lower", {}),
        Result(f"figures_by_class_against_100000_{kind}", times[3] / times[2], GROWTH, "lower", {}),
    ]


def _asked_of(app: Flask, call: Callable[[], None]) -> None:
    with app.app_context():
        call()


def _page() -> None:
    """What a metric page asks: now, before, thirteen weeks, by step, step by channel, by version."""
    now, before = (Filters(first=LAST - timedelta(days=b + 27), last=LAST - timedelta(days=b)) for b in (0, 28))
    season = Filters(first=LAST - timedelta(days=90), last=LAST)
    metrics.figure(db.session, "csat5", now)
    metrics.figure(db.session, "csat5", before)
    metrics.series(db.session, "csat5", "week", season)
    metrics.figures_by(db.session, "csat5", ("step",), now)
    metrics.figures_by(db.session, "csat5", ("step", "channel"), now)
    metrics.figures_by(db.session, "csat5", ("version",), season)
    db.session.rollback()


def _by_class() -> None:
    """A breakdown by an attribute, which reads its rows by day."""
    metrics.figures_by(db.session, "csat5", ("context.class",), Filters(first=LAST - timedelta(days=27), last=LAST))
    db.session.rollback()


def _by_two() -> None:
    """A grid of two attributes, which reads the fine cells."""
    month = Filters(first=LAST - timedelta(days=27), last=LAST)
    metrics.figures_by(db.session, "csat5", ("context.class", "context.customer_type"), month)
    db.session.rollback()


def _load(url: str, answers: int) -> int:
    """The cells of that many answers, spread over a year; returns how many cells there are."""
    make_brand()
    make_survey("step_csat", "csat5")
    make_reporting_attribute("class", 1)
    make_reporting_attribute("customer_type", 2)
    chance = random.Random(answers)
    cells = 0
    rows: list[tuple[Any, ...]] = []
    for back in range(DAYS):
        day = LAST - timedelta(days=back)
        count = Counter(chance.choices(GIVEN, HEAVY, k=answers // DAYS))
        found = ((place, [count[place, score] for score in range(1, 6)]) for place in PLACES)
        rows += [_row(day, *place, given) for place, given in found if any(given)]
        if len(rows) > 50_000 or back == DAYS - 1:
            cells += len(rows)
            _copy(url, rows)
            rows.clear()
    with db.engine.begin() as connection:
        for slot, value in ((0, "''"), (1, "a1"), (2, "a2"), (LANGUAGE, "language")):
            connection.execute(text(_by_day(slot, value)))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if db.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    return cells


def _by_day(slot: int, value: str) -> str:
    """The statement that fills one slot of the histograms by day from the fine cells."""
    place = ", ".join((*PLACE, "weight_class"))
    by = f"{place}, {value}" if slot else place
    sums = (f"sum({name})" for name in HISTOGRAM)
    return f"""
        INSERT INTO metric_day ({place}, slot, value, shard, {", ".join(HISTOGRAM)})
        SELECT {place}, {slot}, {value}, 0, {", ".join(sums)} FROM metric_cell GROUP BY {by}
        """


def _row(day: date, step: str, channel: str, language: str, of: str, kind: str, given: list[int]) -> tuple[Any, ...]:
    attributes = (of, kind, *[""] * (SLOTS - 2))
    place = ("csat5", "step_csat", 1, day, "flight", step, "during", channel, language, "", "confirmed")
    counts = given + [0] * (SCORES - len(given))
    weights = [n * 1_000_000 for n in counts]
    return (*place, *attributes, 0, 0, *counts, *weights, *weights)


def _copy(url: str, rows: list[tuple[Any, ...]]) -> None:
    if db.engine.dialect.name == "sqlite":
        with db.engine.begin() as connection:
            connection.execute(MetricCell.__table__.insert(), [dict(zip(COLUMNS, row, strict=True)) for row in rows])
        return
    into = f"COPY metric_cell ({', '.join(COLUMNS)}) FROM STDIN"
    with connect(url) as connection, connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
