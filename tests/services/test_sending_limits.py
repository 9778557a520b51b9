"""What holds sending back or picks it up again: rates, clocks that differ, a stop, a database away at the outcome."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, make_url, select
from sqlalchemy.exc import OperationalError

from surveyapp import clock, failpoints
from surveyapp.channels.base import OutgoingMessage, Receipt, ReceiptKind
from surveyapp.extensions import db
from surveyapp.models import ChannelState, Decision, LedgerEntry, Message
from surveyapp.services import delivery, dispatch, draining, outcome_journal, recovery, switches
from surveyapp.services.journeys import record_events
from tests import outreach
from tests.hooks import database_away
from tests.services.test_dispatch import Provider, answering, ledger_states, only

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIFE = timedelta(days=7)
PHONE = "+33612345678"
WHY = (Decision.outcome, Decision.reason)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"OUTCOME_JOURNAL": str(tmp_path / "outcomes")}


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - timedelta(days=1)):
        outreach.load(policy="")


@pytest.fixture
def limited(app: Flask) -> Callable[..., None]:
    """`limited(EMAIL_PER_MINUTE=60)` sets rates for this test."""
    return app.config.update


def due(count: int, **customer: Any) -> None:
    with clock.at(NOON):
        events = [outreach.event(f"e-{n}", f"c-{n}", "check_in", NOON, customer=dict(customer)) for n in range(count)]
        record_events(events, source="api")


def states() -> dict[str, int]:
    return dict(db.session.execute(select(Message.state, func.count()).group_by(Message.state)).all())  # type: ignore[arg-type]


def pass_at(moment: datetime, provider: Any, channel: str = "email") -> int:
    with clock.at(moment):
        delivery.send_due({channel: provider})
    return len(provider.handed)


def test_a_rate_holds_over_every_pass_and_a_backlog_makes_no_burst(limited: Callable[..., None]) -> None:
    limited(EMAIL_PER_MINUTE=60)
    due(100)
    provider = answering(ReceiptKind.ACCEPTED)
    handed = [pass_at(NOON + timedelta(seconds=s), provider) for s in range(0, 61, 5)]
    assert handed == [10, 10, 20, 20, 30, 30, 40, 40, 50, 50, 60, 60, 70]
    assert only(ChannelState).paced_until == NOON + timedelta(seconds=70)


def test_the_slowest_rate_still_sends_one_at_a_time(limited: Callable[..., None]) -> None:
    limited(EMAIL_PER_MINUTE=2)
    due(3)
    provider = answering(ReceiptKind.ACCEPTED)
    assert [pass_at(NOON + timedelta(seconds=s), provider) for s in (0, 10, 29, 31, 61)] == [1, 1, 1, 2, 3]


def test_a_rate_of_one_channel_leaves_the_others_alone(limited: Callable[..., None]) -> None:
    limited(SMS_PER_MINUTE=60)
    due(20)
    assert pass_at(NOON, answering(ReceiptKind.ACCEPTED)) == 20
    assert db.session.scalars(select(ChannelState.channel)).all() == ["sms"]
    assert only(ChannelState).paced_until is None


def test_a_pause_of_everything_holds_every_channel() -> None:
    due(2)
    db.session.add(ChannelState(channel="all", paused_until=NOON + MINUTE))
    db.session.commit()
    provider = answering(ReceiptKind.ACCEPTED)
    assert [pass_at(NOON, provider), pass_at(NOON + 2 * MINUTE, provider)] == [0, 2]


class StopsAfter(Provider):
    """The process is asked to stop while the first call is under way."""

    batch_size = 10

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        draining.begin()
        return super().send(messages)


@pytest.fixture
def _not_draining() -> Iterator[None]:
    yield
    draining.end()


@pytest.mark.usefixtures("_not_draining")
def test_f59_a_process_asked_to_stop_ends_its_call_and_hands_the_rest_back() -> None:
    due(60)
    stopping = StopsAfter(lambda m: Receipt(m.uid, ReceiptKind.ACCEPTED, "stand-in"))
    with clock.at(NOON):
        tally = delivery.send_due({"email": stopping})
    assert (tally.claimed, tally.sent, tally.postponed) == (50, 10, 40)
    assert states() == {"sent": 10, "planned": 50}
    rest = db.session.scalars(select(Message).where(Message.state == "planned")).all()
    assert {m.attempts for m in rest} == {0}
    assert {m.call_started_at for m in rest} == {None}
    counted = db.session.scalar(select(func.count()).select_from(LedgerEntry).where(LedgerEntry.state != "released"))
    assert counted == 20
    assert db.session.scalar(select(func.count()).select_from(Decision).where(Decision.outcome == "asked")) == 10
    with clock.at(NOON):
        assert delivery.send_due({"email": stopping}).claimed == 0
    draining.end()
    assert pass_at(NOON + timedelta(seconds=2), answering(ReceiptKind.ACCEPTED)) == 50
    assert states() == {"sent": 60}


def test_a_database_away_at_the_outcome_leaves_it_on_the_disk_and_it_is_written_later(tmp_path: Path) -> None:
    due(2)
    provider = answering(ReceiptKind.ACCEPTED, reference="x-1")
    lose_the_database_after_sending(provider)
    [kept] = (tmp_path / "outcomes").glob("*.json")
    assert [row["kind"] for row in json.loads(kept.read_text())] == ["accepted", "accepted"]
    assert "example.org" not in kept.read_text()
    assert states() == {"sending": 2}
    assert pass_at(NOON + timedelta(seconds=5), provider) == 2
    assert states() == {"sent": 2}
    assert set(ledger_states()) == {"sent"}
    assert list((tmp_path / "outcomes").glob("*.json*")) == []


def lose_the_database_after_sending(provider: Provider) -> None:
    away = database_away()

    def lose(point: str) -> None:
        if point == "after_send":
            away.__enter__()

    failpoints.install(lose)
    try:
        with clock.at(NOON), pytest.raises(OperationalError):
            delivery.send_due({"email": provider})
    finally:
        failpoints.install(None)
        away.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("kind", "state", "ledger"),
    [(ReceiptKind.ACCEPTED, "sent", "sent"), (ReceiptKind.REFUSED, "failed", "released")]
    + [(ReceiptKind.RETRY, "planned", "released"), (ReceiptKind.UNKNOWN, "unknown", "unknown")],
)
def test_an_outcome_from_the_disk_settles_what_the_reaper_had_to_call_unknown(
    kind: ReceiptKind, state: str, ledger: str
) -> None:
    due(1)
    lose_the_database_after_sending(answering(kind))
    with clock.at(NOON + 2 * MINUTE):
        assert recovery.reap() == 1
        assert states() == {"unknown": 1}
        assert outcome_journal.replay() == 1
    assert states() == {state: 1}
    assert set(ledger_states()) == {ledger}


def test_an_outcome_from_the_disk_never_touches_a_later_claim(tmp_path: Path) -> None:
    due(1)
    message = only(Message)
    receipt = Receipt(message.uid, ReceiptKind.ACCEPTED, "stand-in")
    with clock.at(NOON):
        outcome_journal.keep([(receipt, 1)])
        dispatch.claim(10)
    with clock.at(NOON + 2 * MINUTE):
        recovery.reap()
        assert len(dispatch.claim(10).messages) == 1
        outcome_journal.replay()
    assert (only(Message).state, only(Message).lease_token) == ("sending", 3)
    assert list((tmp_path / "outcomes").glob("*.json*")) == []


def test_an_entry_for_another_database_is_kept_for_a_week(tmp_path: Path) -> None:
    outcome_journal.keep([(Receipt("nobody", ReceiptKind.ACCEPTED, "stand-in"), 1)])
    assert outcome_journal.replay() == 0
    assert len(list((tmp_path / "outcomes").glob("*.json*"))) == 1
    with clock.at(clock.now() + timedelta(days=8)):
        assert outcome_journal.replay() == 0
    assert list((tmp_path / "outcomes").glob("*.json*")) == []


@pytest.mark.parametrize(("apart", "sent"), [("5 seconds", 1), ("2 minutes", 0), ("-2 minutes", 0)])
def test_g66_nothing_is_sent_while_this_clock_and_the_databases_differ(
    postgres_url: str, make_app: Any, apart: str, sent: int
) -> None:
    application = make_app(postgres_url)
    with application.app_context():
        outreach.load(policy="")
        now = clock.now()
        outreach.happens("e-1", "c-1", "check_in", now - timedelta(minutes=5))
        db.session.remove()
        db.engine.dispose()
        set_clock_apart(postgres_url, apart)
        provider = answering(ReceiptKind.ACCEPTED)
        delivery.send_due({"email": provider})
        assert len(provider.handed) == sent
        db.session.remove()


def set_clock_apart(url: str, apart: str) -> None:
    """Let new connections to this database read another time than this machine's."""
    name = make_url(url).database
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            f"$$ SELECT pg_catalog.clock_timestamp() + interval '{apart}' $$"
        )
        connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')


def test_f57_what_never_reaches_the_provider_waits_longer_each_time_and_is_dead_at_last() -> None:
    due(1)
    refused = answering(ReceiptKind.RETRY, error="not sent: NewConnectionError")
    moment, waits = NOON, []
    while pass_at(moment, refused) and only(Message).state == "planned":
        message = only(Message)
        assert (message.attempts, only(Decision).outcome, set(ledger_states())) == (0, "waiting", {"released"})
        assert only(ChannelState).paused_until <= moment + timedelta(minutes=5)
        waits.append(message.due_at - moment)
        moment = message.due_at
    assert len(waits) == 11
    assert timedelta(hours=5) < sum(waits, timedelta()) < timedelta(hours=11)
    assert waits == sorted(waits[:9]) + waits[9:]
    assert (only(Message).state, set(ledger_states()), len(refused.handed)) == ("dead", {"released"}, 12)
    assert pass_at(moment + timedelta(days=1), refused) == 12


def test_f55_a_provider_that_asks_for_a_pause_is_never_a_reason_to_give_up() -> None:
    due(1)
    busy = answering(ReceiptKind.RETRY, retry_after=60.0, error="status 429")
    handed = [pass_at(NOON + n * timedelta(seconds=61), busy) for n in range(20)]
    assert handed == list(range(1, 21))
    assert (only(Message).state, only(Message).retries) == ("planned", 0)


def test_f55_a_paused_channel_leaves_the_others_running() -> None:
    due(2)
    with clock.at(NOON):
        record_events(
            [outreach.event("e-9", "c-9", "check_in", NOON, customer={"email": None, "phone": PHONE})], source="api"
        )
        busy, texts = answering(ReceiptKind.RETRY, retry_after=600.0, error="429"), answering(ReceiptKind.ACCEPTED)
        delivery.send_due({"email": busy, "sms": texts})
    assert (texts.handed, states()) == ([PHONE], {"planned": 2, "sent": 1})
    with clock.at(NOON + 9 * MINUTE):
        late = outreach.event("e-8", "c-8", "check_in", NOON, customer={"email": None, "phone": "+33612345679"})
        record_events([late], source="api")
        delivery.send_due({"email": busy, "sms": texts})
    assert (len(texts.handed), len(busy.handed), states()) == (2, 2, {"planned": 2, "sent": 2})
    assert {m.attempts for m in db.session.scalars(select(Message).where(Message.state == "planned"))} == {0}


@pytest.mark.parametrize("known", [{"email": None}, {"consent": {"email": False}}], ids=["no-email", "no-consent"])
def test_f55_a_paused_channel_holds_whom_the_first_one_does_not_reach(known: dict[str, Any]) -> None:
    with clock.at(NOON):
        switches.hold_sending("sms", 10 * MINUTE)
    due(1, phone=PHONE, **known)
    texts, mails = answering(ReceiptKind.ACCEPTED), answering(ReceiptKind.ACCEPTED)
    for minutes in (0, 5, 9):
        with clock.at(NOON + minutes * MINUTE):
            delivery.send_due({"email": mails, "sms": texts})
        assert (only(Message).state, only(Message).channel, only(Decision).outcome) == ("planned", "sms", "waiting")
        assert ledger_states() == []
    with clock.at(NOON + 11 * MINUTE):
        assert delivery.send_due({"email": mails, "sms": texts}).sent == 1
    assert (mails.handed, texts.handed, only(Decision).channel) == ([], [PHONE], "sms")


def test_g67_after_six_hours_without_a_scheduler_each_due_ask_is_made_once_and_at_the_rate(
    limited: Callable[..., None],
) -> None:
    due(25)
    with clock.at(NOON):
        old = [outreach.event(f"old-{n}", f"o-{n}", "check_in", NOON - LIFE + 60 * MINUTE) for n in range(3)]
        record_events(old, source="api")
    limited(EMAIL_PER_MINUTE=60)
    provider = answering(ReceiptKind.ACCEPTED)
    back = NOON + timedelta(hours=6)
    handed = [pass_at(back + timedelta(seconds=s), provider) for s in range(0, 60, 10)]
    assert handed[-1] == 25
    assert max(later - before for before, later in pairwise([0, *handed])) == 10
    assert len(set(provider.handed)) == 25
    assert not any(address.startswith("o-") for address in provider.handed)
    reasons = db.session.execute(select(Decision.outcome, Decision.reason, func.count()).group_by(*WHY)).all()
    assert {tuple(row) for row in reasons} == {("asked", None, 25), ("refused", "expired", 3)}


def test_a_recipient_put_off_alone_holds_nobody_else_and_is_given_up_in_the_end() -> None:
    due(2)
    greylisted = Provider(
        lambda m: (
            Receipt(m.uid, ReceiptKind.RETRY, "stand-in", error="451", alone=True)
            if m.recipient == "c-0@example.org"
            else Receipt(m.uid, ReceiptKind.ACCEPTED, "stand-in")
        )
    )
    pass_at(NOON, greylisted)
    assert states() == {"planned": 1, "sent": 1}
    assert db.session.scalars(select(ChannelState)).all() == []
    for hours in range(1, 40):
        pass_at(NOON + timedelta(hours=hours), greylisted)
    assert states() == {"dead": 1, "sent": 1}
