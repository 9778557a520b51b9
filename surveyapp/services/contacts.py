"""Past contacts from another tool go into the ledger, so that nobody is asked again too soon after a move."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from surveyapp.domain.events import CustomerIn
from surveyapp.domain.vocabulary import LedgerState, MessageKind
from surveyapp.models import ContactKey, LedgerEntry
from surveyapp.services import audit
from surveyapp.services.customers import again_if_erased, upsert_customers
from surveyapp.services.inserts import insert_new
from surveyapp.services.journeys import ERASED, Rejected
from surveyapp.services.transaction import transaction

TIER = 2


@dataclass(frozen=True, slots=True)
class ContactIn:
    """One past contact. Without an `id` of its own it is known by customer, channel and time."""

    customer: str
    channel: str
    at: datetime
    id: str | None = None
    survey: str | None = None
    step: str | None = None
    instance: str | None = None
    tier: int = TIER

    @property
    def import_id(self) -> str:
        """The same for the same contact, however often it is imported."""
        told = f"id:{self.id}" if self.id else f"{self.customer}\n{self.channel}\n{self.at.isoformat()}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ContactsResult:
    imported: int
    duplicates: int
    rejected: list[Rejected]


def import_contacts(contacts: Sequence[ContactIn]) -> ContactsResult:
    """What became of the contacts; a repetition adds nothing. Unknown customers are made.

    A contact counts for every key of the person, as one that we sent ourselves would.
    """
    return again_if_erased(lambda: _import(contacts))


def _import(contacts: Sequence[ContactIn]) -> ContactsResult:
    rejected: list[Rejected] = []
    kept: dict[str, tuple[ContactIn, int]] = {}
    with transaction() as session:
        names = dict.fromkeys(contact.customer for contact in contacts)
        customers = upsert_customers(session, [CustomerIn(name) for name in names])
        for index, contact in enumerate(contacts):
            customer = customers.get(contact.customer)
            if customer is None:
                rejected.append(Rejected(index, [ERASED]))
            else:
                kept.setdefault(contact.import_id, (contact, customer.id))
        ids = {customer.id for customer in customers.values()}
        keys: dict[int, list[str]] = {i: [] for i in ids}
        for customer_id, key in session.execute(
            select(ContactKey.customer_id, ContactKey.key).where(
                ContactKey.customer_id.in_(ids), ContactKey.until.is_(None)
            )
        ):
            keys[customer_id].append(key)
        rows = [
            {
                "import_id": f"{import_id}:{key}",
                "subject_key": key,
                "channel": contact.channel,
                "at": contact.at,
                "state": LedgerState.SENT,
                "kind": MessageKind.FIRST,
                "tier": contact.tier,
                "survey": contact.survey,
                "step": contact.step,
                "instance": contact.instance,
            }
            for import_id, (contact, customer_id) in sorted(kept.items())
            for key in sorted(keys[customer_id])
        ]
        own = {f"c:{i}" for i in ids}
        new = sum(row.subject_key in own for row in insert_new(session, LedgerEntry, rows, ["import_id"]))
        audit.note(session, "contacts.imported", "contacts", {"imported": new, "rejected": len(rejected)})
    return ContactsResult(new, len(contacts) - len(rejected) - new, rejected)
