"""One change to a policy as written, and nothing else."""

from typing import Any

import pytest

from surveyapp.domain.policy_editing import (
    DEFAULTS,
    KIND_WORDS,
    NEEDS_SCOPE,
    NoSuchRule,
    find,
    switched,
    with_rule,
    with_scope,
    with_value,
    without,
)
from surveyapp.domain.policy_reading import KINDS, parse_policy

POLICY: dict[str, Any] = {
    "gap": {1: "7d", 2: "30d", 3: "30d"},
    "caps": [{"max": 2, "per": "30d"}],
    "quiet_hours": {"from": "20:00", "to": "08:00"},
    "rules": [{"kind": "budget", "points": 8}],
}


def test_a_value_is_changed_where_it_stands_and_the_old_policy_is_untouched() -> None:
    before = repr(POLICY)
    assert with_value(POLICY, ("gap",), ("tiers", "2"), "21d")["gap"] == {1: "7d", 2: "21d", 3: "30d"}
    assert with_value(POLICY, ("caps", 0), ("max",), 3)["caps"] == [{"max": 3, "per": "30d"}]
    assert with_value(POLICY, ("rules", 0), ("costs", "sms"), 3)["rules"][0]["costs"] == {"sms": 3}
    assert with_value(POLICY, ("holding",), ("holding",), "2h")["holding"] == "2h"
    assert repr(POLICY) == before


def test_one_duration_for_all_tiers_is_changed_too() -> None:
    assert with_value({"gap": "30d"}, ("gap",), ("tiers",), "9d") == {"gap": "9d"}


def test_off_keeps_the_rule_and_on_brings_it_back() -> None:
    off = switched(POLICY, ("quiet_hours",), False)
    assert "quiet_hours" not in off
    assert off["rules"][0] == {"kind": "quiet_hours", "from": "20:00", "to": "08:00", "enabled": False}
    assert parse_policy(off).quiets == ()
    assert len(parse_policy(switched(off, ("rules", 0), True)).quiets) == 1
    assert parse_policy(switched(POLICY, ("caps", 0), False)).caps == ()


def test_a_rule_that_is_off_is_still_checked() -> None:
    with pytest.raises(Exception, match="must be a whole number"):
        parse_policy({"caps": [{"max": -1, "per": "30d", "enabled": False}]})
    with pytest.raises(Exception, match="must be true"):
        parse_policy({"caps": [{"max": 1, "per": "30d", "enabled": "no"}]})


def test_a_scope_turns_the_general_rest_into_a_rule_of_the_list() -> None:
    narrowed = with_scope(POLICY, ("gap",), {"journey": "flight"})
    assert "gap" not in narrowed
    assert narrowed["rules"][0] == {"kind": "gap", "tiers": {1: "7d", 2: "30d", 3: "30d"}, "journey": "flight"}
    assert with_scope(narrowed, ("rules", 0), {})["rules"][0] == {"kind": "gap", "tiers": POLICY["gap"]}


def test_removing_takes_only_that_rule() -> None:
    assert without(POLICY, ("caps", 0))["caps"] == []
    assert "gap" not in without(POLICY, ("gap",))


@pytest.mark.parametrize("path", [("caps", 1), ("rules", -1), ("nothing",), (), ("rules", 0, "points")])
def test_a_place_without_a_rule_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(NoSuchRule):
        find(POLICY, path)


@pytest.mark.parametrize("kind", sorted(DEFAULTS))
def test_a_new_rule_of_every_kind_can_be(kind: str) -> None:
    scope = {"journey": "flight"} if kind in NEEDS_SCOPE else {}
    parse_policy(with_rule({}, kind, scope), 0, {"FR": {}})


def test_every_kind_can_be_added() -> None:
    assert set(KIND_WORDS) == set(KINDS)
    assert set(DEFAULTS) == set(KINDS) - {"exemption"}
    with pytest.raises(NoSuchRule):
        with_rule({}, "zap", {})
