"""What people expected against what they met: the same person's two answers read as one difference. Pure.

It never compares two groups of people (`differences`); a gap between different people would be no gap of anybody.
"""

import math
from collections.abc import Mapping

from surveyapp.domain import differences, intervals
from surveyapp.domain.differences import Difference
from surveyapp.domain.intervals import Interval
from surveyapp.domain.scores import METRICS, Histogram

Pairs = Mapping[tuple[int, int], int]
"""How many people gave (the score before, the score after)."""

WITHOUT = frozenset({"enps", "disconfirmation"})
"""Employees answer without a name, and "against expectation" is already the difference, asked in one question."""


def earlier_metrics(perceived: str) -> list[str]:
    """The metrics an expectation may have been asked with: the same scale read the same way, so scores subtract."""
    if perceived in WITHOUT:
        return []
    met = METRICS[perceived]
    return [
        key
        for key, metric in METRICS.items()
        if key not in WITHOUT
        and (metric.scale, metric.favourable, metric.unfavourable) == (met.scale, met.favourable, met.unfavourable)
        and (metric.headline, metric.better) == (met.headline, met.better)
    ]


def before_and_after(pairs: Pairs) -> tuple[Histogram, Histogram]:
    """What these people expected and what they met, each as one histogram."""
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    for (expected, met), count in pairs.items():
        before[expected] = before.get(expected, 0) + count
        after[met] = after.get(met, 0) + count
    return before, after


def gap(perceived: str, pairs: Pairs) -> Difference | None:
    """Met − expected in the metric's unit, from each person's own difference; None without people or without spread.

    NPS: the differences of the −1/0/+1 codes. Shares: Bonett and Price, "Adjusted Wald Confidence Interval for a
    Difference of Binomial Proportions Based on Paired Data", Journal of Educational and Behavioral Statistics, 2012.
    Means: Student's t of the differences.
    """
    if not sum(pairs.values()):
        return None
    if METRICS[perceived].headline == "nps":
        return _of_nps(perceived, pairs)
    return _of_shares(perceived, pairs) if METRICS[perceived].headline == "share" else _of_means(pairs)


def _of_nps(perceived: str, pairs: Pairs) -> Difference | None:
    metric = METRICS[perceived]
    table = [[0] * 3 for _ in range(3)]
    for scores, count in pairs.items():
        row, column = (2 if s in metric.favourable else 0 if s in metric.unfavourable else 1 for s in scores)
        table[row][column] += count
    found = differences.of_nps_paired(table)
    return found if found.standard_error else None


def _of_shares(perceived: str, pairs: Pairs) -> Difference:
    good = METRICS[perceived].favourable
    n = sum(pairs.values())
    gained = sum(count for (before, after), count in pairs.items() if after in good and before not in good)
    lost = sum(count for (before, after), count in pairs.items() if before in good and after not in good)
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    error = 100 * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    centre, margin = 100 * (up - down), intervals.z_value() * error
    delta, z = 100 * (gained - lost) / n, centre / error
    within = Interval(max(-100.0, centre - margin), min(100.0, centre + margin))
    interval = intervals.widened(within, delta)
    return Difference(delta, interval, error, z, intervals.normal_tail(z))


def _of_means(pairs: Pairs) -> Difference | None:
    n = sum(pairs.values())
    total = sum((after - before) * count for (before, after), count in pairs.items())
    squares = sum((after - before) ** 2 * count for (before, after), count in pairs.items())
    if n < 2 or n * squares == total * total:
        return None
    delta, error = total / n, math.sqrt((n * squares - total * total) / (n * n * (n - 1)))
    margin, t = intervals.t_value(n - 1) * error, delta / error
    return Difference(delta, Interval(delta - margin, delta + margin), error, t, intervals.t_tail(t, n - 1))
