"""Whatever is asked of the cells, their sums are those of the answers."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.weights import class_of, micro_weight
from surveyapp.extensions import db
from surveyapp.models import Response
from surveyapp.queries import cells
from surveyapp.queries.cells import Span, Wanted
from surveyapp.services import rollups
from tests.builders import MOMENT, make_reporting_attribute, make_response, make_survey

Database = scoped_session[Session]
DAY = MOMENT.date()
OPEN: list[Span] = [(None, None)]
TWO: list[Span] = [(DAY + timedelta(days=2), DAY + timedelta(days=3)), (DAY, DAY + timedelta(days=1))]


@pytest.fixture
def answers(session: Database) -> list[Response]:
    """Answers to three surveys on scales that begin at -2, 0 and 1, with and without a language and attributes."""
    make_reporting_attribute("class", 1)
    make_reporting_attribute("haul", 5)
    chance, made = random.Random(7), []
    versions = [(make_survey(metric, metric), scores) for metric, scores in
                (("disconfirmation", range(-2, 3)), ("nps", range(11)), ("csat5", range(1, 6)))]  # fmt: skip
    for _ in range(150):
        version, scores = chance.choice(versions)
        given = {name: chance.choice(values) for name, values in
                 (("class", ["Eco", "Plus", None]), ("haul", ["long", "short", None]))}  # fmt: skip
        response = make_response(
            version,
            chance.choice(scores),
            context={name: value for name, value in given.items() if value},
            language=chance.choice([None, "en", "fr"]),
            channel=chance.choice(["email", "web"]),
            status=chance.choice(["confirmed", "confirmed", "provisional", "suspected_bot"]),
            inclusion=chance.choice([None, 0.3, 0.07]),
            reporting_day=DAY + timedelta(days=chance.randrange(5)),
        )
        rollups.count(session, response, 1)
        made.append(response)
    session.commit()
    return made


def counted(answers: Sequence[Response], wanted: Wanted) -> Counter[tuple[Any, ...]]:
    """What `cells.sums` must give, from the answers themselves: n, w and w² by everything else."""
    found: Counter[tuple[Any, ...]] = Counter()
    for one in answers:
        values = {
            "metric": one.metric,
            "channel": one.channel,
            "day": one.reporting_day,
            "language": one.language or "",
            "a1": one.context.get("class", ""),
            "a5": one.context.get("haul", ""),
        }
        spans = [
            at for at, (first, last) in enumerate(wanted.spans)
            if (first is None or first <= one.reporting_day) and (last is None or one.reporting_day <= last)
        ]  # fmt: skip
        fits = wanted.metric in (None, one.metric) and all(values[n] == v for n, v in wanted.equal.items())
        if not spans or not fits or one.status == "suspected_bot":
            continue
        w, w2 = micro_weight(one.inclusion) if wanted.weighted else (0, 0)
        step = class_of(micro_weight(one.inclusion)[0]) if wanted.weighted else 0
        key = (tuple(values[name] for name in wanted.columns), spans[0], str(one.status), one.score, step)
        for name, told in (("n", 1), ("w", w), ("w2", w2)):
            found[*key, name] += told
    return +found


ASKED: list[tuple[tuple[str, ...], dict[str, str]]] = [
    ((), {}),
    (("channel", "day"), {}),
    (("a1",), {}),
    (("channel", "language"), {}),
    (("a5",), {"channel": "web"}),
    (("a1", "a5"), {}),
    (("day",), {"a1": "Eco"}),
    (("a1",), {"a1": "Eco"}),
    ((), {"language": "fr"}),
    (("language",), {"a1": "Plus"}),
    ((), {"a5": ""}),
]


def test_the_sums_are_those_of_the_answers(session: Database, answers: list[Response]) -> None:
    for (columns, equal), spans, weighted in product(ASKED, (OPEN, TWO), (False, True)):
        for wanted in (
            Wanted(columns, "nps", equal, spans, weighted),
            Wanted(columns, "disconfirmation", equal, spans, weighted),
            Wanted(("metric", *columns), None, equal, spans, weighted),
        ):
            found: Counter[tuple[Any, ...]] = Counter()
            for row in cells.sums(session, wanted):
                assert row.n > 0
                for name, told in (("n", row.n), ("w", row.w), ("w2", row.w2)):
                    found[*row[:5], name] += told
            assert +found == counted(answers, wanted) != {}, wanted


@pytest.mark.parametrize(
    ("wanted", "table"),
    [
        (Wanted(("step", "channel"), "nps"), "metric_day"),
        (Wanted(("step", "a1"), "nps"), "metric_day"),
        (Wanted(("version",), "nps", {"language": "en"}), "metric_day"),
        (Wanted(("a1", "language"), "nps"), "metric_cell"),
    ],
)
def test_what_needs_one_attribute_at_most_reads_the_rows_by_day(session: Database, wanted: Wanted, table: str) -> None:
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.extend(name for name in ("metric_day", "metric_cell") if f"FROM {name}" in statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert list(cells.sums(session, wanted)) == []
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert seen == [table]
