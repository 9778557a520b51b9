"""Whether two figures differ: independent cells, the same people twice, before and after against a control.

The displayed difference is that of the raw figures; the interval says what chance could have done. Overlapping
intervals of two figures are never compared here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surveyapp.domain import intervals, scores
from surveyapp.domain.intervals import Interval

Counts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """`delta` as displayed (points), its interval, the z behind it and the two-sided p."""

    delta: float
    interval: Interval
    standard_error: float
    z: float
    p: float


def _tested(delta: float, centre: float, error: float, confidence: float) -> Difference:
    margin = intervals.z_value(confidence) * error
    z = centre / error if error else math.copysign(math.inf, centre) if centre else 0.0
    return Difference(delta, Interval(centre - margin, centre + margin), error, z, intervals.normal_tail(z))


def of_nps(before: Counts, after: Counts, confidence: float = 0.95) -> Difference:
    """after − before of two independent cells, in points; interval and p from the adjusted counts."""
    centres = [100 * (c[2] - c[0]) / sum(c) for c in (intervals.adjusted(before), intervals.adjusted(after))]
    errors = [intervals.nps_standard_error(intervals.adjusted(c)) for c in (before, after)]
    raw = 100 * (after[2] - after[0]) / sum(after) - 100 * (before[2] - before[0]) / sum(before)
    return _tested(raw, centres[1] - centres[0], math.hypot(*errors), confidence)


def of_nps_paired(table: Sequence[Sequence[int]], confidence: float = 0.95) -> Difference:
    """The same people twice: rows are their first class, columns their second (detractor, passive, promoter)."""
    n = sum(map(sum, table))
    total = sum((column - row) * table[row][column] for row in range(3) for column in range(3))
    squares = sum((column - row) ** 2 * table[row][column] for row in range(3) for column in range(3))
    delta = total / n
    error = 100 * math.sqrt((squares / n - delta**2) / n)
    return _tested(100 * delta, 100 * delta, error, confidence)


def in_differences(
    treated_before: Counts,
    treated_after: Counts,
    control_before: Counts,
    control_after: Counts,
    confidence: float = 0.95,
) -> Difference:
    """How much more the treated cells moved than the control, in points, from raw variances."""
    cells = (treated_before, treated_after, control_before, control_after)
    a, b, c, d = (100 * (cell[2] - cell[0]) / sum(cell) for cell in cells)
    delta = (b - a) - (d - c)
    return _tested(delta, delta, math.hypot(*(intervals.nps_standard_error(cell) for cell in cells)), confidence)


def of_shares(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> Difference:
    """second − first share in percent points, with Newcombe's interval.

    p is that of the pooled z, or Fisher's where an expected count is under 5.
    """
    p1, p2, pooled = x1 / n1, x2 / n2, (x1 + x2) / (n1 + n2)
    one, two = intervals.wilson(x1, n1, confidence), intervals.wilson(x2, n2, confidence)
    delta = 100 * (p2 - p1)
    low = delta - math.hypot(100 * p2 - two.low, one.high - 100 * p1)
    high = delta + math.hypot(two.high - 100 * p2, 100 * p1 - one.low)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    z = (p2 - p1) / error if error else 0.0
    expected = min(n * q for n in (n1, n2) for q in (pooled, 1 - pooled))
    p = fisher(x1, n1, x2, n2) if expected < 5 else intervals.normal_tail(z)
    return Difference(delta, Interval(low, high), 100 * error, z, p)


def of_means(before: scores.Histogram, after: scores.Histogram, confidence: float = 0.95) -> Difference | None:
    """after − before of two means on the metric's own scale, by Welch's t; None where a side has no spread to go by."""
    spreads = [scores.variance(histogram) for histogram in (before, after)]
    means = [scores.mean(histogram) for histogram in (before, after)]
    if not all(spreads) or means[0] is None or means[1] is None:
        return None
    parts = [(spread or 0.0) / scores.answers(h) for spread, h in zip(spreads, (before, after), strict=True)]
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(
        part**2 / (scores.answers(h) - 1) for part, h in zip(parts, (before, after), strict=True)
    )
    delta = means[1] - means[0]
    margin = intervals.t_value(round(freedom, 3), confidence) * error
    t = delta / error
    return Difference(delta, Interval(delta - margin, delta + margin), error, t, intervals.t_tail(t, freedom))


def fisher(x1: int, n1: int, x2: int, n2: int) -> float:
    """Fisher's exact two-sided p: all tables with these margins that are no likelier than the one seen."""
    hits, n = x1 + x2, n1 + n2
    low, high = max(0, hits - n2), min(n1, hits)

    def log_choose(total: int, chosen: int) -> float:
        return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)

    def log_p(x: int) -> float:
        return log_choose(n1, x) + log_choose(n2, hits - x) - log_choose(n, hits)

    seen = log_p(x1)
    return min(1.0, math.fsum(math.exp(log_p(x)) for x in range(low, high + 1) if log_p(x) <= seen + 1e-7))


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A total's change = `mix` (who answered) + `performance` (what they said), in points."""

    delta: float
    mix: float
    performance: float


def decomposed(before: Mapping[str, tuple[int, float]], after: Mapping[str, tuple[int, float]]) -> Decomposition:
    """The change of a total by cell, each cell (n, value), with midpoint weights.

    A cell absent on one side has no share there; its value is taken from the other side.
    """
    total_a, total_b = sum(n for n, _ in before.values()), sum(n for n, _ in after.values())
    mix = performance = 0.0
    for key in before.keys() | after.keys():
        n_a, value_a = before.get(key, (0, after[key][1] if key in after else 0.0))
        n_b, value_b = after.get(key, (0, value_a))
        share_a, share_b = n_a / total_a, n_b / total_b
        mix += (share_b - share_a) * (value_a + value_b) / 2
        performance += (share_a + share_b) / 2 * (value_b - value_a)
    return Decomposition(mix + performance, mix, performance)


def holm(p_values: Sequence[float]) -> list[float]:
    """p corrected for many alerts (family-wise), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [0.0] * len(p_values)
    worst = 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - rank) * p_values[i]))
        corrected[i] = worst
    return corrected


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """p corrected for exploration (false discovery rate), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    corrected = [0.0] * len(p_values)
    best = 1.0
    for place, i in enumerate(order):
        best = min(best, p_values[i] * len(order) / (len(order) - place))
        corrected[i] = best
    return corrected
