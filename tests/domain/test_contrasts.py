"""Which cells differ from the rest, corrected for reading many."""

import pytest

from surveyapp.domain.contrasts import against_the_rest


def csat(good: int, others: int) -> dict[int, int]:
    return {5: good, 1: others}


def whole(cells: dict[str, dict[int, int]]) -> dict[int, int]:
    return {score: sum(cell.get(score, 0) for cell in cells.values()) for score in (1, 5)}


def test_a_cell_is_held_against_the_others_and_not_against_itself() -> None:
    cells = {"a": csat(38, 2), "b": csat(20, 20), "c": csat(20, 20), "d": csat(20, 20)}
    found, read = against_the_rest("csat5", cells, whole(cells))
    assert read == 4
    assert list(found) == ["a"]
    assert found["a"].delta == pytest.approx(45.0)
    assert (found["a"].good, found["a"].level) == (True, 3)
    assert found["a"].words == "higher than the rest"


def test_where_lower_is_better_higher_is_worse() -> None:
    cells = {"a": {1: 5, 4: 20, 5: 15}, "b": {1: 30, 2: 20}}
    found, _ = against_the_rest("ces1", cells, {1: 35, 2: 20, 4: 20, 5: 15})
    assert (found["a"].good, found["b"].good) == (False, True)


def test_few_answers_on_either_side_are_not_read() -> None:
    cells = {"a": csat(29, 0), "b": csat(0, 400)}
    assert against_the_rest("csat5", cells, whole(cells)) == ({}, 0)


def test_one_odd_cell_among_many_is_corrected_for() -> None:
    cells = {"odd": csat(27, 13)} | {str(i): csat(20, 20) for i in range(30)}
    alone = {"odd": csat(27, 13), "others": csat(600, 600)}
    assert against_the_rest("csat5", alone, whole(alone))[0].keys() == {"odd", "others"}
    assert against_the_rest("csat5", cells, whole(cells)) == ({}, 31)
