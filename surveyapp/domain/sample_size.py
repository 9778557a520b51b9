"""How many answers are enough, and what so many answers can show."""

import math
from statistics import NormalDist

from surveyapp.domain.intervals import adjusted, nps_variance, z_value
from surveyapp.domain.scores import Histogram, Metric, answers, favourable, triple, variance


def for_nps(margin: float, variance: float = 0.65, confidence: float = 0.95) -> int:
    """⌈z²V/m² − 3⌉ answers for ± `margin` points; V is 1 at worst, .65 usually."""
    m = margin / 100
    return max(1, math.ceil(z_value(confidence) ** 2 * variance / (m * m) - 3))


def for_share(margin: float, share: float = 0.8, confidence: float = 0.95) -> int:
    """⌈z²p(1−p)/m²⌉ answers for ± `margin` percent points around a share 0…1."""
    m = margin / 100
    return max(1, math.ceil(z_value(confidence) ** 2 * share * (1 - share) / (m * m)))


def of_list(n: int, size: int) -> int:
    """⌈n/(1 + (n−1)/N)⌉: what `n` becomes when the list has only `size` people."""
    return math.ceil(n / (1 + (n - 1) / size))


def detectable_nps(n_each: int, variance: float = 0.65, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest change of NPS, in points, that two groups of `n_each` answers would notice with that power."""
    quantile = NormalDist().inv_cdf
    return 100 * (quantile(1 - alpha / 2) + quantile(power)) * math.sqrt(2 * variance / n_each)


def detectable(
    variances: tuple[float, float], sizes: tuple[int, int], power: float = 0.8, alpha: float = 0.05
) -> float:
    """The smallest change, in the unit whose variances these are, that two groups of these sizes would notice.

    (z(1−α∕2) + z(power))·√(V₁/n₁ + V₂/n₂); with equal groups and V of NPS it is `detectable_nps`.
    """
    quantile = NormalDist().inv_cdf
    error = math.sqrt(variances[0] / sizes[0] + variances[1] / sizes[1])
    return (quantile(1 - alpha / 2) + quantile(power)) * error


def answer_variance(metric: Metric, histogram: Histogram) -> float:
    """The variance of one answer in the metric's unit, from counts a little smoothed so that it is never nought."""
    n = answers(histogram)
    if metric.headline == "nps":
        return 1e4 * nps_variance(adjusted(triple(metric, histogram)))
    if metric.headline == "share":
        p = (favourable(metric, histogram) + 2) / (n + 4)
        return 1e4 * p * (1 - p)
    return variance(histogram) or (metric.high - metric.low) ** 2 / 12


def seen_by(metric: Metric, before: Histogram, after: Histogram) -> float | None:
    """The smallest difference these two groups could have shown at 80 % power; None where one is empty."""
    sizes = answers(before), answers(after)
    if not all(sizes):
        return None
    return detectable((answer_variance(metric, before), answer_variance(metric, after)), sizes)
