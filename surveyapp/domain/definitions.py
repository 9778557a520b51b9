"""What each figure is, in words, once for page, chart, file and API. It computes nothing (`scores`, `intervals`)."""

from dataclasses import dataclass

from surveyapp.domain import intervals
from surveyapp.domain.scores import METRICS, Metric

NAMES = {
    "nps": "NPS",
    "tnps": "NPS of the step",
    "csat5": "CSAT 1–5",
    "csat7": "CSAT 1–7",
    "ces1": "CES 1.0",
    "ces2": "CES 2.0",
    "enps": "eNPS",
    "disconfirmation": "Against expectation",
    "pmf": "Would miss it",
    "intention": "Would do it again",
}
KINDS = {
    "nps": "prediction",
    "tnps": "prediction",
    "enps": "prediction",
    "pmf": "prediction",
    "intention": "prediction",
}
"""By metric: what it measures, where that is not a perception. No metric of ours is descriptive; indicators are."""
METHOD_WORDS = {
    "adjusted_wald_95": "adjusted Wald, 95 %",
    "wilson_95": "Wilson, 95 %",
    "t_95": "Student’s t, 95 %",
    "hajek_95": "weighted (Hájek), 95 %",
}
UNITS = {"nps": "points", "share": "percent", "mean": "scale points"}
BASE = "confirmed answers with a score; blank, “not applicable” and suspected robots are in no base"


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric's meaning. `favourable` and `unfavourable` are ranges of scores as a person writes them."""

    key: str
    version: int
    name: str
    scale: str
    better: str
    favourable: str
    unfavourable: str
    numerator: str
    denominator: str
    unit: str
    method: str
    measures: str

    @property
    def sentence(self) -> str:
        """All of it in one line, to stand under a chart."""
        return (
            f"{self.name}, definition {self.version}: {self.numerator}, of all {self.denominator}. "
            f"Scale {self.scale}, {self.better} is better. Interval: {self.method}."
        )


def definition(key: str) -> Definition:
    """The definition of a metric. Raises KeyError for an unknown one."""
    metric = METRICS[key]
    return Definition(
        key,
        metric.version,
        NAMES[key],
        written(metric.low, metric.high),
        metric.better,
        _scores(metric.favourable),
        _scores(metric.unfavourable),
        _numerator(metric),
        BASE,
        UNITS[metric.headline],
        METHOD_WORDS[intervals.METHODS[metric.headline]],
        KINDS.get(key, "perception"),
    )


def written(low: int, high: int) -> str:
    """A range of scores: `9–10`, `−2 to 2`, or one score alone."""
    if low == high:
        return str(low)
    return f"{low}–{high}" if low >= 0 else f"−{-low} to {'−' if high < 0 else ''}{abs(high)}"


def _scores(some: frozenset[int]) -> str:
    return written(min(some), max(some))


def _numerator(metric: Metric) -> str:
    if metric.headline == "nps":
        return f"100 × (promoters {_scores(metric.favourable)} − detractors {_scores(metric.unfavourable)})"
    if metric.headline == "share":
        return f"answers {_scores(metric.favourable)} in percent"
    return "the sum of the scores"
