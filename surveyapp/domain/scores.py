"""What each metric means and how a count per score becomes a value, once for page, dashboard, API and export.

It knows no interval (`intervals`), no gate (`gates`) and no database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Histogram = Mapping[int, int]
"""How many answers gave each score. Histograms merge by adding; values never do."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's definition. `favourable` are the scores of the headline share; NPS also needs `unfavourable`."""

    key: str
    version: int
    low: int
    high: int
    favourable: frozenset[int]
    unfavourable: frozenset[int]
    headline: str  # "nps" (points), "share" (percent favourable) or "mean"
    better: str  # "higher" or "lower"
    layout: str  # "horizontal" or "vertical"
    not_applicable: bool = False  # whether "N-A" may be answered: it is no score and in no figure

    @property
    def scale(self) -> range:
        return range(self.low, self.high + 1)


def _metric(
    key: str,
    low: int,
    high: int,
    favourable: range,
    unfavourable: range,
    headline: str,
    better: str = "higher",
    *,
    na: bool = False,
) -> Metric:
    layout = "horizontal" if (low, high) == (0, 10) else "vertical"
    return Metric(key, 1, low, high, frozenset(favourable), frozenset(unfavourable), headline, better, layout, na)


METRICS: dict[str, Metric] = {
    m.key: m
    for m in (
        _metric("nps", 0, 10, range(9, 11), range(0, 7), "nps"),
        _metric("tnps", 0, 10, range(9, 11), range(0, 7), "nps"),
        _metric("csat5", 1, 5, range(4, 6), range(1, 3), "share"),
        _metric("csat7", 1, 7, range(6, 8), range(1, 4), "share"),
        _metric("ces1", 1, 5, range(1, 3), range(4, 6), "mean", "lower"),
        _metric("ces2", 1, 7, range(5, 8), range(1, 4), "share"),
        _metric("enps", 0, 10, range(9, 11), range(0, 7), "nps"),
        _metric("disconfirmation", -2, 2, range(0, 3), range(-2, 0), "mean"),
        _metric("pmf", 1, 3, range(3, 4), range(1, 2), "share", na=True),
        _metric("intention", 1, 5, range(4, 6), range(1, 3), "share"),
    )
}


def on_scale(metric: str, value: object) -> bool:
    """Whether `value` is an integer of the metric's scale; a bool, a float or a string never is."""
    return type(value) is int and METRICS[metric].low <= value <= METRICS[metric].high


Triple = tuple[int, int, int]
"""Detractors, passives, promoters, in that order."""


def answers(histogram: Histogram) -> int:
    """The number of answers: the base of every figure. "Not applicable" and blank are never in a histogram."""
    return sum(histogram.values())


def merged(histograms: Iterable[Histogram]) -> dict[int, int]:
    """One histogram of them all. The order does not matter."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for score, count in histogram.items():
            total[score] = total.get(score, 0) + count
    return total


def triple(metric: Metric, histogram: Histogram) -> Triple:
    """Unfavourable, neutral and favourable counts; for NPS: detractors, passives, promoters."""
    low = sum(count for score, count in histogram.items() if score in metric.unfavourable)
    high = sum(count for score, count in histogram.items() if score in metric.favourable)
    return low, answers(histogram) - low - high, high


def nps(counts: Triple) -> float | None:
    """100·(promoters − detractors)/n in points, −100…100, not rounded; None without answers."""
    detractors, _, promoters = counts
    n = sum(counts)
    return 100 * (promoters - detractors) / n if n else None


def favourable(metric: Metric, histogram: Histogram) -> int:
    """How many answers are in the favourable set."""
    return sum(count for score, count in histogram.items() if score in metric.favourable)


def share(metric: Metric, histogram: Histogram) -> float | None:
    """Percent of the answers in the favourable set, 0…100; None without answers."""
    n = answers(histogram)
    return 100 * favourable(metric, histogram) / n if n else None


def mean(histogram: Histogram) -> float | None:
    """Σk·h[k]/n on the metric's own scale; None without answers."""
    n = answers(histogram)
    return sum(score * count for score, count in histogram.items()) / n if n else None


def variance(histogram: Histogram) -> float | None:
    """The sample variance, divisor n − 1; None under two answers."""
    n = answers(histogram)
    if n < 2:
        return None
    total = sum(score * count for score, count in histogram.items())
    squares = sum(score * score * count for score, count in histogram.items())
    return (n * squares - total * total) / (n * (n - 1))  # integers until here: no cancellation


def headline(metric: Metric, histogram: Histogram) -> float | None:
    """The metric's one figure: NPS in points, a share in percent, or a mean; None without answers, never 0."""
    if metric.headline == "nps":
        return nps(triple(metric, histogram))
    if metric.headline == "share":
        return share(metric, histogram)
    return mean(histogram)
