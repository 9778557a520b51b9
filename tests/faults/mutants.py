"""The product with one safeguard taken out each. The checker must find every one of them out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Message
from surveyapp.services import delivery, dispatch


def unlocked(session: Any, keys: Sequence[str]) -> datetime:
    """What takes the place of the lock on people: the clock alone."""
    return clock.database_now(session)


def without_person_lock() -> None:
    """People are not locked while their contacts are counted."""
    dispatch.lock_people = unlocked


def without_lease_token() -> None:
    """START takes whoever claimed the message last for this worker."""
    real = delivery._start

    def unfenced(ids: Sequence[int], tokens: Mapping[int, int], tally: delivery.Tally) -> list[int]:
        now = db.session.execute(select(Message.id, Message.lease_token).where(Message.id.in_(ids))).all()
        db.session.rollback()
        return real(ids, {row.id: row.lease_token for row in now}, tally)

    delivery._start = unfenced


def without_marker() -> None:
    """The call begins without a mark, so that the reaper cannot know."""

    def unmarked(ids: Sequence[int], tokens: Mapping[int, int], tally: delivery.Tally) -> list[int]:
        return list(ids)

    delivery._start = unmarked


MUTANTS = {
    "person_lock": without_person_lock,
    "lease_token": without_lease_token,
    "marker": without_marker,
}
