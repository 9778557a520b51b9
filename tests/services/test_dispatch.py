"""Claiming, sending and writing down: each promise of delivery on its own, on both databases."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as hooks
from sqlalchemy import func, select

from surveyapp import clock, failpoints
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.domain.vocabulary import Channel, ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import (
    ChannelState,
    Customer,
    Decision,
    Event,
    Invitation,
    LedgerEntry,
    LocalMessage,
    Message,
    Trigger,
)
from surveyapp.services import customers, delivery, dispatch, recovery, responses
from surveyapp.services.journeys import record_events
from surveyapp.services.programme import apply_programme
from tests import outreach

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Provider:
    """A provider at our edge that answers what the test says, and remembers what it was handed."""

    name = "stand-in"
    channel = Channel.EMAIL
    batch_size = 50

    def __init__(self, answer: Callable[[OutgoingMessage], Receipt | None]) -> None:
        self.answer = answer
        self.handed: list[str] = []

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        assert not db.session.registry().in_transaction(), "no transaction may be open while sending"
        self.handed += [m.recipient for m in messages]
        return [receipt for m in messages if (receipt := self.answer(m)) is not None]


def answering(kind: ReceiptKind, **fields: Any) -> Provider:
    return Provider(lambda m: Receipt(m.uid, kind, "stand-in", **fields))


def one_event(step: str = "check_in", at: datetime = NOON, **overrides: Any) -> None:
    with clock.at(at):
        outreach.happens(f"e-{step}-{at:%d%H%M}", "c-1", step, at, **overrides)


def ledger_states() -> list[str]:
    return list(db.session.scalars(select(LedgerEntry.state).order_by(LedgerEntry.id)))


def only(model: Any) -> Any:
    return db.session.scalars(select(model).execution_options(populate_existing=True)).one()


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load()


def test_an_event_waits_undecided_until_it_is_due_and_is_then_asked_once() -> None:
    one_event()
    assert (only(Decision).outcome, only(Decision).verdicts) == ("waiting", None)
    assert str(outreach.send(NOON)) == "claimed=1 sent=1 refused=0 postponed=0 failed=0 unknown=0"
    decision = only(Decision)
    assert (decision.outcome, decision.reason, decision.channel, decision.policy_version) == ("asked", None, "email", 1)
    assert all(verdict["allowed"] for verdict in decision.verdicts)
    assert ledger_states() == ["sent", "sent"]  # the record itself and the address
    assert only(LocalMessage).recipient == "c-1@example.org"
    assert outreach.send(NOON).claimed == 0


def test_every_event_and_matching_trigger_leaves_exactly_one_decision() -> None:
    for hour, step in enumerate(("check_in", "boarding", "baggage")):
        one_event(step, NOON + timedelta(hours=hour))
    outreach.send(NOON + timedelta(hours=5))
    rows = db.session.execute(select(Decision.outcome, Decision.reason).order_by(Decision.id)).all()
    assert sorted(map(tuple, rows), key=str) == sorted(
        [("asked", None), ("refused", "gap"), ("refused", "gap")], key=str
    )
    assert db.session.scalar(select(func.count()).select_from(Decision)) == db.session.scalar(
        select(func.count()).select_from(Event)
    )


def test_a_moment_of_truth_goes_first_when_several_asks_are_due() -> None:
    one_event("check_in", NOON)
    one_event("baggage", NOON + timedelta(minutes=1))
    outreach.send(NOON + timedelta(minutes=2))
    asked = db.session.scalars(select(Trigger.key).join(Decision).where(Decision.outcome == "asked")).all()
    assert asked == ["after_baggage"]


def test_d09_two_records_that_share_an_address_share_the_cap_in_any_case() -> None:
    one_event(customer={"email": "Ada@Example.org"})
    with clock.at(NOON):
        outreach.happens("e-2", "c-2", "check_in", NOON, customer={"email": "ada@example.ORG"})
    outreach.send(NOON)
    outcomes = sorted(db.session.scalars(select(Decision.outcome)))
    assert outcomes == ["asked", "refused"]
    assert only(LocalMessage).recipient == "ada@example.org"


def test_a_refused_ask_books_nothing_and_sends_nothing() -> None:
    one_event(customer={"email": None})
    assert outreach.send(NOON).refused == 1
    assert (only(Decision).reason, ledger_states(), db.session.scalars(select(Invitation)).all()) == (
        "no_address",
        [],
        [],
    )
    assert db.session.scalars(select(LocalMessage)).all() == []


def test_d05_an_archived_trigger_is_not_sent_any_more() -> None:
    one_event()
    with clock.at(NOON):
        apply_programme(outreach.PROGRAMME.split("triggers:")[0] + "triggers: []\n", actor="test")
    outreach.send(NOON)
    assert only(Decision).reason == "survey_closed"


def test_d05_a_policy_tightened_after_the_event_decides_at_sending() -> None:
    one_event()
    with clock.at(NOON):
        outreach.load("policy:\n  caps: [{max: 0, per: 30d}]\n")
    outreach.send(NOON + timedelta(seconds=1))
    assert (only(Decision).reason, only(Decision).policy_version) == ("cap", 2)


def test_an_ask_waits_for_the_customers_morning() -> None:
    with clock.at(NOON):
        outreach.load('policy:\n  quiet_hours: {from: "20:00", to: "08:00"}\n')
    night = NOON + timedelta(hours=9)
    one_event(at=night)
    assert outreach.send(night).postponed == 1
    decision = only(Decision)
    assert decision.outcome == "waiting"
    assert decision.not_before >= datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
    assert outreach.send(night + timedelta(hours=1)).claimed == 0
    assert outreach.send(decision.not_before).sent == 1


def test_f62_an_opt_out_while_planned_refuses_the_ask() -> None:
    one_event()
    with clock.at(NOON):
        customers.opt_out(only(Customer), "all", "test")
    outreach.send(NOON)
    assert (only(Decision).outcome, only(Decision).reason) == ("refused", "opted_out")
    assert db.session.scalars(select(LocalMessage)).all() == []


def test_a12_steps_told_in_the_wrong_order_are_judged_by_when_they_happened() -> None:
    with clock.at(NOON):
        outreach.happens("late", "c-1", "boarding", NOON - HOUR)
        outreach.happens("early", "c-1", "check_in", NOON - 3 * HOUR)
        outreach.happens("late", "c-1", "boarding", NOON - HOUR)
    assert (outreach.send(NOON).sent, outreach.send(NOON + HOUR).sent) == (1, 0)
    assert outreach.outcomes() == {"early": ("asked", None), "late": ("refused", "gap")}
    assert len(db.session.scalars(select(LocalMessage)).all()) == 1


@pytest.mark.parametrize("what", ["all", "kind:check_in_csat"])
def test_f62_an_opt_out_between_the_claim_and_the_call_stops_the_message(what: str) -> None:
    one_event()
    provider = answering(ReceiptKind.ACCEPTED, reference="x")

    def meanwhile(point: str) -> None:
        if point == "rendered":
            customers.opt_out(only(Customer), what, "test")

    failpoints.install(meanwhile)
    try:
        with clock.at(NOON):
            tally = delivery.send_due({"email": provider})
    finally:
        failpoints.install(None)
    assert (provider.handed, tally.sent, tally.refused) == ([], 0, 1)
    assert (only(Decision).outcome, only(Decision).reason) == ("refused", "opted_out")
    assert set(ledger_states()) == {"released"}


def test_f62_an_opt_out_during_the_call_leaves_that_one_on_file_and_stops_the_next() -> None:
    one_event()
    provider = answering(ReceiptKind.ACCEPTED, reference="x")

    def meanwhile(point: str) -> None:
        if point == "before_send":
            customers.opt_out(only(Customer), "all", "test")

    failpoints.install(meanwhile)
    try:
        with clock.at(NOON):
            assert delivery.send_due({"email": provider}).sent == 1
    finally:
        failpoints.install(None)
    assert (only(Message).state, only(Decision).outcome, set(ledger_states())) == ("sent", "asked", {"sent"})
    one_event("boarding", NOON + 40 * DAY)
    with clock.at(NOON + 40 * DAY):
        assert delivery.send_due({"email": provider}).refused == 1
    assert len(provider.handed) == 1


def test_a_definite_refusal_of_the_address_releases_the_contact_and_suppresses_the_address() -> None:
    one_event()
    provider = answering(ReceiptKind.REFUSED, suppress="bounce", error="550 no such user")
    with clock.at(NOON):
        assert delivery.send_due({"email": provider}).failed == 1
    assert (only(Message).state, only(Decision).outcome, set(ledger_states())) == ("failed", "asked", {"released"})
    one_event("boarding", NOON + DAY)
    outreach.send(NOON + DAY)
    reasons = db.session.scalars(select(Decision.reason).where(Decision.outcome == "refused")).all()
    assert reasons == ["suppressed_address"]


def test_f56_an_unknown_outcome_counts_and_is_never_sent_again() -> None:
    one_event()
    lost = Provider(lambda m: None)
    with clock.at(NOON):
        assert delivery.send_due({"email": lost}).unknown == 1
    assert (only(Message).state, set(ledger_states()), only(Decision).outcome) == ("unknown", {"unknown"}, "asked")
    with clock.at(NOON + DAY + timedelta(hours=1)):
        assert recovery.reap() == 0
        assert recovery.settle_unknown() == 1
        assert delivery.send_due({"email": lost}).claimed == 0
    assert (only(Message).state, lost.handed) == ("unknown_final", ["c-1@example.org"])
    one_event("boarding", NOON + DAY)
    outreach.send(NOON + DAY)
    assert db.session.scalars(select(Decision.reason).where(Decision.outcome == "refused")).all() == ["gap"]


def test_f55_a_pause_asked_by_the_provider_holds_the_channel_and_gives_the_attempt_back() -> None:
    one_event()
    busy = answering(ReceiptKind.RETRY, retry_after=120.0, error="429")
    with clock.at(NOON):
        assert delivery.send_due({"email": busy}).postponed == 1
    message = only(Message)
    assert (message.state, message.attempts, message.due_at) == ("planned", 0, NOON + timedelta(seconds=120))
    assert (only(Decision).outcome, set(ledger_states())) == ("waiting", {"released"})
    assert only(ChannelState).paused_until == NOON + timedelta(seconds=120)
    assert outreach.send(NOON + timedelta(seconds=60)).claimed == 0
    assert outreach.send(NOON + timedelta(seconds=121)).sent == 1
    assert sorted(ledger_states()) == ["released", "released", "sent", "sent"]


def test_f63_wrong_credentials_stop_the_channel_and_suppress_nobody() -> None:
    one_event()
    with clock.at(NOON):
        delivery.send_due({"email": answering(ReceiptKind.CONFIGURATION, error="401 unauthorised")})
    assert (only(Message).state, only(Message).attempts) == ("planned", 0)
    assert only(ChannelState).reason == "401 unauthorised"
    assert outreach.send(NOON + timedelta(minutes=20)).sent == 1


def test_f59_a_sender_that_died_before_the_call_leaves_a_message_that_is_sent_later() -> None:
    one_event()
    with clock.at(NOON):
        assert len(dispatch.claim(10).messages) == 1
    with clock.at(NOON + timedelta(seconds=61)):
        assert recovery.reap() == 1
        assert (only(Message).state, only(Decision).outcome) == ("planned", "waiting")
        assert set(ledger_states()) == {"released"}
    assert outreach.send(NOON + timedelta(seconds=62)).sent == 1
    assert only(Decision).outcome == "asked"


def test_f59_a_sender_that_died_in_the_call_leaves_an_unknown_that_counts() -> None:
    one_event()

    class Died(Exception):
        pass

    def die(point: str) -> None:
        if point == "after_send":
            raise Died

    provider = answering(ReceiptKind.ACCEPTED)
    failpoints.install(die)
    try:
        with clock.at(NOON), pytest.raises(Died):
            delivery.send_due({"email": provider})
    finally:
        failpoints.install(None)
    with clock.at(NOON + timedelta(seconds=61)):
        assert recovery.reap() == 1
        delivery.send_due({"email": provider})
    assert (only(Message).state, set(ledger_states())) == ("unknown", {"unknown"})
    assert provider.handed == ["c-1@example.org"]


def test_a_worker_that_wakes_after_its_lease_neither_sends_nor_writes() -> None:
    one_event()
    with clock.at(NOON):
        stale = dispatch.claim(10)
    with clock.at(NOON + timedelta(seconds=61)):
        recovery.reap()
        fresh = dispatch.claim(10)
        assert len(fresh.messages) == 1
        provider = answering(ReceiptKind.ACCEPTED)
        tally = delivery.Tally()
        delivery.deliver(stale, {"email": provider}, tally)
        assert (provider.handed, tally.sent) == ([], 0)
        delivery.deliver(fresh, {"email": provider}, tally)
    assert (provider.handed, tally.sent, only(Message).state) == (["c-1@example.org"], 1, "sent")


def test_f60_a_message_that_kills_its_worker_is_dead_after_three_claims() -> None:
    one_event()
    moment = NOON
    for _ in range(3):
        with clock.at(moment):
            assert len(dispatch.claim(10).messages) == 1
        moment += timedelta(seconds=61)
        with clock.at(moment):
            recovery.reap()
    with clock.at(moment):
        assert dispatch.claim(10).dead == 1
    assert (only(Message).state, set(ledger_states())) == ("dead", {"released"})


def test_one_reminder_follows_an_unanswered_ask_and_counts() -> None:
    with clock.at(NOON):
        programme = outreach.PROGRAMME.replace(
            "channels: [email, sms], expires: 7d}", "channels: [email], expires: 7d, reminder: {after: 3d}}", 1
        )
        outreach.load(programme=programme)
    one_event()
    outreach.send(NOON)
    assert outreach.send(NOON + 3 * DAY).sent == 1
    kinds = db.session.scalars(select(Message.kind).order_by(Message.id)).all()
    assert kinds == ["first", "reminder"]
    assert len(ledger_states()) == 4
    assert outreach.send(NOON + 10 * DAY).claimed == 0


def test_d20_no_reminder_after_a_rating() -> None:
    with clock.at(NOON):
        programme = outreach.PROGRAMME.replace(
            "channels: [email, sms], expires: 7d}", "channels: [email], expires: 7d, reminder: {after: 3d}}", 1
        )
        outreach.load(programme=programme)
    one_event()
    outreach.send(NOON)
    with clock.at(NOON + timedelta(hours=1)):
        responses.record(only(Invitation), score=4, status=ResponseStatus.CONFIRMED, channel="email")
    assert outreach.send(NOON + 3 * DAY).sent == 0
    assert db.session.scalar(select(func.count()).select_from(LocalMessage)) == 1


def test_a_hundred_due_asks_take_few_statements(app: Flask) -> None:
    with clock.at(NOON):
        record_events([outreach.event(f"e-{n}", f"c-{n}", "check_in", NOON) for n in range(100)], source="api")
    seen: list[str] = []
    hooks.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    with clock.at(NOON):
        assert len(dispatch.claim(100).messages) == 100
    assert len(seen) < 40
