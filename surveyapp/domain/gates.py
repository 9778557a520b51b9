"""What may be shown: nothing, a hidden cell, a greyed figure, or a figure. Privacy first, then honesty.

It looks at counts only; it never sees a score.
"""

from collections.abc import Hashable, Mapping
from enum import StrEnum
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

PRIVATE = 5
"""From this many answers on a figure is shown."""
PRIVATE_EMPLOYEES = 10
SOLID = 30
"""From this many answers on a figure is not greyed and may be compared."""


class Status(StrEnum):
    NO_DATA = "no_data"
    SUPPRESSED = "suppressed"
    LOW_N = "low_n"
    OK = "ok"


def floor_of(metric: str) -> int:
    """The smallest number of answers that is shown: ten for employees, five for customers."""
    return PRIVATE_EMPLOYEES if metric == "enps" else PRIVATE


def gate(n: float, floor: int = PRIVATE) -> Status:
    """What `n` answers (or effective answers) allow."""
    if n <= 0:
        return Status.NO_DATA
    if n < floor:
        return Status.SUPPRESSED
    return Status.LOW_N if n < SOLID else Status.OK


def hidden(counts: Mapping[Key, int], floor: int = PRIVATE) -> set[Key]:
    """The cells of one published total that must be hidden.

    Hiding one cell alone lets total minus the others reveal it, and so would two hidden cells that hold less
    than `floor` answers together: then the next smallest is hidden too. Empty cells hide nothing.
    """
    order = sorted((key for key, n in counts.items() if n > 0), key=lambda key: counts[key])
    small = [key for key in order if counts[key] < floor]
    if not small:
        return set()
    covered = sum(counts[key] for key in small)
    for key in order[len(small) :]:
        if len(small) > 1 and covered >= floor:
            break
        small.append(key)
        covered += counts[key]
    return set(small)
