"""How numbers and times are written."""

from datetime import UTC, date, datetime

import pytest

from surveyapp.web.admin import formats

NOW = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(0, 0, "0"), (1204, 0, "1\u202f204"), (-5, 0, "−5"), (-0.4, 0, "0"), (3.14159, 1, "3.1"), (None, 0, "unknown")],
)
def test_numbers(value: float | None, places: int, text: str) -> None:
    assert formats.number(value, places) == text


def test_a_range_says_to_as_soon_as_a_sign_appears() -> None:
    assert formats.span(56.4, 65.6) == "56–66"
    assert formats.span(-5.2, 13) == "−5 to 13"


def test_shares() -> None:
    shares = [formats.percent(share) for share in (0, 0.003, 0.0098, 0.136, 1)]
    assert shares == ["0\u202f%", "0.3\u202f%", "1\u202f%", "14\u202f%", "100\u202f%"]


def test_moments_are_told_on_the_brands_clock() -> None:
    assert formats.moment_words(NOW, NOW, "Europe/Paris") == "today 23:30"
    assert formats.moment_words(NOW, NOW, "UTC") == "today 22:30"
    assert formats.moment_words(datetime(2026, 11, 24, 23, 15, tzinfo=UTC), NOW, "Europe/Paris") == "tomorrow 00:15"
    assert formats.moment_words(datetime(2025, 11, 2, 9, 0, tzinfo=UTC), NOW, "UTC") == "2 Nov 2025, 09:00"


def test_days_and_durations() -> None:
    assert formats.long_day(date(2026, 11, 24)) == "Tuesday 24 November"
    lengths = [formats.duration(seconds) for seconds in (0, 45, 900, 8100, 86400, 90000, 30 * 86400)]
    assert lengths == ["at once", "45 s", "15 min", "2 h 15 min", "1 day", "1 day 1 h", "30 days"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("relational_nps", "Relational NPS"),
        ("claim_declared_ces", "Claim declared CES"),
        ("class", "Class"),
        ("Customer-Type", "Customer-Type"),
        ("flight.check_in", "flight.check_in"),
        ("", ""),
    ],
)
def test_a_key_is_read_in_words_and_anything_else_stays(key: str, words: str) -> None:
    assert formats.key_words(key) == words


def test_a_rules_sentence_is_told_to_a_person() -> None:
    told = formats.told("last asked 2026-11-24 09:22 UTC; 30d of rest are due", NOW, "Europe/Paris")
    assert told == "Last asked today 10:22; 30 days of rest are due"
    assert formats.told("by email, since not by sms (1 of at most 1 asks in 5d by sms)", NOW, "UTC") == (
        "By e-mail, since not by SMS (1 of at most 1 ask in 5 days by SMS)"
    )
    assert formats.told("open hours (Europe/Paris, from customer)", NOW, "UTC") == (
        "Open hours (Europe/Paris, from the customer)"
    )
    assert formats.told("not the time 2026-99-99", NOW, "UTC") == "Not the time 2026-99-99"
