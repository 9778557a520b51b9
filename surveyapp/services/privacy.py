"""Erasure: the person goes, the anonymous answer stays. Safe to repeat, and picks up where a crash left it."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock, failpoints
from surveyapp.domain.identity import contact_keys, tombstone
from surveyapp.domain.vocabulary import Reason
from surveyapp.models import (
    ContactKey,
    Customer,
    Decision,
    Event,
    Invitation,
    LedgerEntry,
    LocalMessage,
    Message,
    ReportingAttribute,
    Response,
    ResponseChange,
    Suppression,
)
from surveyapp.services import audit, verbatims, webhooks
from surveyapp.services.cancellation import drop_waiting
from surveyapp.services.customers import ALL, ERASED, lock_keys, pepper
from surveyapp.services.idempotency import forget_person
from surveyapp.services.inserts import insert_quietly
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
WHY = "The person was erased."


class CustomerUnknown(Exception):
    """There is no customer of this id, and none was erased under it."""


@dataclass(slots=True)
class Erasure:
    """How many rows of each kind were changed or removed; nothing on a repetition."""

    touched: dict[str, int] = field(default_factory=dict)


def erase(external_id: str) -> Erasure:
    """Remove what identifies the person; keep score, step and day of each answer under a random pseudonym.

    First commit: nobody can be contacted or recognised any more. Second commit: what waits is cancelled and old rows
    are cleaned. A late event with the id does not bring the person back. Raises CustomerUnknown.
    """
    done = Erasure()
    grave = tombstone(external_id, pepper())
    with transaction() as session:
        _bury(session, external_id, grave, done)
    failpoints.reached("person_buried")
    with transaction() as session:
        ids = list(session.scalars(select(ContactKey.customer_id).where(ContactKey.key == grave)))
        if ids:
            _clean(session, ids, done)
            session.execute(delete(ContactKey).where(ContactKey.customer_id.in_(ids), ContactKey.key == grave))
            audit.note(session, "customer.erased", grave, dict(done.touched))
    return done


def _bury(session: AnySession, external_id: str, grave: str, done: Erasure) -> None:
    customer = session.scalar(select(Customer).where(Customer.external_id == external_id))
    if customer is None:
        if session.scalar(select(Suppression.id).where(Suppression.key == grave)) is None:
            raise CustomerUnknown
        return
    now = clock.database_now(session)
    for record in _records(session, customer):
        _bury_record(session, record, grave, now)
        done.touched["customers"] = done.touched.get("customers", 0) + 1


def _records(session: AnySession, customer: Customer) -> list[Customer]:
    """The person's records: the one they were united under, and every one that points to it."""
    head = customer
    while head.merged_into_id is not None:
        head = session.get_one(Customer, head.merged_into_id)
    records = [head]
    newest = [head.id]
    while newest:
        more = list(session.scalars(select(Customer).where(Customer.merged_into_id.in_(newest)).order_by(Customer.id)))
        records += more
        newest = [record.id for record in more]
    return sorted(records, key=lambda record: record.id)


def _bury_record(session: AnySession, record: Customer, grave: str, now: datetime) -> None:
    lock_keys(session, record.id)
    addresses = [key for key in contact_keys(record.id, record.email, record.phone, pepper()) if key[0] != "c"]
    ids = [tombstone(one, pepper()) for one in (record.external_id, record.anonymous_id) if one]
    rows = [
        {"key": key, "channel": ALL, "reason": ERASED, "source": ERASED, "at": now}
        for key in sorted({*addresses, *ids, grave})
    ]
    insert_quietly(session, Suppression, rows, ["key", "channel", "reason"])
    written = [one for one in (record.email, record.phone) if one]
    if written:
        gone = or_(LocalMessage.recipient.in_(written), LocalMessage.sender.in_(written))
        session.execute(delete(LocalMessage).where(gone))
    session.execute(delete(ContactKey).where(ContactKey.customer_id == record.id, ContactKey.key != f"c:{record.id}"))
    insert_quietly(session, ContactKey, [{"customer_id": record.id, "key": grave}], ["customer_id", "key"])
    named = [json.dumps(one, ensure_ascii=False) for one in (record.external_id, record.anonymous_id) if one]
    forget_person(session, [*named, *written])
    record.external_id = pseudonym()
    record.anonymous_id = record.email = record.phone = None
    record.language = record.timezone = record.preferred_channel = None
    record.consent, record.attributes = {}, {}
    record.erased_at = now
    session.flush()


def pseudonym() -> str:
    """A random id that leads nowhere."""
    return f"erased-{secrets.token_hex(12)}"


def _clean(session: AnySession, ids: Sequence[int], done: Erasure) -> None:
    now = clock.database_now(session)
    done.touched["messages"] = drop_waiting(session, Decision.customer_id.in_(ids), Reason.NO_CONSENT, WHY, now)
    session.execute(
        update(Message)
        .where(Message.customer_id.in_(ids))
        .values(idem_key="erased:" + cast(Message.id, String), last_error=None, provider_ref=None)
        .execution_options(synchronize_session=False)
    )
    done.touched["invitations"] = _count(
        session.execute(
            update(Invitation)
            .where(Invitation.customer_id.in_(ids), or_(Invitation.open_until.is_(None), Invitation.open_until > now))
            .values(open_until=now)
            .execution_options(synchronize_session=False)
        )
    )
    if emptied := webhooks.erase(session, list(ids)):
        done.touched["webhooks"] = emptied
    done.touched["events"] = _clean_events(session, ids)
    done.touched["responses"] = _clean_responses(session, ids)
    session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.subject_key.in_([f"c:{i}" for i in ids]))
        .values(instance=None)
        .execution_options(synchronize_session=False)
    )


def _clean_events(session: AnySession, ids: Sequence[int]) -> int:
    found = session.execute(select(Event.id, Event.occurred_at).where(Event.customer_id.in_(ids))).all()
    rows: list[dict[str, Any]] = [
        {
            "id": row.id,
            "event_id": pseudonym(),
            "occurred_at": day_of(row.occurred_at),
            "instance": None,
            "timezone": None,
            "cancels": None,
            "properties": {},
            "attributes": {},
        }
        for row in found
    ]
    if rows:
        session.execute(update(Event), rows)
    return len(rows)


def _clean_responses(session: AnySession, ids: Sequence[int]) -> int:
    """Keep score, step, day and the attributes that figures are counted by; drop every word and every exact time."""
    counted = set(session.scalars(select(ReportingAttribute.name)))
    found = session.execute(
        select(Response.id, Response.context, Response.event_at, Response.answered_at, Response.updated_at).where(
            Response.customer_id.in_(ids)
        )
    ).all()
    rows: list[dict[str, Any]] = [
        {
            "id": row.id,
            "comment": None,
            "answers": {},
            "instance": None,
            "event": None,
            "import_id": None,
            "context": {name: value for name, value in row.context.items() if name in counted},
            "event_at": day_of(row.event_at),
            "answered_at": day_of(row.answered_at),
            "updated_at": day_of(row.updated_at),
        }
        for row in found
    ]
    if rows:
        session.execute(update(Response), rows)
        verbatims.erase(session, [row["id"] for row in rows])
        session.execute(
            update(ResponseChange)
            .where(ResponseChange.response_id.in_([row["id"] for row in rows]))
            .values(comment=None, answers={})
            .execution_options(synchronize_session=False)
        )
    return len(rows)


def day_of(moment: datetime) -> datetime:
    """The first instant of that day, in UTC: the coarse time that is kept."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
