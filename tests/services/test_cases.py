"""Cases: opened, closed, and what an open one stops."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Case
from surveyapp.services import cases
from surveyapp.services.customers import alias
from tests import outreach

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = "policy:\n  rules: [{kind: open_case, rest: 2d}]\n"


@pytest.fixture(autouse=True)
def programme(app: Flask) -> None:
    with clock.at(NOON - DAY):
        outreach.load(POLICY)
        outreach.happens("hello", "c-1", "check_in", NOON - 90 * DAY)


def ask(number: str, at: datetime, person: str = "c-1") -> tuple[str, str | None]:
    with clock.at(at):
        outreach.happens(number, person, "check_in", at)
    outreach.send(at)
    return outreach.outcomes()[number]


def test_an_open_case_stops_asking_until_it_is_closed_and_rested() -> None:
    with clock.at(NOON):
        case = cases.open_case("c-1", "lost bag", "flight.baggage")
    assert ask("e-1", NOON + DAY) == ("refused", "open_case")
    evidence = outreach.verdict_of("e-1", "open_case")["evidence"]
    assert evidence == [{"kind": "case", "at": "2026-11-02T12:00:00Z", "case": case.uid, "step": "flight.baggage"}]
    with clock.at(NOON + 2 * DAY):
        cases.close_case(case.uid)
    assert ask("e-2", NOON + 3 * DAY) == ("refused", "open_case")
    assert outreach.verdict_of("e-2", "open_case")["next_at"] == "2026-11-06T12:00:00Z"
    assert ask("e-3", NOON + 4 * DAY) == ("asked", None)


def test_a_case_of_somebody_else_stops_nobody() -> None:
    with clock.at(NOON):
        cases.open_case("c-1")
    assert ask("e-1", NOON + DAY, "c-2") == ("asked", None)


def test_a_case_follows_its_record_into_a_merge() -> None:
    with clock.at(NOON):
        cases.open_case("c-1")
        alias("c-1", "c-9", anonymous=False)
    assert ask("e-1", NOON + DAY, "c-9") == ("refused", "open_case")


def test_closing_twice_keeps_the_first_time_and_one_note() -> None:
    with clock.at(NOON):
        uid = cases.open_case("c-1").uid
    for day in (1, 2):
        with clock.at(NOON + day * DAY):
            cases.close_case(uid)
    assert db.session.scalars(select(Case.closed_at)).one() == NOON + DAY
    actions = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.action.startswith("case.")).order_by(AuditEntry.id)
    ).all()
    assert actions == ["case.opened", "case.closed"]


def test_what_is_not_known_is_said_and_nothing_is_written() -> None:
    with pytest.raises(cases.CustomerUnknown):
        cases.open_case("nobody")
    with pytest.raises(cases.StepUnknown):
        cases.open_case("c-1", step="flight.nowhere")
    with pytest.raises(cases.CaseUnknown):
        cases.close_case("abc")
    assert db.session.scalars(select(Case)).all() == []
