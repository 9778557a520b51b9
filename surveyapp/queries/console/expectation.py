"""What the same person said before and after: an expectation and a later perception. Read only; person by person.

Pairs cannot be told from cells, so raw answers are read, the newest first and capped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from surveyapp.models import Response, Survey
from surveyapp.queries.console.responses import ResponseFilter, conditions_of

MOST = 5_000
WITHIN = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Paired:
    """People by step of the later answer and (score before, score after). `read` later answers were read.

    Each person stands in it once, with the newest answer that has an earlier one. `capped`: there were more to read.
    """

    by_step: Mapping[str | None, Mapping[tuple[int, int], int]]
    read: int
    capped: bool


def surveys_of(session: Session, metrics: Iterable[str]) -> list[str]:
    """The keys of the surveys that ask one of the metrics."""
    return list(session.scalars(select(Survey.key).where(Survey.metric.in_(list(metrics))).order_by(Survey.key)))


def paired(session: Session, wanted: ResponseFilter, expected: str, most: int = MOST) -> Paired:
    """The later answers that match, each beside the person's last answer to the survey `expected` in the year before.

    Both are confirmed and of the same journey, and of the same instance of it where both name one. Two statements.
    """
    before = select(Survey.id).where(Survey.key == expected).scalar_subquery()
    query = (
        select(
            Response.id,
            Response.customer_id,
            Response.score,
            Response.answered_at,
            Response.journey,
            Response.instance,
            Response.step,
        )
        .join(Survey, Survey.id == Response.survey_id)
        .where(
            *conditions_of(session, replace(wanted, status="confirmed", scored=True)),
            Response.customer_id.is_not(None),
            Response.survey_id != before,
        )
        .order_by(Response.reporting_day.desc(), Response.id.desc())
        .limit(most + 1)
    )
    rows = session.execute(query).all()
    later = rows[:most]
    if not later:
        return Paired({}, 0, False)
    chosen = query.limit(most).subquery()
    early = aliased(Response)
    statement = (
        select(chosen.c.id, early.score, early.answered_at, early.journey, early.instance)
        .join(early, early.customer_id == chosen.c.customer_id)
        .where(
            early.survey_id == before,
            early.status == "confirmed",
            early.score.is_not(None),
            early.answered_at < chosen.c.answered_at,
            early.answered_at >= min(row.answered_at for row in later) - WITHIN,
        )
        .order_by(early.answered_at, early.id)
    )
    return Paired(_by_step(later, session.execute(statement)), len(later), len(rows) > most)


def _by_step(later: Iterable[Any], earlier: Iterable[Any]) -> dict[str | None, dict[tuple[int, int], int]]:
    answers = {row.id: row for row in later}
    last: dict[int, int] = {}
    for id_, score, at, journey, instance in earlier:
        met = answers.get(id_)
        if met is None or met.answered_at - at > WITHIN or _apart(met.journey, journey):
            continue
        if not _apart(met.instance, instance):
            last[id_] = score  # the rows come in order of time: the latest stays
    found: dict[str | None, dict[tuple[int, int], int]] = {}
    seen: set[int] = set()
    for id_, met in answers.items():
        if id_ in last and met.customer_id not in seen:
            seen.add(met.customer_id)
            pairs = found.setdefault(met.step, {})
            pairs[last[id_], met.score] = pairs.get((last[id_], met.score), 0) + 1
    return found


def _apart(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
