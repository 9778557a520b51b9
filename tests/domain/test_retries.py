"""Trying again: later each time, spread out, and at last no more."""

from datetime import timedelta

from surveyapp.domain.retries import MOST, wait_after

SECOND = timedelta(seconds=1)


def test_f57_each_wait_is_longer_up_to_two_hours_and_then_it_is_given_up() -> None:
    usual = [30, 60, 120, 240, 480, 960, 1920, 3840, 7200, 7200, 7200]
    for failures, seconds in enumerate(usual, 1):
        waits = [wait_after(failures, f"m-{n}") for n in range(200)]
        assert min(w for w in waits if w) >= 0.75 * seconds * SECOND
        assert max(w for w in waits if w) <= 1.25 * seconds * SECOND
    assert [wait_after(n, "m-1") for n in (MOST, MOST + 1)] == [None, None]


def test_waits_differ_between_messages_and_never_for_the_same_one() -> None:
    assert len({wait_after(1, f"m-{n}") for n in range(50)}) == 50
    assert wait_after(3, "m-1") == wait_after(3, "m-1")
