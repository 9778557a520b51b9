"""Customers as told from outside: made, merged and kept in step with their contact keys; opted out and in again.

Erasure lives in `services/privacy`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.orm.attributes import set_committed_value

from surveyapp import clock
from surveyapp.domain.events import CustomerIn
from surveyapp.domain.fields import NAMES_LIMIT
from surveyapp.domain.identity import contact_keys, tombstone
from surveyapp.domain.tracking import anonymous_record
from surveyapp.domain.vocabulary import MessageState, Outcome, Reason
from surveyapp.models import ContactKey, ContactSubject, Customer, Decision, Message, Suppression
from surveyapp.services import audit, webhooks
from surveyapp.services.cancellation import drop_waiting
from surveyapp.services.inserts import insert_new, insert_quietly
from surveyapp.services.phones import normalise_phone
from surveyapp.services.transaction import transaction

AnySession = Session | scoped_session[Session]
Result = TypeVar("Result")
PLAIN = ("email", "phone", "language", "timezone", "preferred_channel")
KEPT = (*PLAIN, "consent", "attributes")
OPTED_OUT = "opted_out"
ERASED = "erased"
ALL = "all"


class CustomerErased(Exception):
    """The person was erased; nothing about them is taken in again."""


class ErasedMeanwhile(Exception):
    """A person was erased between our look and our lock; the same change, tried again, will see it."""


def again_if_erased(change: Callable[[], Result]) -> Result:
    """What the change returns; it is run once more when an erasure came in between."""
    try:
        return change()
    except ErasedMeanwhile:
        return change()


def refuse_erased(session: AnySession, customers: Iterable[Customer]) -> None:
    """Raise ErasedMeanwhile if one of them has been erased since.

    To be called once rows that point to them are inserted: those hold an erasure back until our commit.
    """
    ids = {customer.id for customer in customers}
    gone = select(Customer.id).where(Customer.id.in_(ids), Customer.erased_at.is_not(None)).limit(1)
    if session.scalar(gone) is not None:
        raise ErasedMeanwhile


def pepper() -> str:
    """The secret that keys hashed addresses."""
    return str(current_app.config["CONTACT_PEPPER"])


def with_parsed_phone(row: CustomerIn) -> CustomerIn:
    """The same customer with the phone as E.164. Raises ValueError with a sentence."""
    if row.phone is None:
        return row
    try:
        parsed = normalise_phone(row.phone)
    except ValueError as problem:
        raise ValueError(f"phone: {problem}") from None
    return row if parsed == row.phone else replace(row, phone=parsed)


def without_bad_phone(row: CustomerIn) -> CustomerIn:
    """The same customer with the phone as E.164, or without it when it is none."""
    try:
        return with_parsed_phone(row)
    except ValueError:
        return replace(row, phone=None)


def upsert_customers(session: AnySession, rows: Sequence[CustomerIn]) -> dict[str, Customer]:
    """The customers by external id, made or updated by the rows in order; phones must be parsed already.

    Given fields replace, attributes and consents merge (a null attribute is removed). A merged record answers with
    the one it was merged into. An erased person is left out of the result. Few statements, whatever the number.
    """
    wanted: dict[str, list[CustomerIn]] = {}
    for row in rows:
        wanted.setdefault(row.external_id, []).append(row)
    found = _by_external_id(session, wanted)
    strangers = [external_id for external_id in sorted(wanted) if external_id not in found]
    unkeyed: list[Customer] = []
    if strangers:
        erased = erased_ids(session, strangers)
        made = _create(session, {x: wanted[x] for x in strangers if x not in erased})
        unkeyed += made.values()
        found |= made
        if len(found) + len(erased) < len(wanted):  # somebody else made them meanwhile
            found |= _by_external_id(session, [x for x in strangers if x not in found])
    heads = _follow_merges(session, found)
    stale = {x: c for x, c in heads.items() if _differs(c, _merged(c, wanted[x]))}
    if stale:
        unkeyed += _change(session, stale, wanted)
    _add_keys(session, unkeyed)
    return heads


def add_stranger(session: AnySession, anonymous_id: str, language: str | None = None) -> Customer:
    """A customer nobody knows, with a contact key of their own; never joined to a person by us."""
    now = clock.database_now(session)
    stranger = Customer(anonymous_id=anonymous_id, language=language, consent={}, attributes={}, created_at=now)
    session.add(stranger)
    session.flush()
    _add_keys(session, [stranger])
    return stranger


def erased_ids(session: AnySession, external_ids: Iterable[str]) -> set[str]:
    """Which of these external ids belong to erased people."""
    by_key = {tombstone(x, pepper()): x for x in external_ids}
    kept = session.scalars(select(Suppression.key).where(Suppression.key.in_(by_key), Suppression.reason == ERASED))
    return {by_key[key] for key in kept}


def keep_customer(row: CustomerIn) -> Customer:
    """One customer made or brought to exactly what was given: a given null clears, attributes are replaced.

    Raises CustomerErased, and ValueError for a phone number.
    """
    row = with_parsed_phone(row)
    return again_if_erased(lambda: _keep_exactly(row))


def _keep_exactly(row: CustomerIn) -> Customer:
    with transaction() as session:
        customer = upsert_customers(session, [row]).get(row.external_id)
        if customer is None:
            raise CustomerErased
        exact = {name: getattr(row, name) for name in PLAIN if name in row.given}
        if "attributes" in row.given:
            exact["attributes"] = {k: v for k, v in row.attributes.items() if v is not None}
        if "consent" in row.given:
            exact["consent"] = dict(row.consent)
        if any(getattr(customer, name) != value for name, value in exact.items()):
            _add_keys(session, _store(session, {customer.id: (customer, _state(customer) | exact)}))
        audit.note(session, "customer.kept", tombstone(row.external_id, pepper()), {"fields": sorted(row.given)})
    return customer


def alias(previous_id: str, external_id: str, *, anonymous: bool = True) -> Customer | None:
    """Unite the ask history of two records: the earlier one points to the known one, which gains its contact keys.

    Returns the known record, or None when either person was erased. Safe to repeat; a circle is left alone.
    """
    earlier = (
        CustomerIn(anonymous_record(previous_id), anonymous_id=previous_id) if anonymous else CustomerIn(previous_id)
    )
    with transaction() as session:
        both = upsert_customers(session, [earlier, CustomerIn(external_id)])
        source, target = both.get(earlier.external_id), both.get(external_id)
        if source is None or target is None:
            return None
        if source.id != target.id:
            _unite(session, source, target)
    move_waiting(source.id)
    return target


def _unite(session: AnySession, source: Customer, target: Customer) -> None:
    """Give the known record the other's keys, both locked: no ask is being decided on half of the history.

    The other's addresses count for what was asked there until now; they are not the known record's own.
    """
    lock_keys(session, source.id, target.id)
    now = clock.database_now(session)
    held = select(ContactKey.key, ContactKey.until).where(ContactKey.customer_id == source.id).order_by(ContactKey.key)
    rows = [
        {"customer_id": target.id, "key": key, "until": until if key[0] == "c" else until or now}
        for key, until in session.execute(held)
    ]
    insert_quietly(session, ContactKey, rows, ["customer_id", "key"])
    session.execute(
        update(Customer)
        .where((Customer.id == source.id) | (Customer.merged_into_id == source.id))
        .values(merged_into_id=target.id)
        .execution_options(synchronize_session="fetch")
    )
    audit.note(session, "customer.united", _label(target), {"with": _label(source)})


def move_waiting(customer_id: int) -> int:
    """What still waits for a record that was united with another goes to that one; answers how many messages.

    A second transaction, which leaves out what a dispatcher holds: that follows when it is claimed again.
    """
    with transaction() as session:
        held = (
            select(Message.id, Message.decision_id, Customer.merged_into_id)
            .join(Customer, Customer.id == Message.customer_id)
            .where(Customer.id == customer_id, Customer.merged_into_id.is_not(None))
            .where(Message.state == MessageState.PLANNED)
            .order_by(Message.id)
            .with_for_update(of=Message, skip_locked=True)
        )
        moved = session.execute(held).all()
        for message_id, decision_id, head in moved:
            session.execute(update(Message).where(Message.id == message_id).values(customer_id=head))
            session.execute(
                update(Decision)
                .where(Decision.id == decision_id, Decision.outcome == Outcome.WAITING)
                .values(customer_id=head)
            )
    return len(moved)


def opt_out(customer: Customer, channel: str = ALL, source: str = "api") -> None:
    """Nothing is sent to this person on the channel (`email`, `sms`, `web` or `all`) from this commit on.

    Locks the person's keys only; what waits is cancelled in a second transaction. Safe to repeat.
    """
    with transaction() as session:
        keys = lock_keys(session, customer.id)
        now = clock.database_now(session)
        rows = [{"key": k, "channel": channel, "reason": OPTED_OUT, "source": source, "at": now} for k in keys]
        if insert_new(session, Suppression, rows, ["key", "channel", "reason"]):
            webhooks.tell_opt_out(session, customer.id, {channel: source})
        audit.note(session, "customer.opted_out", _label(customer), {"channel": channel, "source": source})
    if channel == ALL:
        with transaction() as session:
            now = clock.database_now(session)
            why = "The customer asked not to be asked."
            drop_waiting(session, Decision.customer_id == customer.id, Reason.OPTED_OUT, why, now)


def opt_in(customer: Customer, channel: str = ALL, source: str = "api") -> None:
    """Take back the person's own opt-outs on the channel; refusals by providers and erasures stay."""
    with transaction() as session:
        keys = lock_keys(session, customer.id)
        condition = [Suppression.key.in_(keys), Suppression.reason == OPTED_OUT]
        if channel != ALL:
            condition.append(Suppression.channel == channel)
        session.execute(delete(Suppression).where(*condition))
        audit.note(session, "customer.opted_in", _label(customer), {"channel": channel, "source": source})


def lock_keys(session: AnySession, *customer_ids: int) -> list[str]:
    """The person's contact keys, their subject rows locked one by one in order, as the dispatcher locks them."""
    query = select(ContactKey.key).where(ContactKey.customer_id.in_(customer_ids), ContactKey.until.is_(None))
    keys = list(session.scalars(query.distinct().order_by(ContactKey.key)))
    for key in keys:
        session.execute(update(ContactSubject).where(ContactSubject.key == key).values(ver=ContactSubject.ver + 1))
    return keys


def _label(customer: Customer) -> str:
    return tombstone(customer.external_id or str(customer.id), pepper())


def _by_external_id(session: AnySession, external_ids: Iterable[str]) -> dict[str, Customer]:
    rows = session.scalars(select(Customer).where(Customer.external_id.in_(list(external_ids))))
    return {str(row.external_id): row for row in rows}


def _create(session: AnySession, fresh: Mapping[str, list[CustomerIn]]) -> dict[str, Customer]:
    now = clock.database_now(session)
    values = []
    for external_id, rows in fresh.items():
        state = _merged(None, rows)
        anonymous_id = next((row.anonymous_id for row in rows if row.anonymous_id), None)
        values.append({"external_id": external_id, "anonymous_id": anonymous_id, "created_at": now, **state})
    return {str(c.external_id): c for c in insert_new(session, Customer, values, ["external_id"])}


def _follow_merges(session: AnySession, found: dict[str, Customer]) -> dict[str, Customer]:
    heads = dict(found)
    for _ in range(5):
        merged = {x: c.merged_into_id for x, c in heads.items() if c.merged_into_id is not None}
        if not merged:
            break
        targets = {c.id: c for c in session.scalars(select(Customer).where(Customer.id.in_(set(merged.values()))))}
        heads |= {x: targets[target] for x, target in merged.items()}
    return heads


def _change(
    session: AnySession, stale: Mapping[str, Customer], wanted: Mapping[str, list[CustomerIn]]
) -> list[Customer]:
    """Lock, look again, write; answers those whose address changed, whose keys the caller adds last of all."""
    ids = sorted({customer.id for customer in stale.values()})
    locked = select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id).with_for_update(key_share=True)
    if any(row.erased_at for row in session.scalars(locked.execution_options(populate_existing=True))):
        raise ErasedMeanwhile
    states: dict[int, tuple[Customer, dict[str, Any]]] = {}
    for external_id, customer in stale.items():
        _, before = states.get(customer.id, (customer, _state(customer)))
        states[customer.id] = (customer, _apply(before, wanted[external_id]))
    return _store(session, states)


def _store(session: AnySession, states: Mapping[int, tuple[Customer, dict[str, Any]]]) -> list[Customer]:
    moved = [c for c, state in states.values() if (c.email, c.phone) != (state["email"], state["phone"])]
    old = {(c.id, key) for c in moved for key in contact_keys(c.id, c.email, c.phone, pepper())}
    session.execute(update(Customer), [{"id": c.id, **state} for c, state in states.values()])
    for customer, state in states.values():
        for name, value in state.items():
            set_committed_value(customer, name, value)
    kept = {(c.id, key) for c in moved for key in contact_keys(c.id, c.email, c.phone, pepper())}
    _end_keys(session, sorted(old - kept), clock.database_now(session))
    _end_keys(session, sorted(kept), None)
    return moved


def _end_keys(session: AnySession, pairs: Sequence[tuple[int, str]], until: datetime | None) -> None:
    """Mark addresses as given up, or (with None) as theirs again."""
    if pairs:
        query = update(ContactKey).where(tuple_(ContactKey.customer_id, ContactKey.key).in_(pairs))
        session.execute(query.values(until=until).execution_options(synchronize_session=False))


def _add_keys(session: AnySession, customers: Iterable[Customer]) -> None:
    """Keep `contact_key` and `contact_subject` in step, in sorted key order so that writers never cross."""
    secret = pepper()
    pairs = sorted((key, c.id) for c in customers for key in contact_keys(c.id, c.email, c.phone, secret))
    insert_quietly(
        session, ContactSubject, [{"key": key, "ver": 0} for key in dict.fromkeys(k for k, _ in pairs)], ["key"]
    )
    insert_quietly(session, ContactKey, [{"customer_id": i, "key": key} for key, i in pairs], ["customer_id", "key"])


def _state(customer: Customer) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in KEPT}


def _merged(customer: Customer | None, rows: Sequence[CustomerIn]) -> dict[str, Any]:
    blank: dict[str, Any] = {**dict.fromkeys(PLAIN), "consent": {}, "attributes": {}}
    return _apply(blank if customer is None else _state(customer), rows)


def _apply(state: dict[str, Any], rows: Sequence[CustomerIn]) -> dict[str, Any]:
    for row in rows:
        state |= {name: value for name in PLAIN if (value := getattr(row, name)) is not None}
        if row.consent:
            state["consent"] = {**state["consent"], **row.consent}
        if row.attributes:
            both = {**state["attributes"], **row.attributes}
            state["attributes"] = dict([(k, v) for k, v in both.items() if v is not None][:NAMES_LIMIT])
    return state


def _differs(customer: Customer, state: Mapping[str, Any]) -> bool:
    return any(getattr(customer, name) != value for name, value in state.items())
