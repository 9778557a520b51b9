"""What happens to messages whose sender died: the reaper and the reconciler. Sends nothing, resends nothing."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from surveyapp import clock, logs
from surveyapp.domain.vocabulary import Channel, LedgerState, MessageState, Outcome
from surveyapp.models import Message
from surveyapp.services.outcomes import set_ledger
from surveyapp.services.transaction import transaction

log = logs.get(__name__)
SETTLED_AFTER = timedelta(hours=24)


def reap(limit: int = 500) -> int:
    """Take back messages whose lease has run out; answers how many.

    A call that never began is planned again and counts no contact; one that had begun is `unknown`, still
    counts, and is never sent again by itself.
    """
    with transaction() as session:
        now = clock.database_now(session)
        query = (
            select(Message)
            .where(Message.state == MessageState.SENDING, Message.lease_until < now, Message.channel != Channel.WEB)
            .order_by(Message.id)
            .limit(limit)
            .with_for_update(of=Message, skip_locked=True)
            .options(joinedload(Message.decision), joinedload(Message.invitation))
        )
        messages = session.scalars(query).unique().all()
        for message in messages:
            if message.call_started_at is None:
                set_ledger(session, message.id, message.lease_token, LedgerState.RELEASED)
                message.state, message.due_at = MessageState.PLANNED, now
                if message.decision is not None and message.settles_decision:
                    message.decision.outcome, message.decision.not_before = Outcome.WAITING, now
            else:
                set_ledger(session, message.id, message.lease_token, LedgerState.UNKNOWN)
                message.state = MessageState.UNKNOWN
            message.lease_token += 1
            message.lease_until = None
    if messages:
        log.warning("leases_reaped", messages=len(messages))
    return len(messages)


def settle_unknown(limit: int = 500) -> int:
    """Close unknown outcomes that no provider has told about for 24 hours; they still count. Answers how many."""
    with transaction() as session:
        now = clock.database_now(session)
        query = (
            select(Message)
            .where(Message.state == MessageState.UNKNOWN, Message.call_started_at < now - SETTLED_AFTER)
            .order_by(Message.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        messages = session.scalars(query).all()
        for message in messages:
            message.state = MessageState.UNKNOWN_FINAL
    return len(messages)
