"""Complaints beside a figure: their rate, and whether they rose while the figure did not fall. Pure.

Who never answers may still complain: a steady figure beside rising complaints is the figure's blind spot.
"""

from dataclasses import dataclass

from surveyapp.domain import intervals
from surveyapp.domain.verdicts import Kind

INDICATOR = "complaints"
"""The indicator that holds them: one value a day and scope, each complaint in one value only."""
PER = 1_000
RISEN = 1.5
"""From this factor on complaints count as risen, if chance does not explain it."""


@dataclass(frozen=True, slots=True)
class Complaints:
    """Complaints and events of two periods of the same length."""

    now: float
    before: float
    events_now: int
    events_before: int

    @property
    def counted(self) -> bool:
        """Whether both periods have events to count complaints against; else plain counts are compared."""
        return self.events_now > 0 and self.events_before > 0

    @property
    def rate(self) -> float | None:
        """Complaints per 1,000 events of the later period; None without events."""
        return PER * self.now / self.events_now if self.events_now else None

    @property
    def rate_before(self) -> float | None:
        return PER * self.before / self.events_before if self.events_before else None

    @property
    def expected(self) -> float:
        """The share of all these complaints that would fall into the later period if their rate had stayed."""
        return self.events_now / (self.events_now + self.events_before) if self.counted else 0.5

    @property
    def risen(self) -> bool:
        """Whether they rose by half or more, and Wilson's interval of their share leaves "as before" out."""
        both = self.now + self.before
        few = self.now * (1 - self.expected) < RISEN * self.before * self.expected
        if few or both <= 0 or min(self.now, self.before) < 0:
            return False
        return intervals.wilson(self.now, both).low > 100 * self.expected


def diverges(found: Complaints, change: Kind, better: str) -> bool:
    """Whether complaints rose while the figure, which was tested, did not get worse."""
    worse = Kind.LOWER if better == "higher" else Kind.HIGHER
    return change in (Kind.HIGHER, Kind.LOWER, Kind.UNDECIDABLE) and change != worse and found.risen
