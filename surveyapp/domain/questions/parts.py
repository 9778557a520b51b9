"""The parts of which a definition is made: kinds, options, conditions, questions. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from surveyapp.domain.scores import METRICS

COMMENT_LIMIT = 5_000
TEXT_LIMIT = 500
LONG_LIMIT = 2_000
QUESTION_LIMIT = 10
OPTION_LIMIT = 8
OTHER = "other"
SCORE = "score"
YES = "yes"
NOT_APPLICABLE = "na"
IDEA = "idea"
CONTACT = "contact"
CONTEXT = "context."
GAPS = ("knowledge", "design", "delivery")
RESERVED = frozenset({SCORE, "skip", "page", "lang", "visit", "scripted", "gesture", "was", IDEA, CONTACT})


class Kind(StrEnum):
    COMMENT = "comment"  # the one box for the person's own words
    ONE = "one"  # one of several options
    MANY = "many"  # any of several options, shown as chips
    REASONS = "reasons"  # chips, each of which belongs to one gap
    EMOTION = "emotion"  # one of five faces with their names
    NUMBER = "number"  # a whole number
    DATE = "date"  # a day
    TEXT = "text"  # a short answer in words
    LONG = "long"  # a longer one
    CONSENT = "consent"  # yes, or nothing: never ticked before


class Group(StrEnum):
    """Where a score stands: NPS's three names, read as favourable, neutral and unfavourable for every metric."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


def group_of(metric: str, score: int | None) -> Group | None:
    """The group of a score of this metric; None without a score."""
    if score is None:
        return None
    meaning = METRICS[metric]
    if score in meaning.favourable:
        return Group.PROMOTER
    return Group.DETRACTOR if score in meaning.unfavourable else Group.PASSIVE


@dataclass(frozen=True, slots=True)
class Option:
    """A choice. `gap` says which gap a reason belongs to."""

    key: str
    label: Mapping[str, str]
    gap: str | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """The numbers from `low` to `high`, both included; None is open."""

    low: float | None = None
    high: float | None = None

    def __contains__(self, value: object) -> bool:
        if type(value) not in (int, float):
            return False
        number = float(value)  # type: ignore[arg-type]
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


@dataclass(frozen=True, slots=True)
class Except:
    """Every value but these."""

    values: frozenset[object]

    def __contains__(self, value: object) -> bool:
        return value not in self.values


Condition = frozenset[object] | Between | Except


@dataclass(frozen=True, slots=True)
class Question:
    """A further question. `when` maps `score`, an earlier question's key or `context.NAME` to what must be the case.

    `ask_for` holds another wording for a group of scores; `low` and `high` are the bounds of a number or a day (ISO).
    Who answered it is not asked again for as long as `ask_again` says; None asks each time.
    """

    key: str
    kind: Kind
    ask: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    other: bool = False
    when: Mapping[str, Condition] = field(default_factory=dict)
    ask_for: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    low: int | str | None = None
    high: int | str | None = None
    ask_again: timedelta | None = None

    @property
    def values(self) -> frozenset[str]:
        """The keys that may be chosen."""
        return frozenset(o.key for o in self.options) | ({OTHER} if self.other else frozenset())

    def asks(self, group: Group | None) -> Mapping[str, str]:
        """The wording for somebody of this group, by language; empty where the standard wording serves."""
        return (self.ask_for.get(group) if group else None) or self.ask


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer was not taken: the form `field`, the `kind` (`choose`, `too_long`, `number`, `date`), the `excess`
    in characters."""

    field: str
    kind: str
    excess: int = 0


class DefinitionProblems(ValueError):
    """A definition that cannot be asked. `problems` are pairs of a path of keys and indices, and a sentence."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(sentence for _, sentence in problems))
        self.problems = list(problems)
