"""Counts contacts again from rows of the ledger alone. Knows nothing of the application.

A row is a mapping with `id`, `message_id` (or `import_id`), `claim_no`, `subject_key`, `at`, `state`, `kind`, `tier`,
`decision` and `policy_version`. The rules of a version are `{"gap": {tier: timedelta}, "caps": [(most, timedelta)]}`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Rules = Mapping[str, Any]


@dataclass(frozen=True)
class Contact:
    """One contact, with the row at which each of its keys was booked; `order` tells which of two was booked first.

    An import that is repeated after its person became one with another is booked on the other's keys only then.
    """

    order: int
    booked: Mapping[str, int]
    at: datetime
    kind: str
    tier: int
    decision: str | None
    version: int | None

    def keys(self, before: int | None = None) -> frozenset[str]:
        """Its keys, or those that were booked before that row."""
        return frozenset(key for key, row in self.booked.items() if before is None or row < before)


def contacts(rows: Iterable[Mapping[str, Any]]) -> list[Contact]:
    """The contacts that count, in the order in which they were booked; one imported later was not known before."""
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["state"] == "released":
            continue
        imported = str(row["import_id"]).split(":")[0] if row["message_id"] is None else None
        grouped[row["message_id"], row["claim_no"], imported].append(row)
    found = []
    for same in grouped.values():
        one = min(same, key=lambda row: row["id"])
        booked = {row["subject_key"]: row["id"] for row in same}
        found.append(
            Contact(one["id"], booked, one["at"], one["kind"], one["tier"], one["decision"], one["policy_version"])
        )
    return sorted(found, key=lambda contact: contact.order)


def violations(
    rows: Iterable[Mapping[str, Any]],
    versions: Mapping[int, Rules],
    united: Iterable[tuple[int, frozenset[str]]] = (),
) -> Iterator[str]:
    """Every contact that its own policy forbade, given the contacts of the same person before it.

    Contacts that share a key are of one person; so are, from that row on, keys that were `united`. Imported contacts
    count and are never judged.
    """
    unions = sorted(united, key=lambda one: one[0])
    earlier: list[Contact] = []
    for contact in contacts(rows):
        if contact.version is not None:
            rules = versions[contact.version]
            keys = _all_keys(contact, unions)
            mine = [other for other in earlier if other.keys(contact.order) & keys]
            yield from _too_many(contact, mine, rules)
            yield from _too_soon(contact, mine, rules)
        earlier.append(contact)


def _all_keys(contact: Contact, unions: list[tuple[int, frozenset[str]]]) -> frozenset[str]:
    keys, before = contact.keys(), frozenset[str]()
    while keys != before:
        before = keys
        for order, together in unions:
            if order < contact.order and together & keys:
                keys |= together
    return keys


def _too_many(contact: Contact, mine: list[Contact], rules: Rules) -> Iterator[str]:
    for most, span in rules.get("caps", ()):
        inside = [other for other in mine if other.at > contact.at - span]
        if len(inside) + 1 > most:
            yield f"contact {contact.order} at {contact.at} is number {len(inside) + 1} in {span}, {most} allowed"


def _too_soon(contact: Contact, mine: list[Contact], rules: Rules) -> Iterator[str]:
    rest: timedelta | None = rules.get("gap", {}).get(contact.tier)
    others = [other.at for other in mine if other.decision != contact.decision]
    if rest and others and max(others) + rest > contact.at:
        yield f"contact {contact.order} at {contact.at} came {contact.at - max(others)} after another, {rest} are due"
