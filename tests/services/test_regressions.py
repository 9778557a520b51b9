"""What went wrong in other products, each as a test under its number (scenarios that touch the contact policy).

Others of the list stand beside what they test: D3 in test_rivals, D5 and D20 in test_dispatch, D9, D21, D25 and D27 in
test_identity, D28 in test_policy, D6 to D8 and D19 as rules in tests/domain/test_eligibility, D1 as a race in
tests/faults.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Decision, Event, LocalMessage, Message, PolicyVersion
from surveyapp.services import dispatch
from surveyapp.services.contacts import ContactIn, import_contacts
from surveyapp.services.programme import ProgrammeRefused
from tests import outreach
from tests.outreach import outcomes, send, verdict_of
from tests.people import bearer

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAITING = outreach.PROGRAMME.replace(
    "channels: [email, sms], expires: 7d}", "channels: [email], expires: 30d, blocked: wait}", 2
)


def load(policy: str, programme: str = outreach.PROGRAMME) -> None:
    with clock.at(NOON - 40 * DAY):
        outreach.load(policy, programme)


def happens(number: str, at: datetime, step: str = "check_in", person: str = "c-1", **overrides: Any) -> None:
    with clock.at(at):
        outreach.happens(number, person, step, at, **overrides)


def waits_until(event: str) -> datetime | None:
    query = select(Decision.not_before).join(Event).where(Event.event_id == event)
    return db.session.scalars(query).one()


@pytest.mark.parametrize("first", ["check_in", "boarding"])
def test_d01_two_triggers_in_the_same_second_reserve_one_contact(app: Flask, first: str) -> None:
    """Two dispatchers, one message each: the second sees what the first reserved, though nothing was sent yet."""
    load("policy:\n  caps: [{max: 1, per: 7d}]\n")
    second = {"check_in": "boarding", "boarding": "check_in"}[first]
    happens("e-1", NOON, first)
    happens("e-2", NOON, second)
    with clock.at(NOON):
        claims = [dispatch.claim(1), dispatch.claim(1)]
    assert [len(claim.messages) for claim in claims] == [1, 0]
    assert sorted(outcomes().values(), key=str) == sorted([("asked", None), ("refused", "cap")], key=str)


def test_d02_what_was_shown_on_a_page_counts_everywhere_and_is_cited(app: Flask) -> None:
    load("policy:\n  gap: 30d\n")
    with clock.at(NOON):
        import_contacts([ContactIn("c-1", "web", NOON - DAY, survey="check_in_csat", step="flight.check_in")])
    happens("e-1", NOON)
    send(NOON)
    assert outcomes()["e-1"] == ("refused", "gap")
    assert verdict_of("e-1", "gap")["evidence"] == [
        {"kind": "ask", "at": "2026-11-01T12:00:00Z", "channel": "web", "survey": "check_in_csat",
         "step": "flight.check_in"}
    ]  # fmt: skip


def test_d06_a_waiting_ask_goes_out_exactly_when_the_oldest_of_three_leaves_the_window(app: Flask) -> None:
    load("policy:\n  caps: [{max: 3, per: 7d}]\n", WAITING)
    for day in range(3):
        happens(f"e-{day}", NOON + day * DAY)
        send(NOON + day * DAY)
    happens("e-4", NOON + 3 * DAY, "boarding")
    assert send(NOON + 3 * DAY).postponed == 1
    assert (outcomes()["e-4"][0], waits_until("e-4")) == ("waiting", NOON + 7 * DAY)
    assert send(NOON + 7 * DAY - timedelta(seconds=1)).claimed == 0
    assert send(NOON + 7 * DAY).sent == 1


def test_a_wait_ends_with_the_expiry_and_says_what_it_waited_for(app: Flask) -> None:
    load("policy:\n  gap: 40d\n", WAITING)
    happens("e-1", NOON)
    send(NOON)
    happens("e-2", NOON + DAY, "boarding")
    send(NOON + DAY)
    assert outcomes()["e-2"] == ("refused", "gap")  # it would have to wait for longer than it lives


def test_two_asks_that_wait_for_one_moment_are_not_both_made(app: Flask) -> None:
    load("policy:\n  gap: 10d\n", WAITING)
    happens("e-1", NOON)
    send(NOON)
    for number in (2, 3):
        happens(f"e-{number}", NOON + number * DAY, "boarding", instance=f"trip-{number}")
        send(NOON + number * DAY)
    assert {waits_until("e-2"), waits_until("e-3")} == {NOON + 10 * DAY}
    assert (send(NOON + 10 * DAY).sent, sorted(waited(n) for n in (2, 3))) == (1, ["asked", "waiting"])
    assert send(NOON + 20 * DAY).sent == 1


def waited(number: int) -> str:
    return outcomes()[f"e-{number}"][0]


def test_blocked_next_channel_asks_by_the_other_and_shows_why(app: Flask) -> None:
    programme = outreach.PROGRAMME.replace("expires: 7d}", "expires: 7d, blocked: next_channel}")
    load("policy:\n  rules: [{kind: cap, max: 1, per: 30d, channel: email, clock: own}]\n", programme)
    for number, step in enumerate(("check_in", "boarding", "baggage")):
        happens(f"e-{number}", NOON + number * DAY, step, customer={"phone": "+33612345678"})
        send(NOON + number * DAY)
    decisions = db.session.scalars(select(Decision).order_by(Decision.id)).all()
    assert [(d.outcome, d.channel) for d in decisions] == [("asked", "email"), ("asked", "sms"), ("asked", "sms")]
    assert decisions[1].verdicts is not None
    assert decisions[1].verdicts[-1] == {
        "rule": "channel", "allowed": True, "why": "by sms, since not by email (1 of at most 1 asks in 30d by email)",
    }  # fmt: skip
    keys = db.session.scalars(select(Message.idem_key).order_by(Message.id)).all()
    assert keys[1] == "after_boarding:e-1:sms:first"


@pytest.mark.parametrize(
    ("written", "outcome"), [("[{max: 0, per: 30d}]", ("refused", "cap")), ("[]", ("asked", None))]
)
def test_d07_zero_is_never_and_nothing_is_no_limit(app: Flask, written: str, outcome: tuple[str, str | None]) -> None:
    load(f"policy:\n  caps: {written}\n")
    happens("e-1", NOON)
    send(NOON)
    assert outcomes()["e-1"] == outcome


@pytest.mark.parametrize("empty", ['""', "{}", "[{max: , per: 30d}]", "[{max: -1, per: 30d}]", "[{max: 2}]"])
def test_d07_a_limit_without_a_number_or_a_window_is_refused(app: Flask, empty: str) -> None:
    load("policy:\n  gap: 7d\n")
    with pytest.raises(ProgrammeRefused, match="caps|max|per"):
        outreach.load(f"policy:\n  caps: {empty}\n")
    assert db.session.scalars(select(PolicyVersion.number)).all() == [1]


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_d22_quiet_hours_hold_in_the_recipients_zone_when_europe_changes_its_clocks(app: Flask, channel: str) -> None:
    load('policy:\n  quiet_hours: {from: "20:00", to: "08:00"}\n')
    night = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # 01:30 on the 25th in Kolkata; Paris leaves summer time at 01:00
    known = {"timezone": "Asia/Kolkata", "email": "k@example.org" if channel == "email" else None}
    happens("e-1", night, customer={**known, "phone": "+919876543210"})
    send(night)
    opening = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)  # 08:00 in Kolkata
    until = waits_until("e-1")
    assert until is not None
    assert opening <= until <= opening + timedelta(minutes=20)
    assert "Asia/Kolkata, from customer" in verdict_of("e-1", "quiet_hours")["why"]
    assert send(until).sent == 1
    assert db.session.scalars(select(LocalMessage.channel)).all() == [channel]


def test_g65_a_zone_that_changes_while_an_ask_waits_counts_when_it_is_due(app: Flask) -> None:
    load('policy:\n  quiet_hours: {from: "20:00", to: "08:00"}\n')
    night = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)  # 21:00 in Paris
    happens("e-1", night, customer={"timezone": "Europe/Paris"})
    send(night)
    until = waits_until("e-1")
    assert until is not None
    happens("e-2", night, customer={"timezone": "America/Lima"})  # 07:00 in Paris is 01:00 there
    assert send(until).sent == 0
    again = waits_until("e-1")
    opening = datetime(2026, 11, 3, 13, 0, tzinfo=UTC)  # 08:00 in Lima
    assert again is not None
    assert opening <= again <= opening + timedelta(minutes=20)
    assert send(again).sent >= 1


@pytest.mark.parametrize(
    ("known", "source"),
    [
        ({"timezone": "America/Lima"}, "America/Lima, from customer"),
        ({"phone": "+33612345678"}, "Europe/Paris, from phone"),
        ({"timezone": "Mars/Olympus"}, "Europe/Paris, from brand"),
        ({}, "Europe/Paris, from brand"),
    ],
)
def test_the_zone_and_where_it_is_known_from_stand_in_the_verdict(
    app: Flask, known: dict[str, Any], source: str
) -> None:
    load('policy:\n  quiet_hours: {from: "20:00", to: "08:00"}\n')
    happens("e-1", NOON + 3 * HOUR, customer=known)
    send(NOON + 3 * HOUR)
    [verdicts] = db.session.scalars(select(Decision.verdicts))
    assert verdicts is not None
    assert [v["why"] for v in verdicts if v["rule"] == "quiet_hours"] == [f"open hours ({source})"]


def test_d23_nobody_can_force_an_ask_but_an_admin_by_a_noted_exemption_that_counts(
    client: FlaskClient, app: Flask
) -> None:
    load("policy:\n  gap: 30d\n")
    forced = {
        "id": "e-1", "customer": {"external_id": "c-1", "email": "ada@example.org"}, "journey": "flight",
        "step": "check_in", "occurred_at": NOON.isoformat(), "force": True,
    }  # fmt: skip
    answer = client.post("/api/v1/events", json={"events": [forced]}, headers=bearer("ingest"))
    assert answer.json is not None
    assert (answer.status_code, answer.json["accepted"], len(answer.json["rejected"])) == (202, 0, 1)
    policy = {
        "gap": "30d",
        "rules": [
            {"kind": "exemption", "from_rules": ["gap"], "step": "flight.check_in", "reason": "recall",
             "author": "lena", "until": "2100-01-01T00:00:00Z"}
        ],
    }  # fmt: skip
    for role in ("ingest", "read"):
        assert client.put("/api/v1/policy", json=policy, headers=bearer(role)).status_code == 403
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "policy.exempt")).all() == []
    assert client.put("/api/v1/policy", json=policy, headers=bearer("admin")).status_code == 200
    [note] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "policy.exempt")).all()
    assert note.detail["reason"] == "recall"
    later = clock.now() + DAY
    for number, step in enumerate(("boarding", "check_in", "baggage")):
        happens(f"e-{number + 2}", later + number * HOUR, step)
        send(later + number * HOUR)
    assert outcomes() == {"e-2": ("asked", None), "e-3": ("asked", None), "e-4": ("refused", "gap")}
