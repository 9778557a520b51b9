"""Decisions as people read them: a filtered list with its counts, and one with all it rests on. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from surveyapp.models import (
    ContactKey,
    Customer,
    Decision,
    Event,
    Invitation,
    Journey,
    LedgerEntry,
    Message,
    Response,
    Step,
    Survey,
    Trigger,
)
from surveyapp.queries.console.paging import Mark, Page, Query, after_mark, paged
from surveyapp.queries.funnel import FunnelFilters, decision_ids

EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions; None leaves a field open. `start` is included, `end` is not."""

    outcome: str | None = None
    reason: str | None = None
    trigger: str | None = None
    customer: str | None = None
    journey: str | None = None
    step: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    events: FunnelFilters | None = None
    """Of events that match these, by the day of the event; the other fields still hold."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    uid: str
    at: datetime
    outcome: str
    reason: str | None
    channel: str | None
    policy_version: int | None
    not_before: datetime | None
    customer: str | None
    trigger: str
    step: Mapping[str, Any] | None
    journey: Mapping[str, Any] | None
    journey_key: str | None
    step_key: str | None


def decision_page(session: Session, wanted: DecisionFilter, mark: Mark | None) -> Page[DecisionRow]:
    """One page of the decisions that match, newest first."""
    query = (
        select(
            Decision.uid,
            Decision.at,
            Decision.outcome,
            Decision.reason,
            Decision.channel,
            Decision.policy_version,
            Decision.not_before,
            Customer.external_id,
            Trigger.key,
            Step.name,
            Journey.name,
            Journey.key,
            Step.key,
        )
        .join(Customer, Customer.id == Decision.customer_id)
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
    )
    query = after_mark(_filtered(session, query, wanted), Decision.at.expression, Decision.uid.expression, mark)
    rows = [DecisionRow(*tuple(row)) for row in session.execute(query)]
    return paged(rows, lambda row: Mark(row.at, row.uid))


def decision_totals(session: Session, wanted: DecisionFilter) -> dict[tuple[str, str | None], int]:
    """How many decisions match, by outcome and reason, the filter's own outcome and reason set aside."""
    everything = replace(wanted, outcome=None, reason=None)
    query = select(Decision.outcome, Decision.reason, func.count()).group_by(Decision.outcome, Decision.reason)
    return {(outcome, reason): n for outcome, reason, n in session.execute(_filtered(session, query, everything))}


def _filtered(session: Session, query: Query, wanted: DecisionFilter) -> Query:
    if wanted.events:
        query = query.where(Decision.id.in_(decision_ids(session, wanted.events)))
    if wanted.outcome:
        query = query.where(Decision.outcome == wanted.outcome)
    if wanted.reason:
        query = query.where(Decision.reason == wanted.reason)
    if wanted.customer:
        person = select(Customer.id).where(Customer.external_id == wanted.customer).scalar_subquery()
        query = query.where(Decision.customer_id == person)
    if wanted.trigger:
        named = select(Trigger.id).where(Trigger.key == wanted.trigger).scalar_subquery()
        query = query.where(Decision.trigger_id == named)
    if wanted.step or wanted.journey:
        triggers = (
            select(Trigger.id).join(Step, Step.id == Trigger.step_id).join(Journey, Journey.id == Step.journey_id)
        )
        journey, _, step = (wanted.step or "").partition(".")
        triggers = triggers.where(Journey.key == (journey or wanted.journey))
        triggers = triggers.where(Step.key == step) if wanted.step else triggers
        query = query.where(Decision.trigger_id.in_(triggers))
    if wanted.start:
        query = query.where(Decision.at >= wanted.start)
    if wanted.end:
        query = query.where(Decision.at < wanted.end)
    return query


@dataclass(frozen=True, slots=True)
class MessageRow:
    channel: str
    kind: str
    state: str
    reason: str | None
    due_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class AskRow:
    """An ask of this person before the decision; `decision` is set when it has one here."""

    at: datetime
    channel: str
    kind: str
    survey: str | None
    step: str | None
    state: str
    answered_at: datetime | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class DecisionDetail:
    decision: Decision
    customer: Customer
    event: Event
    trigger: Trigger
    survey: str
    step: Step | None
    journey: Journey | None
    response: str | None
    messages: tuple[MessageRow, ...]
    asks: tuple[AskRow, ...]


def decision_detail(session: Session, uid: str) -> DecisionDetail | None:
    """The decision with its event, customer, trigger, messages, answer and the asks that counted; None if unknown."""
    query = (
        select(Decision, Customer, Event, Trigger, Survey.key, Step, Journey, Response.uid)
        .join(Customer, Customer.id == Decision.customer_id)
        .join(Event, Event.id == Decision.event_id)
        .join(Trigger, Trigger.id == Decision.trigger_id)
        .join(Survey, Survey.id == Decision.survey_id)
        .outerjoin(Step, Step.id == Trigger.step_id)
        .outerjoin(Journey, Journey.id == Step.journey_id)
        .outerjoin(Invitation, Invitation.decision_id == Decision.id)
        .outerjoin(Response, Response.invitation_id == Invitation.id)
        .where(Decision.uid == uid)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    decision, customer = row[0], row[1]
    asks = _asks_before(session, customer.id, decision)
    return DecisionDetail(*row, _messages(session, decision.id), asks)


def _messages(session: Session, decision_id: int) -> tuple[MessageRow, ...]:
    columns = (
        Message.channel,
        Message.kind,
        Message.state,
        Message.reason,
        Message.due_at,
        Message.sent_at,
        Message.delivered_at,
        Message.last_error,
    )
    query = select(*columns).where(Message.decision_id == decision_id).order_by(Message.due_at, Message.id)
    return tuple(MessageRow(*row) for row in session.execute(query))


def _asks_before(session: Session, customer_id: int, decision: Decision) -> tuple[AskRow, ...]:
    """The latest asks counted on any contact key of the person before the decision, each once."""
    keys = select(ContactKey.key).where(ContactKey.customer_id == customer_id)
    query = (
        select(LedgerEntry, Decision.uid)
        .outerjoin(Message, Message.id == LedgerEntry.message_id)
        .outerjoin(Decision, Decision.id == Message.decision_id)
        .where(LedgerEntry.subject_key.in_(keys), LedgerEntry.state != "released")
        .where(LedgerEntry.at < (decision.decided_at or decision.at))
        .order_by(LedgerEntry.at.desc())
        .limit(EVIDENCE * 4)
    )
    seen: dict[object, AskRow] = {}
    for entry, uid in session.execute(query):
        if uid == decision.uid:
            continue
        ask = AskRow(entry.at, entry.channel, entry.kind, entry.survey, entry.step, entry.state, entry.answered_at, uid)
        seen.setdefault((entry.message_id, entry.claim_no) if entry.message_id else (entry.at, entry.channel), ask)
    return tuple(seen.values())[:EVIDENCE]
