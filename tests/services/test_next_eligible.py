"""What explaining promises holds to the second: at `next_eligible` the ask is made, a second before it is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.prospects import next_eligible
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import Invitation
from surveyapp.queries import customers, prospects
from surveyapp.queries.policy import policy_in_force
from surveyapp.services import cases, responses
from surveyapp.services.policy import activate_policy
from tests import outreach

FRIDAY = datetime(2026, 10, 23, 12, 0, tzinfo=UTC)  # 14:00 in Paris, whose clocks go back on Sunday the 25th
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
MIDNIGHT = datetime(2026, 10, 23, 22, 0, tzinfo=UTC)
MONDAY = datetime(2026, 10, 25, 23, 0, tzinfo=UTC)
NOVEMBER = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)


def rules(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"rules": list(listed)}


@pytest.mark.parametrize(
    ("policy", "free"),
    [
        ({"gap": {1: "7d", 2: "30d", 3: "90d"}}, FRIDAY + 30 * DAY),
        ({"caps": [{"max": 1, "per": "10d"}]}, FRIDAY + 10 * DAY),
        ({"caps": [{"max": 1, "per": "day"}]}, MIDNIGHT),
        ({"caps": [{"max": 1, "per": "week"}]}, MONDAY),
        ({"caps": [{"max": 1, "per": "month"}]}, NOVEMBER),
        ({"caps": [{"max": 1, "per": "36h", "channel": "email", "clock": "own"}]}, FRIDAY + 36 * HOUR),
        (rules({"kind": "own_gap", "gap": "9d", "journey": "flight"}), FRIDAY + 9 * DAY),
        (rules({"kind": "gap", "tiers": "3d", "where": {"class": "Business"}}), FRIDAY + 3 * DAY),
        (rules({"kind": "answer_gap", "gap": "4d"}), FRIDAY + HOUR + 4 * DAY),
        (rules({"kind": "same_question", "for": "5d"}), FRIDAY + HOUR + 5 * DAY),
        (rules({"kind": "grace", "for": "6d"}), FRIDAY + 6 * DAY),
        (rules({"kind": "budget", "points": 1.5, "per": "8d"}), FRIDAY + 8 * DAY),
        (rules({"kind": "open_case", "rest": "2d"}), FRIDAY + 2 * HOUR + 2 * DAY),
        (rules({"kind": "quiet_hours", "from": "15:00", "to": "09:00"}), FRIDAY + 19 * HOUR),
        ({"gap": "1d", "rules": [{"kind": "weekend"}]}, MONDAY),
        ({"gap": "1d", "rules": [{"kind": "holidays", "dates": ["2026-10-24"]}]}, FRIDAY + 34 * HOUR),
    ],
)  # fmt: skip
def test_the_promised_moment_is_the_first_at_which_the_ask_is_made(
    app: Flask, policy: dict[str, Any], free: datetime
) -> None:
    with clock.at(FRIDAY):
        outreach.load(policy="policy: {}\n")
        outreach.happens("e-1", "c-1", "check_in", FRIDAY, customer={"attributes": {"class": "Business"}})
    assert outreach.send(FRIDAY).sent == 1
    with clock.at(FRIDAY + HOUR):
        invitation = db.session.scalars(select(Invitation)).one()
        responses.record(invitation, score=4, status=ResponseStatus.CONFIRMED, channel="email")
    with clock.at(FRIDAY + 2 * HOUR):
        cases.close_case(cases.open_case("c-1").uid)
        activate_policy(policy, "test")
    assert promised(FRIDAY + 2 * HOUR) == free
    for number, moment, outcomes in (
        ("too-early", free - SECOND, ("refused", "waiting")),
        ("in-time", free, ("asked",)),
    ):
        with clock.at(moment):
            outreach.happens(number, "c-1", "check_in", moment)
        outreach.send(moment)
        assert outreach.outcomes()[number][0] in outcomes


def promised(moment: datetime) -> datetime | None:
    with clock.at(moment):
        trigger = prospects.trigger_by_key(db.session, "after_check_in")
        customer = customers.customer(db.session, "c-1")
        assert trigger is not None
        assert customer is not None
        policy, key = policy_in_force(db.session, moment), "a-pepper-for-tests-only"
        facts = prospects.facts_for(db.session, customer, trigger, policy, moment, key, "another trip")
        return next_eligible(facts, policy, moment, key)
