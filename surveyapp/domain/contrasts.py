"""Which cells of a table differ from all the others together, corrected for reading so many at once.

Exploration, so Benjamini and Hochberg's correction; alerts use Holm's (`verdicts`). It draws and hides nothing.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from surveyapp.domain import differences
from surveyapp.domain.gates import SOLID
from surveyapp.domain.scores import METRICS, Histogram, answers
from surveyapp.domain.verdicts import ALPHA, difference_of

Key = TypeVar("Key", bound=Hashable)

STEPS = {"nps": (10.0, 20.0), "share": (5.0, 10.0), "mean": (0.25, 0.5)}
"""By kind of headline: from which size on a proven difference is drawn in the second and in the third tone."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A proven difference from the rest: `delta` in the metric's unit, `good` for customers, `level` 1–3."""

    delta: float
    good: bool
    level: int

    @property
    def words(self) -> str:
        return "higher than the rest" if self.delta > 0 else "lower than the rest"


def against_the_rest(metric: str, cells: Mapping[Key, Histogram], whole: Histogram) -> tuple[dict[Key, Contrast], int]:
    """The cells (parts of `whole`) that differ from all other answers, and how many were read to find them.

    A cell is read with 30 answers on both sides; it differs with a corrected p under .05.
    """
    known = METRICS[metric]
    tested = {}
    for key, cell in cells.items():
        rest = {score: left for score, n in whole.items() if (left := n - cell.get(score, 0)) > 0}
        if min(answers(cell), answers(rest)) >= SOLID and (difference := difference_of(metric, rest, cell)):
            tested[key] = difference
    corrected = differences.benjamini_hochberg([difference.p for difference in tested.values()])
    near, far = STEPS[known.headline]
    found = {}
    for (key, difference), p in zip(tested.items(), corrected, strict=True):
        if p < ALPHA and difference.delta:
            size = abs(difference.delta)
            good = (difference.delta > 0) == (known.better == "higher")
            found[key] = Contrast(difference.delta, good, 1 + (size >= near) + (size >= far))
    return found, len(tested)
