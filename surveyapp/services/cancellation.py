"""Drops asks that wait: planned messages are cancelled, their waiting decisions refused. Sends and commits nothing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.vocabulary import MessageState, Outcome, Reason
from surveyapp.models import Decision, Message

AnySession = Session | scoped_session[Session]


def drop_waiting(session: AnySession, whose: ColumnElement[bool], reason: Reason, why: str, now: datetime) -> int:
    """How many planned messages were cancelled. `whose` is a condition on decisions, such as a customer or events.

    A message that a dispatcher holds at this moment is skipped: its decision is being made, and the dispatcher
    looks again before it sends. Reminders of asks already made are cancelled too; those decisions stay `asked`.
    """
    held = (
        select(Message.id, Message.decision_id)
        .join(Decision, Message.decision_id == Decision.id)
        .where(whose, Message.state == MessageState.PLANNED)
        .order_by(Message.id)
        .with_for_update(of=Message, skip_locked=True)
    )
    planned = [row.id for row in session.execute(held)]
    if planned:
        session.execute(
            update(Message)
            .where(Message.id.in_(planned), Message.state == MessageState.PLANNED)
            .values(state=MessageState.CANCELLED, reason=reason)
            .execution_options(synchronize_session=False)
        )
    _refuse(session, whose, reason, why, now)
    return len(planned)


def _refuse(session: AnySession, whose: ColumnElement[bool], reason: Reason, why: str, now: datetime) -> None:
    still_held = select(Message.decision_id).where(
        Message.decision_id == Decision.id, Message.state.in_((MessageState.PLANNED, MessageState.SENDING))
    )
    verdicts: Sequence[dict[str, object]] = [{"rule": str(reason), "allowed": False, "why": why}]
    session.execute(
        update(Decision)
        .where(whose, Decision.outcome == Outcome.WAITING, ~still_held.exists())
        .values(outcome=Outcome.REFUSED, reason=reason, verdicts=list(verdicts), decided_at=now, not_before=None)
        .execution_options(synchronize_session=False)
    )
