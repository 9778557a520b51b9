"""A question's conditions while a survey is edited: what may be picked, and how one on the context is read and written.

Reads conditions that may be wrong in any way; whether one can hold is the definition's reading.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.questions import CONTEXT, OTHER, YES, Kind
from surveyapp.domain.questions.kinds import FACES
from surveyapp.domain.reporting_values import reporting_text
from surveyapp.domain.survey_editing import expanded, offers_other

IS, NOT, KEPT = "is", "not", "kept"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,8})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,8})\.[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class OnContext:
    """A condition on the context: its `verb` (`is`, `not`; `kept` for what only a file can say) and values as texts."""

    verb: str
    values: tuple[str, ...] = ()


def read_context(condition: object) -> OnContext:
    """The condition as a form shows it."""
    if isinstance(condition, Mapping):
        return OnContext(NOT, _texts(condition["not"])) if set(condition) == {"not"} else OnContext(KEPT)
    return OnContext(IS, _texts(condition))


def write_context(wanted: OnContext, before: object) -> Any:
    """The condition as a definition says it; the one before where it says the same or no form can say it.

    A text that looks like a number or a truth value also stands for that: events write either.
    """
    if wanted.verb == KEPT or wanted == read_context(before):
        return before
    values = [form for text in wanted.values for form in _forms(text)]
    if wanted.verb == NOT:
        return {"not": values}
    return values[0] if len(values) == 1 else values


def _texts(values: object) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    return tuple(dict.fromkeys(text for text in map(reporting_text, listed) if text))


def _forms(text: str) -> list[object]:
    if text in ("true", "false"):
        return [text == "true", text]
    if _WHOLE.fullmatch(text):
        return [int(text), text]
    return [float(text), text] if _DECIMAL.fullmatch(text) else [text]


def pickable(question: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """What an earlier question may be answered by, where that can be picked, with its labels; empty where it cannot."""
    kind = question.get("kind")
    if kind == Kind.EMOTION:
        return {face: {"en": face.replace("_", " ")} for face in FACES}
    if kind == Kind.CONSENT:
        return {YES: {"en": "yes"}}
    options = [option for option in question.get("options") or [] if isinstance(option, Mapping)]
    found = {str(o.get("key")): o["label"] if isinstance(o.get("label"), Mapping) else {} for o in options}
    if found and offers_other(question):
        found[OTHER] = {"en": "other"}
    return found


def sample_choices(questions: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, object]]:
    """Per context field that conditions name, the values worth trying by their text; the first one meets a condition.

    The empty text is any other value.
    """
    found: dict[str, dict[str, object]] = {}
    for question in questions:
        for name, condition in (question.get("when") or {}).items():
            if not str(name).startswith(CONTEXT):
                continue
            excludes = isinstance(condition, Mapping) and "not" in condition
            said = _sampled(condition["not"] if excludes else condition)
            choices = found.setdefault(str(name).removeprefix(CONTEXT), {"": ""} if excludes else {})
            for text, value in said.items():
                choices.setdefault(text, value)
    return {name: choices | {"": ""} for name, choices in found.items()}


def sample_context(definition: Mapping[str, Any]) -> dict[str, object]:
    """A context that meets the first condition on each field: what a trial, which has no customer, is asked under."""
    choices = sample_choices(expanded(definition)["follow_up"])
    return {name: next(iter(values.values())) for name, values in choices.items()}


def _sampled(condition: object) -> dict[str, object]:
    if isinstance(condition, Mapping):
        ends = [condition.get("from"), condition.get("to")]
        condition = next(([end] for end in ends if end is not None), [])
    found: dict[str, object] = {}
    for value in condition if isinstance(condition, list) else [condition]:
        found.setdefault(reporting_text(value), value)
    return {text: value for text, value in found.items() if text}
