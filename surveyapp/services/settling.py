"""What a person decides about a message: whether an unknown one had left, and that a failed one may be tried anew.

Neither ever happens by itself, and each is audited. Sends nothing: a message tried anew goes through the policy again.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.channels.base import Receipt, ReceiptKind
from surveyapp.domain.vocabulary import MessageKind, MessageState, Outcome
from surveyapp.models import InboundText, Message
from surveyapp.queries import contact_history
from surveyapp.services import audit
from surveyapp.services.delivery_events import DECIDED_NOT_SENT
from surveyapp.services.outcomes import Tally, apply_receipt, set_last_claim
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
DECIDED_SENT = "decided: sent"
UNKNOWN = (MessageState.UNKNOWN, MessageState.UNKNOWN_FINAL)
GIVEN_UP = (MessageState.DEAD, MessageState.FAILED)


class OutcomeKnown(Exception):
    """The message has no unknown outcome any more: somebody, or the provider, was faster."""


class NotReplayable(Exception):
    """The message is not given up, went on by another channel, answered a text, or its person is erased."""


def decide_outcome(uid: str, sent: bool) -> None:
    """Settle an unknown outcome as a person has found out. Not sent gives the contact back. Raises OutcomeKnown.

    What the provider still tells afterwards wins over the decision.
    """
    with transaction() as session:
        message = _locked(session, uid)
        if message is None or message.state not in UNKNOWN:
            raise OutcomeKnown
        kind = ReceiptKind.ACCEPTED if sent else ReceiptKind.REFUSED
        receipt = Receipt(uid, kind, message.provider or "", message.provider_ref, message.last_error)
        ledger = apply_receipt(session, message, receipt, clock.database_now(session), Tally())
        message.reason = DECIDED_SENT if sent else DECIDED_NOT_SENT
        message.sent_at = message.call_started_at if sent else None
        set_last_claim(session, message.id, ledger)
        audit.note(session, "message.decided", f"message {uid}", {"sent": sent})


def replay(uid: str) -> None:
    """Put a given-up message back into the queue, due at once: the policy decides on it again. Raises NotReplayable."""
    with transaction() as session:
        message = _locked(session, uid)
        if (
            message is None
            or message.state not in GIVEN_UP
            or message.kind == MessageKind.FOLLOW_UP
            or message.customer.erased_at is not None
            or _asked_by_another(session, message)
        ):
            raise NotReplayable
        before = {"state": message.state, "error": message.last_error}
        message.state, message.reason, message.attempts = MessageState.PLANNED, None, 0
        message.retries = 0
        message.due_at, message.call_started_at = clock.database_now(session), None
        if message.decision is not None and message.settles_decision:
            message.decision.outcome, message.decision.reason, message.decision.not_before = Outcome.WAITING, None, None
        audit.note(session, "message.replayed", f"message {uid}", before)


def _asked_by_another(session: AnySession, message: Message) -> bool:
    """Whether the ask went on by another channel after this message had failed."""
    query = select(Message.id).where(
        Message.decision_id == message.decision_id,
        Message.kind == MessageKind.FIRST,
        Message.id > message.id,
    )
    return message.kind == MessageKind.FIRST and session.scalar(query.limit(1)) is not None


def mark_handled(text: int) -> None:
    """Somebody has looked after a person who asked to be left alone. Safe to repeat."""
    with transaction() as session:
        now = clock.database_now(session)
        done = session.execute(
            update(InboundText)
            .where(InboundText.id == text, InboundText.kind == "peace", InboundText.handled_at.is_(None))
            .values(handled_at=now, handled_by=audit.actor.get()[:254])
            .returning(InboundText.id)
            .execution_options(synchronize_session=False)
        ).all()
        if done:
            audit.note(session, "text.handled", f"text {text}")


def _locked(session: AnySession, uid: str) -> Message | None:
    query = (
        select(Message)
        .where(Message.uid == uid)
        .with_for_update(of=Message)
        .options(*contact_history.loaded())
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).unique().one_or_none()
