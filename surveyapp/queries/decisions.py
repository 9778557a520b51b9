"""Decisions as the API lists them: newest first, page by page. Read only."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.models import Customer, Decision, Event, Survey, Trigger

AnySession = Session | scoped_session[Session]


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """One page; `after` is where the next begins, or None."""

    items: list[dict[str, Any]]
    after: int | None


def decision_page(session: AnySession, filters: dict[str, str], after: int | None, limit: int) -> DecisionPage:
    """Decisions that fit `filters` (customer, trigger, outcome, reason, event), newest first."""
    columns: dict[str, ColumnElement[Any]] = {
        "customer": Customer.external_id,  # type: ignore[dict-item]
        "trigger": Trigger.key,  # type: ignore[dict-item]
        "event": Event.event_id,  # type: ignore[dict-item]
        "outcome": Decision.outcome,  # type: ignore[dict-item]
        "reason": Decision.reason,  # type: ignore[dict-item]
    }
    query = (
        select(Decision, Customer.external_id, Event.event_id, Trigger.key, Survey.key)
        .join(Customer, Customer.id == Decision.customer_id)
        .join(Event, Event.id == Decision.event_id)
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .join(Survey, Survey.id == Decision.survey_id)
        .where(*(columns[name] == value for name, value in filters.items()))
        .order_by(Decision.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(Decision.id < after)
    rows = session.execute(query).all()
    items = [as_json(*row) for row in rows[:limit]]
    return DecisionPage(items, rows[limit - 1][0].id if len(rows) > limit else None)


def as_json(decision: Decision, customer: str | None, event: str, trigger: str, survey: str) -> dict[str, Any]:
    """A decision in the contract's shape. Only a refusal has a reason; what a wait waits for is in its verdicts."""
    return {
        "id": decision.uid,
        "customer": customer,
        "event": event,
        "trigger": trigger,
        "survey": survey,
        "channel": decision.channel,
        "outcome": decision.outcome,
        "reason": decision.reason if decision.outcome == "refused" else None,
        "verdicts": decision.verdicts or [],
        "policy_version": decision.policy_version,
        "inclusion": decision.inclusion,
        "at": (decision.decided_at or decision.at).isoformat().replace("+00:00", "Z"),
        "not_before": decision.not_before.isoformat().replace("+00:00", "Z") if decision.not_before else None,
    }
