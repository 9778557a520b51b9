"""The contact policy as values: which rules there are and whom each covers. Reading and judging live beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a rule covers. An empty scope covers every ask."""

    journey: str | None = None
    step: str | None = None
    survey: str | None = None
    group: str | None = None
    channel: str | None = None
    where: tuple[tuple[str, object], ...] = ()

    def words(self) -> str:
        """The scope as the end of a sentence, e.g. ` about journey flight by sms`; empty for everyone."""
        parts = [
            f"about {name} {value}" for name in ("journey", "step", "survey", "group") if (value := getattr(self, name))
        ]
        parts += [f"by {self.channel}"] if self.channel else []
        parts += [f"where {name} is {value}" for name, value in self.where]
        return "".join(" " + part for part in parts)


EVERYONE = Scope()
JOURNEY = timedelta(days=730)  # how long one trip or claim may last and still be counted as one


@dataclass(frozen=True, slots=True)
class Gap:
    """Rest after any ask (clock `shared`) or after an ask in the rule's own scope (clock `own`), by tier."""

    tiers: Mapping[int, timedelta]
    scope: Scope = EVERYONE
    clock: str = "shared"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` asks per rolling `per`, per calendar unit in the customer's zone, or per journey instance."""

    most: int
    per: timedelta | None = None
    calendar: str | None = None
    journey: bool = False
    scope: Scope = EVERYONE
    clock: str = "shared"


@dataclass(frozen=True, slots=True)
class AnswerGap:
    rest: timedelta
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class BackOff:
    """Rest grows with every ignored ask: base × factor^(ignored − 1), at most `most`; an answer resets it."""

    base: timedelta
    factor: float = 2.0
    most: timedelta = timedelta(days=365)
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class Grace:
    """New customers are left alone for `rest` after they became known."""

    rest: timedelta
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class Budget:
    """Attention points per rolling `per`; each channel has its cost."""

    points: float
    per: timedelta
    costs: Mapping[str, float]
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class Holdout:
    """A share of people (0–1) who are never asked, drawn once by keyed hash."""

    share: float
    salt: str = ""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """No ask while a case is open, nor for `rest` after it closed."""

    rest: timedelta
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class SameQuestion:
    """The same metric about the same thing is not asked again for `rest` after an answer."""

    rest: timedelta
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours, weekdays or holidays in the recipient's zone during which an ask waits, then `jitter` after opening.

    With `by_country` the holidays are those of the customer's own country, where one is known.
    """

    start: time | None = None
    end: time | None = None
    weekdays: frozenset[int] = frozenset()
    country: str | None = None
    dates: Mapping[date, str] | None = None
    by_country: Mapping[str, Mapping[date, str]] | None = None
    jitter: timedelta = timedelta(minutes=20)
    scope: Scope = EVERYONE


@dataclass(frozen=True, slots=True)
class Exemption:
    """A named, dated leave from some rules. The ask still counts."""

    rules: frozenset[str]
    reason: str
    author: str
    until: datetime
    scope: Scope = EVERYONE


Rule = Gap | Cap | AnswerGap | BackOff | Grace | Budget | Holdout | OpenCase | SameQuestion | Quiet | Exemption


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules in force. Every rule that covers an ask must allow it: the strictest wins, none is replaced."""

    gaps: tuple[Gap, ...] = ()
    caps: tuple[Cap, ...] = ()
    answer_gaps: tuple[AnswerGap, ...] = ()
    back_offs: tuple[BackOff, ...] = ()
    graces: tuple[Grace, ...] = ()
    budgets: tuple[Budget, ...] = ()
    holdouts: tuple[Holdout, ...] = ()
    open_cases: tuple[OpenCase, ...] = ()
    same_questions: tuple[SameQuestion, ...] = ()
    quiets: tuple[Quiet, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    holding: timedelta = timedelta(0)
    reminders_count: bool = True
    version: int = 0

    @property
    def longest_window(self) -> timedelta:
        """How far back an ask can still matter to any rule."""
        spans = [timedelta(days=1), timedelta(days=40) if any(c.calendar for c in self.caps) else timedelta(0)]
        spans += [rest for gap in self.gaps for rest in gap.tiers.values()]
        spans += [cap.per for cap in self.caps if cap.per] + [JOURNEY for cap in self.caps if cap.journey]
        spans += [rule.most for rule in self.back_offs] + [rule.per for rule in self.budgets]
        return max(spans)

    @property
    def most_counted(self) -> int:
        """How many of a person's latest asks any rule may have to count."""
        return max((cap.most + 1 for cap in self.caps), default=0)
