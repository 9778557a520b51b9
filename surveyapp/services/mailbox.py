"""Keeps what the local mailbox and the local phone receive. Decides nothing and sends nothing."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.channels.base import OutgoingMessage
from surveyapp.domain.vocabulary import Channel
from surveyapp.models import LocalMessage
from surveyapp.services.transaction import transaction

_ORDER_LOCK = 0x6D61696C


def store(*messages: OutgoingMessage) -> None:
    """The messages lie in the mailbox (or on the phone), from one transaction of their own."""
    with transaction() as session:
        _in_order(session)
        now = clock.database_now(session)
        session.add_all(
            LocalMessage(
                channel=message.channel,
                recipient=message.recipient,
                sender=message.sender,
                subject=message.subject,
                text=message.text,
                html=message.html,
                headers=dict(message.headers),
                direction="out",
                sent_at=now,
            )
            for message in messages
        )


def receive(sender: str, recipient: str, body: str) -> int:
    """The text message that a person sent in from the local phone is kept; the number of its row."""
    with transaction() as session:
        _in_order(session)
        row = LocalMessage(
            channel=Channel.SMS,
            recipient=recipient,
            sender=sender,
            subject=None,
            text=body,
            headers={},
            direction="in",
            sent_at=clock.database_now(session),
        )
        session.add(row)
        session.flush()
        return row.id


def _in_order(session: Session | scoped_session[Session]) -> None:
    """Rows become visible in the order of their ids, so that a reader who asks for what came after N misses none."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ORDER_LOCK)))
