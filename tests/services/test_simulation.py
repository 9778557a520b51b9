"""A replay says what live sending then does, changes nothing, and gives the same result every time."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from surveyapp import clock
from surveyapp.domain.events import EventIn
from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.domain.simulation.play import Settled
from surveyapp.domain.vocabulary import MessageState
from surveyapp.extensions import db
from surveyapp.models import Customer, Decision, Event, Message, Simulation, Trigger
from surveyapp.models.base import Base
from surveyapp.queries.simulation import groups
from surveyapp.services import customers, simulation, simulation_runs
from surveyapp.services.contacts import ContactIn, import_contacts
from surveyapp.services.delivery import send_due
from surveyapp.services.journeys import record_events
from surveyapp.services.policy import activate_policy
from surveyapp.services.senders import configured
from tests import outreach

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
END = START + 60 * DAY

PROGRAMME = """
programme: 1
brand: {name: Oddjob, language: en, languages: [en, fr], timezone: Europe/Paris}
journeys:
  - key: flight
    name: {en: Flight}
    steps:
      - {key: check_in, name: {en: Check-in}, event: "Checked In", tier: 2}
      - {key: boarding, name: {en: Boarding}, event: "Boarded", tier: 2}
      - {key: baggage, name: {en: Baggage}, event: "Bag Delivered", tier: 1, moment_of_truth: true}
      - {key: accident, name: {en: Accident}, event: "Accident", sensitive: 20d}
surveys:
  - {key: check_in_csat, metric: csat5, about: {en: check-in}, follow_up: comment}
  - {key: boarding_nps, metric: tnps, about: {en: boarding}, follow_up: comment}
  - {key: baggage_csat, metric: csat5, about: {en: baggage}, follow_up: comment}
triggers:
  - {key: after_check_in, step: flight.check_in, survey: check_in_csat, channels: [email, sms], expires: 7d,
     delay: 2h, reminder: {after: 3d}, where: {class: Business}}
  - {key: all_check_in, step: flight.check_in, survey: check_in_csat, channels: [sms, email], expires: 5d, sample: 0.5}
  - {key: after_boarding, step: flight.boarding, survey: boarding_nps, channels: [email], blocked: wait, expires: 20d}
  - {key: after_baggage, step: flight.baggage, survey: baggage_csat, channels: [sms, email], expires: 3d,
     blocked: next_channel}
"""
POLICIES: dict[str, dict[str, Any]] = {
    "none": {},
    "gaps": {"gap": {1: "7d", 2: "30d", 3: "30d"}, "caps": [{"max": 2, "per": "30d"}, {"max": 1, "per": "journey"}]},
    "hours": {
        "gap": {1: "3d", 2: "10d"},
        "quiet_hours": {"from": "20:00", "to": "08:00"},
        "caps": [{"max": 3, "per": "30d"}],
    },
    "holding": {"gap": {1: "5d", 2: "9d"}, "holding": "6h", "caps": [{"max": 1, "per": "journey"}]},
    "rested": {
        "gap": {1: "1d", 2: "4d"},
        "reminders_count": False,
        "rules": [
            {"kind": "back_off", "base": "5d", "factor": 2},
            {"kind": "budget", "points": 4, "per": "40d", "costs": {"email": 1, "sms": 2}},
            {"kind": "holdout", "share": 0.1},
        ],
    },
}


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(START - 30 * DAY):
        outreach.load("", PROGRAMME)


def in_force(name: str, at: datetime = START - 29 * DAY) -> None:
    with clock.at(at):
        activate_policy(POLICIES[name], "test")


def history(seed: int, people: int = 4, shared: bool = True) -> list[EventIn]:
    """A believable muddle: trips of some people, some of whom share an address, at odd times in several zones."""
    dice = random.Random(seed)
    events = []
    for number in range(people):
        person = f"p-{number}"
        address = {"email": f"p{number // 2 if shared and number % 5 == 1 else number}@example.org"}
        known: dict[str, Any] = address | {"timezone": dice.choice(["Europe/Paris", "America/Lima", "Asia/Tokyo"])}
        if number % 3:
            known["phone"] = f"+3361234{number:04d}"
        if number % 4 == 0:
            known["preferred_channel"] = "email"
        for trip in range(dice.randint(2, 4)):
            at = START + timedelta(seconds=dice.randrange(int(55 * DAY.total_seconds())))
            cabin = dice.choice(["Business", "Eco"])
            for hours, step in ((0, "check_in"), (3, "boarding"), (9, "baggage")):
                if dice.random() < 0.75:
                    fields: dict[str, Any] = {"instance": f"t-{number}-{trip}", "properties": {"class": cabin}}
                    if dice.random() < 0.05 and hours:
                        fields["cancels"] = f"{seed}-{number}-{trip}-check_in"
                    name = "accident" if dice.random() < 0.03 else step
                    moment = at + timedelta(hours=hours, minutes=dice.randrange(50))
                    known_now = dict(known)
                    with clock.at(moment):
                        read = outreach.event(
                            f"{seed}-{number}-{trip}-{step}", person, name, moment, customer=known_now, **fields
                        )
                    events.append(read)
    return sorted(events, key=lambda event: (event.occurred_at, event.id))


def happen(events: Sequence[EventIn]) -> None:
    """Let the events happen with a dispatcher that never pauses: every instant at which something is due is seen."""
    coming = list(events)
    while True:
        due = db.session.scalar(select(func.min(Message.due_at)).where(Message.state == MessageState.PLANNED))
        moments = [m for m in (due, coming[0].occurred_at if coming else None) if m is not None]
        if not moments:
            return
        with clock.at(min(moments)):
            while coming and coming[0].occurred_at <= clock.now():
                assert record_events([coming.pop(0)], source="api").accepted == 1
            send_due(configured())


def recorded() -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    rows = db.session.execute(
        select(Event.event_id, Trigger.key, Decision.outcome, Decision.reason, Decision.channel)
        .join(Event, Event.id == Decision.event_id)
        .join(Trigger, Trigger.id == Decision.trigger_id)
    )
    return {(event, trigger): (outcome, reason, channel) for event, trigger, outcome, reason, channel in rows}


def simulated(policy: dict[str, Any], start: datetime = START, end: datetime = END) -> tuple[dict[str, Any], Any]:
    """The result, and per column every single outcome."""
    seen: dict[str, dict[tuple[str, str], Any]] = {"current": {}, "proposed": {}}

    def watch(column: str, found: Settled) -> None:
        place = seen[column]
        assert (found.event, found.trigger) not in place
        place[found.event, found.trigger] = (found.outcome, found.reason, found.channel)

    with clock.at(END + 30 * DAY):
        return simulation.simulate(policy, start, end, watch=watch), seen


@pytest.mark.parametrize("name", ["gaps", "holding"])
def test_the_replay_of_the_policy_in_force_is_what_really_happened(name: str) -> None:
    replay_equals_life(name)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("name", sorted(POLICIES.keys() - {"gaps", "holding"}))
def test_the_replay_of_other_policies_is_what_really_happened_too(name: str) -> None:
    """Other policies differ in rules, not in what is read, so one database shows it."""
    replay_equals_life(name)


def replay_equals_life(name: str) -> None:
    in_force(name)
    happen(history(1))
    result, seen = simulated(POLICIES[name])
    assert seen["current"] == recorded()
    assert seen["proposed"] == seen["current"]
    assert result["current"] == result["proposed"]
    outcomes = Counter((o, r) for o, r, _ in recorded().values())
    assert result["current"]["asked"] == outcomes["asked", None] > 5
    assert result["current"]["refused"] == {r: n for (o, r), n in outcomes.items() if o == "refused"}
    assert result["events"] == db.session.scalar(select(func.count()).select_from(Event))


def test_a_draft_replayed_is_what_live_sending_then_does_with_the_same_events() -> None:
    """The same events twice in one installation: first under one policy, tried with the other, then really under it."""
    in_force("gaps")
    first = history(11)
    happen(first)
    draft = POLICIES["rested"] | {"holding": "3h", "rules": POLICIES["rested"]["rules"][1:]}
    tried, foreseen = simulated(draft)
    forget_what_came_of_it()
    with clock.at(START - DAY):
        activate_policy(draft, "test")
    happen(first)
    assert foreseen["proposed"] == recorded()
    assert foreseen["current"] != recorded()
    assert tried["proposed"]["asked"] == sum(outcome == "asked" for outcome, _, _ in recorded().values())


def forget_what_came_of_it() -> None:
    """Take back events and all that followed from them, so that they can happen again."""
    db.session.rollback()
    for table in ("contact_ledger", "message", "invitation", "decision", "event", "contact_subject"):
        db.session.execute(text(f"DELETE FROM {table}"))
    db.session.commit()


def test_earlier_asks_imported_contacts_and_opt_outs_count_from_their_moment_on() -> None:
    in_force("gaps")
    at = START + 10 * DAY
    with clock.at(at - 29 * DAY):
        outreach.happens("old", "p-1", "boarding", at - 29 * DAY)
        send_due(configured())
    with clock.at(at):
        outreach.happens("gap", "p-1", "boarding", at)  # 29 days after an ask that lies before the period
        outreach.happens("own", "p-2", "boarding", at, customer={"email": "moved@example.org"})
    with clock.at(at + 31 * DAY):
        import_contacts([ContactIn("p-2", "email", at + 15 * DAY)])
        outreach.happens("free", "p-1", "baggage", at + 31 * DAY)
        outreach.happens("elsewhere", "p-2", "boarding", at + 31 * DAY)
    with clock.at(at + 32 * DAY):
        customers.opt_out(
            db.session.scalars(select(Customer).where(Customer.external_id == "p-1")).one(), "all", "test"
        )
    with clock.at(at + 45 * DAY):
        outreach.happens("late", "p-1", "baggage", at + 45 * DAY)
    _, seen = simulated(POLICIES["gaps"], at - DAY, at + 50 * DAY)
    assert {event: found[:2] for (event, _), found in seen["proposed"].items()} == {
        "gap": ("asked", None),  # it waited for its slot, two days
        "own": ("asked", None),
        "free": ("asked", None),
        "elsewhere": ("asked", None),  # waited likewise
        "late": ("refused", "opted_out"),
    }


def dump() -> dict[str, list[Any]]:
    """Every row of every table."""
    db.session.rollback()
    return {
        table.name: [tuple(map(str, row)) for row in db.session.execute(select(table).order_by(*table.primary_key))]
        for table in Base.metadata.sorted_tables
    }


def test_a_replay_changes_nothing_and_gives_the_same_result_again_whole_or_in_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_force("hours")
    happen(history(3, people=3))
    before = dump()
    first, _ = simulated(POLICIES["rested"])
    assert dump() == before
    assert simulated(POLICIES["rested"])[0] == first
    monkeypatch.setattr(groups, "PAGE", 2)
    assert in_slices(POLICIES["rested"]) == first


def in_slices(policy: dict[str, Any]) -> dict[str, Any]:
    """The result of the same simulation as the scheduler plays it: a page at a time, its state kept in between."""
    with clock.at(END + 30 * DAY):
        uid = simulation_runs.order(policy, START, END)
        shown = []
        while row(uid).state in ("waiting", "running"):
            assert simulation_runs.advance(seconds=0)
            shown.append((row(uid).done, row(uid).total))
        assert not simulation_runs.advance()
    assert shown == sorted(shown)
    assert shown[-1] == (shown[-1][1], shown[-1][1])
    result = row(uid).result
    assert result is not None
    return result


def row(uid: str) -> Simulation:
    return db.session.scalars(select(Simulation).where(Simulation.uid == uid)).one()


def test_a_cancelled_simulation_is_played_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    in_force("none")
    happen(history(3, people=2))
    monkeypatch.setattr(groups, "PAGE", 1)
    uid = simulation_runs.order(POLICIES["gaps"], START, END)
    simulation_runs.advance(seconds=0)
    assert (row(uid).state, row(uid).result) == ("running", None)
    simulation_runs.cancel(uid)
    assert not simulation_runs.advance()
    assert (row(uid).state, row(uid).progress) == ("cancelled", None)


def test_a_broken_policy_and_a_period_that_ends_before_it_begins_are_refused() -> None:
    with pytest.raises(PolicyProblems):
        simulation.simulate({"gap": {1: "soon"}}, START, END)
    with pytest.raises(simulation.PeriodRefused, match="^to: lies before from"):
        simulation_runs.order({}, END, START)
    assert db.session.scalar(select(func.count()).select_from(Simulation)) == 0
