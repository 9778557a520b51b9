"""The same person's two answers as one difference: published example, exact counts, and what has no interval."""

import math

import pytest

from surveyapp.domain import intervals
from surveyapp.domain.expectation import before_and_after, earlier_metrics, gap
from tests.reference import VECTORS, needs_vectors

CLASSES = (3, 8, 10)


@needs_vectors
def test_nps_of_the_same_people_twice_reads_as_published() -> None:
    entry = VECTORS["nps_paired"]
    table = entry["table_rows_t1_cols_t2_DQP"]
    pairs = {(CLASSES[row], CLASSES[column]): table[row][column] for row in range(3) for column in range(3)}
    found = gap("nps", pairs)
    assert found is not None
    assert (found.delta, found.standard_error) == (pytest.approx(entry["delta"]), pytest.approx(entry["se"], abs=1e-4))
    assert (found.z, found.p) == (pytest.approx(entry["z"], abs=1e-4), pytest.approx(entry["p"], abs=1e-6))


def test_a_share_moves_by_those_who_changed_their_mind() -> None:
    found = gap("csat5", {(5, 4): 30, (4, 2): 12, (1, 5): 4, (2, 3): 14})
    assert found is not None
    up, down = 5 / 62, 13 / 62
    error = math.sqrt((up + down - (up - down) ** 2) / 62)
    assert found.delta == pytest.approx(100 * (4 - 12) / 60)
    assert found.interval.low == pytest.approx(100 * (up - down - intervals.z_value() * error))
    assert found.interval.high == pytest.approx(100 * (up - down + intervals.z_value() * error))
    assert gap("csat5", {(1, 5): 6}).interval.high == 100.0  # type: ignore[union-attr]


def test_a_mean_moves_by_students_t_of_each_difference() -> None:
    found = gap("ces1", {(2, 3): 3, (2, 2): 2, (4, 1): 1})  # differences 1, 1, 1, 0, 0, −3
    assert found is not None
    assert found.delta == pytest.approx(0.0)
    assert found.standard_error == pytest.approx(math.sqrt(12 / 5 / 6))
    assert found.interval.high == pytest.approx(2.570582 * math.sqrt(12 / 5 / 6), abs=1e-5)


def test_without_people_or_without_spread_there_is_no_difference() -> None:
    assert gap("nps", {}) is gap("csat5", {}) is gap("ces1", {}) is None
    assert gap("nps", {(9, 10): 40}) is gap("ces1", {(2, 3): 40}) is None


def test_scores_subtract_only_on_one_scale_read_the_same_way() -> None:
    assert earlier_metrics("csat5") == earlier_metrics("intention") == ["csat5", "intention"]
    assert earlier_metrics("nps") == ["nps", "tnps"]
    assert earlier_metrics("csat7") == ["csat7"]
    assert earlier_metrics("ces1") == ["ces1"]
    assert earlier_metrics("enps") == earlier_metrics("disconfirmation") == []


def test_pairs_sum_to_what_was_said_before_and_after() -> None:
    assert before_and_after({(5, 4): 3, (5, 5): 2, (1, 4): 1}) == ({5: 5, 1: 1}, {4: 4, 5: 2})
