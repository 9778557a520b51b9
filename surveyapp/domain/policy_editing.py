"""Changes to a contact policy as written, one value or one rule at a time. Returns a new definition; judges nothing."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from surveyapp.domain.policy_values import Path
from surveyapp.domain.policy_words import SCOPE_KEYS, Entry, entries

Definition = dict[str, Any]
HOLD = "6h"  # what a holding window begins with when it is switched on

# kind → what a new rule of it says until somebody changes it
DEFAULTS: dict[str, dict[str, Any]] = {
    "gap": {"tiers": {"1": "7d", "2": "30d", "3": "30d"}},
    "own_gap": {"gap": "180d"},
    "answer_gap": {"gap": "14d"},
    "back_off": {"base": "30d", "factor": 2, "max": "120d"},
    "grace": {"for": "14d"},
    "cap": {"max": 2, "per": "30d"},
    "budget": {"points": 8, "per": "365d", "costs": {"email": 1, "sms": 2, "web": 0.25}},
    "open_case": {"rest": "3d"},
    "same_question": {"for": "90d"},
    "quiet_hours": {"from": "20:00", "to": "08:00"},
    "weekend": {"days": ["saturday", "sunday"]},
    "holidays": {"country": "customer"},
    "holdout": {"share": 0.02},
}
KIND_WORDS = {
    "gap": "Rest after any ask",
    "own_gap": "Rest after an ask of the same kind",
    "answer_gap": "Rest after an answer",
    "back_off": "Longer rest after ignored asks",
    "grace": "Leave new customers alone",
    "cap": "At most so many asks",
    "budget": "Attention budget",
    "open_case": "Not while a case is open",
    "same_question": "Not the same question again",
    "quiet_hours": "Quiet hours",
    "weekend": "Closed weekdays",
    "holidays": "Public holidays",
    "holdout": "Never-ask group",
    "exemption": "Exemption for a while",
}
SCOPED = frozenset(KIND_WORDS) - {"holdout"}
NEEDS_SCOPE = frozenset({"own_gap", "exemption"})


class NoSuchRule(Exception):
    """There is no rule (any more) at this place of the policy."""


def find(definition: Mapping[str, Any], path: Path) -> Entry:
    """The rule at that place. Raises NoSuchRule."""
    for entry in entries(definition):
        if entry.path == path:
            return entry
    raise NoSuchRule


def with_value(definition: Mapping[str, Any], path: Path, place: Sequence[str], value: Any) -> Definition:
    """The policy with one value of one rule changed. Raises NoSuchRule."""
    find(definition, path)
    if tuple(place) == ("scope",):
        return with_scope(definition, path, value)
    if path in (("holding",), ("reminders_count",)):
        return {**definition, path[0]: value}
    changed = _own(definition)
    table, keys = _table(changed, path), list(place)
    if path == ("gap",):
        table, keys = changed, ["gap", *keys[1:]]
    for key in keys[:-1]:
        inner = table.get(_same_key(table, key))
        if not isinstance(inner, dict):
            inner = {}
            table[key] = inner
        table = inner
    table[_same_key(table, keys[-1])] = value
    return changed


def with_scope(definition: Mapping[str, Any], path: Path, scope: Mapping[str, Any]) -> Definition:
    """The policy with the rule covering what `scope` says (empty: everything). Raises NoSuchRule."""
    changed, place = _listed(definition, path)
    table = _table(changed, place)
    for name in SCOPE_KEYS:
        table.pop(name, None)
    table.update(scope)
    if not scope:
        table.pop("clock", None)
    return changed


def switched(definition: Mapping[str, Any], path: Path, on: bool) -> Definition:
    """The policy with the rule on or off; one that is off stays written. Raises NoSuchRule."""
    find(definition, path)
    if path == ("holding",):
        return {**definition, "holding": HOLD if on else "0s"}
    if path == ("reminders_count",):
        return {**definition, "reminders_count": on}
    changed, place = _listed(definition, path)
    table = _table(changed, place)
    if on:
        table.pop("enabled", None)
    else:
        table["enabled"] = False
    return changed


def without(definition: Mapping[str, Any], path: Path) -> Definition:
    """The policy without the rule. Raises NoSuchRule."""
    find(definition, path)
    changed = _own(definition)
    if len(path) == 1:
        changed.pop(str(path[0]), None)
    else:
        del changed[str(path[0])][path[1]]
    return changed


def with_rule(definition: Mapping[str, Any], kind: str, scope: Mapping[str, Any], **values: Any) -> Definition:
    """The policy with one more rule at its end, saying what such a rule usually says. Raises NoSuchRule."""
    if kind not in KIND_WORDS:
        raise NoSuchRule
    changed = _own(definition)
    rule = {"kind": kind, **deepcopy(DEFAULTS.get(kind, {})), **values}
    changed["rules"] = [*_rules(changed), {**rule, **(scope if kind in SCOPED else {})}]
    return changed


def _own(definition: Mapping[str, Any]) -> Definition:
    return deepcopy(dict(definition))


def _rules(definition: Definition) -> list[Any]:
    rules = definition.get("rules")
    return rules if isinstance(rules, list) else []


def _same_key(table: Mapping[Any, Any], key: str) -> Any:
    """The key as it is written: a tier may be a number or its text."""
    return next((written for written in table if str(written) == key), key)


def _table(definition: Definition, path: Path) -> dict[str, Any]:
    found: Any = definition
    for key in path:
        found = found[key]
    return found if isinstance(found, dict) else {}


def _listed(definition: Mapping[str, Any], path: Path) -> tuple[Definition, Path]:
    """The policy and the rule's place in it, after `gap` or `quiet_hours` became a rule of the list.

    Only rules of the lists can be off or cover a part; as rules they mean the same.
    """
    entry = find(definition, path)
    changed = _own(definition)
    if path in (("gap",), ("quiet_hours",)):
        changed.pop(str(path[0]))
        changed["rules"] = [{"kind": entry.kind, **deepcopy(dict(entry.table))}, *_rules(changed)]
        return changed, ("rules", 0)
    return changed, path
