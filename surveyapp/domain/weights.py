"""Weighted figures repair known unequal chances of being asked or of answering, not the mind of the silent.

Weights are kept as whole micro-weights, so that any order of adding gives the same bytes.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from surveyapp.domain import scores
from surveyapp.domain.intervals import Interval, z_value

MICRO = 1_000_000
MOST_WEIGHT = 1_000
"""No single answer stands for more than this many: a chance below a thousandth is a mistake or a whim."""

TRIM_AT = Fraction(99, 100)
"""Weights above this percentile are trimmed: one rare answer must not carry a figure."""
WORTH = 30
"""A weighted figure that is worth fewer answers than this is refused."""
LADDER = tuple(round(MICRO * 2 ** (step / 4)) for step in range(40)) + (MOST_WEIGHT * MICRO,)
"""Weights are told apart by these steps, in micro-weights, each about a fifth above the one before."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """Per score: how many answers, Σw and Σw², both in micro-weights."""

    n: Mapping[int, int]
    w: Mapping[int, int]
    w2: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` in the metric's unit (points, percent or mean) with its standard error; `n_eff` after Kish."""

    value: float
    standard_error: float
    n_eff: float

    def interval(self, confidence: float = 0.95) -> Interval:
        margin = z_value(confidence) * self.standard_error
        return Interval(self.value - margin, self.value + margin)


def micro_weight(inclusion: float | None) -> tuple[int, int]:
    """(w, w²) in micro-weights of an answer whose event had that chance (0–1] of being asked; unknown counts as 1."""
    if inclusion is None or not inclusion > 0:
        return MICRO, MICRO
    weight = min(max(1.0, 1 / inclusion), MOST_WEIGHT)
    w = round(weight * MICRO)
    return w, round(w * w / MICRO)


def class_of(w: int) -> int:
    """The step of the ladder that a weight in micro-weights lies on: the lowest that it does not exceed."""
    return min(bisect_left(LADDER, w), len(LADDER) - 1)


def trim_class(counts: Mapping[int, int]) -> int:
    """The class, given how many answers each class has, that holds the 99th percentile; its step is the most that
    a weight may be. The heaviest class without answers, where nothing is trimmed."""
    needed, so_far = TRIM_AT * sum(counts.values()), 0
    for step in sorted(counts):
        so_far += counts[step]
        if so_far >= needed and counts[step]:
            return step
    return len(LADDER) - 1


def trimmed(n: int, w: int, w2: int, step: int, most: int) -> tuple[int, int]:
    """(w, w²) of `n` answers of class `step` when none may weigh more than class `most` allows."""
    if step <= most:
        return w, w2
    limit = LADDER[most]
    return n * limit, n * round(limit * limit / MICRO)


def effective_n(w: Mapping[int, int], w2: Mapping[int, int]) -> float:
    """Kish's effective number of answers, (Σw)²/Σw²; 0 without answers."""
    squares = sum(w2.values())
    return sum(w.values()) ** 2 / (squares * MICRO) if squares else 0.0


def estimate(metric: scores.Metric, cell: Weighted) -> Estimate | None:
    """The Hájek mean of the metric's coding with its linearised error; None without answers.

    m = Σ W·code / W; variance = Σ W2·(code − m)² / W², from the merged sums alone.
    """
    total = sum(cell.w.values())
    if not total:
        return None
    codes = {score: _code(metric, score) for score in cell.w}
    m = sum(weight * codes[score] for score, weight in cell.w.items()) / total
    spread = math.fsum(square * MICRO * (codes[score] - m) ** 2 for score, square in cell.w2.items())
    unit = 1 if metric.headline == "mean" else 100
    return Estimate(unit * m, unit * math.sqrt(spread) / total, effective_n(cell.w, cell.w2))


def _code(metric: scores.Metric, score: int) -> int:
    if metric.headline == "mean":
        return score
    if metric.headline == "nps" and score in metric.unfavourable:
        return -1
    return int(score in metric.favourable)


@dataclass(frozen=True, slots=True)
class NonResponse:
    """The weight of each class, in the order given, and whether the cap of five times the median bit."""

    weights: tuple[float, ...]
    capped: bool


def nonresponse(classes: Sequence[tuple[int, int]], cap: float = 5.0) -> NonResponse:
    """invited / responded per class, capped at `cap` times the median class weight. Every class needs answers."""
    raw = [invited / responded for invited, responded in classes]
    most = cap * median(raw)
    return NonResponse(tuple(min(weight, most) for weight in raw), any(weight > most for weight in raw))


def joined_small(responded: Sequence[int], enough: int = WORTH) -> list[list[int]]:
    """The classes, as places in the list, with those of fewer than `enough` answers joined into one.

    Where all of these together have too few still, the next smallest joins them.
    """
    order = sorted(range(len(responded)), key=lambda place: responded[place])
    small = [place for place in order if responded[place] < enough]
    for place in order[len(small) :]:
        if not small or sum(responded[one] for one in small) >= enough:
            break
        small.append(place)
    return [[place] for place in range(len(responded)) if place not in small] + ([sorted(small)] if small else [])


@dataclass(frozen=True, slots=True)
class Answering:
    """Sums under the weights of non-response, how many classes they come from, how many were too small for one of
    their own, and whether the cap bit."""

    cell: Weighted
    classes: int
    joined: int
    capped: bool


def for_nonresponse(classes: Sequence[tuple[int, Mapping[int, int]]]) -> Answering | None:
    """The answers of each class (invited, answers by score) weighted by invited ÷ responded; None without answers."""
    responded = [sum(scores.values()) for _, scores in classes]
    groups = [group for group in joined_small(responded) if sum(responded[place] for place in group)]
    if not groups:
        return None
    found = nonresponse([(sum(classes[p][0] for p in g), sum(responded[p] for p in g)) for g in groups])
    n: dict[int, int] = {}
    w: dict[int, int] = {}
    w2: dict[int, int] = {}
    for weight, group in zip(found.weights, groups, strict=True):
        own = round(weight * MICRO)
        square = round(own * own / MICRO)
        for score, count in (pair for place in group for pair in classes[place][1].items()):
            n[score] = n.get(score, 0) + count
            w[score] = w.get(score, 0) + count * own
            w2[score] = w2.get(score, 0) + count * square
    joined = max((len(group) for group in groups if len(group) > 1), default=0)
    return Answering(Weighted(n, w, w2), len(groups), joined, found.capped)
