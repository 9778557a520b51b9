"""Calls of Segment-like senders: people first, then the events, then the earlier ids that belong to them."""

from collections.abc import Sequence

from sqlalchemy import select

from surveyapp.domain.events import CustomerIn
from surveyapp.domain.tracking import Call, anonymous_record
from surveyapp.extensions import db
from surveyapp.models import Customer
from surveyapp.services.customers import again_if_erased, alias, upsert_customers, without_bad_phone
from surveyapp.services.journeys import IntakeResult, record_events
from surveyapp.services.transaction import transaction

SOURCE = "track"


def record_calls(calls: Sequence[Call]) -> IntakeResult:
    """What became of the events among the calls. Everything in it may be repeated without a second effect."""
    people = [without_bad_phone(call.customer) for call in calls if call.event is None]
    if people:
        again_if_erased(lambda: _tell_of(people))
    events = [call.event for call in calls if call.event is not None]
    result = record_events(events, source=SOURCE, lenient=True)
    for previous_id, customer in _earlier_ids(calls):
        alias(previous_id, customer.external_id)
    return result


def _tell_of(people: Sequence[CustomerIn]) -> None:
    with transaction() as session:
        upsert_customers(session, people)


def _earlier_ids(calls: Sequence[Call]) -> list[tuple[str, CustomerIn]]:
    """An alias always unites; an identify only with a visitor who was seen before."""
    named = [(call.previous_id, call.customer) for call in calls if call.previous_id]
    hinted = {call.anonymous_id: call.customer for call in calls if call.anonymous_id and not call.previous_id}
    if hinted:
        records = {anonymous_record(one): one for one in hinted}
        seen = select(Customer.external_id).where(
            Customer.external_id.in_(records), Customer.merged_into_id.is_(None), Customer.erased_at.is_(None)
        )
        with transaction():
            found = [records[str(external_id)] for external_id in db.session.scalars(seen)]
        named += [(one, hinted[one]) for one in sorted(found)]
    return named
