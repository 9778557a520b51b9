"""No schedule of events, merges, opt-outs, policies and clocks ever brings a contact above a cap.

A machine plays random histories on a real database; after every step the ledger is counted again by `recount`, which
knows nothing of the application, and what explaining said is compared with what then happened.
"""

import itertools
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update

from surveyapp import clock
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.domain.vocabulary import Channel, Outcome, ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import ChannelState, Customer, Decision, Event, Invitation, LedgerEntry, Message
from surveyapp.queries import prospects
from surveyapp.services import customers, delivery, privacy, recovery, responses
from surveyapp.services.contacts import ContactIn, import_contacts
from surveyapp.services.journeys import record_events
from surveyapp.services.policy import activate_policy
from tests import outreach
from tests.faults.recount import violations

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = ("check_in", "boarding", "baggage")
PEOPLE = 4
ADDRESSES = ("one", "two")
PROGRAMME = outreach.PROGRAMME.replace(
    "channels: [email, sms], expires: 7d}", "channels: [email, sms], expires: 7d, %s}", 3
) % ("reminder: {after: 1d}", "blocked: wait", "blocked: next_channel")
POLICIES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"gap": {1: "1d", 2: "3d", 3: "3d"}, "caps": [{"max": 2, "per": "7d"}]},
     {"gap": {1: DAY, 2: 3 * DAY, 3: 3 * DAY}, "caps": [(2, 7 * DAY)]}),
    ({"caps": [{"max": 1, "per": "2d"}, {"max": 3, "per": "10d"}], "quiet_hours": {"from": "20:00", "to": "08:00"}},
     {"caps": [(1, 2 * DAY), (3, 10 * DAY)]}),
    ({"gap": "12h", "holding": "1h", "caps": [{"max": 3, "per": "4d"}, {"max": 1, "per": "journey"}]},
     {"gap": {1: DAY / 2, 2: DAY / 2, 3: DAY / 2}, "caps": [(3, 4 * DAY)]}),
    ({"gap": "2d", "rules": [{"kind": "budget", "points": 3, "per": "9d"}, {"kind": "back_off", "base": "1d"}]},
     {"gap": {1: 2 * DAY, 2: 2 * DAY, 3: 2 * DAY}}),
)  # fmt: skip
runs = itertools.count(1)
versions: dict[int, dict[str, Any]] = {}  # the rules of every version there is; a clock set back may find an older one
people = st.integers(0, PEOPLE - 1)
steps = st.sampled_from(STEPS)


class Provider:
    """A provider that answers as the history wants, and remembers what may have left."""

    name = "stand-in"
    batch_size = 3

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.answer: ReceiptKind | None = ReceiptKind.ACCEPTED
        self.left: list[str] = []

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        if self.answer is None:
            self.left += [m.uid for m in messages]
            return []
        if self.answer is ReceiptKind.ACCEPTED:
            self.left += [m.uid for m in messages]
        return [Receipt(m.uid, self.answer, self.name, suppress=self._suppress()) for m in messages]

    def _suppress(self) -> str | None:
        return "bounced" if self.answer is ReceiptKind.REFUSED else None


class Machine(RuleBasedStateMachine):
    """One history. People have ids of their own in every run, so that runs never meet."""

    @initialize()
    def begin(self) -> None:
        self.run = next(runs)
        self.now = START + self.run * 400 * DAY
        self.numbers = itertools.count(1)
        self.accepted: dict[str, Any] = {}
        self.erased: set[int] = set()
        self.ways = {"email": Provider(Channel.EMAIL), "sms": Provider(Channel.SMS)}
        self.united: list[tuple[int, frozenset[str]]] = []
        self.first = db.session.scalar(select(func.max(Customer.id))) or 0
        db.session.rollback()
        self.change_policy(0)

    def person(self, number: int) -> str:
        return f"r{self.run}-{number}"

    def contact(self, number: int, address: str | None) -> dict[str, Any]:
        mine = f"r{self.run}-{address or number}@example.org"
        phone = f"+33612{self.run % 10_000:04d}{number:02d}" if number % 2 else None
        return {"email": mine, "phone": phone}

    @rule(who=people, step=steps, late=st.sampled_from([0, 0, 1, 30, 200]), shared=st.sampled_from([None, *ADDRESSES]))
    def something_happens(self, who: int, step: str, late: int, shared: str | None) -> None:
        """An event, perhaps hours late, perhaps with another address than before."""
        number = f"r{self.run}-e{next(self.numbers)}"
        known = {k: v for k, v in self.contact(who, shared).items() if v}
        with clock.at(self.now):
            event = outreach.event(number, self.person(who), step, self.now - late * HOUR, customer=known)
            result = record_events([event], source="api")
        assert result.accepted == (0 if who in self.erased else 1), result
        if result.accepted:
            self.accepted[number] = event

    @rule(who=people, hours=st.sampled_from([1, 1, 5, 30]), answer=st.sampled_from([ReceiptKind.ACCEPTED, None]))
    def a_busy_time(self, who: int, hours: int, answer: ReceiptKind | None) -> None:
        """One step after the other, each asked about at once where the policy allows it."""
        for step in STEPS:
            self.now += hours * HOUR
            self.something_happens(who, step, 0, None)
            self.tick(answer)

    @precondition(lambda self: self.accepted)
    @rule(data=st.data())
    def the_same_event_comes_again(self, data: st.DataObject) -> None:
        event = self.accepted[data.draw(st.sampled_from(sorted(self.accepted)))]
        with clock.at(self.now):
            result = record_events([event, event], source="api")
        assert result.accepted == 0

    @rule(hours=st.sampled_from([0.25, 1, 5, 13, 24, 49, 100]))
    def time_passes(self, hours: float) -> None:
        self.now += hours * HOUR
        self.tick(ReceiptKind.ACCEPTED)

    @rule(hours=st.sampled_from([1, 30]))
    def the_clock_is_set_back(self, hours: int) -> None:
        self.now -= hours * HOUR

    @rule(answer=st.sampled_from([*[ReceiptKind.ACCEPTED] * 3, ReceiptKind.REFUSED, ReceiptKind.RETRY, None]))
    def tick(self, answer: ReceiptKind | None) -> None:
        for way in self.ways.values():
            way.answer = answer
        with clock.at(self.now):
            delivery.send_due(self.ways, batch=5)

    @rule()
    def leases_run_out(self) -> None:
        with clock.at(self.now):
            recovery.reap()
            recovery.settle_unknown()

    def customer(self, who: int) -> Customer | None:
        found = db.session.scalars(select(Customer).where(Customer.external_id == self.person(who))).one_or_none()
        while found is not None and found.merged_into_id is not None:
            found = db.session.get(Customer, found.merged_into_id)
        return found

    @rule(who=people, channel=st.sampled_from(["email", "sms", "all"]), back=st.booleans())
    def somebody_opts_out_or_in(self, who: int, channel: str, back: bool) -> None:
        found = self.customer(who)
        if found is not None:
            with clock.at(self.now):
                (customers.opt_in if back else customers.opt_out)(found, channel, "test")

    @rule(score=st.integers(1, 5))
    def somebody_answers(self, score: int) -> None:
        query = select(Invitation).where(Invitation.customer_id > self.first, Invitation.answered_at.is_(None))
        for invitation in db.session.scalars(query.order_by(Invitation.id.desc()).limit(1)).all():
            with clock.at(self.now), suppress(responses.InvitationClosed):
                if invitation.open_until and invitation.open_until > self.now:
                    responses.record(invitation, score=score, status=ResponseStatus.CONFIRMED, channel="email")

    @rule(number=st.integers(0, len(POLICIES) - 1))
    def change_policy(self, number: int) -> None:
        definition, rules = POLICIES[number]
        with clock.at(self.now):
            version = activate_policy(definition, "machine")
            versions[version.number] = rules

    @rule(one=people, other=people)
    def two_records_are_united(self, one: int, other: int) -> None:
        """Each is asked as the policy allows, one before and the other after they become one."""
        if one != other and not {one, other} & self.erased:
            self.something_happens(one, "check_in", 0, None)
            self.tick(ReceiptKind.ACCEPTED)
            with clock.at(self.now):
                before = [found.id for n in (one, other) if (found := self.customer(n)) is not None]
                booked = db.session.scalar(select(func.max(LedgerEntry.id))) or 0
                customers.alias(self.person(one), self.person(other), anonymous=False)
                both = [self.customer(one), self.customer(other)]
            assert both[0] is both[1]
            keys = frozenset(f"c:{i}" for i in (*before, *(found.id for found in both if found)))
            self.united.append((booked, keys))
            self.now += HOUR
            self.something_happens(other, "boarding", 0, None)
            self.tick(ReceiptKind.ACCEPTED)

    @rule(who=people)
    def somebody_is_erased(self, who: int) -> None:
        gone = self.customer(who)
        if gone is None:
            return
        records = {gone.id, *db.session.scalars(select(Customer.id).where(Customer.merged_into_id == gone.id))}
        self.erased |= {n for n in range(PEOPLE) if (found := self.customer(n)) is not None and found.id in records}
        with clock.at(self.now):
            privacy.erase(self.person(who))

    @rule(who=people, hours=st.integers(0, 60))
    def another_tool_asked(self, who: int, hours: int) -> None:
        with clock.at(self.now):
            import_contacts([ContactIn(self.person(who), "email", self.now - hours * HOUR)])

    @rule(who=people, step=steps)
    def explaining_says_what_then_happens(self, who: int, step: str) -> None:
        db.session.execute(update(ChannelState).values(paused_until=None))
        db.session.commit()
        self.tick(ReceiptKind.ACCEPTED)
        found = self.customer(who)
        if found is None or found.erased_at is not None:
            return
        with clock.at(self.now):
            trigger = prospects.trigger_by_key(db.session, f"after_{step}")
            assert trigger is not None
            told, _, policy, _ = prospects.ruled_now(db.session, found, trigger, "a-pepper-for-tests-only", "new")
            db.session.rollback()
            number = f"r{self.run}-e{next(self.numbers)}"
            event = outreach.event(number, self.person(who), step, self.now, customer={"email": None}, instance="new")
            assert record_events([event], source="api").accepted == 1
            self.accepted[number] = event
        self.tick(ReceiptKind.ACCEPTED)
        query = select(Decision).join(Event).where(Event.event_id == number)
        made = db.session.scalars(query.execution_options(populate_existing=True)).one()
        if policy.holding:
            assert made.outcome != Outcome.ASKED
        elif told.outcome is Outcome.ASKED:
            assert made.outcome == Outcome.ASKED, made.verdicts
        elif told.outcome is Outcome.REFUSED:
            assert (made.outcome, made.reason) == (told.outcome, told.reason), made.verdicts
        else:
            assert made.outcome == told.outcome
            assert made.not_before is not None
            assert told.not_before is not None
            spread = max((quiet.jitter for quiet in policy.quiets), default=timedelta(0))
            assert abs(made.not_before - told.not_before) <= spread  # how far into the opening is each decision's own

    @invariant()
    def nobody_is_contacted_above_a_cap(self) -> None:
        columns = LedgerEntry.__table__.columns
        query = select(*columns).where(LedgerEntry.id.in_(self._own_entries()))
        rows = db.session.execute(query).mappings().all()
        assert list(violations(rows, versions, self.united)) == []

    @invariant()
    def what_left_is_on_file_and_counts(self) -> None:
        left = [uid for way in self.ways.values() for uid in way.left]
        assert len(left) == len(set(left)), "handed over twice"
        counting = select(LedgerEntry.message_id).where(LedgerEntry.state.in_(("sent", "unknown")))
        found = set(db.session.scalars(select(Message.uid).where(Message.id.in_(counting), Message.uid.in_(left))))
        assert found == set(left)

    @invariant()
    def every_event_has_exactly_one_decision_per_trigger(self) -> None:
        query = select(func.count()).select_from(Decision).join(Event).where(Event.customer_id > self.first)
        assert db.session.scalar(query) == len(self.accepted)
        db.session.rollback()

    def _own_entries(self) -> Any:
        mine = select(Message.id).where(Message.customer_id > self.first)
        theirs = [f"c:{i}" for i in db.session.scalars(select(Customer.id).where(Customer.id > self.first))]
        imported = select(LedgerEntry.import_id).where(LedgerEntry.subject_key.in_(theirs))
        known = LedgerEntry.import_id.in_(imported) | LedgerEntry.subject_key.in_(theirs)
        return select(LedgerEntry.id).where(LedgerEntry.message_id.in_(mine) | known)

    def teardown(self) -> None:
        db.session.rollback()
        done = update(Message).where(Message.state.in_(("planned", "sending"))).values(state="cancelled")
        db.session.execute(done)
        db.session.execute(update(LedgerEntry).where(LedgerEntry.state == "reserved").values(state="released"))
        db.session.commit()


PHASES = (Phase.generate, Phase.shrink)


def play(examples: int, length: int, *, derandomize: bool) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=length,
            derandomize=derandomize,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(START):
        outreach.load(programme=PROGRAMME)
    versions.clear()
    versions[1] = {"gap": {1: 7 * DAY, 2: 30 * DAY, 3: 30 * DAY}}


def test_no_history_brings_a_contact_above_a_cap() -> None:
    play(16, 30, derandomize=True)


def test_explaining_says_what_then_happens_behind_the_last_contact() -> None:
    """The ask is decided at the last contact and expires counted from its event, a day before."""
    machine = Machine()
    machine.begin()
    machine.a_busy_time(0, 1, ReceiptKind.ACCEPTED)
    machine.another_tool_asked(0, 11)
    machine.the_clock_is_set_back(30)
    machine.explaining_says_what_then_happens(0, "boarding")
    machine.teardown()


def test_what_was_imported_again_after_a_union_forbids_nothing_that_was_done_before() -> None:
    """The other person was asked before the two became one, so the import's rest was not theirs then."""
    machine = Machine()
    machine.begin()
    machine.something_happens(2, "check_in", 0, None)
    machine.another_tool_asked(0, 5)
    machine.two_records_are_united(0, 2)
    assert len(machine.ways["email"].left) == 1
    machine.another_tool_asked(0, 6)
    machine.nobody_is_contacted_above_a_cap()
    machine.teardown()


@pytest.mark.slow
def test_no_long_history_brings_a_contact_above_a_cap() -> None:
    play(300, 60, derandomize=False)
