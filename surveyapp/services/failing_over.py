"""Asks by the next channel of a trigger that says `blocked: next_channel` when the one before has definitely failed.

Never after an unknown outcome. The next channel's message is a row of its own, of the same decision and invitation; the
policy decides on it like on any other. Whoever opted out or complained by one channel is not sought on another.
"""

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import logs
from surveyapp.domain.triggers import next_channel
from surveyapp.domain.vocabulary import MessageKind, MessageState
from surveyapp.models import Message
from surveyapp.queries.triggers import as_rule
from surveyapp.services.outreach import new_uid

AnySession = Session | scoped_session[Session]
log = logs.get(__name__)
UNWANTED = ("opted_out", "complaint")


def fail_over(session: AnySession, message: Message, suppress: str | None, now: datetime) -> None:
    """Plan the ask by the next channel the person can be reached by, where there is one.

    `message` has just failed, with the suppression (if any) that its provider's answer means.
    """
    decision, invitation = message.decision, message.invitation
    if message.kind != MessageKind.FIRST or decision is None or invitation is None:
        return
    if suppress in UNWANTED or invitation.answered_at or message.customer.erased_at:
        return
    first = select(Message.channel).where(Message.decision_id == decision.id, Message.kind == MessageKind.FIRST)
    customer = message.customer
    used = set(session.scalars(first))
    channel = next_channel(as_rule(message.trigger), customer.preferred_channel, used, customer.reachable)
    if channel is None:
        return
    key = f"{message.idem_key.rsplit(':', 2)[0]}:{channel}:{MessageKind.FIRST}"
    row = {
        "uid": new_uid(),
        "idem_key": key,
        "decision_id": decision.id,
        "invitation_id": invitation.id,
        "customer_id": message.customer_id,
        "trigger_id": message.trigger_id,
        "survey_id": message.survey_id,
        "channel": channel,
        "kind": MessageKind.FIRST,
        "tier": message.tier,
        "priority": message.priority,
        "due_at": now,
        "expires_at": message.expires_at,
        "state": MessageState.PLANNED,
        "attempts": 0,
        "lease_token": 0,
        "created_at": now,
    }
    session.execute(insert(Message), [row])
    log.info("failed_over", before=message.channel, now=channel)
