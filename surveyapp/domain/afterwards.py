"""What people said they would do against what they then did: shares per class of answer, hidden where few. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from surveyapp.domain import differences, gates, intervals
from surveyapp.domain.differences import Difference
from surveyapp.domain.intervals import Interval
from surveyapp.domain.scores import METRICS

CLASSES = ("unfavourable", "between", "favourable")
STATED = ("nps", "tnps", "pmf", "intention")
"""The metrics that ask what somebody will do or would miss; employees answer without a name."""

Done = Mapping[int, tuple[int, int]]
"""By score: how many people gave it, and how many of them did the thing."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of `n` people of one class, `did`, in percent with Wilson's interval; None where hidden or nobody."""

    name: str
    scores: tuple[int, ...]
    n: int
    did: int | None
    share: float | None
    interval: Interval | None


def shares(metric: str, done: Done) -> list[Share]:
    """One share for each class that the scale has, worst class first; a small one hides the next smallest."""
    known = METRICS[metric]
    classes = {
        "unfavourable": tuple(s for s in known.scale if s in known.unfavourable),
        "between": tuple(s for s in known.scale if s not in known.unfavourable and s not in known.favourable),
        "favourable": tuple(s for s in known.scale if s in known.favourable),
    }
    sums = {name: _sum(done, own) for name, own in classes.items() if own}
    away = gates.hidden({name: n for name, (n, _) in sums.items()}, gates.floor_of(metric))
    return [_share(name, classes[name], *sums[name], name in away) for name in CLASSES if name in sums]


def _sum(done: Done, scores: tuple[int, ...]) -> tuple[int, int]:
    told = [done[score] for score in scores if score in done]
    return sum(n for n, _ in told), sum(did for _, did in told)


def _share(name: str, scores: tuple[int, ...], n: int, did: int, away: bool) -> Share:
    if away or not n:
        return Share(name, scores, n, None, None, None)
    return Share(name, scores, n, did, 100 * did / n, intervals.wilson(did, n))


def difference(found: list[Share]) -> Difference | None:
    """How many more percent of the favourable than of the unfavourable did it; None where a side may not be shown."""
    ends = {share.name: share for share in found}
    low, high = ends.get("unfavourable"), ends.get("favourable")
    if low is None or high is None or low.did is None or high.did is None:
        return None
    return differences.of_shares(low.did, low.n, high.did, high.n)
