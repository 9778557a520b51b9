"""Where answers come from that no person gave: by the mail domain of the receiver, and by what spoke against them.

Read only. A domain is named from five answers on; below that it could be a person's.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from surveyapp.domain.vocabulary import Channel, ResponseStatus
from surveyapp.models import Customer, Response, Visit

NAMED_FROM = 5
MOST = 8
READ = 1_000


@dataclass(frozen=True, slots=True)
class Receiver:
    """The answers given over links in e-mails to one domain, by how they count."""

    domain: str
    confirmed: int
    provisional: int
    suspected: int

    @property
    def with_provisional(self) -> int:
        return self.confirmed + self.provisional

    @property
    def share(self) -> float:
        """The part set aside, 0–1."""
        total = self.with_provisional + self.suspected
        return self.suspected / total if total else 0.0


def receivers(session: Session, start: datetime) -> list[Receiver]:
    """The domains with answers set aside since `start`, most of them first; those that must not be named together."""
    postgres = session.get_bind().dialect.name == "postgresql"
    place: Any = func.strpos if postgres else func.instr
    domain = func.lower(func.substr(Customer.email, place(Customer.email, "@") + 1)).label("domain")

    def counted(status: ResponseStatus) -> Any:
        return func.sum(case((Response.status == status, 1), else_=0))

    suspected = counted(ResponseStatus.SUSPECTED_BOT)
    query = (
        select(domain, counted(ResponseStatus.CONFIRMED), counted(ResponseStatus.PROVISIONAL), suspected)
        .join(Customer, Customer.id == Response.customer_id)
        .where(Response.answered_at >= start, Response.channel == Channel.EMAIL, Customer.email.is_not(None))
        .group_by(domain)
        .having(suspected > 0)
        .order_by(suspected.desc(), domain)
    )
    named: list[Receiver] = []
    others = [0, 0, 0]
    for row in session.execute(query):
        found = Receiver(*row)
        if len(named) < MOST and found.with_provisional + found.suspected >= NAMED_FROM:
            named.append(found)
        else:
            others = [n + m for n, m in zip(others, row[1:], strict=True)]
    return [*named, Receiver("", *others)] if any(others) else named


def evidence(session: Session, start: datetime) -> list[tuple[str, int]]:
    """What spoke against the visits set aside since `start`, most frequent first; the newest thousand are read."""
    query = (
        select(Visit.reasons)
        .where(Visit.at >= start, Visit.status == ResponseStatus.SUSPECTED_BOT)
        .order_by(Visit.id.desc())
        .limit(READ)
    )
    return Counter(str(reason) for reasons in session.scalars(query) for reason in reasons).most_common()


def statuses(session: Session, start: datetime) -> dict[str, int]:
    """Answers by e-mail since `start`, by how they count."""
    query = (
        select(Response.status, func.count())
        .where(Response.answered_at >= start, Response.channel == Channel.EMAIL)
        .group_by(Response.status)
    )
    return {status: count for status, count in session.execute(query)}  # noqa: C416 - rows, typed
