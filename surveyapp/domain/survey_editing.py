"""A survey's definition while it is edited: questions added, moved, removed, conditions and options changed. Pure.

A definition may be wrong in any way meanwhile; nothing here raises for that. Whether it can be asked is read elsewhere.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from surveyapp.domain.questions import (
    CONTEXT,
    OPTION_LIMIT,
    OTHER,
    QUESTION_LIMIT,
    RESERVED,
    SCORE,
    Kind,
    group_of,
)
from surveyapp.domain.scores import METRICS

Draft = dict[str, Any]
CHOICES = frozenset({"one", "many", "reasons"})
EMPTY: tuple[object, ...] = (None, "", {})
_PROVISIONAL = re.compile(r"(question|option|first|second)(_[0-9]+)?")
UNUSABLE = RESERVED | {OTHER, "comment"}


class NothingThere(Exception):
    """The question, option or condition to be changed is not in the draft any more."""


def expanded(definition: Mapping[str, Any]) -> Draft:
    """A copy of the survey without its key, in which every follow-up is a mapping; what is no question is left out."""
    draft = copy.deepcopy({name: value for name, value in definition.items() if name != "key" and value not in EMPTY})
    follow_up = definition.get("follow_up", "comment")
    items = follow_up if isinstance(follow_up, list | tuple) else [follow_up]
    draft["follow_up"] = [question for question in map(_question, items) if question]
    return draft


def _question(item: object) -> Draft:
    if item == Kind.COMMENT:
        return {"key": "comment", "kind": "comment"}
    if not isinstance(item, Mapping):
        return {}
    question: Draft = copy.deepcopy(dict(item))
    if "kind" not in question and question.get("key") == "comment":
        question["kind"] = "comment"
    options = question.get("options") or []
    if options:
        question["options"] = [dict(option) for option in options if isinstance(option, Mapping)]
    if not isinstance(question.get("when", {}), dict):
        question["when"] = {}
    return question


def plain(draft: Mapping[str, Any]) -> Draft:
    """The draft as a programme file would say it: a bare comment by its name, empty parts left out."""
    said = {name: value for name, value in draft.items() if name != "key" and value not in EMPTY}
    follow_up = [_short(question) for question in draft.get("follow_up") or []]
    said["follow_up"] = "comment" if follow_up == ["comment"] else follow_up
    return said


def _short(question: Mapping[str, Any]) -> Any:
    kept = {name: value for name, value in question.items() if value not in (None, "", {}, [])}
    if kept.get("kind") == "comment" and kept.keys() <= {"key", "kind"}:
        return "comment"
    return kept


def questions(draft: Draft) -> list[Draft]:
    found: list[Draft] = draft.setdefault("follow_up", [])
    return found


def question_at(draft: Draft, index: int) -> Draft:
    """Raises NothingThere."""
    found = questions(draft)
    if not 0 <= index < len(found):
        raise NothingThere
    return found[index]


def add_question(draft: Draft, kind: str) -> int | None:
    """Append an empty question; its place, or None where there is no room for one more."""
    found = questions(draft)
    keys = {question.get("key") for question in found}
    if len(found) >= QUESTION_LIMIT or (kind == "comment" and "comment" in keys):
        return None
    question: Draft = {"key": "comment" if kind == "comment" else free_key(keys, "question"), "kind": kind}
    if kind in CHOICES:
        question["options"] = [{"key": "first", "label": {}}, {"key": "second", "label": {}}]
    found.append(question)
    return len(found) - 1


def free_key(taken: set[Any], stem: str) -> str:
    """`stem`, or the first of `stem_2`, `stem_3` … that is not taken."""
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}_{number}"
    return key


def move_question(draft: Draft, index: int, to: int) -> int:
    """Where the question stands afterwards. A condition on a question that now comes later is dropped."""
    found = questions(draft)
    question_at(draft, index)
    to = max(0, min(to, len(found) - 1))
    found.insert(to, found.pop(index))
    _drop_stale_conditions(draft)
    return to


def remove_question(draft: Draft, index: int) -> None:
    question_at(draft, index)
    del questions(draft)[index]
    _drop_stale_conditions(draft)


def _drop_stale_conditions(draft: Draft) -> None:
    earlier = {SCORE}
    for question in questions(draft):
        when = question.get("when") or {}
        question["when"] = {key: values for key, values in when.items() if key in earlier or key.startswith(CONTEXT)}
        earlier.add(str(question.get("key")))


def add_option(draft: Draft, index: int) -> None:
    options = question_at(draft, index).setdefault("options", [])
    if len(options) < OPTION_LIMIT:
        options.append({"key": free_key({o.get("key") for o in options}, "option"), "label": {}})


def remove_option(draft: Draft, index: int, option: int) -> None:
    options = question_at(draft, index).get("options") or []
    if not 0 <= option < len(options):
        raise NothingThere
    del options[option]


def add_condition(draft: Draft, index: int, on: str, values: list[Any]) -> None:
    """Ask the question only after these values of the score or of an earlier question."""
    question_at(draft, index).setdefault("when", {})[on] = values


def remove_condition(draft: Draft, index: int, on: str) -> None:
    question_at(draft, index).setdefault("when", {}).pop(on, None)


def score_values(condition: object, metric: str) -> list[int]:
    """The scores of a metric's scale that a condition allows: a value, a list, a group's name, or `from` and `to`."""
    if metric not in METRICS:
        return []
    scale = METRICS[metric].scale
    if isinstance(condition, Mapping):
        first, last = condition.get("from", scale[0]), condition.get("to", scale[-1])
        if type(first) is int and type(last) is int:
            return [score for score in scale if first <= score <= last]
        return []
    values = condition if isinstance(condition, list) else [condition]
    return [score for score in scale if score in values or group_of(metric, score) in values]


def choice_values(condition: object) -> list[str]:
    """The keys that a condition on a choice allows."""
    values = condition if isinstance(condition, list) else [condition]
    return [value for value in values if isinstance(value, str)]


def offers_other(question: Mapping[str, Any]) -> bool:
    """Whether a choice ends with `other`: chips do unless they say not, a single choice only when it says so."""
    return bool(question.get("other", question.get("kind") in (Kind.MANY, Kind.REASONS)))


def key_of(text: str, taken: set[Any], fallback: str) -> str:
    """A free key made of a label's letters, such as `waited_too_long`; the fallback where it has none we can use."""
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in text.lower())
    key = "_".join(part for part in letters.split("_") if part)[:32].strip("_")
    usable = key[:1].isalpha() and key not in UNUSABLE
    return free_key(taken, key if usable else fallback)


def named(definition: Mapping[str, Any], language: str) -> Draft:
    """The definition with a key made of its words for each question and option that has only a provisional one."""
    draft = expanded(definition)
    renamed: dict[str, str] = {}
    taken = {question.get("key") for question in draft["follow_up"]}
    for question in draft["follow_up"]:
        key = str(question.get("key"))
        if _PROVISIONAL.fullmatch(key):
            words = _words(question.get("ask"), language)
            question["key"] = renamed[key] = key_of(words, taken - {key}, key)
            taken.add(question["key"])
        swapped = _named_options(question, language)
        if swapped:
            _follow(draft, key, swapped)
    for question in draft["follow_up"]:
        question["when"] = {renamed.get(on, on): values for on, values in (question.get("when") or {}).items()}
    return plain(draft)


def _named_options(question: Draft, language: str) -> dict[str, str]:
    swapped: dict[str, str] = {}
    options = question.get("options") or []
    taken = {option.get("key") for option in options}
    for option in options:
        key = str(option.get("key"))
        if _PROVISIONAL.fullmatch(key):
            option["key"] = key_of(_words(option.get("label"), language), taken - {key}, key)
            taken.add(option["key"])
            swapped[key] = option["key"]
    return swapped


def _follow(draft: Draft, key: str, swapped: Mapping[str, str]) -> None:
    """Let every condition on a question name its options as they are called now."""
    for question in draft["follow_up"]:
        when = question.get("when") or {}
        if key in when:
            when[key] = [swapped.get(value, value) for value in choice_values(when[key])]


def _words(texts: object, language: str) -> str:
    if not isinstance(texts, Mapping):
        return ""
    return str(texts.get(language) or texts.get("en") or "")
