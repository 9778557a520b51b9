"""Two policies compared, rule by rule, in words."""

from typing import Any

from surveyapp.domain.policy_difference import differences
from surveyapp.domain.policy_reading import parse_policy

BEFORE: dict[str, Any] = {
    "gap": {1: "7d", 2: "14d", 3: "30d"},
    "caps": [{"max": 2, "per": "30d"}],
    "quiet_hours": {"from": "20:00", "to": "08:00"},
}


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [one.text for one in differences(parse_policy(before), parse_policy(after))]


def test_a_policy_is_not_different_from_itself() -> None:
    assert told(BEFORE, BEFORE) == []


def test_a_longer_rest_is_told_with_both_lengths() -> None:
    after = BEFORE | {"gap": {1: "7d", 2: "30d", 3: "30d"}}
    assert told(BEFORE, after) == ["Rest before a step: 30 days, was 14 days"]


def test_rules_that_come_and_go_are_told_as_on_and_off() -> None:
    after = BEFORE | {"quiet_hours": None, "rules": [{"kind": "open_case", "rest": "1d"}], "holding": "15m"}
    assert told(BEFORE, after) == [
        "Open case: no ask while it is open, nor for 1 day after it closed, was off",
        "Holding a due ask for a better one: 15 minutes, was off",
        "Quiet hours: off, was 20:00 to 08:00, then spread over 20 minutes",
    ]


def test_zero_reads_never_and_no_limit_reads_off() -> None:
    assert told(BEFORE, BEFORE | {"caps": [{"max": 0, "per": "30d"}]}) == ["Asks in 30 days: never, was at most 2"]
    assert told(BEFORE, BEFORE | {"caps": []}) == ["Asks in 30 days: off, was at most 2"]


def test_scopes_clocks_and_kinds_are_part_of_a_rules_name() -> None:
    rules = [
        {"kind": "cap", "max": 1, "per": "30d", "channel": "sms", "clock": "own"},
        {"kind": "own_gap", "survey": "relational_nps", "gap": "90d"},
        {"kind": "budget", "points": 6, "per": "365d", "costs": {"email": 1, "sms": 2}},
        {"kind": "holdout", "share": 0.02},
        {"kind": "weekend"},
        {"kind": "holidays", "dates": ["2026-12-24"]},
    ]
    assert told({}, {"rules": rules, "reminders_count": False}) == [
        "Rest before a moment of truth, after asks of the same kind about survey relational_nps: 90 days, was off",
        "Rest before a step, after asks of the same kind about survey relational_nps: 90 days, was off",
        "Rest before a relationship survey, after asks of the same kind about survey relational_nps: 90 days, was off",
        "Asks in 30 days, counting asks of the same kind by sms: at most 1, was off",
        "Attention budget in 365 days: 6 points (email 1, sms 2), was off",
        "Never-ask group: 2 % of customers, was off",
        "Closed weekdays: Saturday, Sunday, was off",
        "Public holidays: none but the days named, and 1 days named, was off",
        "Reminders: do not count as asks, was count as asks",
    ]
