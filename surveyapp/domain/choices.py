"""What was chosen at a further question: shares per group of those who answered it, hidden where they are few. Pure.

Several options may be chosen, so shares need not add up. A gap is chosen by whoever names one of its reasons.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from surveyapp.domain import gates, intervals
from surveyapp.domain.intervals import Interval
from surveyapp.domain.questions import GAPS, Kind, Question

CHOICES = (Kind.ONE, Kind.MANY, Kind.REASONS, Kind.EMOTION)
"""The kinds of further questions that offer options."""


class Choice(NamedTuple):
    """An option, or a gap with all its reasons."""

    key: str
    gap: bool = False


@dataclass(slots=True)
class Told:
    """Of one group: how many answered the question, how many chose each option, and how many named each gap."""

    n: int = 0
    options: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)

    def add(self, chosen: Iterable[str], n: int, gap_of: Mapping[str, str]) -> None:
        """Count `n` answers that chose all these."""
        options = set(chosen)
        self.n += n
        for option in options:
            self.options[option] = self.options.get(option, 0) + n
        for gap in {gap_of[option] for option in options if option in gap_of}:
            self.gaps[gap] = self.gaps.get(gap, 0) + n

    def of(self, choice: Choice) -> int:
        """How many made this choice."""
        return (self.gaps if choice.gap else self.options).get(choice.key, 0)


@dataclass(frozen=True, slots=True)
class Share:
    """`chose` of `n` who answered, in percent with Wilson's interval; None where hidden or nobody answered."""

    n: int
    chose: int | None = None
    percent: float | None = None
    interval: Interval | None = None


def gaps_of(questions: Iterable[Question]) -> dict[str, str]:
    """The gap of each reason, by the option's key; empty for questions that are none of reasons."""
    return {option.key: option.gap for question in questions for option in question.options if option.gap in GAPS}


def chosen(value: object) -> list[str]:
    """The options that an answer holds: one text, or a list of them."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]


def shares(groups: Mapping[Hashable, Told], floor: int) -> Callable[[Hashable, Choice], Share]:
    """The share of a choice in a group, once the groups are known; small groups hide the next smallest."""
    away = gates.hidden({group: told.n for group, told in groups.items()}, floor)

    def share(group: Hashable, choice: Choice) -> Share:
        told = groups[group]
        if group in away or not told.n:
            return Share(told.n)
        count = told.of(choice)
        return Share(told.n, count, 100 * count / told.n, intervals.wilson(count, told.n))

    return share
