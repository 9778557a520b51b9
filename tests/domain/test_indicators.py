"""Operational series are read strictly, banded at edges that are included above, and pooled without inventing zeros."""

from datetime import date

import pytest

from surveyapp.domain import indicators
from surveyapp.domain.indicators import Band, Total, Value
from surveyapp.domain.tables import Line, NotATable

GOOD = {"day": "2026-11-02", "step": "flight.check_in", "service": None, "product_line": None, "value": 12.5}


def read(**changes: object) -> tuple[Value | None, list[str]]:
    problems: list[str] = []
    return indicators.read_value(GOOD | changes, problems), problems


def test_a_value_is_read_with_its_scope() -> None:
    assert read() == (Value(date(2026, 11, 2), "flight.check_in", "", "", 12.5), [])
    assert read(step=None, value=None) == (Value(date(2026, 11, 2), "", "", "", None), [])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"day": "2026-02-30"}, "day: must be a day such as 2026-11-02"),
        ({"day": None}, "day: is missing"),
        ({"day": "1999-12-31"}, "day: must be a day such as"),
        ({"step": 5}, "step: must be a text or null, not a number"),
        ({"service": "a\nb"}, "service: must be one line"),
        ({"product_line": " x"}, "product_line: must be one line of at most 161 characters without space"),
        ({"value": "12"}, "value: must be a number or null, not a text"),
        ({"value": True}, "value: must be a number or null, not true or false"),
        ({"value": float("inf")}, "value: is no number that can be kept"),
        ({"value": 10**400}, "value: is no number that can be kept"),
        ({"colour": "red"}, "colour: "),
    ],
)
def test_what_is_wrong_with_a_value_is_named(changes: dict[str, object], sentence: str) -> None:
    value, problems = read(**changes)
    assert value is None
    assert [p for p in problems if p.startswith(sentence)], problems


def test_a_value_that_is_not_told_is_no_zero() -> None:
    problems: list[str] = []
    assert indicators.read_value({"day": "2026-11-02"}, problems) is None
    assert problems == ["value: is missing; a null value takes the day away"]
    assert indicators.read_value([], problems) is None


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_by_its_header_whatever_separates(separator: str) -> None:
    text = "\ufeffday,value,step\r\n2026-11-02,12.5,flight.check_in\r\n\r\n2026-11-03,,\r\n".replace(",", separator)
    assert indicators.read_csv(text, 10) == [
        Line(2, {"day": "2026-11-02", "value": 12.5, "step": "flight.check_in"}),
        Line(4, {"day": "2026-11-03", "value": None, "step": None}),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,score\n2026-11-02,1", "must name the columns day and value"),
        ("day,value,value\n2026-11-02,1,2", "must name the columns"),
        ("", "must name the columns"),
        ("day,value\n", "no line with values"),
        ("day,value\n2026-11-02,1\n2026-11-03,1\n2026-11-04,1", "more than 2 lines"),
        ('day,value\n2026-11-02,"1', "is no CSV"),
    ],
)
def test_what_is_no_table_is_refused_whole(text: str, words: str) -> None:
    with pytest.raises(NotATable, match=words):
        indicators.read_csv(text, 2)


@pytest.mark.parametrize("cell", ["12,5", "1_000", "\u0661\u0662", "nan?", "=1+1"])
def test_a_number_in_another_spelling_stays_text_and_is_refused_with_its_line(cell: str) -> None:
    line = indicators.read_csv(f"day;value\n2026-11-02;{cell}", 2)[0].cells
    problems: list[str] = []
    assert indicators.read_value(line, problems) is None
    assert problems == ["value: must be a number or null, not a text"]


def test_a_line_with_more_cells_than_the_header_is_refused() -> None:
    problems: list[str] = []
    assert indicators.read_value(indicators.read_csv("day,value\n2026-11-02,1,9", 2)[0].cells, problems) is None
    assert len(problems) == 1


def test_bands_cover_every_number_once() -> None:
    cut = indicators.bands([15, 0, 60, 15])
    assert cut == [Band(None, 0), Band(0, 15), Band(15, 60), Band(60, None)]
    for value in (-3, 0, 0.5, 15, 15.1, 60, 61):
        assert sum(band.holds(value) for band in cut) == 1
    assert indicators.bands([]) == [Band(None, None)]


def test_proposed_edges_are_round_and_leave_answers_in_every_band() -> None:
    values = [0] * 40 + [7] * 20 + [13] * 20 + [37] * 10 + [141] * 10
    edges = indicators.proposed_edges(values)
    assert edges == [0.0, 7.0, 13.0, 37.0]
    assert all(any(band.holds(value) for value in values) for band in indicators.bands(edges))
    assert indicators.proposed_edges([]) == indicators.proposed_edges([5, 5, 5]) == []
    assert indicators.proposed_edges([137, 137, 1375, 1375, 99999]) == [140.0, 1400.0]


@pytest.mark.parametrize(
    ("text", "edges"),
    [("0, 15,60", [0, 15, 60]), ("5 5", [5]), ("a", None), ("", None), ("1e400", None), ("1,2,3,4,5,6,7,8,9", None)],
)
def test_edges_are_read_or_refused(text: str, edges: list[float] | None) -> None:
    assert indicators.read_edges(text) == edges


def test_a_duration_is_averaged_a_count_is_added_and_nothing_is_not_zero() -> None:
    assert indicators.pooled(Total.MEAN, [10, 20]) == 15
    assert indicators.pooled(Total.SUM, [10, 20]) == 30
    assert indicators.pooled(Total.SUM, []) is None


def test_an_indicator_that_nobody_described_is_descriptive() -> None:
    assert indicators.first_definition("complaints").total is Total.SUM
    first = indicators.first_definition("check_in_wait")
    assert (first.name, first.kind, first.total, first.better) == ("Check in wait", "descriptive", "mean", "neither")
