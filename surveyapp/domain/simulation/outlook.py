"""What the asks of a replay let one expect: answers per place, and how precise its figure becomes.

METHOD §4.4 and §8.4. Counts come in, expectations go out; no policy is read here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from surveyapp.domain import scores
from surveyapp.domain.intervals import adjusted, nps_variance, z_value
from surveyapp.domain.scores import METRICS, Histogram
from surveyapp.domain.simulation.cast import PRIOR_WEIGHT, Part, Rate, Rates
from surveyapp.domain.simulation.tally import Tally

FEW = 30  # answers below which a variance is assumed, not estimated
NPS_VARIANCE_EARLY, NPS_VARIANCE_LEAST = 0.75, 0.30
SHARE_VARIANCE_EARLY, SHARE_VARIANCE_LEAST = 0.25, 0.05

Histograms = Mapping[tuple[str, str], Histogram]
"""The answers so far by place and survey."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What a place may expect. `half_width` is in points of the metric (percent for shares); None without answers."""

    place: str
    metric: str
    asks: int
    answers: float
    half_width: float | None
    target: float | None = None

    @property
    def on_target(self) -> bool | None:
        """Whether the target is met; None where none is set."""
        if self.target is None:
            return None
        return self.half_width is not None and self.half_width <= self.target


def expected_answers(tally: Tally, parts: Mapping[str, Part], rates: Rates) -> dict[str, float]:
    """Answers to expect per trigger: Σ asks × rate over its channels."""
    found: dict[str, float] = {}
    for (trigger, channel), asks in sorted(tally.asked.items()):
        found[trigger] = found.get(trigger, 0.0) + asks * rate_of(parts, rates, trigger, channel).value
    return found


def rate_of(parts: Mapping[str, Part], rates: Rates, trigger: str, channel: str) -> Rate:
    """The rate by which asks of that trigger by that channel are answered."""
    return rates.get((parts[trigger].place, channel), Rate())


def precisions(tally: Tally, parts: Mapping[str, Part], rates: Rates, histograms: Histograms) -> dict[str, Precision]:
    """Per place, the precision of the survey that hears most there. Places without any ask have no half-width."""
    answers = expected_answers(tally, parts, rates)
    asks = tally.by_trigger()
    by_place: dict[str, dict[str, list[Part]]] = {}
    for part in parts.values():
        by_place.setdefault(part.place, {}).setdefault(part.trigger.survey, []).append(part)
    found = {}
    for place, surveys in sorted(by_place.items()):
        heard = {s: sum(answers.get(p.trigger.key, 0.0) for p in ps) for s, ps in surveys.items()}
        survey = max(sorted(heard), key=lambda s: heard[s])
        targets = [p.trigger.half_width for ps in surveys.values() for p in ps if p.trigger.half_width is not None]
        metric = surveys[survey][0].metric
        found[place] = Precision(
            place,
            metric,
            sum(asks.get(p.trigger.key, 0) for ps in surveys.values() for p in ps),
            sum(heard.values()),
            half_width(metric, histograms.get((place, survey), {}), heard[survey]),
            min(targets, default=None),
        )
    return found


def half_width(metric: str, so_far: Histogram, n: float) -> float | None:
    """The half-width of a 95 % interval after `n` answers that scatter like those so far; None without any.

    NPS: 100·z·√(V/(n+3)), V floored at .30 and .75 before 30 answers. Shares: 100·z·√(p(1−p)/n), at .25 before 30.
    Means: z·s/√n on the metric's own scale, s a quarter of the scale before 30.
    """
    if n <= 0:
        return None
    z = z_value()
    meaning, known = METRICS[metric], scores.answers(so_far)
    if meaning.headline == "nps":
        early = known < FEW
        counts = adjusted(scores.triple(meaning, so_far))
        spread = NPS_VARIANCE_EARLY if early else max(NPS_VARIANCE_LEAST, nps_variance(counts))
        return min(100.0, 100 * z * math.sqrt(spread / (n + 3)))
    if meaning.headline == "share":
        share = (scores.favourable(meaning, so_far) + 2) / (known + 4)
        spread = SHARE_VARIANCE_EARLY if known < FEW else max(SHARE_VARIANCE_LEAST, share * (1 - share))
        return min(50.0, 100 * z * math.sqrt(spread / n))
    deviation = (meaning.high - meaning.low) / 4
    variance = scores.variance(so_far) if known >= FEW else None
    return z * math.sqrt((variance or deviation**2) / n)


def change_interval(before: Tally, after: Tally, parts: Mapping[str, Part], rates: Rates) -> tuple[float, float]:
    """The 95 % interval of the change in expected answers, by asks that only one of the two makes.

    Both the chance of each answer and the uncertainty of each rate count: Σ ρ(1−ρ)·(|Δ| + Δ²/(asked + 10)).
    """
    middle = spread = 0.0
    for key in sorted(before.asked.keys() | after.asked.keys()):
        rate = rate_of(parts, rates, *key)
        extra = after.asked[key] - before.asked[key]
        middle += extra * rate.value
        chance = rate.value * (1 - rate.value)
        spread += chance * (abs(extra) + extra * extra / (rate.asked + PRIOR_WEIGHT))
    margin = z_value() * math.sqrt(spread)
    return middle - margin, middle + margin
