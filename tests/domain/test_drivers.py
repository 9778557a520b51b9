"""What is associated with a score, and what may be said of it."""

from surveyapp.domain import drivers
from surveyapp.domain.drivers import Place
from surveyapp.domain.intervals import Interval


def place(x: float, y: float, half: float = 2.0) -> Place:
    return Place(x, Interval(x - half, x + half), y, Interval(y - half, y + half))


def test_a_quadrant_is_named_only_when_both_intervals_clear_the_lines() -> None:
    steps = {"a": place(40, 20), "b": place(90, 2), "c": place(60, 10), "d": place(91, 19), "e": place(59, 9)}
    line_x, line_y, named = drivers.quadrants(steps)
    assert (line_x, line_y) == (60, 10)
    assert named == {"a": "repair first", "b": "in order", "c": "undecidable", "d": "keep up", "e": "undecidable"}


def test_a_step_everyone_likes_alike_has_no_impact_and_says_how_sure_that_is() -> None:
    found = drivers.step_impact((10, 20, 70), (2, 4, 14))
    assert found.value == 0
    assert found.interval.low < 0 < found.interval.high


def test_shares_of_r2_add_up_and_copies_share_alike() -> None:
    among = [[1.0, 0.99, 0.1], [0.99, 1.0, 0.1], [0.1, 0.1, 1.0]]
    shares = drivers.lmg(among, [0.5, 0.5, 0.3])
    assert abs(sum(shares) - drivers.explained(among, [0.5, 0.5, 0.3], (0, 1, 2))) < 1e-12
    assert abs(shares[0] - shares[1]) < 1e-12


def test_correlations_of_columns() -> None:
    found = drivers.correlations([[1, 2, 3, 4], [2, 4, 6, 8], [4, 3, 2, 1]])
    assert [[round(r, 9) for r in row] for row in found] == [[1, 1, -1], [1, 1, -1], [-1, -1, 1]]
