"""Said and done: shares per class with Wilson's interval, hidden where few, compared only where both may be shown."""

import pytest

from surveyapp.domain.afterwards import difference, shares


def test_each_class_has_its_share_and_interval() -> None:
    unf, mid, fav = shares("nps", {0: (10, 1), 6: (10, 4), 7: (20, 10), 9: (60, 50), 10: (40, 30)})
    assert (unf.name, unf.n, unf.did, unf.share) == ("unfavourable", 20, 5, 25.0)
    assert (mid.n, mid.did) == (20, 10)
    assert (fav.n, fav.did, fav.share) == (100, 80, 80.0)
    assert fav.interval is not None
    assert tuple(fav.interval) == (pytest.approx(71.117083), pytest.approx(86.663307))
    found = difference([unf, mid, fav])
    assert found is not None
    assert found.delta == pytest.approx(55.0)


def test_a_small_class_is_hidden_and_hides_the_next_smallest() -> None:
    unf, mid, fav = shares("intention", {1: (4, 4), 3: (6, 1), 5: (50, 5)})
    assert (unf.did, mid.did, fav.did) == (None, None, 5)
    assert (unf.n, mid.n) == (4, 6)
    assert difference([unf, mid, fav]) is None


def test_a_class_of_nobody_is_no_share_of_nought() -> None:
    unf, mid, fav = shares("intention", {5: (50, 5)})
    assert (unf.n, unf.share, mid.share, fav.share) == (0, None, None, 10.0)
