"""The intervals that are shown cover the truth at least 93 times in 100 from thirty answers on.

NPS and shares: every possible outcome with its probability, so the coverage is exact and nothing is left to chance.
Means: samples drawn with a fixed seed. A mean whose answers pile up at one end (ninety in a hundred on the last two
scores) is covered by Student's t 92.5 times in 100 at thirty answers, and well enough from a hundred on.
"""

import random
from functools import lru_cache
from math import comb

import pytest

from surveyapp.domain import intervals
from surveyapp.domain.scores import METRICS

LEAST = 0.93


@lru_cache(maxsize=4)
def ways(n: int) -> list[tuple[int, int, int, int]]:
    """Every (detractors, passives, promoters) of n answers, with the number of orders in which they can come."""
    return [(d, n - d - p, p, comb(n, d) * comb(n - d, p)) for d in range(n + 1) for p in range(n - d + 1)]


@pytest.mark.parametrize(
    ("promoters", "detractors"), [(0.5, 0.2), (0.9, 0.02), (0.35, 0.35), (0.7, 0.1), (0.05, 0.6), (0.6, 0.0)]
)
def test_nps_is_covered(promoters: float, detractors: float) -> None:
    nps, truth, passives = METRICS["nps"], 100 * (promoters - detractors), 1 - promoters - detractors
    for n in (30, 45):
        covered = 0.0
        for d, m, p, orders in ways(n):
            chance = orders * detractors**d * passives**m * promoters**p
            if chance < 1e-12:
                continue
            found = intervals.of(nps, {0: d, 7: m, 10: p})
            assert found is not None
            covered += chance * (found.low <= truth <= found.high)
        assert covered >= LEAST, (n, covered)


@pytest.mark.parametrize("share", [0.5, 0.65, 0.8, 0.9, 0.33, 0.12])
def test_a_share_is_covered(share: float) -> None:
    csat = METRICS["csat5"]
    for n in (30, 50, 100, 200):
        covered = 0.0
        for k in range(n + 1):
            found = intervals.of(csat, {5: k, 2: n - k})
            assert found is not None
            covered += comb(n, k) * share**k * (1 - share) ** (n - k) * (found.low <= 100 * share <= found.high)
        assert covered >= LEAST, (n, covered)


@pytest.mark.parametrize(
    ("shares", "sizes"),
    [((5, 10, 20, 35, 30), (30, 100)), ((40, 30, 15, 10, 5), (30, 100)), ((1, 2, 7, 30, 60), (100, 200))],
)
def test_a_mean_is_covered(shares: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    effort, scale = METRICS["ces1"], range(1, 6)
    truth = sum(k * s for k, s in zip(scale, shares, strict=True)) / sum(shares)
    chance, draws = random.Random(20261122), 1500
    for n in sizes:
        covered = 0
        for _ in range(draws):
            histogram: dict[int, int] = {}
            for score in chance.choices(scale, shares, k=n):
                histogram[score] = histogram.get(score, 0) + 1
            found = intervals.of(effort, histogram)
            assert found is not None
            covered += found.low <= truth <= found.high
        assert covered / draws >= LEAST, (n, covered / draws)
