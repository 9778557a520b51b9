"""Figures by hand: small constants that anyone can check with a pencil, and properties that must always hold."""

import itertools
import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain import (
    differences,
    funnel,
    gates,
    intervals,
    reporting_day,
    sample_size,
    scores,
    weights,
)
from surveyapp.domain.gates import Status
from surveyapp.domain.scores import METRICS

NPS = METRICS["nps"]
CSAT = METRICS["csat5"]


def histograms(metric: scores.Metric, most: int = 60) -> st.SearchStrategy[dict[int, int]]:
    return st.dictionaries(st.sampled_from(list(metric.scale)), st.integers(0, most))


def test_nps_is_signed_points_from_the_counts() -> None:
    histogram = {6: 10, 8: 20, 9: 20, 10: 10}
    assert scores.triple(NPS, histogram) == (10, 20, 30)
    assert scores.headline(NPS, histogram) == pytest.approx(100 / 3)


def test_csat_counts_fours_and_fives_in_percent() -> None:
    histogram = {1: 4, 2: 6, 3: 10, 4: 45, 5: 35}
    assert scores.headline(CSAT, histogram) == 80.0
    assert scores.mean(histogram) == pytest.approx(4.01)


def test_effort_in_five_steps_is_a_mean_that_is_better_low() -> None:
    ces1 = METRICS["ces1"]
    assert ces1.better == "lower"
    assert scores.headline(ces1, {1: 30, 2: 22, 3: 14, 4: 9, 5: 5}) == 2.2125


def test_agreement_in_seven_steps_is_the_percent_of_five_to_seven() -> None:
    histogram = {1: 6, 2: 8, 3: 10, 4: 16, 5: 30, 6: 45, 7: 35}
    assert scores.headline(METRICS["ces2"], histogram) == pytest.approx(100 * 110 / 150)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda m: m.key)
def test_without_answers_there_is_no_value_rather_than_zero(metric: scores.Metric) -> None:
    assert scores.headline(metric, {}) is None
    assert scores.headline(metric, {metric.low: 0}) is None
    assert intervals.of(metric, {}) is None
    assert scores.mean({}) is None


@pytest.mark.parametrize("value", [11, -1, 9.0, 9.5, True, "9", "٣", None, float("nan")])
def test_only_an_integer_of_the_scale_is_on_it(value: object) -> None:
    assert not scores.on_scale("nps", value)


def test_zero_is_a_score_and_not_a_blank() -> None:
    assert scores.on_scale("nps", 0)
    assert scores.headline(NPS, {0: 5}) == -100.0


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((20, 10, 70), (32.94, 64.15)),
        ((10, 20, 30), (13.30, 50.19)),
        ((1, 1, 3), (-29.78, 79.78)),
        ((0, 0, 12), (54.20, 100.0)),
        ((0, 12, 0), (-16.0, 16.0)),
    ],
)
def test_adjusted_wald_reads_as_published(counts: tuple[int, int, int], expected: tuple[float, float]) -> None:
    assert intervals.adjusted_wald(counts) == pytest.approx(expected, abs=0.006)


def test_the_interval_of_one_promoter_is_widened_to_hold_the_value_shown() -> None:
    assert intervals.adjusted_wald((0, 0, 1)).high == pytest.approx(98.50, abs=0.005)
    assert intervals.of(NPS, {10: 1}) == (pytest.approx(-48.4986, abs=1e-3), 100.0)


def test_wilson_and_student_read_as_published() -> None:
    assert intervals.wilson(80, 100) == pytest.approx((71.12, 86.66), abs=0.005)
    ces = {1: 6, 2: 8, 3: 10, 4: 16, 5: 30, 6: 45, 7: 35}
    assert intervals.mean_interval(ces) == pytest.approx((4.941, 5.472), abs=0.0006)


@pytest.mark.parametrize(
    ("df", "expected"), [(1, 12.7062), (2, 4.30265), (4, 2.776445), (29, 2.04523), (1000, 1.962339)]
)
def test_student_quantiles_read_as_in_the_tables(df: int, expected: float) -> None:
    assert intervals.t_value(df) == pytest.approx(expected, rel=1e-5)


def test_a_mean_of_equal_answers_has_no_interval() -> None:
    assert intervals.of(METRICS["ces1"], {3: 12}) is None
    assert intervals.of(METRICS["ces1"], {3: 1}) is None


@given(histograms(NPS), histograms(NPS))
def test_merging_counts_gives_the_same_whatever_the_order(a: dict[int, int], b: dict[int, int]) -> None:
    assert scores.merged([a, b]) == scores.merged([b, a])
    assert scores.answers(scores.merged([a, b])) == scores.answers(a) + scores.answers(b)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda m: m.key)
@given(data=st.data())
def test_the_interval_always_holds_the_value_shown(metric: scores.Metric, data: st.DataObject) -> None:
    histogram = data.draw(histograms(metric))
    value, interval = scores.headline(metric, histogram), intervals.of(metric, histogram)
    if interval is not None:
        assert value is not None
        assert interval.low - 1e-9 <= value <= interval.high + 1e-9


@pytest.mark.parametrize(
    ("p", "d", "n", "expected"),
    [(0.5, 0.2, 5, 0.943), (0.5, 0.2, 30, 0.949), (0.9, 0.02, 10, 0.932), (0.35, 0.35, 100, 0.949)],
)
def test_the_interval_covers_the_truth_about_as_often_as_it_says(p: float, d: float, n: int, expected: float) -> None:
    truth, covered = 100 * (p - d), 0.0
    for low, high in itertools.product(range(n + 1), repeat=2):
        middle = n - low - high
        if middle < 0:
            continue
        interval = intervals.adjusted_wald((low, middle, high))
        if interval.low <= truth <= interval.high:
            ways = math.comb(n, low) * math.comb(n - low, high)
            covered += ways * d**low * p**high * (1 - p - d) ** middle
    assert covered == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("n", "status"),
    [
        (0, Status.NO_DATA),
        (1, Status.SUPPRESSED),
        (4, Status.SUPPRESSED),
        (5, Status.LOW_N),
        (29, Status.LOW_N),
        (30, Status.OK),
    ],
)
def test_gates_open_at_five_and_thirty(n: int, status: Status) -> None:
    assert gates.gate(n) is status


def test_employees_are_shown_from_ten() -> None:
    assert gates.gate(9, gates.floor_of("enps")) is Status.SUPPRESSED
    assert gates.gate(10, gates.floor_of("enps")) is Status.LOW_N


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"A": 40, "B": 3, "C": 12}, {"B", "C"}),
        ({"A": 40, "B": 3, "C": 4}, {"B", "C"}),
        ({"A": 40, "B": 1, "C": 1, "D": 9}, {"B", "C", "D"}),
        ({"A": 40, "B": 12}, set()),
        ({"A": 40, "B": 0}, set()),
        ({"A": 40, "B": 0, "C": 2}, {"A", "C"}),
        ({"A": 3}, {"A"}),
        ({}, set()),
    ],
)
def test_a_hidden_cell_cannot_be_had_by_subtraction(counts: dict[str, int], expected: set[str]) -> None:
    assert gates.hidden(counts) == expected


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 40), max_size=8))
def test_what_is_hidden_holds_enough_people_or_is_all_there_is(counts: dict[str, int]) -> None:
    away = gates.hidden(counts)
    assert {key for key, n in counts.items() if 0 < n < gates.PRIVATE} <= away
    shown = {key for key, n in counts.items() if n and key not in away}
    assert not away or not shown or (len(away) > 1 and sum(counts[key] for key in away) >= gates.PRIVATE)


def test_a_difference_shows_raw_points_and_tests_adjusted_ones() -> None:
    found = differences.of_nps((40, 60, 100), (30, 60, 110))
    assert found.delta == 10.0
    assert found.interval == pytest.approx((-4.908844, 24.613277), abs=1e-4)
    assert found.p == pytest.approx(0.19081535, abs=1e-6)


def test_a_difference_of_few_shares_is_tested_exactly() -> None:
    assert differences.of_shares(9, 12, 11, 12).p == pytest.approx(0.59006211, abs=1e-6)


def test_every_cell_can_rise_while_the_total_falls() -> None:
    found = differences.decomposed(
        {"email": (800, 50.0), "sms": (200, 10.0)}, {"email": (400, 52.0), "sms": (600, 14.0)}
    )
    assert (found.delta, found.mix, found.performance) == (
        pytest.approx(-12.8),
        pytest.approx(-15.6),
        pytest.approx(2.8),
    )


def test_a_channel_that_appears_is_mix_and_not_performance() -> None:
    found = differences.decomposed({"email": (100, 40.0)}, {"email": (50, 40.0), "sms": (50, 0.0)})
    assert (found.mix, found.performance) == (pytest.approx(-20.0), pytest.approx(0.0))


def test_sizes_read_as_published() -> None:
    assert [sample_size.for_nps(m) for m in (20, 15, 10, 8, 5, 3)] == [60, 108, 247, 388, 996, 2772]
    assert [sample_size.for_share(m) for m in (5, 3)] == [246, 683]
    assert sample_size.of_list(385, 500) == 218
    assert sample_size.detectable_nps(1000) == pytest.approx(10.101, abs=0.001)


def test_response_rate_is_complete_and_partial_of_all_invited() -> None:
    outcomes = funnel.Outcomes(complete=180, partial=20, refusal=15, non_contact=735, other=5, unknown=45)
    assert funnel.response_rate(outcomes) == 0.2
    assert funnel.response_rate(funnel.Outcomes()) is None


def test_weights_restore_the_share_of_those_rarely_asked() -> None:
    cell = weights.Weighted(
        n={5: 30, 7: 35, 9: 85},
        w={5: 210_000_000, 7: 170_000_000, 9: 220_000_000},
        w2={5: 2_010_000_000, 7: 1_520_000_000, 9: 1_570_000_000},
    )
    found = weights.estimate(NPS, cell)
    assert found is not None
    assert found.value == pytest.approx(1.666667, abs=1e-6)
    assert found.standard_error == pytest.approx(9.994559, abs=1e-5)
    assert found.n_eff == pytest.approx(70.588235, abs=1e-5)


@given(st.lists(st.tuples(st.sampled_from([0, 7, 10]), st.sampled_from([None, 1.0, 0.5, 0.3, 0.07])), max_size=30))
def test_weights_add_up_to_the_same_bytes_in_any_order(answers: list[tuple[int, float | None]]) -> None:
    sums = [weights.micro_weight(inclusion) for _, inclusion in answers]
    assert sum(w for w, _ in sums) == sum(w for w, _ in reversed(sums))
    assert all(isinstance(part, int) for pair in sums for part in pair)


@pytest.mark.parametrize(
    ("inclusion", "expected"), [(None, 1.0), (1.0, 1.0), (0.5, 2.0), (0.0, 1.0), (1e-9, 1000.0), (float("nan"), 1.0)]
)
def test_a_weight_is_one_over_the_chance_of_being_asked(inclusion: float | None, expected: float) -> None:
    assert weights.micro_weight(inclusion)[0] == expected * weights.MICRO


def test_equal_weights_change_nothing() -> None:
    histogram = {0: 10, 8: 20, 10: 30}
    millions = {score: count * weights.MICRO for score, count in histogram.items()}
    found = weights.estimate(NPS, weights.Weighted(histogram, millions, millions))
    assert found is not None
    assert found.value == pytest.approx(100 / 3)
    assert found.n_eff == 60.0
    assert found.interval() == pytest.approx(intervals.wald((10, 20, 30)))


@pytest.mark.parametrize(
    ("responded", "groups"),
    [
        ([40, 30, 29, 1, 0], [[0], [1], [2, 3, 4]]),
        ([40, 35, 5, 0], [[0], [1, 2, 3]]),
        ([40, 3], [[0, 1]]),
        ([30, 31], [[0], [1]]),
        ([2, 3], [[0, 1]]),
        ([], []),
    ],
)
def test_classes_with_few_answers_are_weighted_as_one(responded: list[int], groups: list[list[int]]) -> None:
    assert weights.joined_small(responded) == groups


def test_the_weights_of_non_response_are_capped_and_need_answers() -> None:
    classes = [(100, {10: 50}), (100, {0: 40}), (5_000, {10: 40}), (90, {}), (60, {5: 20, 9: 10})]
    found = weights.for_nonresponse(classes)
    assert found is not None
    assert (found.classes, found.joined, found.capped) == (4, 2, True)
    capped = round(5 * (2.5 + 5.0) / 2 * weights.MICRO)  # the median weight lies between 100 ÷ 40 and 150 ÷ 30
    assert found.cell.w == {10: 50 * 2_000_000 + 40 * capped, 0: 40 * 2_500_000, 5: 20 * 5_000_000, 9: 10 * 5_000_000}
    assert weights.for_nonresponse([(10, {})]) is None
    assert weights.for_nonresponse([]) is None


def test_a_day_is_the_local_day_of_the_place() -> None:
    moment = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert reporting_day.reporting_day(moment, "Europe/Paris") == date(2026, 3, 29)
    assert reporting_day.reporting_day(moment, "America/New_York") == date(2026, 3, 28)


def test_the_days_that_change_the_clock_have_23_and_25_hours() -> None:
    assert reporting_day.day_length_hours(date(2026, 3, 29), "Europe/Paris") == 23.0
    assert reporting_day.day_length_hours(date(2026, 10, 25), "Europe/Paris") == 25.0


def test_the_first_days_of_a_year_may_belong_to_the_last_week_of_the_one_before() -> None:
    assert reporting_day.iso_week(date(2027, 1, 3)) == "2026-W53"
    assert reporting_day.month(date(2027, 1, 3)) == "2027-01"


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2026-11-02", date(2026, 11, 2), date(2026, 11, 2)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_a_period_has_its_first_and_last_day(period: str, first: date, last: date) -> None:
    assert reporting_day.days_of(period) == (first, last)


@pytest.mark.parametrize(
    ("weight", "step"), [(1.0, 0), (1.0000001, 0), (1.1, 1), (2.0, 4), (2.1, 5), (10.0, 14), (1000.0, 40)]
)
def test_a_weight_lies_on_the_lowest_step_that_it_does_not_exceed(weight: float, step: int) -> None:
    w, _ = weights.micro_weight(1 / weight)
    assert weights.class_of(w) == step
    assert weights.LADDER[step] >= w


def test_the_trim_is_at_the_step_of_the_ninety_ninth_percentile() -> None:
    assert weights.trim_class({0: 99, 14: 1}) == 0
    assert weights.trim_class({0: 98, 14: 2}) == 14
    assert weights.trim_class({3: 1}) == 3
    assert weights.trim_class({}) == len(weights.LADDER) - 1
    assert weights.trimmed(2, 20, 200, 14, 4) == (4_000_000, 8_000_000)
    assert weights.trimmed(2, 20, 200, 4, 4) == (20, 200)
