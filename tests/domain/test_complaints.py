"""Complaints rise or not, by their rate and beyond chance, and only a figure that did not fall diverges from them."""

import pytest

from surveyapp.domain.complaints import Complaints, diverges
from surveyapp.domain.verdicts import Kind


@pytest.mark.parametrize(
    ("now", "before", "events_now", "events_before", "risen"),
    [
        (90, 60, 10_000, 10_000, True),
        (89, 60, 10_000, 10_000, False),  # under half as many again
        (9, 6, 10_000, 10_000, False),  # chance explains it
        (90, 60, 15_000, 10_000, False),  # as many for each event
        (60, 60, 5_000, 10_000, True),  # twice as many for each event
        (90, 60, 0, 10_000, True),  # without events the counts decide
        (12, 0, 0, 0, True),
        (0, 0, 10, 10, False),
        (5, -5, 10, 10, False),
    ],
)
def test_complaints_rise_by_rate_and_beyond_chance(
    now: float, before: float, events_now: int, events_before: int, risen: bool
) -> None:
    assert Complaints(now, before, events_now, events_before).risen is risen


def test_rates_are_per_thousand_events_or_none() -> None:
    assert Complaints(90, 60, 10_000, 20_000).rate == 9.0
    assert Complaints(90, 60, 10_000, 20_000).rate_before == 3.0
    assert Complaints(90, 60, 0, 0).rate is None


def test_only_a_tested_figure_that_did_not_get_worse_diverges() -> None:
    risen = Complaints(90, 60, 10_000, 10_000)
    better = {"higher": {Kind.HIGHER, Kind.UNDECIDABLE}, "lower": {Kind.LOWER, Kind.UNDECIDABLE}}
    for direction, kinds in better.items():
        assert {kind for kind in Kind if diverges(risen, kind, direction)} == kinds
    assert not diverges(Complaints(60, 60, 1, 1), Kind.UNDECIDABLE, "higher")
