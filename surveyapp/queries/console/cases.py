"""Cases as people read them: who waits for us and why, with the answer that opened it. Read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from surveyapp.models import AuditEntry, Case, Customer, Journey, Response
from surveyapp.queries.cases import BY_ANSWER, wish_uid
from surveyapp.queries.console.paging import SIZE, Mark, Page, Query, after_mark, paged

BEFORE = timedelta(days=30)
"""An answer is given at most this long before a change of it opens a case."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases: open or closed ones, about steps of one journey, of one customer (external id).

    `looked_after_by` leaves the open ones that this person has taken, and those that nobody has.
    """

    closed: bool = False
    looked_after_by: str | None = None
    journey: str | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that opened a case."""

    uid: str
    score: int | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class CaseLine:
    """`outcome` is how it ended, where whoever closed it said so; `answer` is None where nobody's answer opened it."""

    uid: str
    customer: str | None
    reason: str | None
    step: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None
    taken_by: str | None = None
    answer: Answer | None = None
    outcome: str | None = None


def case_lines(session: Session, wanted: CaseFilter, mark: Mark | None) -> Page[CaseLine]:
    """One page of cases: open ones with who waits longest first, closed ones with the last closed first."""
    query = _filtered(select(Case, Customer.external_id).join(Customer, Customer.id == Case.customer_id), wanted)
    if wanted.closed:
        query = query.where(Case.closed_at.is_not(None))
        query = after_mark(query, Case.closed_at.expression, Case.uid.expression, mark)
    else:
        query = query.where(Case.closed_at.is_(None)).order_by(Case.opened_at, Case.uid).limit(SIZE + 1)
        if wanted.looked_after_by is not None:
            query = query.where(_for(wanted.looked_after_by))
        if mark is not None:
            query = query.where(tuple_(Case.opened_at, Case.uid) > (mark.at, mark.uid), Case.opened_at >= mark.at)
    rows = session.execute(query).all()
    answers = _answers(session, [case for case, _ in rows])
    outcomes = _outcomes(session, [case.uid for case, _ in rows if case.closed_at])
    lines = [
        CaseLine(
            case.uid, person, case.reason, case.step, case.opened_at, case.opened_by, case.closed_at, case.closed_by,
            case.taken_by, answers.get(case.uid), outcomes.get(case.uid),
        )
        for case, person in rows
    ]  # fmt: skip
    return paged(lines, lambda line: Mark(line.closed_at or line.opened_at, line.uid))


@dataclass(frozen=True, slots=True)
class CaseTotals:
    """How many wait, how many of these for one person or for nobody yet, how many are closed; the oldest open since."""

    waiting: int
    mine_and_free: int
    closed: int
    oldest: datetime | None


def case_totals(session: Session, wanted: CaseFilter, me: str) -> CaseTotals:
    """The totals of these cases, whatever their state; `me` is who looks."""
    still = Case.closed_at.is_(None)
    columns = (
        func.count(Case.id).filter(still),
        func.count(Case.id).filter(still, _for(me)),
        func.count(Case.closed_at),
        func.min(Case.opened_at).filter(still),
    )
    waiting, mine_and_free, closed, oldest = session.execute(_filtered(select(*columns), wanted)).one()
    return CaseTotals(waiting, mine_and_free, closed, oldest)


def _for(person: str) -> ColumnElement[bool]:
    return or_(Case.taken_by == person, Case.taken_by.is_(None))


def journeys(session: Session) -> list[tuple[str, Mapping[str, Any]]]:
    """Every journey's key and name."""
    return [(key, name) for key, name in session.execute(select(Journey.key, Journey.name).order_by(Journey.key))]


def _filtered(query: Query, wanted: CaseFilter) -> Query:
    if wanted.journey:
        query = query.where(Case.step.startswith(f"{wanted.journey}.", autoescape=True))
    if wanted.customer:
        person = select(Customer.id).where(Customer.external_id == wanted.customer).scalar_subquery()
        query = query.where(Case.customer_id == person)
    return query


def _answers(session: Session, cases: Sequence[Case]) -> dict[str, Answer]:
    """Per case that an answer opened, that answer: the id of the case is made from the answer's."""
    wishes = [case for case in cases if case.opened_by == BY_ANSWER]
    if not wishes:
        return {}
    query = select(Response.uid, Response.score, Response.comment).where(
        Response.customer_id.in_({case.customer_id for case in wishes}),
        Response.answered_at >= min(case.opened_at for case in wishes) - BEFORE,
        Response.answered_at <= max(case.opened_at for case in wishes),
    )
    known = {case.uid for case in wishes}
    found = {wish_uid(uid): Answer(uid, score, comment) for uid, score, comment in session.execute(query)}
    return {uid: answer for uid, answer in found.items() if uid in known}


def _outcomes(session: Session, uids: Sequence[str]) -> dict[str, str]:
    """Per closed case how it ended, where that was said."""
    if not uids:
        return {}
    query = (
        select(AuditEntry.object, AuditEntry.detail)
        .where(AuditEntry.action == "case.closed", AuditEntry.object.in_(uids))
        .order_by(AuditEntry.id)
    )
    return {uid: str(detail["outcome"]) for uid, detail in session.execute(query) if detail.get("outcome")}
