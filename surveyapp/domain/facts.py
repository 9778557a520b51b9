"""What `decide` knows of a person and of an ask: frozen values that queries build and rules read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from surveyapp.domain.policy import Scope
from surveyapp.domain.triggers import same
from surveyapp.domain.vocabulary import Outcome

KIND = "kind:"


def kind_of(group: str | None, survey: str) -> str:
    """How an opt-out names the questions of a group of surveys, or of a survey that is in none."""
    return f"{KIND}{group or survey}"


@dataclass(frozen=True, slots=True)
class Block:
    """A suppression of one contact key. `channel` is a channel, `all`, or a kind of questions (`kind_of`)."""

    channel: str
    reason: str  # opted_out, erased, paused, or what the provider said (bounce, complaint, invalid …)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom we would ask. `key` is stable and keys the coin; `zones` are all the zones they may be in.

    `zone_source` says where the zones are known from; `country` is a two-letter code where one is known.
    """

    key: str
    known_since: datetime
    addresses: frozenset[str]
    zones: tuple[str, ...]
    zone_source: str = "brand"
    country: str | None = None
    consent: Mapping[str, bool] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """An ask that counts: one message to the person, whichever of their keys it was booked on."""

    key: str
    decision: str
    at: datetime
    channel: str
    kind: str
    tier: int
    survey: str | None
    group: str | None = None
    step: str | None = None
    instance: str | None = None
    answered: bool = False

    @property
    def journey(self) -> str | None:
        return self.step.partition(".")[0] if self.step else None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer the person gave: to which survey, about what, when."""

    survey: str
    metric: str
    step: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Sensitive:
    """An event that stops all asks until `until`."""

    step: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """Something that somebody looks after for the person; open until `closed_at`. `key` is its public id."""

    opened_at: datetime
    closed_at: datetime | None = None
    key: str = ""
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another decision (or an answer) that stands in the way, by its public id."""

    decision: str
    trigger: str | None = None


@dataclass(frozen=True, slots=True)
class Rival:
    """Another ask waiting for the same person that would be made if this one were not."""

    decision: str
    trigger: str
    tier: int
    priority: int
    expires_at: datetime | None
    occurred_at: datetime
    reserved_from: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """The ask in question. `channels` are in order of preference; `step` is the long form."""

    decision: str
    trigger: str
    survey: str
    metric: str
    event: str
    channels: tuple[str, ...]
    tier: int
    occurred_at: datetime
    due_at: datetime
    priority: int = 0
    kind: str = "first"
    group: str | None = None
    step: str | None = None
    instance: str | None = None
    expires_at: datetime | None = None
    sample: float = 1.0
    per: timedelta = timedelta(days=90)
    per_event: bool = False
    blocked: str = "drop"
    context: Mapping[str, object] = field(default_factory=dict)
    survey_open: bool = True
    stopped: frozenset[str] = frozenset()  # channels held by a kill switch; `all` for the survey or trigger itself
    cancelled_by: str | None = None

    @property
    def of_kind(self) -> str:
        """The kind of question this is, as an opt-out names it."""
        return kind_of(self.group, self.survey)

    @property
    def journey(self) -> str | None:
        return self.step.partition(".")[0] if self.step else None

    def in_scope(self, scope: Scope, channel: str | None) -> bool:
        """Whether a rule of this scope covers the ask on that channel."""
        return (
            (scope.journey is None or scope.journey == self.journey)
            and (scope.step is None or scope.step == self.step)
            and (scope.survey is None or scope.survey == self.survey)
            and (scope.group is None or scope.group == self.group)
            and (scope.channel is None or scope.channel == channel)
            and all(same(self.context.get(name), value) for name, value in scope.where)
        )


def ask_in_scope(ask: Ask, scope: Scope) -> bool:
    """Whether an earlier ask lies in a rule's own scope (a segment is a matter of the candidate alone)."""
    return (
        (scope.journey is None or scope.journey == ask.journey)
        and (scope.step is None or scope.step == ask.step)
        and (scope.survey is None or scope.survey == ask.survey)
        and (scope.group is None or scope.group == ask.group)
        and (scope.channel is None or scope.channel == ask.channel)
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known when an ask is decided. `asks` are newest first and reach back the longest window."""

    person: Person
    candidate: Candidate
    asks: tuple[Ask, ...] = ()
    answers: tuple[Answer, ...] = ()
    already_asked: str | None = None  # the decision (or answer) that already covers this survey and instance
    sensitive: tuple[Sensitive, ...] = ()
    cases: tuple[Case, ...] = ()
    rivals: tuple[Rival, ...] = ()


Evidence = Ask | Answer | Sensitive | Case | Earlier
SHOWN = 20  # pieces of evidence that are kept with a verdict


class Verdict(NamedTuple):
    """What one rule says. `rule` is the reason it would give; `next_at` is when it would allow, if ever.

    `evidence` is what the rule counted. A verdict that `postpones` never refuses: the ask waits until `next_at`.
    """

    rule: str
    allowed: bool
    why: str
    next_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    postpones: bool = False


class Decision(NamedTuple):
    """What comes out: `channel` is the one chosen, `not_before` the next moment to look again when waiting."""

    outcome: Outcome
    reason: str | None
    channel: str | None
    verdicts: tuple[Verdict, ...]
    not_before: datetime | None
    inclusion: float


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is stored and handed out; empty fields are left out."""
    found: dict[str, Any] = {"rule": str(verdict.rule), "allowed": verdict.allowed, "why": verdict.why}
    if verdict.next_at is not None:
        found["next_at"] = _iso(verdict.next_at)
    if verdict.evidence:
        found["evidence"] = [evidence_json(item) for item in verdict.evidence[:SHOWN]]
    if verdict.postpones:
        found["postpones"] = True
    return found


def evidence_json(item: Evidence) -> dict[str, Any]:
    """One piece of evidence as it is stored and handed out: `kind` says what it is; empty fields are left out."""
    found: dict[str, Any]
    if isinstance(item, Ask):
        kind = "reminder" if item.kind == "reminder" else "ask"
        found = {"kind": kind, "at": _iso(item.at), "channel": item.channel, "survey": item.survey, "step": item.step}
        found |= {"instance": item.instance, "decision": item.decision, "answered": item.answered or None}
    elif isinstance(item, Answer):
        found = {"kind": "answer", "at": _iso(item.at), "survey": item.survey, "step": item.step}
    elif isinstance(item, Sensitive):
        found = {"kind": "event", "at": _iso(item.at), "step": item.step, "until": _iso(item.until)}
    elif isinstance(item, Case):
        closed = _iso(item.closed_at) if item.closed_at else None
        found = {"kind": "case", "at": _iso(item.opened_at), "case": item.key, "step": item.step, "closed_at": closed}
    else:
        found = {"kind": "decision", "decision": item.decision, "trigger": item.trigger}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
