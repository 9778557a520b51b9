"""The event log for process mining: what happened in each case, in order, under pseudonyms. Read only.

A case is one customer's run through a journey. No id, address or word of a person is in it; comments are not told.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.reporting_values import reporting_text
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import Decision, Event, Journey, Response, Step, Survey, Trigger

Database = Session | scoped_session[Session]
COLUMNS = (
    *("case_id", "activity", "timestamp", "journey", "step", "channel", "resource"),
    *("survey", "metric", "score", "reason"),
)
PIECE = 200
"""How many customers are read at a time, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class LogFilters:
    """Which events; days are of the event in UTC, both included."""

    journey: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    at: datetime
    rank: int
    number: int
    values: dict[str, Any]


def customers_after(session: Database, filters: LogFilters, after: int) -> list[int]:
    """The next customers, in the order of their numbers, who have an event that matches."""
    query = (
        select(Event.customer_id)
        .join(Step, Step.id == Event.step_id)
        .join(Journey, Journey.id == Step.journey_id)
        .where(Event.customer_id > after, *_conditions(filters))
        .distinct()
        .order_by(Event.customer_id)
        .limit(PIECE)
    )
    return list(session.scalars(query))


def log_lines(
    session: Database, filters: LogFilters, customers: Sequence[int], attributes: Sequence[str], key: str
) -> Iterator[list[Any]]:
    """The lines of these customers, case after case and in time within each, in the order of COLUMNS and attributes."""
    cases: dict[str, list[_Line]] = {}
    known: dict[int, tuple[str, dict[str, Any]]] = {}
    for row in session.execute(_events(filters, customers)):
        case = _pseudonym(key, row.customer_id, row.journey, row.instance or row.event_id)
        context = {f"context.{name}": reporting_text((row.properties or {}).get(name)) for name in attributes}
        actor = (row.properties or {}).get("actor")
        told = {
            "case_id": case,
            "activity": row.step,
            "timestamp": row.occurred_at,
            "journey": row.journey,
            "step": f"{row.journey}.{row.step}",
            "resource": _pseudonym(key, "actor", actor) if actor not in (None, "") else "",
        } | context
        known[row.id] = (case, told)
        cases.setdefault(case, []).append(_Line(row.occurred_at, 0, row.id, told))
    for row in session.execute(_decisions(list(known))):
        case, told = known[row.event_id]
        activity = f"{row.outcome} {row.key}"
        more = {"activity": activity, "timestamp": row.decided_at or row.at, "channel": row.channel or ""}
        more |= {"survey": row.key, "metric": row.metric, "reason": row.reason or ""}
        cases[case].append(_Line(row.decided_at or row.at, 1, row.id, told | {"resource": ""} | more))
    by_decision = {row.uid: row.event_id for row in session.execute(_decisions(list(known)))}
    for row in session.execute(_answers(list(by_decision))):
        case, told = known[by_decision[row.decision]]
        more = {"activity": f"answered {row.key}", "timestamp": row.answered_at, "channel": row.channel}
        more |= {"survey": row.key, "metric": row.metric, "score": row.score}
        cases[case].append(_Line(row.answered_at, 2, row.id, told | {"resource": ""} | more))
    names = [*COLUMNS, *(f"context.{name}" for name in attributes)]
    for lines in cases.values():
        for line in sorted(lines, key=lambda one: (one.at, one.rank, one.number)):
            values = line.values | {"timestamp": _instant(line.values["timestamp"])}
            yield [values.get(name, "") for name in names]


def _events(filters: LogFilters, customers: Sequence[int]) -> Any:
    return (
        select(
            Event.id,
            Event.event_id,
            Event.customer_id,
            Event.instance,
            Event.occurred_at,
            Event.properties,
            Journey.key.label("journey"),
            Step.key.label("step"),
        )
        .join(Step, Step.id == Event.step_id)
        .join(Journey, Journey.id == Step.journey_id)
        .where(Event.customer_id.in_(customers), *_conditions(filters))
        .order_by(Event.customer_id, Event.occurred_at, Event.id)
    )


def _decisions(events: Sequence[int]) -> Any:
    """Asks and refusals; what still waits is told when it is decided."""
    return (
        select(
            Decision.id,
            Decision.uid,
            Decision.event_id,
            Decision.outcome,
            Decision.reason,
            Decision.channel,
            Decision.at,
            Decision.decided_at,
            Survey.key,
            Survey.metric,
        )
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .join(Survey, Survey.id == Decision.survey_id)
        .where(Decision.event_id.in_(events), Decision.outcome != "waiting")
        .order_by(Decision.id)
    )


def _answers(decisions: Sequence[str]) -> Any:
    return (
        select(
            Response.id,
            Response.decision,
            Response.answered_at,
            Response.channel,
            Response.metric,
            Response.score,
            Survey.key,
        )
        .join(Survey, Survey.id == Response.survey_id)
        .where(Response.decision.in_(decisions), Response.status == ResponseStatus.CONFIRMED.value)
        .order_by(Response.id)
    )


def _conditions(filters: LogFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.journey is not None:
        found.append(Journey.key == filters.journey)
    if filters.first is not None:
        found.append(Event.occurred_at >= datetime.combine(filters.first, time(), UTC))
    if filters.last is not None:
        found.append(Event.occurred_at < datetime.combine(filters.last + timedelta(days=1), time(), UTC))
    return found


def _pseudonym(key: str, *parts: object) -> str:
    """The same for the same parts, and nothing that leads back without the key."""
    told = "\x1f".join(("event log", *map(str, parts)))
    return hmac.new(key.encode(), told.encode(), hashlib.sha256).hexdigest()[:24]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
