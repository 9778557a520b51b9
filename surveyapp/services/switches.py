"""An operator's switches: hold sending for a while, or stop asking. Every turn is audited and can be turned back.

Held asks wait and go on afterwards. While something is stopped, its due asks are refused as `stopped` and do not
come back. Neither touches what a provider has in hand.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.vocabulary import Channel
from surveyapp.models import ChannelState, Survey, Trigger
from surveyapp.services import audit
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
ALL = "all"
HOLD = timedelta(hours=24)
UNTIL_RESUMED = timedelta(days=3650)
REASON_LIMIT = 200


class SwitchUnknown(Exception):
    """There is no such channel, survey or trigger."""


class Subject(StrEnum):
    CHANNEL = "channel"  # a channel, or `all`
    SURVEY = "survey"
    TRIGGER = "trigger"


def stop(subject: Subject, key: str, reason: str = "") -> None:
    """Nothing of this subject is asked from the next decision on. Raises SwitchUnknown; safe to repeat."""
    _turn(subject, key, True, reason)


def start(subject: Subject, key: str) -> None:
    """Asks of this subject are decided by the policy again. Raises SwitchUnknown; safe to repeat."""
    _turn(subject, key, False, "")


def _turn(subject: Subject, key: str, stopped: bool, reason: str) -> None:
    with transaction() as session:
        moment = clock.database_now(session) if stopped else None
        if subject is Subject.CHANNEL:
            row: Any = _channel(session, key)
        else:
            table: Any = Survey if subject is Subject.SURVEY else Trigger
            row = session.scalars(select(table).where(table.key == key).with_for_update()).one_or_none()
            if row is None:
                raise SwitchUnknown(f"{subject} {key}")
        if (row.stopped_at is None) is stopped:
            row.stopped_at = moment
            if subject is Subject.CHANNEL:
                row.stopped_by = audit.actor.get()[:254] if stopped else None
                row.reason = reason[:REASON_LIMIT] or None
            said = {"reason": reason[:REASON_LIMIT]} if reason else {}
            audit.note(session, "asking.stopped" if stopped else "asking.started", f"{subject}:{key}", said)


def hold_sending(channel: str = ALL, span: timedelta = HOLD) -> None:
    """Nothing leaves on the channel (`all`: on any) for this long; what is due waits. Raises SwitchUnknown."""
    with transaction() as session:
        row = _channel(session, channel)
        row.paused_until = clock.database_now(session) + span
        row.reason = f"held by {audit.actor.get()[:200]}"
        audit.note(session, "sending.held", f"channel:{channel}", {"hours": span.total_seconds() / 3600})


def resume_sending(channel: str = ALL) -> None:
    """End a hold, or a pause that a provider asked for. Raises SwitchUnknown; safe to repeat."""
    with transaction() as session:
        _channel(session, channel)
        ended = session.execute(
            update(ChannelState)
            .where(ChannelState.channel == channel, ChannelState.paused_until.is_not(None))
            .values(paused_until=None, reason=None)
            .returning(ChannelState.channel)
            .execution_options(synchronize_session=False)
        ).all()
        if ended:
            audit.note(session, "sending.resumed", f"channel:{channel}")


def _channel(session: AnySession, key: str) -> ChannelState:
    if key not in (*Channel, ALL):
        raise SwitchUnknown(f"channel {key}")
    insert_quietly(session, ChannelState, [{"channel": key}], ["channel"])
    locked = select(ChannelState).where(ChannelState.channel == key).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()
