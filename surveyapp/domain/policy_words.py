"""The contact policy in sentences, rule by rule, each value with the place it stands at. Judges nothing.

Reads a policy as written, so a draft that cannot be yet is told, too. Zero reads `never`, `no rest` or `nobody`;
a rule that is off or missing means no limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.policy_value_words import scope_words, value_words, words
from surveyapp.domain.policy_values import Path

__all__ = [
    "TIERS",
    "WEEKDAYS",
    "Entry",
    "Group",
    "Sentence",
    "Token",
    "entries",
    "in_groups",
    "scope_words",
    "sentence",
    "value_words",
    "words",
]

TIERS = {1: "moment of truth", 2: "step", 3: "relationship survey"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TIER_KEYS = {str(tier): name for tier, name in TIERS.items()}
SCOPE_KEYS = ("journey", "step", "survey", "group", "channel", "where")
CALENDAR = {"day": "calendar day", "week": "calendar week", "month": "calendar month"}
CLOCK_END = " on the customer’s clock; it waits"

# kind → its sentence; {name:control} is a value of the rule
TEMPLATES = {
    "answer_gap": "Leave {gap:rest} after an answer.",
    "back_off": "After an ask without an answer, leave {base:duration}; after each further one {factor:times} as long, "
    "up to {max:duration}.",
    "grace": "Leave a new customer alone for {for:rest}.",
    "budget": "An attention budget of {points:number} points in {per:duration}, an e-mail costing "
    "{costs.email:number}, an SMS {costs.sms:number} and a web prompt {costs.web:number}.",
    "open_case": "Not while a case is open, and for {rest:rest} after it closes.",
    "same_question": "Not the same question about the same thing for {for:rest} after an answer.",
    "quiet_hours": "Nothing between {from:hour} and {to:hour}" + CLOCK_END + ".",
    "weekend": "Nothing on {days:days}" + CLOCK_END + ".",
    "holidays": "Nothing on public holidays of {country:country}" + CLOCK_END + ".",
    "holdout": "Never ask a fixed {share:share} of customers, to know what asking does.",
    "exemption": "Until {until:moment}, {from_rules:rules} {verb} not hold: {reason:text}.",
}
MISSING = {
    "costs.email": 1,
    "costs.sms": 2,
    "costs.web": 0.25,
    "factor": 2,
    "max": "365d",
    "per": "365d",
    "rest": "0s",
    "days": ["saturday", "sunday"],
    "country": "the country",
}
REASONS = {
    "open_case": "open_case", "holdout": "holdout", "budget": "budget", "gap": "gap", "own_gap": "gap", "cap": "cap",
    "answer_gap": "gap", "back_off": "gap", "grace": "gap", "same_question": "gap", "holding": "yielded",
}  # fmt: skip
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Rest between asks", ("gap", "own_gap", "answer_gap", "back_off", "grace", "reminders_count")),
    ("How many at most", ("cap", "budget")),
    ("Never, or not now", ("open_case", "same_question", "quiet_hours", "weekend", "holidays", "holdout")),
    ("When several want the same person", ("holding", "exemption")),
)
ABSENT = {
    "Rest between asks": (("gap", "own_gap"), "No rest is kept between two asks."),
    "How many at most": (("cap",), "No limit on how many asks a person gets."),
    "Never, or not now": (("quiet_hours", "weekend", "holidays"), "No quiet hours: asks leave at any time of day."),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule as written: `path` is where it stands in the policy, `table` its own values."""

    path: Path
    kind: str
    table: Mapping[str, Any]

    @property
    def on(self) -> bool:
        return self.table.get("enabled") is not False


@dataclass(frozen=True, slots=True)
class Token:
    """A value in a sentence: where it stands in its rule, and the control that changes it."""

    path: tuple[str, ...]
    control: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """Alternately plain words and values (at odd places); `tokens` are the values' places, in the same order.

    `on` is False for a rule that is off; `path` is None where there is no rule to change.
    """

    parts: tuple[str, ...]
    on: bool = True
    reason: str | None = None
    tokens: tuple[Token, ...] = ()
    kind: str = ""
    path: Path | None = None
    scope: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    sentences: tuple[Sentence, ...]


def entries(definition: Mapping[str, Any]) -> list[Entry]:
    """Every rule of a policy as written, those that are off too, in the order written. Settings come last."""
    found = []
    if definition.get("gap") is not None:
        found.append(Entry(("gap",), "gap", {"tiers": definition["gap"]}))
    for position, table in enumerate(_tables(definition.get("caps"))):
        found.append(Entry(("caps", position), "cap", table))
    if isinstance(definition.get("quiet_hours"), Mapping):
        found.append(Entry(("quiet_hours",), "quiet_hours", definition["quiet_hours"]))
    for position, table in enumerate(_tables(definition.get("rules"))):
        found.append(Entry(("rules", position), str(table.get("kind", "")), table))
    found.append(Entry(("holding",), "holding", {"holding": definition.get("holding", "0s")}))
    counts = definition.get("reminders_count", True)
    found.append(Entry(("reminders_count",), "reminders_count", {"reminders_count": counts}))
    return found


def _tables(listed: object) -> list[Mapping[str, Any]]:
    rules = listed if isinstance(listed, list) else []
    return [rule if isinstance(rule, Mapping) else {} for rule in rules]


def in_groups(definition: Mapping[str, Any], names: Mapping[str, str] | None = None) -> list[Group]:
    """All rules: rest, how many at most, never or not now, several at once.

    `names` says what journeys, steps and their instances are called (`journey:flight`, `step:flight.check_in`,
    `instance:flight`); without it they are called by their keys.
    """
    listed = entries(definition)
    groups = []
    for name, kinds in GROUPS:
        mine = [entry for kind in kinds for entry in listed if entry.kind == kind]
        told = [sentence(entry, names) for entry in mine]
        if name in ABSENT and not any(entry.kind in ABSENT[name][0] for entry in mine):
            told.insert(0, Sentence((ABSENT[name][1],), False))
        groups.append(Group(name, tuple(told)))
    strange = [entry for entry in listed if all(entry.kind not in kinds for _, kinds in GROUPS)]
    if strange:
        groups.append(Group("Not understood", tuple(sentence(entry, names) for entry in strange)))
    return groups


def sentence(entry: Entry, names: Mapping[str, str] | None = None) -> Sentence:
    """The rule in words."""
    writer = _Writer(entry, names or {})
    writer.scope()
    on = entry.on
    if entry.kind == "gap":
        writer.gap(entry.table.get("tiers"), "tiers")
        on = on and not _all_zero(entry.table.get("tiers"))
    elif entry.kind == "own_gap":
        writer.gap(entry.table.get("gap"), "gap")
    elif entry.kind == "cap":
        writer.cap()
    elif entry.kind == "holding":
        on = entry.table["holding"] not in ("0s", "0m", "0h", "0d", None)
        writer.holding(on)
    elif entry.kind == "reminders_count":
        on = entry.table["reminders_count"] is not False
        writer.plain("Reminders count as an ask." if on else "Reminders do not count as an ask.")
    elif entry.kind in TEMPLATES:
        writer.template(TEMPLATES[entry.kind])
    else:
        writer.plain(f"A rule of the kind “{entry.kind}”, which nobody knows.")
        on = False
    journey_cap = entry.kind == "cap" and entry.table.get("per") == "journey"
    reason = "journey_cap" if journey_cap else REASONS.get(entry.kind)
    return Sentence(
        tuple(writer.parts), on, reason, tuple(writer.tokens), entry.kind, entry.path, _scope_of(entry.table)
    )


def _scope_of(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: table[name] for name in SCOPE_KEYS if table.get(name) not in (None, {})}


def _all_zero(tiers: object) -> bool:
    values = list(tiers.values()) if isinstance(tiers, Mapping) else [tiers]
    return all(isinstance(value, str) and value[:-1].strip("0") == "" for value in values)


class _Writer:
    """Collects plain words and values, always in turn."""

    def __init__(self, entry: Entry, names: Mapping[str, str]) -> None:
        self.table, self.names = entry.table, names
        self.scoped = _scope_of(entry.table)
        self.parts: list[str] = [""]
        self.tokens: list[Token] = []

    def plain(self, text: str) -> None:
        begins = len(self.parts) == 3 and self.parts[-1] == ": "
        self.parts[-1] += text[:1].lower() + text[1:] if begins and self.scoped else text

    def value(self, path: Sequence[str], control: str, value: Any, text: str | None = None) -> None:
        self.tokens.append(Token(tuple(path), control, value))
        self.parts += [value_words(control, value) if text is None else text, ""]

    def template(self, text: str) -> None:
        for piece in text.replace("{", "\0{").replace("}", "}\0").split("\0"):
            if piece == "{verb}":
                rules = self.table.get("from_rules")
                self.plain("do" if isinstance(rules, list) and len(rules) > 1 else "does")
            elif piece.startswith("{"):
                name, _, control = piece[1:-1].partition(":")
                self.value(name.split("."), control, self._find(name))
            else:
                self.plain(piece)

    def _find(self, name: str) -> Any:
        found: Any = self.table
        for key in name.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return MISSING.get(name) if found is None else found

    def gap(self, tiers: object, name: str) -> None:
        own = name == "gap" or self.table.get("clock") == "own"
        after = "an ask of the same kind" if own else "any ask"
        choice = name == "tiers" and self.scoped
        if isinstance(tiers, Mapping):
            self.plain("After ")
            self.value(("clock",), "clock", "own" if own else "shared", after) if choice else self.plain(after)
            self.plain(", leave ")
            for number, (tier, rest) in enumerate(sorted(tiers.items(), key=lambda pair: str(pair[0]))):
                self.plain(", " if number else "")
                self.value((name, str(tier)), "rest", rest)
                self.plain(f" before a {TIER_KEYS.get(str(tier), f'tier {tier}')}")
        else:
            self.plain("Leave ")
            self.value((name,), "rest", tiers)
            self.plain(" after ")
            self.value(("clock",), "clock", "own" if own else "shared", after) if choice else self.plain(after)
        self.plain(".")

    def cap(self) -> None:
        most, per = self.table.get("max"), self.table.get("per")
        if most == 0 and type(most) is int:
            self.value(("max",), "count", most, "never" if self.scoped else "Never")
            self.plain(" ask")
        else:
            self.plain("At most ")
            self.value(("max",), "count", most)
            self.plain((" ask" if most == 1 else " asks") + (" per " if per in ("journey", *CALENDAR) else " in "))
            self.value(("per",), "span", per, self._span(per))
        if self.scoped and per != "journey" and most:
            own = self.table.get("clock") == "own"
            self.plain("; ")
            self.value(("clock",), "clock", "own" if own else "shared", "only such an ask" if own else "every ask")
            self.plain(" counts")
        self.plain(".")

    def _span(self, per: object) -> str:
        if per == "journey":
            journey = self.scoped.get("journey") or str(self.scoped.get("step", "")).partition(".")[0]
            return self.names.get(f"instance:{journey}", "journey")
        return CALENDAR.get(str(per)) or value_words("duration", per)

    def holding(self, on: bool) -> None:
        if not on:
            self.plain("A due ask is not held for a better one: the earlier wins.")
            return
        self.plain("Hold a due ask ")
        self.value(("holding",), "duration", self.table["holding"])
        self.plain(" for a better one; a lower tier number wins, then the earliest to expire.")

    def scope(self) -> None:
        """Whom the rule covers stands before it: `About Flight: at most …`."""
        if self.scoped:
            told = scope_words(self.scoped, self.names)
            self.value(("scope",), "scope", self.scoped, told[:1].upper() + told[1:])
            self.plain(": ")
