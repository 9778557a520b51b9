"""What a change of a figure may be called."""

import pytest

from surveyapp.domain.differences import Difference
from surveyapp.domain.intervals import Interval
from surveyapp.domain.verdicts import Kind, difference_of, verdict, verdicts


def csat(favourable: int, others: int) -> dict[int, int]:
    return {5: favourable, 2: others}


def difference(low: float, high: float, p: float) -> Difference:
    return Difference((low + high) / 2, Interval(low, high), 1.0, 2.0, p)


@pytest.mark.parametrize(
    ("low", "high", "p", "better", "words", "good"),
    [
        (4.2, 11.6, 0.001, "higher", "higher by 4 to 12", True),
        (-18.3, -4.9, 0.001, "higher", "lower by 5 to 18", False),
        (1.1, 3.2, 0.01, "lower", "higher by 1 to 3, worse", False),
        (-3.2, -1.1, 0.01, "lower", "lower by 1 to 3, better", True),
        (-2.1, 4.4, 0.4, "higher", "undecidable: −2 to +4", None),
        (0.2, 9.0, 0.2, "higher", "undecidable: 0 to +9", None),
        (-0.4, 8.0, 0.01, "higher", "undecidable: 0 to +8", None),
        (0.6, 9.0, 0.2, "higher", "undecidable among all these", None),
        (-9.0, -0.6, 0.2, "higher", "undecidable among all these", None),
        (0.2, 0.4, 0.001, "higher", "higher by 1 to 1", True),
    ],
)
def test_a_change_in_words(low: float, high: float, p: float, better: str, words: str, good: bool | None) -> None:
    found = verdict(difference(low, high, p), 200, 200, better=better)
    assert (found.words, found.good) == (words, good)


def test_fewer_than_thirty_answers_on_either_side_is_too_early() -> None:
    for sizes in ((29, 400), (400, 29)):
        found = verdict(difference(5, 9, 0.0001), *sizes)
        assert (found.kind, found.words, found.real) == (Kind.EARLY, "too early: n under 30", False)


def test_without_a_difference_nothing_is_computed() -> None:
    assert verdict(None, 100, 100).words == "not computed"
    assert difference_of("csat5", {}, csat(1, 1)) is None
    assert difference_of("ces1", {1: 40}, {5: 40}) is None, "without any spread a mean has no interval"


def test_means_are_compared_by_welch_and_worded_with_one_decimal() -> None:
    before, after = {1: 20, 2: 30, 3: 30, 4: 15, 5: 5}, {1: 40, 2: 30, 3: 20, 4: 8, 5: 2}
    found = difference_of("ces1", before, after)
    assert found is not None
    assert found.delta == pytest.approx(2.02 - 2.55)
    assert found.interval == pytest.approx((-0.83365, -0.22635), abs=1e-4)
    assert verdicts({"a": ("ces1", before, after)})["a"].words == "lower by 0.2 to 0.8, better"


def test_a_planned_number_of_answers_holds_the_verdict_back() -> None:
    found = verdict(difference(5, 9, 0.0001), 120, 130, enough=125)
    assert (found.kind, found.words) == (Kind.EARLY, "too early: n under 125")


def test_many_figures_read_at_once_are_corrected() -> None:
    alone = verdicts({"a": ("csat5", csat(120, 80), csat(140, 60))})
    assert alone["a"].words == "higher by 1 to 19"
    crowd = {"a": ("csat5", csat(120, 80), csat(140, 60))} | {
        name: ("csat5", csat(120, 80), csat(120, 80)) for name in "bcdef"
    }
    assert verdicts(crowd)["a"].kind is Kind.UNDECIDABLE


def test_figures_too_small_to_test_do_not_count_as_read() -> None:
    crowd = {"a": ("csat5", csat(120, 80), csat(140, 60))} | {
        name: ("csat5", csat(10, 10), csat(10, 10)) for name in "bcdef"
    }
    found = verdicts(crowd)
    assert found["a"].real
    assert {found[name].kind for name in "bcdef"} == {Kind.EARLY}


def test_nps_is_worded_in_points() -> None:
    found = verdicts({"a": ("nps", {0: 100, 8: 100, 10: 100}, {0: 20, 8: 80, 10: 200})})
    assert found["a"].kind is Kind.HIGHER
    assert found["a"].words.startswith("higher by 4")
