"""What a change of a figure may be called: at most five words, never more than the numbers prove.

It computes no interval itself (`differences`); it words one.
"""

from dataclasses import dataclass
from enum import StrEnum

from surveyapp.domain import differences
from surveyapp.domain.differences import Difference
from surveyapp.domain.gates import SOLID
from surveyapp.domain.scores import METRICS, Histogram, answers, favourable, triple

ALPHA = 0.05
MINUS = "\u2212"


class Kind(StrEnum):
    """Which way a figure went, as far as is proven."""

    HIGHER = "higher"
    LOWER = "lower"
    UNDECIDABLE = "undecidable"
    EARLY = "early"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`good` is None unless the change is proven; `low` and `high` are the difference's interval, in points."""

    kind: Kind
    words: str
    low: float | None = None
    high: float | None = None
    good: bool | None = None

    @property
    def real(self) -> bool:
        """Whether the change is proven."""
        return self.good is not None


NOT_COMPUTED = Verdict(Kind.NONE, "not computed")
ACROSS = Verdict(Kind.NONE, "not compared across a break")
EARLY = Verdict(Kind.EARLY, f"too early: n under {SOLID}")


def difference_of(metric: str, before: Histogram, after: Histogram) -> Difference | None:
    """after − before in the metric's unit, or None where a side is empty or a mean has no spread to go by."""
    known = METRICS[metric]
    if not answers(before) or not answers(after):
        return None
    if known.headline == "mean":
        return differences.of_means(before, after)
    if known.headline == "nps":
        return differences.of_nps(triple(known, before), triple(known, after))
    return differences.of_shares(favourable(known, before), answers(before), favourable(known, after), answers(after))


def verdict(
    difference: Difference | None,
    n_before: int,
    n_after: int,
    *,
    better: str = "higher",
    p: float | None = None,
    places: int = 0,
    enough: int = SOLID,
) -> Verdict:
    """The change in words: whole points (means: one decimal), proven only below p = .05 with enough answers each.

    `p` is the difference's, corrected for how many were read at once (its own when left out). `enough` is 30, or
    more where more were planned.
    """
    if difference is None:
        return NOT_COMPUTED
    if min(n_before, n_after) < enough:
        return Verdict(Kind.EARLY, f"too early: n under {enough}")
    low, high = difference.interval.low, difference.interval.high
    if (difference.p if p is None else p) >= ALPHA or low <= 0 <= high:
        return Verdict(Kind.UNDECIDABLE, _undecidable(low, high, places), low, high)
    kind = Kind.HIGHER if low > 0 else Kind.LOWER
    near, far = sorted((abs(low), abs(high)))
    least = 10.0**-places
    words = f"{kind} by {max(least, round(near, places)):.{places}f} to {max(least, round(far, places)):.{places}f}"
    good = kind == better
    if better == "lower":
        words += ", better" if good else ", worse"
    return Verdict(kind, words, low, high, good)


def _undecidable(low: float, high: float, places: int) -> str:
    """The interval of the difference; where it leaves 0 out, only the others read at once leave the change unproven."""
    if round(low, places) > 0 or round(high, places) < 0:
        return "undecidable among all these"
    return f"undecidable: {_signed(low, places)} to {_signed(high, places)}"


def places_of(metric: str) -> int:
    """How many decimals a difference of this metric is written with."""
    return 1 if METRICS[metric].headline == "mean" else 0


def verdicts(pairs: dict[str, tuple[str, Histogram, Histogram]]) -> dict[str, Verdict]:
    """The verdict of each named (metric, before, after), corrected by Holm over those that can be tested."""
    found = {name: difference_of(*pair) for name, pair in pairs.items()}
    sizes = {name: (answers(before), answers(after)) for name, (_, before, after) in pairs.items()}
    tested = [name for name, difference in found.items() if difference and min(sizes[name]) >= SOLID]
    corrected = dict(zip(tested, differences.holm([_p(found[name]) for name in tested]), strict=True))
    return {
        name: verdict(
            difference,
            *sizes[name],
            better=METRICS[pairs[name][0]].better,
            p=corrected.get(name),
            places=places_of(pairs[name][0]),
        )
        for name, difference in found.items()
    }


def _p(difference: Difference | None) -> float:
    return difference.p if difference else 1.0


def _signed(value: float, places: int = 0) -> str:
    shown = f"{abs(value):.{places}f}"
    sign = "" if float(shown) == 0 else "+" if value > 0 else MINUS
    return sign + shown
