"""Relational answers beside the same people's answers at steps. Read only; person by person, so capped.

The one reader of raw answers among the metrics' pages: which step goes with NPS cannot be told from cells.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from surveyapp.domain.scores import METRICS, triple
from surveyapp.models import Response, Survey
from surveyapp.queries.console.responses import ResponseFilter, conditions_of

MOST = 5_000
WITHIN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class StepLink:
    """NPS counts (detractors, passives, promoters) of those satisfied with a step, and of the others."""

    step: str
    metric: str
    satisfied: tuple[int, int, int]
    dissatisfied: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Links:
    """`read` NPS answers were read, the newest; `capped` says that there were more."""

    steps: list[StepLink]
    read: int
    capped: bool


def step_links(session: Session, wanted: ResponseFilter, most: int = MOST) -> Links:
    """For the newest NPS answers that match: each person's last answer at each step in the 90 days before.

    Two statements. A step answered with two metrics counts under the one of the answer.
    """
    first = replace(wanted, status="confirmed")
    query = (
        select(Response.id, Response.customer_id, Response.score, Response.answered_at)
        .join(Survey, Survey.id == Response.survey_id)
        .where(*conditions_of(session, first), Response.score.is_not(None), Response.customer_id.is_not(None))
        .order_by(Response.reporting_day.desc(), Response.id.desc())
        .limit(most + 1)
    )
    rows = session.execute(query).all()
    relational = rows[:most]
    if not relational:
        return Links([], 0, False)
    chosen = query.limit(most).subquery()
    earlier = aliased(Response)
    since = min(row.answered_at for row in relational) - WITHIN
    at_steps = (
        select(chosen.c.id, earlier.step, earlier.metric, earlier.score, earlier.answered_at)
        .join(earlier, earlier.customer_id == chosen.c.customer_id)
        .where(
            earlier.step.is_not(None),
            earlier.metric != wanted.metric,
            earlier.status == "confirmed",
            earlier.score.is_not(None),
            earlier.answered_at >= since,
            earlier.answered_at <= chosen.c.answered_at,
        )
        .order_by(earlier.answered_at, earlier.id)
    )
    return Links(_linked(relational, session.execute(at_steps)), len(relational), len(rows) > most)


def _linked(relational: Iterable[Any], at_steps: Iterable[Any]) -> list[StepLink]:
    answers = {row.id: (row.score, row.answered_at) for row in relational}
    last: dict[tuple[int, str], tuple[str, int]] = {}
    for id_, step, metric, score, at in at_steps:
        if id_ in answers and answers[id_][1] - at <= WITHIN and METRICS[metric].headline != "nps":
            last[id_, step] = (metric, score)  # the rows come in order of time: the latest stays
    found: dict[tuple[str, str], tuple[dict[int, int], dict[int, int]]] = {}
    for (id_, step), (metric, score) in last.items():
        sides = found.setdefault((step, metric), ({}, {}))
        side = sides[0 if score in METRICS[metric].favourable else 1]
        side[answers[id_][0]] = side.get(answers[id_][0], 0) + 1
    nps = METRICS["nps"]
    return [
        StepLink(step, metric, triple(nps, yes), triple(nps, no)) for (step, metric), (yes, no) in sorted(found.items())
    ]
