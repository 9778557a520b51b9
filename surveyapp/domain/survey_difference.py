"""What differs between two definitions of a survey, in words, and which difference ends a series of figures. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.questions import CONTEXT, SCORE
from surveyapp.domain.survey_conditions import KEPT, NOT, read_context
from surveyapp.domain.survey_editing import choice_values, expanded, score_values

LIMITS = {"group": "Group", "public": "Public link", "quota": "Quota", "closes": "Closing day"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `breaks` says which series of figures it begins anew, where it does."""

    what: str
    before: str
    after: str
    breaks: str = ""


def differences(before: Mapping[str, Any], after: Mapping[str, Any], language: str) -> list[Change]:
    """Everything that differs, in the order of the survey. The same survey gives an empty list."""
    old, new = expanded(before), expanded(after)
    changes: list[Change] = []
    if old.get("metric") != new.get("metric"):
        told = "the rating: figures before and after are two series"
        changes.append(Change("Metric", _said(old.get("metric")), _said(new.get("metric")), told))
    changes += _texts("About", old.get("about"), new.get("about"))
    changes += _questions(old, new, language)
    for name in dict.fromkeys([*LIMITS, *old, *new]):
        if name not in ("metric", "about", "follow_up") and old.get(name) != new.get(name):
            label = LIMITS.get(name, name.replace("_", " ").capitalize())
            changes.append(Change(label, _said(old.get(name)), _said(new.get(name))))
    return changes


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(part)}" for name, part in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)


def _texts(what: str, before: object, after: object, breaks: str = "") -> Iterator[Change]:
    old, new = _mapping(before), _mapping(after)
    for language in dict.fromkeys([*old, *new]):
        if old.get(language) != new.get(language):
            name = f"{what}, {language}" if language else what
            yield Change(name, _said(old.get(language)), _said(new.get(language)), breaks)


def _mapping(value: object) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(k): str(v) for k, v in value.items()}
    return {"": value} if isinstance(value, str) and value else {}


def _questions(old: Mapping[str, Any], new: Mapping[str, Any], language: str) -> Iterator[Change]:
    before = {str(q.get("key")): q for q in old["follow_up"]}
    after = {str(q.get("key")): q for q in new["follow_up"]}
    for key, question in before.items():
        if key not in after:
            yield Change(f"Question {title(question, language)}", "asked", "not asked any more")
    for key, question in after.items():
        if key not in before:
            yield Change(
                f"Question {title(question, language)}", "not asked", f"asked{_after(new, question, language)}"
            )
        else:
            yield from _question(before[key], question, old, new, language)
    kept_before = [key for key in before if key in after]
    kept_after = [key for key in after if key in before]
    if kept_before != kept_after:
        yield Change(
            "Order of the questions",
            " · ".join(title(before[key], language) for key in kept_before),
            " · ".join(title(after[key], language) for key in kept_after),
        )


def _question(
    before: Mapping[str, Any], after: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any], language: str
) -> Iterator[Change]:
    name = f"Question {title(after, language)}"
    series = f"{after.get('key')}: answers before and after are two series; the rating’s series goes on"
    if before.get("kind") != after.get("kind"):
        yield Change(f"{name}: kind", _said(before.get("kind")), _said(after.get("kind")), series)
    yield from _texts(f"{name}: wording", before.get("ask"), after.get("ask"), series)
    yield from _options(name, before, after, series)
    if _after(old, before, language) != _after(new, after, language):
        yield Change(
            f"{name}: when", _after(old, before, language) or "always", _after(new, after, language) or "always"
        )
    handled = {"key", "kind", "ask", "options", "when"}
    for field in dict.fromkeys([*before, *after]):
        if field not in handled and before.get(field) != after.get(field):
            yield Change(f"{name}: {field.replace('_', ' ')}", _said(before.get(field)), _said(after.get(field)))


def _options(name: str, before: Mapping[str, Any], after: Mapping[str, Any], series: str) -> Iterator[Change]:
    old = {str(o.get("key")): o for o in before.get("options") or [] if isinstance(o, Mapping)}
    new = {str(o.get("key")): o for o in after.get("options") or [] if isinstance(o, Mapping)}
    for key in old.keys() - new.keys():
        yield Change(f"{name}: choice {key}", "offered", "not offered any more", series)
    for key, option in new.items():
        if key not in old:
            yield Change(f"{name}: choice {key}", "not offered", "offered", series)
            continue
        yield from _texts(f"{name}: choice {key}", old[key].get("label"), option.get("label"))
        if old[key].get("gap") != option.get("gap"):
            yield Change(f"{name}: gap of {key}", _said(old[key].get("gap")), _said(option.get("gap")))
    if old.keys() == new.keys() and list(old) != list(new):
        yield Change(f"{name}: order of the choices", ", ".join(old), ", ".join(new))


def title(question: Mapping[str, Any], language: str) -> str:
    """What a question is called on a page: its wording, else its key."""
    ask = _mapping(question.get("ask"))
    text = ask.get(language) or next(iter(ask.values()), "")
    return f"“{text}”" if text else str(question.get("key"))


def _after(definition: Mapping[str, Any], question: Mapping[str, Any], language: str) -> str:
    parts = conditions(definition, question, language)
    return f" only {' and '.join(parts)}" if parts else ""


def conditions(definition: Mapping[str, Any], question: Mapping[str, Any], language: str) -> list[str]:
    """A question's conditions, each as the end of a sentence: `after a score of 1 to 3`."""
    asked = {str(q.get("key")): q for q in definition.get("follow_up") or [] if isinstance(q, Mapping)}
    said: list[str] = []
    for key, condition in (question.get("when") or {}).items():
        if key == SCORE:
            said.append(f"after a score of {span(score_values(condition, str(definition.get('metric'))))}")
        elif key in asked:
            labels = {str(o.get("key")): _mapping(o.get("label")) for o in asked[key].get("options") or []}
            values = [labels.get(value, {}).get(language) or value for value in choice_values(condition)]
            said.append(f"after “{'” or “'.join(values)}” to {title(asked[key], language)}")
        elif key.startswith(CONTEXT):
            said.append(f"where {key.removeprefix(CONTEXT)} {_on_context(condition)}")
        else:
            said.append(f"after an answer to {key}")
    return said


def _on_context(condition: object) -> str:
    read = read_context(condition)
    if read.verb == KEPT and isinstance(condition, Mapping):
        return "is " + " ".join(f"{word} {value}" for word, value in condition.items())
    return ("is not " if read.verb == NOT else "is ") + (" or ".join(read.values) or "nothing")


def span(values: list[int]) -> str:
    """Whole numbers in words: `1 to 3`, `1, 3 or 5`, `9 or 10`."""
    values = sorted(set(values))
    if not values:
        return "nothing"
    shown = [str(value).replace("-", "−") for value in values]
    if len(values) > 2 and values[-1] - values[0] == len(values) - 1:
        return f"{shown[0]} to {shown[-1]}"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
