"""How sure a figure is: intervals around NPS, proportions and means, from counts alone.

Points and percent in and out, 95 % unless told. Nothing here decides about showing (`gates`) or comparing
(`differences`).
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

from surveyapp.domain import scores

_NORMAL = NormalDist()
PSEUDO = (0.75, 1.5, 0.75)
"""Detractors, passives and promoters that the adjusted Wald interval adds."""


class Interval(NamedTuple):
    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def z_value(confidence: float = 0.95) -> float:
    """The two-sided normal quantile: 1.96 at 95 %."""
    return _NORMAL.inv_cdf(0.5 + confidence / 2)


def normal_tail(z: float) -> float:
    """The two-sided p of a z."""
    return math.erfc(abs(z) / math.sqrt(2))


def nps_variance(counts: tuple[float, float, float]) -> float:
    """V = p + d − (p − d)² of one answer coded −1, 0, +1. At least one answer is needed."""
    detractors, _, promoters = counts
    n = sum(counts)
    p, d = promoters / n, detractors / n
    return p + d - (p - d) ** 2


def nps_standard_error(counts: tuple[float, float, float]) -> float:
    """√(V/n) in points, divisor n."""
    return 100 * math.sqrt(nps_variance(counts) / sum(counts))


def wald(counts: tuple[int, int, int], confidence: float = 0.95) -> Interval:
    """The plain interval around NPS, not clamped. Too narrow on few answers; shown nowhere, kept for comparison."""
    detractors, _, promoters = counts
    centre = 100 * (promoters - detractors) / sum(counts)
    margin = z_value(confidence) * nps_standard_error(counts)
    return Interval(centre - margin, centre + margin)


def adjusted(counts: tuple[int, int, int]) -> tuple[float, float, float]:
    """The counts with three pseudo-answers: +¾, +1½, +¾."""
    return counts[0] + PSEUDO[0], counts[1] + PSEUDO[1], counts[2] + PSEUDO[2]


def adjusted_wald(counts: tuple[int, int, int], confidence: float = 0.95) -> Interval:
    """The interval around NPS in points, clamped to ±100, before widening.

    Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician, 2016: AW(3, T).
    """
    return _around_adjusted(counts, 1.0, confidence)


def adjusted_wald_of_list(counts: tuple[int, int, int], size: int, confidence: float = 0.95) -> Interval:
    """The interval when the answers come from a closed list of `size` people. A census is its own value."""
    n = sum(counts)
    if n >= size:
        centre = 100 * (counts[2] - counts[0]) / n
        return Interval(centre, centre)
    return _around_adjusted(counts, finite_correction(n, size), confidence)


def finite_correction(n: int, size: int) -> float:
    """√((N − n)/(N − 1)), by which a standard error shrinks when n of a closed list of N answered."""
    return math.sqrt((size - n) / (size - 1)) if size > 1 else 0.0


def _around_adjusted(counts: tuple[int, int, int], shrink: float, confidence: float) -> Interval:
    more = adjusted(counts)
    centre = 100 * (more[2] - more[0]) / sum(more)
    margin = z_value(confidence) * nps_standard_error(more) * shrink
    return Interval(max(-100.0, centre - margin), min(100.0, centre + margin))


def widened(interval: Interval, observed: float) -> Interval:
    """The interval, stretched where it would exclude the value that is shown."""
    return Interval(min(interval.low, observed), max(interval.high, observed))


def wilson(favourable: float, n: float, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of a share, in percent 0…100. At least one answer is needed."""
    z2 = z_value(confidence) ** 2
    p = favourable / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    margin = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if favourable == 0 else max(0.0, 100 * (centre - margin))
    high = 100.0 if favourable == n else min(100.0, 100 * (centre + margin))
    return Interval(low, high)


def mean_interval(histogram: scores.Histogram, confidence: float = 0.95) -> Interval | None:
    """Student's t interval of a mean; None under two answers, and where all are the same (no spread to go by)."""
    spread = scores.variance(histogram)
    centre = scores.mean(histogram)
    if not spread or centre is None:
        return None
    n = scores.answers(histogram)
    margin = t_value(n - 1, confidence) * math.sqrt(spread / n)
    return Interval(centre - margin, centre + margin)


@lru_cache(maxsize=4096)
def t_value(df: float, confidence: float = 0.95) -> float:
    """The two-sided quantile of Student's t with `df` degrees of freedom, accurate to about 1e-9."""
    if df > 1e6:
        return z_value(confidence)
    target = 1 - confidence
    low, high = 0.0, 1.0
    while t_tail(high, df) > target:
        low, high = high, high * 2
    for _ in range(100):
        middle = (low + high) / 2
        if t_tail(middle, df) > target:
            low = middle
        else:
            high = middle
        if high - low < 1e-11 * high:
            break
    return (low + high) / 2


def t_tail(t: float, df: float) -> float:
    """The two-sided p of a t: the regularised incomplete beta I(df/(df+t²); df/2, ½)."""
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta, by Lentz's method (Abramowitz & Stegun 26.5.8)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 + term * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + term / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


METHODS = {"nps": "adjusted_wald_95", "share": "wilson_95", "mean": "t_95"}
"""By a metric's kind of headline: the name of its interval."""


def of(metric: scores.Metric, histogram: scores.Histogram) -> Interval | None:
    """The 95 % interval of the metric's headline, always holding the value shown; None where none can be given."""
    n = scores.answers(histogram)
    if n == 0:
        return None
    if metric.headline == "mean":
        return mean_interval(histogram)
    if metric.headline == "share":
        return wilson(scores.favourable(metric, histogram), n)
    counts = scores.triple(metric, histogram)
    return widened(adjusted_wald(counts), 100 * (counts[2] - counts[0]) / n)
