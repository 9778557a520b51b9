"""The policy as it changes: drafts, versions from a date on, exemptions, and what happens when it cannot be read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as hooks
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from surveyapp import clock
from surveyapp.domain.policy_reading import PolicyProblems
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Decision, LedgerEntry, LocalMessage, Message, PolicyDraft, PolicyVersion
from surveyapp.queries.policy import policy_in_force, version_in_force
from surveyapp.services import policy as service
from tests import outreach

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
STRICT: dict[str, Any] = {"gap": "60d"}
EXEMPT: dict[str, Any] = {
    "gap": "30d",
    "rules": [
        {"kind": "exemption", "from_rules": ["gap"], "step": "flight.baggage", "reason": "recall", "author": "lena",
         "until": "2026-12-01T00:00:00Z"}
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load()


def numbers() -> list[int]:
    return list(db.session.scalars(select(PolicyVersion.number).order_by(PolicyVersion.number)))


def notes(action: str) -> list[dict[str, Any]]:
    return list(
        db.session.scalars(select(AuditEntry.detail).where(AuditEntry.action == action).order_by(AuditEntry.id))
    )


def in_force(at: datetime) -> int:
    found = version_in_force(db.session, at)
    assert found is not None
    return found.number


def test_a_draft_changes_nothing_until_it_is_activated() -> None:
    with clock.at(NOON):
        draft = service.save_draft(STRICT, "ada")
        assert (draft.revision, draft.base_version, numbers(), in_force(NOON)) == (1, 1, [1], 1)
        version = service.activate_draft("ada", 1, may_exempt=True)
    assert (version.number, version.definition, in_force(NOON)) == (2, STRICT, 2)
    assert db.session.scalars(select(PolicyDraft)).all() == []
    assert notes("policy.activate")[-1]["changes"] == [
        "Rest before a moment of truth: 60 days, was 7 days",
        "Rest before a step: 60 days, was 30 days",
        "Rest before a relationship survey: 60 days, was 30 days",
    ]


def test_a_draft_takes_force_from_its_date_on_and_decisions_name_their_version() -> None:
    with clock.at(NOON):
        service.save_draft({"caps": [{"max": 0, "per": "30d"}]}, "ada")
        service.activate_draft("ada", effective_from=NOON + DAY, may_exempt=True)
    assert (in_force(NOON), in_force(NOON + DAY - timedelta(seconds=1)), in_force(NOON + DAY)) == (1, 1, 2)
    for number, at in (("e-1", NOON), ("e-2", NOON + DAY)):
        with clock.at(at):
            outreach.happens(number, number, "check_in", at)
        outreach.send(at)
    rows = db.session.execute(select(Decision.outcome, Decision.policy_version).order_by(Decision.id)).all()
    assert [tuple(row) for row in rows] == [("asked", 1), ("refused", 2)]


def test_a_draft_that_somebody_else_saved_is_not_written_over() -> None:
    service.save_draft(STRICT, "ada", 0)
    service.save_draft({"gap": "90d"}, "bob", 1)
    with pytest.raises(service.DraftChanged):
        service.save_draft({"gap": "1d"}, "ada", 1)
    with pytest.raises(service.DraftChanged):
        service.activate_draft("ada", 1, may_exempt=True)
    with pytest.raises(service.DraftChanged):
        service.discard_draft(1)
    draft = db.session.scalars(select(PolicyDraft)).one()
    assert (draft.revision, draft.definition, draft.updated_by, numbers()) == (2, {"gap": "90d"}, "bob", [1])


def test_a_discarded_draft_is_gone_and_nothing_else() -> None:
    service.save_draft(STRICT, "ada")
    service.discard_draft()
    service.discard_draft()
    with pytest.raises(service.DraftMissing):
        service.activate_draft("ada", may_exempt=True)
    assert numbers() == [1]


@pytest.mark.parametrize(
    "broken",
    [
        {"gap": "-3d"},
        {"gap": "400000d"},
        {"caps": [{"max": 3, "per": "7d"}, {"max": 1, "per": "30d"}]},
        {"quiet_hours": {"from": "08:00", "to": "08:00"}},
        {"rules": [{"kind": "cap", "max": 1, "per": "30d", "channel": "pigeon"}]},
        {"rules": [{"kind": "gap", "tiers": {"9": "7d"}}]},
    ],
)
def test_a_broken_policy_replaces_neither_the_draft_nor_the_one_in_force(broken: dict[str, Any]) -> None:
    service.save_draft(STRICT, "ada")
    for attempt in (service.save_draft, service.activate_policy):
        with pytest.raises(PolicyProblems):
            attempt(broken, "ada")
    assert (numbers(), db.session.scalars(select(PolicyDraft.definition)).one()) == ([1], STRICT)


def test_an_exemption_needs_an_admin_is_noted_and_its_ask_still_counts() -> None:
    service.save_draft(EXEMPT, "editor")
    with pytest.raises(service.ExemptionNeedsAdmin):
        service.activate_draft("editor", may_exempt=False)
    assert (numbers(), notes("policy.exempt")) == ([1], [])
    with clock.at(NOON - DAY / 2):
        service.activate_draft("lena", may_exempt=True)
    assert notes("policy.exempt") == [
        {"rules": ["gap"], "reason": "recall", "author": "lena", "until": "2026-12-01 00:00:00+00:00",
         "covers": "about step flight.baggage"}
    ]  # fmt: skip
    for day, step in enumerate(("check_in", "baggage", "boarding")):
        at = NOON + day * DAY
        with clock.at(at):
            outreach.happens(f"e-{step}", "c-1", step, at)
        outreach.send(at)
    assert outreach.outcomes() == {
        "e-check_in": ("asked", None), "e-baggage": ("asked", None), "e-boarding": ("refused", "gap"),
    }  # fmt: skip
    assert len(outreach.verdict_of("e-boarding", "gap")["evidence"]) == 1


def test_an_exemption_that_is_in_force_already_needs_nobody() -> None:
    service.activate_policy(EXEMPT, "lena")
    service.activate_policy(EXEMPT | {"holding": "5m"}, "editor", may_exempt=False)
    assert (numbers(), len(notes("policy.exempt"))) == ([1, 2, 3], 1)


def test_a_clock_before_the_first_version_does_not_take_the_rules_away() -> None:
    assert policy_in_force(db.session, NOON - 400 * DAY).gaps != ()


# --- fail closed (D28)


def one_due_event() -> None:
    with clock.at(NOON):
        outreach.happens("e-1", "c-1", "check_in", NOON)


def nothing_was_sent() -> bool:
    db.session.rollback()
    states = set(db.session.scalars(select(Message.state)))
    return (states, db.session.scalars(select(LedgerEntry)).all(), db.session.scalars(select(LocalMessage)).all()) == (
        {"planned"},
        [],
        [],
    )


@pytest.mark.parametrize("table", ["policy_version", "contact_ledger", "suppression", "contact_subject"])
def test_d28_when_the_policy_or_the_history_cannot_be_read_nothing_is_sent(table: str) -> None:
    one_due_event()

    def away(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if table in statement:
            raise OperationalError(statement, {}, Exception("the database is away"))

    hooks.listen(db.engine, "before_cursor_execute", away)
    try:
        assert outreach.send(NOON).sent == 0
    finally:
        hooks.remove(db.engine, "before_cursor_execute", away)
    assert nothing_was_sent()
    assert outreach.send(NOON + timedelta(minutes=1)).sent == 1


def test_d28_a_stored_policy_that_cannot_be_read_stops_sending() -> None:
    one_due_event()
    with db.engine.begin() as connection:
        broken = '\'{"gap": "soon"}\''
        connection.execute(text(f"UPDATE policy_version SET definition = {broken}"))
    with pytest.raises(PolicyProblems):
        outreach.send(NOON)
    assert nothing_was_sent()


def test_d28_a_table_that_is_missing_stops_sending() -> None:
    one_due_event()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE policy_version RENAME TO policy_away"))
    try:
        with pytest.raises((OperationalError, ProgrammingError)):
            policy_in_force(db.session, NOON)
        db.session.rollback()
        try:
            assert outreach.send(NOON).sent == 0
        except ProgrammingError:
            db.session.rollback()
    finally:
        with db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE policy_away RENAME TO policy_version"))
    assert nothing_was_sent()
