"""Durations are read exactly, and refused with a sentence that says what to write."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("15m", 900), ("1h", 3600), ("7d", 604800), ("90m", 5400), ("3650d", 315360000), ("007d", 604800)],
)
def test_a_duration_is_read_to_the_second(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


SHAPE = "a duration is a whole number and s, m, h or d, such as 15m, 1h or 7d, not "


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("-1h", "a duration cannot be negative: '-1h'"),
        ("7", SHAPE + "'7'"),
        ("1.5h", SHAPE + "'1.5h'"),
        ("7 days", SHAPE + "'7 days'"),
        ("7D", SHAPE + "'7D'"),
        ("٣d", SHAPE + "'٣d'"),
        ("7d\n", SHAPE + "'7d\\n'"),
        ("", SHAPE + "''"),
        ("9" * 50 + "d", SHAPE + "'" + "9" * 37 + "...'"),
        ("3651d", "a duration is at most 3650d (ten years), not 3651d"),
        ("999999999999d", "a duration is at most 3650d (ten years), not 999999999999d"),
        (7, "a duration is a text such as 15m, 1h or 7d, not the bare number 7: add s, m, h or d"),
        (float("nan"), "a duration is a text such as 15m, 1h or 7d, not the bare number nan: add s, m, h or d"),
        (True, "a duration is a text such as 15m, 1h or 7d, not true"),
        (None, "a duration is a text such as 15m, 1h or 7d, not nothing"),
        ([], "a duration is a text such as 15m, 1h or 7d, not a list"),
        ({}, "a duration is a text such as 15m, 1h or 7d, not a mapping"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(value: object, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_duration(value)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m"), (5400, "90m"), (7200, "2h"), (172800, "2d")]
)
def test_a_duration_is_written_in_its_largest_whole_unit(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, 315360000))
def test_what_is_written_reads_back_equal(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.text())))
def test_no_value_raises_anything_but_a_value_error(value: object) -> None:
    with contextlib.suppress(ValueError):
        parse_duration(value)


def test_fractions_of_a_second_are_not_written() -> None:
    with pytest.raises(ValueError):
        format_duration(timedelta(milliseconds=1500))
