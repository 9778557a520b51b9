"""A contact policy in sentences, each value with the place it stands at."""

from datetime import timedelta
from typing import Any

import pytest

from surveyapp.domain.policy_reading import KINDS
from surveyapp.domain.policy_words import GROUPS, TEMPLATES, Entry, Sentence, entries, in_groups, sentence, words

NAMES = {"journey:flight": "Flight", "instance:flight": "trip", "step:flight.check_in": "Check-in"}


def sentences(definition: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(told.text, told.on) for group in in_groups(definition) for told in group.sentences]


def say(**table: Any) -> Sentence:
    return sentence(Entry(("rules", 0), table["kind"], table), NAMES)


def test_the_default_policy_in_words() -> None:
    policy = {
        "gap": {1: "7d", 2: "30d", 3: "30d"},
        "caps": [{"max": 2, "per": "30d"}, {"max": 1, "per": "journey"}],
        "quiet_hours": {"from": "20:00", "to": "08:00"},
        "holding": "6h",
    }
    assert sentences(policy) == [
        (
            "After any ask, leave 7 days before a moment of truth, 30 days before a step, "
            "30 days before a relationship survey.",
            True,
        ),
        ("Reminders count as an ask.", True),
        ("At most 2 asks in 30 days.", True),
        ("At most 1 ask per journey.", True),
        ("Nothing between 20:00 and 08:00 on the customer’s clock; it waits.", True),
        ("Hold a due ask 6 hours for a better one; a lower tier number wins, then the earliest to expire.", True),
    ]


def test_a_policy_without_rules_says_so() -> None:
    assert sentences({}) == [
        ("No rest is kept between two asks.", False),
        ("Reminders count as an ask.", True),
        ("No limit on how many asks a person gets.", False),
        ("No quiet hours: asks leave at any time of day.", False),
        ("A due ask is not held for a better one: the earlier wins.", False),
    ]


def test_values_stand_at_odd_places_with_where_they_come_from() -> None:
    cap = in_groups({"gap": {1: "7d", 2: "30d", 3: "30d"}, "caps": [{"max": 2, "per": "30d"}]})[1].sentences[0]
    assert cap.parts[1::2] == ("2", "30 days")
    assert [token.path for token in cap.tokens] == [("max",), ("per",)]
    assert cap.path == ("caps", 0)


def test_whom_a_rule_covers_stands_before_it_in_the_programme_s_own_names() -> None:
    told = say(kind="cap", journey="flight", channel="sms", max=1, per="journey")
    assert told.text == "About Flight by SMS: at most 1 ask per trip."
    assert told.tokens[0].control == "scope"
    assert told.reason == "journey_cap"


def test_zero_reads_never_and_off_stays_readable() -> None:
    assert say(kind="cap", max=0, per="30d").text == "Never ask."
    assert say(kind="cap", channel="sms", max=0, per="30d").text == "By SMS: never ask."
    assert say(kind="gap", tiers={"1": "0s"}).text == "After any ask, leave no rest before a moment of truth."
    off = say(kind="grace", enabled=False, **{"for": "14d"})
    assert (off.text, off.on) == ("Leave a new customer alone for 14 days.", False)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"kind": "own_gap", "survey": "nps", "gap": "180d"},
         "With the survey nps: leave 180 days after an ask of the same kind."),
        ({"kind": "gap", "step": "flight.check_in", "clock": "own", "tiers": "7d"},
         "About Check-in: leave 7 days after an ask of the same kind."),
        ({"kind": "cap", "journey": "flight", "max": 3, "per": "month", "clock": "own"},
         "About Flight: at most 3 asks per calendar month; only such an ask counts."),
        ({"kind": "back_off", "base": "30d", "max": "120d"},
         "After an ask without an answer, leave 30 days; after each further one 2× as long, up to 120 days."),
        ({"kind": "budget", "points": 8},
         "An attention budget of 8 points in 365 days, an e-mail costing 1, an SMS 2 and a web prompt 0.25."),
        ({"kind": "holdout", "share": 0.02},
         "Never ask a fixed 2\u202f% of customers, to know what asking does."),
        ({"kind": "open_case"}, "Not while a case is open, and for no rest after it closes."),
        ({"kind": "same_question", "for": "90d"},
         "Not the same question about the same thing for 90 days after an answer."),
        ({"kind": "weekend"}, "Nothing on Saturday and Sunday on the customer’s clock; it waits."),
        ({"kind": "holidays", "country": "FR"}, "Nothing on public holidays of FR on the customer’s clock; it waits."),
        ({"kind": "exemption", "journey": "flight", "from_rules": ["gap", "cap"], "reason": "Launch",
          "author": "a@b", "until": "2026-12-31T00:00:00Z"},
         "About Flight: until 2026-12-31, gap and cap do not hold: Launch."),
        ({"kind": "answer_gap", "gap": "2h"}, "Leave 2 hours after an answer."),
    ],
)  # fmt: skip
def test_every_kind_has_its_sentence(table: dict[str, Any], text: str) -> None:
    assert say(**table).text == text


def test_no_kind_of_rule_is_left_without_words() -> None:
    grouped = {kind for _, kinds in GROUPS for kind in kinds}
    assert set(KINDS) <= grouped
    assert set(KINDS) - {"gap", "own_gap", "cap"} == set(TEMPLATES)


def test_what_nobody_can_read_is_told_all_the_same() -> None:
    strange = {"gap": "soon", "caps": ["x"], "rules": [{"kind": "zap"}, {"kind": "grace"}]}
    assert [text for text, _ in sentences(strange)] == [
        "Leave soon after any ask.",
        "Leave a new customer alone for ?.",
        "Reminders count as an ask.",
        "At most ? asks in ?.",
        "No quiet hours: asks leave at any time of day.",
        "A due ask is not held for a better one: the earlier wins.",
        "A rule of the kind “zap”, which nobody knows.",
    ]


def test_entries_say_where_each_rule_stands() -> None:
    policy = {"gap": {"1": "7d"}, "caps": [{"max": 1, "per": "30d"}], "rules": [{"kind": "grace", "for": "1d"}]}
    places = [(("gap",), "gap"), (("caps", 0), "cap"), (("rules", 0), "grace")]
    settings = [(("holding",), "holding"), (("reminders_count",), "reminders_count")]
    assert [(entry.path, entry.kind) for entry in entries(policy)] == places + settings


def test_lengths_in_their_largest_whole_unit() -> None:
    lengths = [timedelta(0), timedelta(seconds=1), timedelta(minutes=90), timedelta(hours=24), timedelta(days=30)]
    assert [words(length) for length in lengths] == ["no time", "1 second", "90 minutes", "1 day", "30 days"]
