"""How a figure is drawn and worded: value, interval and n together or not at all. Computes nothing of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surveyapp.domain import definitions
from surveyapp.domain.gates import Status, floor_of
from surveyapp.domain.scores import METRICS, Metric
from surveyapp.domain.verdicts import Verdict
from surveyapp.web.admin.formats import THIN, counted, key_words, number, span

METRIC_WORDS = definitions.NAMES
SAID = {"None": "–", "True": "yes", "False": "no"}


@dataclass(frozen=True)
class Drawn:
    """A figure ready for a template. Positions are percent of the metric's whole scale, None when nothing is drawn."""

    status: str
    n: int
    value: str
    unit: str
    interval: str
    metric: str
    base: str
    x: float | None = None
    low: float | None = None
    high: float | None = None
    provisional: int = 0
    counts: str = "answer"

    @property
    def shown(self) -> bool:
        return self.x is not None

    @property
    def sentence(self) -> str:
        """The figure for a screen reader: never a number without its interval and its n."""
        if self.status == Status.NO_DATA:
            return f"no {self.counts}s yet"
        if self.status == Status.SUPPRESSED:
            return f"hidden, {self.hidden}"
        unit = " percent" if self.unit == "%" else ""
        return f"{self.value}{unit}, interval {self.interval.replace('–', ' to ')}, {counted(self.n, self.counts)}"

    @property
    def hidden(self) -> str:
        """Why it is hidden."""
        floor = floor_of(self.metric)
        return (
            f"{counted(self.n, self.counts)}; shown from {floor}" if self.n < floor else "hidden so that no other shows"
        )

    @property
    def label(self) -> str:
        return METRIC_WORDS.get(self.metric, self.metric)


def scale_of(metric: Metric) -> tuple[float, float]:
    """The ends of the axis on which the metric's headline lives."""
    if metric.headline == "nps":
        return -100.0, 100.0
    return (0.0, 100.0) if metric.headline == "share" else (float(metric.low), float(metric.high))


def base_of(metric: Metric) -> str:
    """What the value is a value of: `% 4–5`, `mean of 1–5`, or nothing for NPS."""
    if metric.headline == "share":
        low, high = min(metric.favourable), max(metric.favourable)
        return f"%{THIN}{low}" if low == high else f"%{THIN}{low}–{high}"
    return "" if metric.headline == "nps" else f"mean of {span(metric.low, metric.high)}"


def drawn(figure: Any) -> Drawn:
    """The figure (n, value, low, high, status, provisional, metric) as a template needs it."""
    metric = METRICS[figure.metric]
    status = Status(figure.status)
    places = 1 if metric.headline == "mean" else 0
    unit = "%" if metric.headline == "share" else ""
    empty = Drawn(status, figure.n, "", unit, "", metric.key, base_of(metric))
    if status in (Status.NO_DATA, Status.SUPPRESSED) or figure.value is None or figure.low is None:
        return empty
    bottom, top = scale_of(metric)

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, 100 * (value - bottom) / (top - bottom))), 2)

    return Drawn(
        status,
        figure.n,
        number(figure.value, places),
        unit,
        span(figure.low, figure.high, places),
        metric.key,
        base_of(metric),
        place(figure.value),
        place(figure.low),
        place(figure.high),
        int(figure.provisional or 0),
    )


def tone(verdict: Verdict | None) -> str:
    """The class that colours a proven change, and only that."""
    if verdict is None or verdict.good is None:
        return ""
    return "up" if verdict.good else "dn"


VERDICT_ICONS = {
    "higher": "arrow-up-right",
    "lower": "arrow-down-right",
    "undecidable": "wave-sine",
    "early": "hourglass-low",
    "none": "minus",
}


def score_words(metric: str, score: int | None) -> str:
    """One answer's score with the end of its scale: `4 of 5`; a blank one is `no score`."""
    if score is None:
        return "no score"
    known = METRICS.get(metric)
    if known is None:
        return str(score)
    return f"{number(score)} of {known.high}" if known.low >= 0 else number(score)


def kept_context(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The frozen context in its own order: names in words, values as text, long ones whole."""
    return [(key_words(str(name)), SAID.get(repr(value), str(value))) for name, value in context.items()]
