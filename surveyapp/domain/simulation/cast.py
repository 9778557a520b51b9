"""Who and what takes part in a replay: persons, happenings, triggers, what really came of it. Values only.

A group holds everybody who shares a contact key with another of the group, directly or over others: their asks count
against one another, so they are played together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from surveyapp.domain.facts import Answer, Ask, Block, Case, Person, Sensitive
from surveyapp.domain.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Part:
    """A trigger with what a decision needs of its survey."""

    trigger: Trigger
    metric: str
    group: str | None = None
    closes_at: datetime | None = None

    @property
    def place(self) -> str:
        """Where figures of this trigger belong: its step, or itself when it has none."""
        return self.trigger.step or self.trigger.key


@dataclass(frozen=True, slots=True)
class Real:
    """What really came of an event at a trigger. `visit_at` is when its page was open, where the page was the way."""

    uid: str
    asked: bool = False
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    visit_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A recorded event. `parts` are the triggers it matches; `real` says by trigger key what came of it then."""

    event: str
    customer: int
    occurred_at: datetime
    known_at: datetime
    parts: tuple[Part, ...]
    instance: str | None = None
    context: Mapping[str, object] = field(default_factory=dict)
    visit_at: datetime | None = None
    cancelled_at: datetime | None = None
    real: Mapping[str, Real] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Booked:
    """An ask that counts, and when it was answered, if it was."""

    ask: Ask
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A block, from when it held, and until when its key was this person's."""

    since: datetime
    until: datetime | None
    block: Block


@dataclass(frozen=True, slots=True)
class Subject:
    """One person. `linked` are those with whom a contact key is shared, themselves included, and until when.

    `covered` lists per survey and instance what already asked or answered, and when.
    """

    id: int
    person: Person
    linked: Mapping[int, datetime | None]
    preferred: str | None = None
    blocks: tuple[Held, ...] = ()
    asks: tuple[Booked, ...] = ()
    answers: tuple[Answer, ...] = ()
    covered: Mapping[tuple[str, str], tuple[tuple[datetime, str], ...]] = field(default_factory=dict)
    sensitive: tuple[Sensitive, ...] = ()
    cases: tuple[Case, ...] = ()

    def linked_at(self, now: datetime) -> list[int]:
        """Whose asks count together with this person's at `now`."""
        return [other for other, until in self.linked.items() if until is None or now <= until]


@dataclass(frozen=True, slots=True)
class Group:
    """Records that count as one person's. `happenings` are in the order in which they became known."""

    subjects: Mapping[int, Subject]
    happenings: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often asks of a place are answered by one channel: the observed rate, pulled towards the usual one."""

    asked: int = 0
    answered: int = 0

    @property
    def value(self) -> float:
        """(answered + 10·ρ₀) / (asked + 10), METHOD §8.4."""
        return (self.answered + PRIOR_WEIGHT * USUAL_RATE) / (self.asked + PRIOR_WEIGHT)


Rates = Mapping[tuple[str, str], Rate]
"""By place and channel."""

PRIOR_WEIGHT = 10
USUAL_RATE = 0.2
ANSWERS_AFTER = timedelta(days=1)
"""How long somebody takes to answer an ask that was never really made."""
