"""The rules, one by one and together, on facts made by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import (
    Answer,
    Ask,
    Block,
    Candidate,
    Case,
    Decision,
    Earlier,
    Facts,
    Person,
    Rival,
    Sensitive,
)
from surveyapp.domain.policy_contradictions import remarks
from surveyapp.domain.policy_reading import PolicyProblems, parse_policy
from surveyapp.domain.prospects import next_eligible
from surveyapp.domain.vocabulary import Outcome

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "pepper-of-the-tests"


def candidate(**overrides: Any) -> Candidate:
    values: dict[str, Any] = {
        "decision": "d-new",
        "trigger": "after_check_in",
        "survey": "check_in_csat",
        "metric": "csat5",
        "event": "e-new",
        "channels": ("email", "sms"),
        "tier": 2,
        "occurred_at": NOW,
        "due_at": NOW,
        "step": "flight.check_in",
        "instance": "AF1",
        "expires_at": NOW + 7 * DAY,
    }
    return Candidate(**(values | overrides))


def person(**overrides: Any) -> Person:
    values: dict[str, Any] = {
        "key": "c-1",
        "known_since": NOW - 400 * DAY,
        "addresses": frozenset({"email", "sms"}),
        "zones": ("Europe/Paris",),
    }
    return Person(**(values | overrides))


def ask(days_ago: float, **overrides: Any) -> Ask:
    values: dict[str, Any] = {
        "key": f"m{days_ago}",
        "decision": f"d{days_ago}",
        "at": NOW - timedelta(days=days_ago),
        "channel": "email",
        "kind": "first",
        "tier": 2,
        "survey": "other_csat",
        "step": "flight.boarding",
        "instance": "AF0",
    }
    return Ask(**(values | overrides))


def facts(**overrides: Any) -> Facts:
    values: dict[str, Any] = {"person": person(), "candidate": candidate()}
    return Facts(**(values | overrides))


def rule(policy: dict[str, Any], now: datetime = NOW, **overrides: Any) -> Decision:
    return decide(facts(**overrides), parse_policy(policy), now, KEY)


def refused(decision: Decision) -> tuple[str | None, datetime | None]:
    assert decision.outcome is Outcome.REFUSED
    verdict = next(v for v in decision.verdicts if not v.allowed and v.rule == decision.reason)
    return decision.reason, verdict.next_at


def test_nothing_against_it_asks_on_the_first_channel() -> None:
    decision = rule({})
    assert (decision.outcome, decision.channel, decision.reason) == (Outcome.ASKED, "email", None)
    assert all(v.allowed for v in decision.verdicts)


def test_a_second_ask_within_the_gap_is_refused_until_exactly_its_end() -> None:
    policy = {"gap": {1: "7d", 2: "30d", 3: "30d"}}
    assert refused(rule(policy, asks=(ask(10),))) == ("gap", NOW + 20 * DAY)
    assert rule(policy, asks=(ask(30),)).outcome is Outcome.ASKED
    almost = ask(30, at=NOW - 30 * DAY + timedelta(microseconds=1))
    assert rule(policy, asks=(almost,)).reason == "gap"


def test_a_moment_of_truth_interrupts_the_rest_of_a_step_but_not_of_another_moment_of_truth() -> None:
    policy = {"gap": {1: "7d", 2: "30d", 3: "30d"}}
    truth = candidate(tier=1)
    assert rule(policy, candidate=truth, asks=(ask(8),)).outcome is Outcome.ASKED
    assert rule(policy, candidate=truth, asks=(ask(3, tier=1),)).reason == "gap"


def test_an_ask_dated_in_the_future_counts() -> None:
    assert rule({"gap": "7d"}, asks=(ask(-1),)).reason == "gap"


def test_d06_a_full_cap_frees_when_the_oldest_counted_ask_leaves_the_window() -> None:
    decision = rule({"caps": [{"max": 3, "per": "7d"}]}, asks=(ask(1), ask(2), ask(5)))
    assert refused(decision) == ("cap", NOW + 2 * DAY)
    two = rule({"caps": [{"max": 2, "per": "7d"}]}, asks=(ask(1), ask(2), ask(5)))
    assert refused(two) == ("cap", NOW + 5 * DAY)


def test_d07_a_cap_of_zero_is_never_and_a_missing_one_is_no_limit() -> None:
    assert refused(rule({"caps": [{"max": 0, "per": "7d"}]})) == ("cap", None)
    assert rule({"caps": []}, asks=tuple(ask(n / 10) for n in range(1, 60))).outcome is Outcome.ASKED


def test_d08_a_rule_on_one_channel_does_not_leak_into_another() -> None:
    policy = {"rules": [{"kind": "cap", "max": 1, "per": "30d", "channel": "email", "clock": "own"}]}
    by_text = candidate(channels=("sms",))
    assert rule(policy, candidate=by_text, asks=(ask(2),)).outcome is Outcome.ASKED
    assert rule(policy, asks=(ask(2),)).reason == "cap"
    assert rule(policy, asks=(ask(2, channel="sms"),)).outcome is Outcome.ASKED
    everything = {"caps": [{"max": 1, "per": "30d"}]}
    assert rule(everything, candidate=by_text, asks=(ask(2),)).reason == "cap"


def test_d03_an_own_clock_is_not_starved_by_a_chatty_survey() -> None:
    relational = candidate(survey="relational_nps", step=None, instance=None, tier=3)
    policy = {"rules": [{"kind": "own_gap", "survey": "relational_nps", "gap": "90d"}]}
    weekly = tuple(ask(n) for n in range(1, 80, 7))
    own = ask(90, survey="relational_nps")
    assert rule(policy, candidate=relational, asks=(*weekly, own)).outcome is Outcome.ASKED
    assert rule(policy, candidate=relational, asks=(*weekly, ask(89, survey="relational_nps"))).reason == "gap"


def test_a_cap_per_journey_counts_asks_of_the_instance_and_not_reminders() -> None:
    policy = {"caps": [{"max": 1, "per": "journey"}]}
    same = ask(1, instance="AF1")
    assert refused(rule(policy, asks=(same,))) == ("journey_cap", None)
    assert rule(policy, asks=(ask(1),)).outcome is Outcome.ASKED
    reminder = candidate(decision="d1", kind="reminder")
    assert rule(policy, candidate=reminder, asks=(same,)).outcome is Outcome.ASKED


def test_reminders_count_in_caps_unless_the_policy_says_otherwise() -> None:
    asks = (ask(1, kind="reminder"), ask(4))
    caps = [{"max": 2, "per": "30d"}]
    assert rule({"caps": caps}, asks=asks).reason == "cap"
    assert rule({"caps": caps, "reminders_count": False}, asks=asks).outcome is Outcome.ASKED


def test_a_reminder_is_not_refused_by_the_gap_after_its_own_ask() -> None:
    reminder = candidate(decision="d3", kind="reminder")
    assert rule({"gap": "30d"}, candidate=reminder, asks=(ask(3),)).outcome is Outcome.ASKED
    assert rule({"gap": "30d"}, candidate=reminder, asks=(ask(1), ask(3))).reason == "gap"


def test_a_calendar_cap_follows_the_customers_own_day() -> None:
    policy = {"caps": [{"max": 1, "per": "day"}]}
    now = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)  # 3 November, 00:30, in Paris
    earlier = ask(0, at=datetime(2026, 11, 2, 22, 30, tzinfo=UTC))  # 23:30 on 2 November
    late = candidate(expires_at=None)
    assert rule(policy, now, candidate=late, asks=(earlier,)).outcome is Outcome.ASKED
    same_day = replace(earlier, at=datetime(2026, 11, 2, 23, 5, tzinfo=UTC))
    assert refused(rule(policy, now, candidate=late, asks=(same_day,))) == (
        "cap",
        datetime(2026, 11, 3, 23, 0, tzinfo=UTC),
    )


def test_budget_counts_points_by_channel_and_says_when_enough_are_free_again() -> None:
    policy = {"rules": [{"kind": "budget", "points": 4, "per": "365d"}]}
    spent = (ask(10, channel="sms"), ask(100, channel="email"), ask(200, channel="email"))
    assert refused(rule(policy, asks=spent)) == ("budget", NOW + 165 * DAY)
    assert rule(policy, asks=spent[:2]).outcome is Outcome.ASKED


def test_back_off_doubles_with_every_ignored_ask_and_an_answer_resets_it() -> None:
    policy = {"rules": [{"kind": "back_off", "base": "10d", "max": "60d"}]}
    ignored = (ask(5), ask(30), ask(70), ask(120), ask(130))
    assert refused(rule(policy, asks=ignored[:1])) == ("gap", NOW + 5 * DAY)
    assert refused(rule(policy, asks=ignored[:3])) == ("gap", NOW + 35 * DAY)
    assert refused(rule(policy, asks=ignored)) == ("gap", NOW + 55 * DAY)
    assert rule(policy, asks=(ask(5, answered=True), *ignored[1:])).outcome is Outcome.ASKED


def test_grace_leaves_new_customers_alone() -> None:
    policy = {"rules": [{"kind": "grace", "for": "21d"}]}
    assert refused(rule(policy, person=person(known_since=NOW - 20 * DAY))) == ("gap", NOW + DAY)
    assert rule(policy, person=person(known_since=NOW - 21 * DAY)).outcome is Outcome.ASKED


def test_the_gap_after_an_answer_and_the_memory_of_a_question() -> None:
    answer = Answer("check_in_csat", "csat5", "flight.check_in", NOW - 10 * DAY)
    after = {"rules": [{"kind": "answer_gap", "gap": "14d"}]}
    assert refused(rule(after, answers=(answer,))) == ("gap", NOW + 4 * DAY)
    memory = {"rules": [{"kind": "same_question", "for": "90d"}]}
    assert rule(memory, answers=(answer,)).reason == "gap"
    assert rule(memory, answers=(replace(answer, step="flight.boarding"),)).outcome is Outcome.ASKED


def test_a_hold_out_is_a_stable_share_of_people() -> None:
    policy = parse_policy({"rules": [{"kind": "holdout", "share": 0.02}]})
    out = [decide(facts(person=person(key=f"c-{n}")), policy, NOW, KEY).reason == "holdout" for n in range(5000)]
    assert 0.015 < sum(out) / 5000 < 0.025
    assert out == [
        decide(facts(person=person(key=f"c-{n}")), policy, NOW + DAY, KEY).reason == "holdout" for n in range(5000)
    ]


def test_a_hold_out_covers_everything_and_says_so() -> None:
    with pytest.raises(PolicyProblems, match="is asked nothing at all: take “about survey nps” away"):
        parse_policy({"rules": [{"kind": "holdout", "share": 0.02, "survey": "nps"}]})


def test_a_sensitive_event_stops_every_tier() -> None:
    accident = Sensitive("flight.accident", NOW - DAY, NOW + 364 * DAY)
    decision = rule({}, candidate=candidate(tier=1), sensitive=(accident,))
    assert refused(decision) == ("sensitive", NOW + 364 * DAY)


def test_an_open_case_stops_asking_until_it_is_closed_and_rested() -> None:
    policy = {"rules": [{"kind": "open_case", "rest": "7d"}]}
    assert refused(rule(policy, cases=(Case(NOW - DAY),))) == ("open_case", None)
    assert refused(rule(policy, cases=(Case(NOW - 5 * DAY, NOW - 2 * DAY),))) == ("open_case", NOW + 5 * DAY)
    assert rule(policy, cases=(Case(NOW - 20 * DAY, NOW - 7 * DAY),)).outcome is Outcome.ASKED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"person": person(consent={"email": False, "sms": False})}, "no_consent"),
        ({"person": person(addresses=frozenset())}, "no_address"),
        ({"person": person(blocks=(Block("all", "opted_out"),))}, "opted_out"),
        ({"person": person(blocks=(Block("email", "bounce"), Block("sms", "invalid")))}, "suppressed_address"),
        ({"person": person(blocks=(Block("all", "paused", NOW + DAY),))}, "paused"),
        ({"person": person(erased=True)}, "no_consent"),
        ({"candidate": candidate(stopped=frozenset({"all"}))}, "stopped"),
        ({"candidate": candidate(survey_open=False)}, "survey_closed"),
        ({"candidate": candidate(expires_at=NOW - timedelta(seconds=1))}, "expired"),
        ({"candidate": candidate(cancelled_by="e-9")}, "expired"),
        ({"already_asked": "d-old"}, "already_asked"),
    ],
)
def test_every_hard_stop_has_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert rule({}, **changes).reason == reason


def test_an_opt_out_of_one_kind_of_question_stops_that_kind_on_every_channel_and_no_other() -> None:
    relationship = person(blocks=(Block("kind:relationship", "opted_out"),))
    grouped = candidate(survey="relational_nps", group="relationship")
    decision = rule({}, person=relationship, candidate=grouped)
    assert decision.reason == "opted_out"
    assert "opted out of questions about relationship" in {verdict.why for verdict in decision.verdicts}
    assert rule({}, person=relationship).outcome is Outcome.ASKED
    ungrouped = person(blocks=(Block(f"kind:{candidate().survey}", "opted_out"),))
    assert rule({}, person=ungrouped).reason == "opted_out"


def test_the_last_moment_to_ask_is_still_in_time() -> None:
    assert rule({}, candidate=candidate(expires_at=NOW)).outcome is Outcome.ASKED


def test_a_missing_address_falls_to_the_next_channel() -> None:
    only_phone = person(addresses=frozenset({"sms"}))
    assert rule({}, person=only_phone).channel == "sms"
    no_mail = person(blocks=(Block("email", "opted_out"),))
    assert rule({}, person=no_mail).channel == "sms"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"consent": {"email": False}}, "no_consent"),
        ({"blocks": (Block("email", "opted_out"),)}, "opted_out"),
        ({"blocks": (Block("email", "bounce"),)}, "suppressed_address"),
    ],
)
@pytest.mark.parametrize("channels", [("email", "sms"), ("sms", "email")])
def test_a_channel_without_an_address_does_not_hide_why_the_other_refused(
    changes: dict[str, Any], reason: str, channels: tuple[str, ...]
) -> None:
    only_mail = person(addresses=frozenset({"email"}), **changes)
    assert rule({}, person=only_mail, candidate=candidate(channels=channels)).reason == reason


def test_a_pressure_refusal_drops_waits_or_tries_the_next_channel_as_the_trigger_says() -> None:
    policy = {"rules": [{"kind": "cap", "max": 1, "per": "5d", "channel": "email", "clock": "own"}]}
    asks = (ask(2),)
    assert rule(policy, asks=asks).outcome is Outcome.REFUSED
    waiting = rule(policy, candidate=candidate(blocked="wait"), asks=asks)
    assert (waiting.outcome, waiting.not_before) == (Outcome.WAITING, NOW + 3 * DAY)
    too_late = rule(policy, candidate=candidate(blocked="wait", expires_at=NOW + DAY), asks=asks)
    assert too_late.reason == "cap"
    other = rule(policy, candidate=candidate(blocked="next_channel"), asks=asks)
    assert (other.outcome, other.channel) == (Outcome.ASKED, "sms")


def test_quiet_hours_postpone_to_the_recipients_morning_with_jitter() -> None:
    policy = {"quiet_hours": {"from": "20:00", "to": "08:00"}}
    night = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)  # 01:30 on 3 November in Kolkata
    decision = rule(policy, night, person=person(zones=("Asia/Kolkata",), zone_source="customer"))
    opening = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)
    assert decision.outcome is Outcome.WAITING
    assert decision.not_before is not None
    assert opening <= decision.not_before <= opening + timedelta(minutes=20)
    again = rule(policy, decision.not_before, person=person(zones=("Asia/Kolkata",)))
    assert again.outcome is Outcome.ASKED


def test_an_ask_whose_morning_is_too_late_is_refused_as_expired() -> None:
    policy = {"quiet_hours": {"from": "20:00", "to": "08:00"}}
    night = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
    decision = rule(policy, night, candidate=candidate(expires_at=night + timedelta(hours=1)))
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, "expired")


def test_the_first_reason_in_the_declared_order_is_stored_and_every_verdict_kept() -> None:
    decision = rule(
        {"gap": "30d", "caps": [{"max": 1, "per": "journey"}, {"max": 1, "per": "30d"}]}, asks=(ask(1, instance="AF1"),)
    )
    assert decision.reason == "journey_cap"
    assert {v.rule for v in decision.verdicts if not v.allowed} == {"journey_cap", "gap", "cap"}


def test_d19_a_ten_percent_sample_is_ten_percent_of_people_for_the_whole_period() -> None:
    policy = parse_policy({})
    drawn = {}
    for n in range(2000):
        one = person(key=f"c-{n}")
        outcomes = {
            decide(facts(person=one, candidate=candidate(sample=0.1, event=f"e-{n}-{k}")), policy, NOW, KEY).outcome
            for k in range(5)
        }
        assert len(outcomes) == 1
        drawn[n] = outcomes == {Outcome.ASKED}
    assert 0.08 < sum(drawn.values()) / 2000 < 0.12


def test_a_rival_that_matters_more_wins_and_is_named() -> None:
    better = Rival("d-better", "after_baggage", 1, 0, NOW + DAY, NOW)
    decision = rule({"holding": "15m"}, candidate=candidate(due_at=NOW - timedelta(hours=1)), rivals=(better,))
    assert decision.reason == "yielded"
    assert next(v for v in decision.verdicts if v.rule == "yielded").evidence == (Earlier("d-better", "after_baggage"),)
    lesser = replace(better, tier=3)
    assert rule({"holding": "15m"}, candidate=candidate(due_at=NOW - DAY), rivals=(lesser,)).outcome is Outcome.ASKED


def test_a_reserved_slot_is_kept_but_a_moment_of_truth_may_interrupt() -> None:
    slot = Rival("d-nps", "relationship", 3, 0, None, NOW, NOW + 5 * DAY, NOW + 5 * DAY)
    assert rule({}, rivals=(slot,)).reason == "yielded"
    assert rule({}, candidate=candidate(tier=1), rivals=(slot,)).outcome is Outcome.ASKED


def test_an_exemption_is_named_in_the_verdict_and_ends() -> None:
    leave = {
        "kind": "exemption",
        "from_rules": ["gap"],
        "survey": "check_in_csat",
        "reason": "recall of November",
        "author": "lena",
        "until": "2026-11-10T00:00:00Z",
    }
    policy = {"gap": "30d", "rules": [leave]}
    decision = rule(policy, asks=(ask(1),))
    assert decision.outcome is Outcome.ASKED
    assert any(v.why.endswith("exempt: recall of November") for v in decision.verdicts)
    assert rule(policy, NOW + 9 * DAY, candidate=candidate(expires_at=None), asks=(ask(1),)).reason == "gap"


def test_the_next_eligible_moment_is_the_one_at_which_decide_says_yes() -> None:
    policy = parse_policy(
        {"gap": "30d", "caps": [{"max": 2, "per": "90d"}], "quiet_hours": {"from": "20:00", "to": "08:00"}}
    )
    known = facts(asks=(ask(1), ask(50)))
    free = next_eligible(known, policy, NOW, KEY)
    assert free == NOW + 40 * DAY
    night = facts(asks=(ask(1, at=NOW - DAY + timedelta(hours=11)),))
    later = next_eligible(night, policy, NOW, KEY)
    assert later is not None
    assert later.astimezone().astimezone(UTC) >= NOW + 29 * DAY + timedelta(hours=11)
    assert 7 <= later.hour <= 18
    opted_out = facts(person=person(blocks=(Block("all", "opted_out"),)))
    assert next_eligible(opted_out, policy, NOW, KEY) is None


def test_the_next_eligible_moment_is_that_of_the_channel_that_opens_first() -> None:
    each = [{"kind": "cap", "max": 1, "per": per, "channel": c, "clock": "own"} for c, per in
            (("email", "30d"), ("sms", "7d"))]  # fmt: skip
    known = facts(candidate=candidate(blocked="next_channel"), asks=(ask(1), ask(2, channel="sms")))
    policy = parse_policy({"rules": each})
    assert next_eligible(known, policy, NOW, KEY) == NOW + 5 * DAY
    assert next_eligible(facts(asks=known.asks), policy, NOW, KEY) == NOW + 29 * DAY


def test_the_next_eligible_moment_is_found_after_the_longest_rest_there_is() -> None:
    assert next_eligible(facts(asks=(ask(1),)), parse_policy({"gap": "3650d"}), NOW, KEY) == NOW + 3649 * DAY


def test_who_is_not_drawn_does_not_wait_for_another_draw() -> None:
    """The draw is of the event's period: the next period draws for other events, and this one would wait for ever."""
    not_drawn = candidate(blocked="wait", sample=0.0, per=DAY)
    decision = rule({}, candidate=not_drawn)
    assert (decision.outcome, decision.reason, decision.not_before) == (Outcome.REFUSED, "sampled_out", None)


def test_channels_that_were_passed_over_are_named_with_why() -> None:
    no_mail = person(blocks=(Block("email", "opted_out"),))
    decision = rule({}, person=no_mail)
    assert decision.verdicts[-1][:3] == ("channel", True, "by sms, since not by email (opted out of email)")
    full = {"rules": [{"kind": "cap", "max": 1, "per": "5d", "channel": "email", "clock": "own"}]}
    other = rule(full, candidate=candidate(blocked="next_channel"), asks=(ask(2),))
    assert other.verdicts[-1].why == "by sms, since not by email (1 of at most 1 asks in 5d by email)"


def test_back_off_with_a_crooked_factor_still_gives_whole_seconds() -> None:
    policy = {"rules": [{"kind": "back_off", "base": "7s", "factor": 1.5, "max": "60d"}]}
    assert rule(policy, asks=(ask(1), ask(2))).outcome is Outcome.ASKED


def test_a_cap_per_journey_reaches_back_as_long_as_a_journey_may_last() -> None:
    assert parse_policy({"caps": [{"max": 1, "per": "journey"}], "gap": "7d"}).longest_window == timedelta(days=730)
    assert parse_policy({"gap": "7d"}).longest_window == timedelta(days=7)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([{"kind": "weekend"}, {"kind": "weekend", "days": "monday tuesday wednesday thursday friday".split()}],
         "together these rules close all seven days"),
        ([{"kind": "quiet_hours", "from": "08:00", "to": "20:00"},
          {"kind": "quiet_hours", "from": "20:00", "to": "08:00"}],
         "together the quiet hours cover the whole day"),
        ([{"kind": "quiet_hours", "from": "20:00", "to": "08:00", "channel": "sms"},
          {"kind": "quiet_hours", "from": "08:00", "to": "20:00"}],
         "cover the whole day by sms"),
        ([{"kind": "quiet_hours", "from": "00:00", "to": "23:59"}],
         "leave 1m of the day open, and asks are spread over 20m"),
        ([{"kind": "quiet_hours", "from": "20:00", "to": "08:00", "jitter": "13h"}],
         "leave 12h of the day open, and asks are spread over 13h"),
    ],
)  # fmt: skip
def test_rules_that_leave_no_open_moment_are_refused(rules: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(PolicyProblems, match=sentence):
        parse_policy({"rules": rules})


def test_rules_that_never_matter_are_remarked_on() -> None:
    said = remarks(parse_policy({"gap": "30d", "caps": [{"max": 3, "per": "30d"}, {"max": 0, "per": "7d"}]}))
    assert said == [
        "At most 3 asks in 30d never matters: 30d of rest already allow fewer.",
        "A limit of 0 means never. Take the rule away for no limit.",
    ]
    assert remarks(parse_policy({"gap": "7d", "caps": [{"max": 2, "per": "30d"}]})) == []
    never = {"kind": "budget", "points": 0}
    short, long = ({"kind": "own_gap", "survey": "nps", "gap": gap} for gap in ("7d", "90d"))
    said = remarks(parse_policy({"gap": {1: "7d", 2: "30d", 3: "30d"}, "rules": [never, short, long]}))
    assert said == [
        "The rest about survey nps never matters: the rest between any two asks is at least as long. Make it longer "
        "than that, or take it away.",
        "A budget of 0 points means never. Take the rule away for no limit.",
    ]


@pytest.mark.parametrize(
    ("narrow", "wide", "refused"),
    [("7d", "30d", True), ("day", "week", True), ("day", "month", True), ("week", "30d", True), ("month", "90d", True),
     ("week", "month", False), ("week", "day", False), ("1d", "week", False), ("7d", "7d", False)],
)  # fmt: skip
def test_a_wide_limit_below_a_narrow_one_is_a_contradiction(narrow: str, wide: str, refused: bool) -> None:
    policy = {"caps": [{"max": 3, "per": narrow}, {"max": 2, "per": wide}]}
    if refused:
        with pytest.raises(PolicyProblems, match="lower the first or raise the second"):
            parse_policy(policy)
    else:
        assert len(parse_policy(policy).caps) == 2


def test_a_budget_must_pay_for_one_ask_on_a_channel_that_it_covers() -> None:
    for rule_made in ({"points": 0.5, "costs": {"web": 1}}, {"points": 1, "channel": "sms"}):
        with pytest.raises(PolicyProblems, match="is smaller than the cost of a single ask"):
            parse_policy({"rules": [{"kind": "budget", **rule_made}]})
    for rule_made in ({"points": 1, "costs": {}}, {"points": 0.5}, {"points": 2, "channel": "sms"}):
        assert len(parse_policy({"rules": [{"kind": "budget", **rule_made}]}).budgets) == 1


def test_the_next_moment_lies_after_the_rivals_ask_and_its_rest() -> None:
    slot = Rival("d-nps", "relationship", 3, 0, None, NOW, NOW + 5 * DAY, NOW + 5 * DAY)
    known = facts(rivals=(slot,))
    policy = parse_policy({"gap": "7d"})
    assert decide(known, policy, NOW, KEY).reason == "yielded"
    assert next_eligible(known, policy, NOW, KEY) == NOW + 12 * DAY


@pytest.mark.parametrize("value", ["", 0, {}, "caps"])
@pytest.mark.parametrize("name", ["caps", "rules"])
def test_rules_that_are_no_list_are_refused(name: str, value: object) -> None:
    with pytest.raises(PolicyProblems) as refused:
        parse_policy({name: value})
    assert refused.value.problems == [((name,), "must be a list of rules")]


def test_a_segment_that_is_true_does_not_hold_for_one() -> None:
    policy = {"rules": [{"kind": "cap", "max": 0, "per": "1d", "where": {"vip": True}}]}
    assert rule(policy, candidate=candidate(context={"vip": True})).reason == "cap"
    assert rule(policy, candidate=candidate(context={"vip": 1})).outcome is Outcome.ASKED
