"""The recorded events of a period with everything a replay needs to know of their people, a group at a time. Read only.

Memory stays flat: a page of customers is read, handed out as groups, and forgotten before the next.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import Session

from surveyapp.domain.facts import Answer, Block, Case, Person, Sensitive
from surveyapp.domain.simulation.cast import Booked, Group, Happening, Held, Part, Real, Subject
from surveyapp.domain.triggers import matches
from surveyapp.domain.vocabulary import LedgerState, Outcome, ResponseStatus
from surveyapp.models import Case as CaseRow
from surveyapp.models import (
    ContactKey,
    Customer,
    Decision,
    Event,
    Invitation,
    LedgerEntry,
    Response,
    Suppression,
    Survey,
    Trigger,
)
from surveyapp.queries.contact_history import person_key
from surveyapp.queries.earlier_asks import ask_of
from surveyapp.queries.recipients import recipient_country, recipient_zones
from surveyapp.queries.simulation.setting import Setting

PAGE = 500
SHARED_PAGE = 100
EVENT_COLUMNS = (
    Event.id,
    Event.event_id,
    Event.customer_id,
    Event.step_id,
    Event.name,
    Event.instance,
    Event.occurred_at,
    Event.received_at,
    Event.cancels,
    Event.properties,
    Event.attributes,
    Event.source,
)


class Mark(NamedTuple):
    """How far a replay has come: single customers first, then groups that share an address."""

    shared: bool = False
    last: int = 0


class Page(NamedTuple):
    """Some groups, how many events they hold, and the mark from which the next page goes on."""

    groups: list[Group]
    events: int
    after: Mark


def pages(session: Session, known: Setting, after: Mark) -> Iterator[Page]:
    """The groups with an event in the period, in a fixed order, from `after` on."""
    while not after.shared:
        query = (
            select(Event.customer_id)
            .where(Event.customer_id > after.last, Event.occurred_at.between(known.start, known.end))
            .distinct()
            .order_by(Event.customer_id)
            .limit(PAGE)
        )
        ids = list(session.scalars(query))
        if ids:
            after = Mark(False, ids[-1])
            yield _page(session, known, [(i,) for i in ids if i not in known.shared], after)
        else:
            after = Mark(True, 0)
    heads = [head for head in sorted(known.together) if head > after.last]
    for at in range(0, len(heads), SHARED_PAGE):
        some = heads[at : at + SHARED_PAGE]
        yield _page(session, known, [known.together[head] for head in some], Mark(True, some[-1]))


def _page(session: Session, known: Setting, groups: Sequence[tuple[int, ...]], after: Mark) -> Page:
    ids = [member for group in groups for member in group]
    if not ids:
        return Page([], 0, after)
    read = _Reading(session, known, ids)
    found = []
    for members in groups:
        happenings = [h for member in members for h in read.happenings.get(member, ())]
        if happenings:
            happenings.sort(key=lambda pair: pair[0])
            people = [m for m in members if read.head(m) == m]
            found.append(Group({m: read.subject(m) for m in people}, tuple(h for _, h in happenings)))
    session.expunge_all()
    return Page(found, read.events, after)


class _Reading:
    """Everything read for one page: a fixed number of statements, whatever its people did."""

    def __init__(self, session: Session, known: Setting, ids: list[int]) -> None:
        self.session, self.known, self.ids = session, known, ids
        self.customers = {c.id: c for c in session.scalars(select(Customer).where(Customer.id.in_(ids)))}
        self.keys: dict[int, dict[str, datetime | None]] = {i: {f"c:{i}": None} for i in ids}
        self.holders: dict[str, list[int]] = defaultdict(list)
        self._read_keys()
        self.covered: dict[int, dict[tuple[str, str], list[tuple[datetime, str]]]] = defaultdict(dict)
        self.real: dict[int, dict[str, Real]] = defaultdict(dict)
        self.replayed: set[str] = set()
        self._read_decisions()
        self.happenings: dict[int, list[tuple[tuple[datetime, int], Happening]]] = defaultdict(list)
        self.earliest: dict[int, datetime] = {}
        self.events = 0
        self._read_events()
        self.answers: dict[int, list[Answer]] = defaultdict(list)
        self._read_responses()
        self.asks = self._read_asks()
        self.blocks = self._read_blocks()
        self.sensitive = self._read_sensitive()
        self.cases = self._read_cases()

    def head(self, customer_id: int) -> int:
        """The record that stands for the person: itself, or the one it was united with."""
        head = self.customers[customer_id].merged_into_id
        return head if head in self.customers else customer_id

    def subject(self, customer_id: int) -> Subject:
        """One person with what counts for them, over all their records."""
        customer, keys = self.customers[customer_id], sorted(self.keys[customer_id].items())
        records = [int(key[2:]) for key, _ in keys if key.startswith("c:")]
        zones, source = recipient_zones(customer.timezone, customer.phone, self.known.zone)
        person = Person(
            key=person_key(customer),
            known_since=min([customer.created_at, *(self.earliest[r] for r in records if r in self.earliest)]),
            addresses=frozenset(c for c, value in (("email", customer.email), ("sms", customer.phone)) if value),
            zones=zones,
            zone_source=source,
            country=recipient_country(customer.timezone, customer.phone),
            consent=customer.consent,
            erased=customer.erased_at is not None,
        )
        asks = {
            booked.ask.key: booked
            for key, until in keys
            for booked in self.asks.get(key, ())
            if until is None or booked.ask.at <= until
        }
        covered: dict[tuple[str, str], tuple[tuple[datetime, str], ...]] = {}
        for record in records:
            for place, labels in self.covered.get(record, {}).items():
                covered[place] = (*covered.get(place, ()), *labels)
        return Subject(
            id=customer_id,
            person=person,
            linked=self._linked(customer_id),
            preferred=customer.preferred_channel,
            blocks=tuple(Held(at, until, block) for key, until in keys for at, block in self.blocks.get(key, ())),
            asks=tuple(asks.values()),
            answers=tuple(answer for r in records for answer in self.answers.get(r, ())),
            covered=covered,
            sensitive=tuple(event for r in records for event in self.sensitive.get(r, ())),
            cases=tuple(case for r in records for case in self.cases.get(r, ())),
        )

    def _linked(self, customer_id: int) -> dict[int, datetime | None]:
        """With whom a contact key is shared, and until when at the latest (None: still)."""
        found: dict[int, datetime | None] = {customer_id: None}
        for key, mine in self.keys[customer_id].items():
            for other in self.holders[key]:
                theirs = self.keys[other][key]
                if self.head(other) != other or other == customer_id:
                    continue
                ends = [until for until in (mine, theirs) if until is not None]
                until = min(ends) if ends else None
                before = found.get(other, until)
                found[other] = None if before is None or until is None else max(before, until)
        return found

    def _read_keys(self) -> None:
        query = select(ContactKey.customer_id, ContactKey.key, ContactKey.until)
        for customer, key, until in self.session.execute(query.where(ContactKey.customer_id.in_(self.ids))):
            self.keys[customer][key] = until
        for customer in self.ids:
            for key in self.keys[customer]:
                self.holders[key].append(customer)

    def _read_decisions(self) -> None:
        """What really came of the period's events, and which instances were asked about by others."""
        known = self.known
        inside = Event.occurred_at.between(known.start, known.end)
        query = (
            select(
                Decision.event_id,
                Decision.customer_id,
                Decision.uid,
                Decision.outcome,
                Decision.channel,
                Decision.decided_at,
                Trigger.key.label("trigger"),
                Survey.key.label("survey"),
                Event.instance,
                inside.label("inside"),
                Invitation.answered_at,
            )
            .join(Event, Event.id == Decision.event_id)
            .join(Trigger, Trigger.id == Decision.trigger_id)
            .join(Survey, Survey.id == Decision.survey_id)
            .outerjoin(Invitation, Invitation.decision_id == Decision.id)
            .where(Decision.customer_id.in_(self.ids))
            .where(or_(inside, and_(Decision.outcome == Outcome.ASKED, Event.instance.is_not(None))))
        )
        for row in self.session.execute(query):
            if row.inside:
                asked = row.outcome == Outcome.ASKED
                visit = row.decided_at if row.channel == "web" else None
                real = Real(row.uid, asked, row.decided_at if asked else None, row.answered_at, visit)
                self.real[row.event_id][row.trigger] = real
                self.replayed.add(row.uid)
            else:
                self._cover(row.customer_id, row.survey, row.instance, row.decided_at or known.start, row.uid)

    def _cover(self, customer: int, survey: str, instance: str, since: datetime, label: str) -> None:
        self.covered[customer].setdefault((survey, instance), []).append((since, label))

    def _read_events(self) -> None:
        known = self.known
        query = (
            select(*EVENT_COLUMNS)
            .where(Event.customer_id.in_(self.ids), Event.occurred_at.between(known.start, known.end))
            .order_by(Event.occurred_at, Event.id)
        )
        rows = self.session.execute(query).all()
        self.events = len(rows)
        cancelled = {row.cancels: row.occurred_at for row in rows if row.cancels}
        for row in rows:
            self.earliest.setdefault(row.customer_id, row.occurred_at)
            happening = self._happening(row, cancelled)
            self.happenings[row.customer_id].append(((happening.known_at, row.id), happening))

    def _happening(self, row: Row[Any], cancelled: Mapping[str, datetime]) -> Happening:
        parts: tuple[Part, ...] = ()
        context: dict[str, object] = {}
        recurring = row.source == "recurring"
        if recurring and row.step_id is None:
            part = self.known.parts.get(row.name or "")
            parts = (part,) if part is not None and part.trigger.every else ()
            context = {**row.attributes, **row.properties}
        elif row.step_id in self.known.by_step:
            context = {**row.attributes, **row.properties}
            candidates = self.known.by_step[row.step_id]
            parts = tuple(p for p in candidates if matches(p.trigger, p.trigger.step, context))
        return Happening(
            event=row.event_id,
            customer=self.head(row.customer_id),
            occurred_at=row.occurred_at,
            known_at=min(row.received_at, row.occurred_at) if recurring else row.occurred_at,
            parts=parts,
            instance=row.instance,
            context=context,
            visit_at=row.occurred_at if row.source == "widget" else None,
            cancelled_at=cancelled.get(row.event_id),
            real=self.real.get(row.id, {}),
        )

    def _read_responses(self) -> None:
        """Answers that no ask of the replayed events brought in: they hold whatever the policy."""
        query = (
            select(Response, Survey.key)
            .join(Survey, Survey.id == Response.survey_id)
            .where(Response.customer_id.in_(self.ids), Response.answered_at <= self.known.end)
        )
        if not self.known.answers:
            query = query.where(Response.decision.is_(None), Response.instance.is_not(None))
        for response, survey in self.session.execute(query):
            customer = response.customer_id
            if customer is None or response.decision in self.replayed:
                continue
            if response.decision is None and response.instance is not None:
                self._cover(customer, survey, response.instance, response.answered_at, response.uid)
            if response.status == ResponseStatus.CONFIRMED:
                self.answers[customer].append(Answer(survey, response.metric, response.step, response.answered_at))

    def _read_asks(self) -> dict[str, list[Booked]]:
        """Contacts that were not made about the replayed events: earlier ones, imported ones, of events outside."""
        entry, found = LedgerEntry, defaultdict(list)
        query = select(entry).where(
            entry.subject_key.in_(sorted(self.holders)),
            entry.state != LedgerState.RELEASED,
            entry.at > self.known.start - self.known.reach,
            entry.at <= self.known.end,
        )
        for row in self.session.scalars(query):
            if row.decision in self.replayed:
                continue
            found[row.subject_key].append(Booked(ask_of(row, answered=False), row.answered_at))
        return found

    def _read_blocks(self) -> dict[str, list[tuple[datetime, Block]]]:
        found = defaultdict(list)
        query = select(Suppression).where(Suppression.key.in_(sorted(self.holders)))
        for row in self.session.scalars(query):
            found[row.key].append((row.at, Block(row.channel, row.reason, row.until)))
        return found

    def _read_sensitive(self) -> dict[int, list[Sensitive]]:
        found: dict[int, list[Sensitive]] = defaultdict(list)
        if not self.known.sensitive:
            return found
        oldest = self.known.start - max(span for _, span in self.known.sensitive.values())
        query = select(Event.customer_id, Event.step_id, Event.occurred_at).where(
            Event.customer_id.in_(self.ids),
            Event.step_id.in_(list(self.known.sensitive)),
            Event.occurred_at > oldest,
            Event.occurred_at <= self.known.end,
        )
        for customer, step, at in self.session.execute(query):
            path, span = self.known.sensitive[step or 0]
            found[customer].append(Sensitive(path, at, at + span))
        return found

    def _read_cases(self) -> dict[int, list[Case]]:
        found: dict[int, list[Case]] = defaultdict(list)
        if self.known.cases:
            query = select(CaseRow).where(CaseRow.customer_id.in_(self.ids), CaseRow.opened_at <= self.known.end)
            for row in self.session.scalars(query):
                found[row.customer_id].append(Case(row.opened_at, row.closed_at))
        return found
