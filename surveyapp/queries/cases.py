"""Cases as rules and lists read them. Read only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain import facts
from surveyapp.models import Case, Customer

AnySession = Session | scoped_session[Session]
BY_ANSWER = "answer"
"""Who opened a case that a person's own answer opened."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with the external id of its customer. `row` orders the list."""

    row: int
    id: str
    customer: str | None
    reason: str | None
    step: str | None
    opened_at: datetime
    taken_by: str | None
    closed_at: datetime | None


def cases_of(session: AnySession, customers: Sequence[int], since: datetime) -> dict[int, list[facts.Case]]:
    """Per customer the cases that are open or were closed after `since`."""
    found: dict[int, list[facts.Case]] = defaultdict(list)
    query = select(Case).where(Case.customer_id.in_(customers), or_(Case.closed_at.is_(None), Case.closed_at > since))
    for case in session.scalars(query):
        found[case.customer_id].append(facts.Case(case.opened_at, case.closed_at, case.uid, case.step))
    return found


def wish_uid(response: str) -> str:
    """The id of the one case that an answer can open, from the answer's own id."""
    return sha256(f"wish of {response}".encode()).hexdigest()[:32]


def case_named(session: AnySession, uid: str) -> Case | None:
    """The case with this id."""
    return session.scalars(select(Case).where(Case.uid == uid)).one_or_none()


def case_page(
    session: AnySession, customer: str | None, only_open: bool, after: int | None, limit: int
) -> list[CaseRow]:
    """Cases, newest first; those of one customer, or the open ones alone, where wanted."""
    query = select(Case, Customer.external_id).join(Customer).order_by(Case.id.desc()).limit(limit)
    if customer is not None:
        query = query.where(Customer.external_id == customer)
    if only_open:
        query = query.where(Case.closed_at.is_(None))
    if after is not None:
        query = query.where(Case.id < after)
    return [
        CaseRow(case.id, case.uid, person, case.reason, case.step, case.opened_at, case.taken_by, case.closed_at)
        for case, person in session.execute(query)
    ]
