"""An Idempotency-Key makes a call happen once: a repetition gets the answer of the first, a cut-off one is finished.

Kept for a day. What a call changes is committed by its own service; only its answer is kept here.
"""

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.models import KeyedCall
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.outreach import new_uid
from surveyapp.services.transaction import transaction

KEPT = timedelta(hours=24)
PATIENCE = timedelta(seconds=60)  # longer than any call takes; after it, whoever made the call is taken for dead
BATCH = 5_000


class AnotherRequest(Exception):
    """The key came with another request before."""


class UnderWay(Exception):
    """The same call is being made at this moment; `seconds` is when to ask again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Answered:
    """What the call was answered when it was made."""

    status: int
    body: str


@dataclass(frozen=True)
class Claim:
    """The right to make the call now, and the id for what it makes."""

    caller: int
    key_hash: str
    token: str
    uid: str


def claim(caller: int, key: str, request: bytes) -> Claim | Answered:
    """The call of this API key under this Idempotency-Key: to be made now, or answered before.

    Raises AnotherRequest and UnderWay. A call that failed, or whose process died a minute ago, is made again.
    """
    key_hash, request_hash = (hashlib.sha256(text).hexdigest() for text in (key.encode(), request))
    token = secrets.token_hex(16)
    with transaction() as session:
        now = clock.database_now(session)
        new = {"request_hash": request_hash, "uid": new_uid(), "claimed_at": now, "expires_at": now + KEPT}
        row = {"api_key_id": caller, "key_hash": key_hash, "token": token, **new}
        insert_quietly(session, KeyedCall, [row], ["api_key_id", "key_hash"])
        call = session.scalar(
            select(KeyedCall)
            .where(KeyedCall.api_key_id == caller, KeyedCall.key_hash == key_hash)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if call is None:  # forgotten between the two statements
            raise UnderWay(1)
        if call.token != token:
            if call.expires_at <= now:
                for name, value in {**new, "status": None, "body": None}.items():
                    setattr(call, name, value)
            elif (answered := _earlier(call, request_hash, now)) is not None:
                return answered
            call.token, call.claimed_at = token, now
        return Claim(caller, key_hash, token, call.uid)


def _earlier(call: KeyedCall, request_hash: str, now: datetime) -> Answered | None:
    """How an earlier attempt was answered; None where there is none, or none that came to an end."""
    if call.request_hash != request_hash:
        raise AnotherRequest
    if call.status is not None:
        return Answered(call.status, call.body or "")
    if call.claimed_at is not None and (left := call.claimed_at + PATIENCE - now) > timedelta(0):
        raise UnderWay(math.ceil(left.total_seconds()))
    return None


def answer(held: Claim, status: int, body: str) -> None:
    """Keep what the call was answered, unless somebody else makes it by now."""
    _settle(held, status=status, body=body)


def give_up(held: Claim) -> None:
    """Let the next attempt make the call at once."""
    _settle(held, claimed_at=None)


def _settle(held: Claim, **values: object) -> None:
    with transaction() as session:
        session.execute(
            update(KeyedCall)
            .where(
                KeyedCall.api_key_id == held.caller,
                KeyedCall.key_hash == held.key_hash,
                KeyedCall.token == held.token,
                KeyedCall.status.is_(None),
            )
            .values(values)
            .execution_options(synchronize_session=False)
        )


def forget() -> int:
    """Drop what was kept for a day; answers how many calls."""
    gone = 0
    while True:
        with transaction() as session:
            now = clock.database_now(session)
            old = session.scalars(select(KeyedCall).where(KeyedCall.expires_at <= now).limit(BATCH)).all()
            for call in old:
                session.delete(call)
        gone += len(old)
        if len(old) < BATCH:
            return gone


def forget_person(session: Session | scoped_session[Session], written: Sequence[str]) -> None:
    """Drop kept answers that hold any of these texts, as JSON writes them."""
    if written:
        holds = or_(*(KeyedCall.body.contains(text, autoescape=True) for text in written))
        session.execute(delete(KeyedCall).where(holds).execution_options(synchronize_session=False))
