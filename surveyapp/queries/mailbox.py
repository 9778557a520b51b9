"""What lies in the local mailbox and on the local phone. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Case, case, func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.vocabulary import Channel
from surveyapp.models import LocalMessage

AnySession = Session | scoped_session[Session]
PREVIEW = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One message in a list."""

    id: int
    channel: str
    direction: str
    address: str
    subject: str | None
    preview: str
    sent_at: datetime


def messages_after(session: AnySession, number: int, limit: int) -> list[LocalMessage]:
    """The next `limit` messages we sent whose id is above `number`, oldest first."""
    wanted = select(LocalMessage).where(LocalMessage.id > number, LocalMessage.direction == "out")
    return list(session.scalars(wanted.order_by(LocalMessage.id).limit(limit)))


def message(session: AnySession, number: int) -> LocalMessage | None:
    return session.get(LocalMessage, number)


def lines(session: AnySession, *, address: str, channel: str | None, before: int | None, limit: int) -> list[Line]:
    """Messages in both directions, newest first; `address` matches any part of the other side's address."""
    wanted = select(
        LocalMessage.id,
        LocalMessage.channel,
        LocalMessage.direction,
        _other_side(),
        LocalMessage.subject,
        func.substr(LocalMessage.text, 1, PREVIEW),
        LocalMessage.sent_at,
    )
    if address:
        wanted = wanted.where(func.lower(_other_side()).contains(address.lower(), autoescape=True))
    if channel:
        wanted = wanted.where(LocalMessage.channel == channel)
    if before is not None:
        wanted = wanted.where(LocalMessage.id < before)
    rows = session.execute(wanted.order_by(LocalMessage.id.desc()).limit(limit))
    return [Line(*row) for row in rows]


def conversation(session: AnySession, number: str, limit: int) -> list[LocalMessage]:
    """The last `limit` text messages to and from one number, oldest first."""
    wanted = select(LocalMessage).where(LocalMessage.channel == Channel.SMS, _other_side() == number)
    rows = session.scalars(wanted.order_by(LocalMessage.id.desc()).limit(limit))
    return list(rows)[::-1]


def latest_number(session: AnySession) -> int:
    """The id of the newest message, 0 when there is none."""
    return session.execute(select(func.coalesce(func.max(LocalMessage.id), 0))).scalar_one()


def _other_side() -> Case[str]:
    return case((LocalMessage.direction == "in", LocalMessage.sender), else_=LocalMessage.recipient)
