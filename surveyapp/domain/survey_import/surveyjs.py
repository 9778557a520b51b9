"""Reads a SurveyJS survey, already parsed from its JSON, for the kinds of questions that ours has too."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from surveyapp.domain.survey_import.carried import Carried, Unreadable, clean
from surveyapp.domain.survey_import.conditions import carry_condition

MOST = 500
DEEPEST = 8
LEFT = {
    "matrix": "a grid of questions", "matrixdropdown": "a grid of questions", "matrixdynamic": "a grid of questions",
    "ranking": "ranking", "file": "a file", "signaturepad": "a drawing", "imagepicker": "pictures",
    "multipletext": "several texts", "paneldynamic": "a repeated group", "expression": "a computed value",
    "imagemap": "pictures",
}  # fmt: skip
_TOLD = frozenset({"html", "image"})
_IF = re.compile(r"\{([^{}]{1,100})\}\s*(=|==|<=|>=|<|>|anyof)\s*([^{}]{1,200})", re.DOTALL)


def read_surveyjs(value: object, languages: Sequence[str]) -> Carried:
    """The survey, as far as ours can say it. Raises Unreadable."""
    if not isinstance(value, Mapping):
        raise Unreadable("it is not a survey but a single value or a list")
    elements = list(_elements(value, 0))
    if not elements:
        raise Unreadable("it holds no SurveyJS questions under 'pages' or 'elements'")
    found = Carried(languages)
    found.title = found.first(_texts(value.get("title"), languages))
    if any(name in value for name in ("triggers", "calculatedValues", "completedHtml")):
        found.leave(found.title or "the survey", "its triggers, computed values and closing page are not carried")
    for element in elements:
        _element(found, element)
    return found.finish()


def _elements(part: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Every question in its order, out of pages and panels."""
    if depth > DEEPEST:
        raise Unreadable("it is nested deeper than any survey")
    for name in ("pages", "elements", "questions"):
        items = part.get(name)
        for item in items[:MOST] if isinstance(items, list) else ():
            if isinstance(item, Mapping):
                inner = any(n in item for n in ("pages", "elements", "questions"))
                yield from _elements(item, depth + 1) if inner else iter([item])


def _texts(value: object, languages: Sequence[str]) -> dict[str, str]:
    """A text as SurveyJS writes it: a string, or one for each language with `default` for the first."""
    if isinstance(value, str):
        said = clean(value)
        return {languages[0]: said} if said else {}
    if not isinstance(value, Mapping):
        return {}
    named = {languages[0] if name == "default" else str(name): clean(text) for name, text in value.items()}
    return {language: text for language, text in named.items() if text}


def _element(found: Carried, element: Mapping[str, Any]) -> None:
    kind, name = str(element.get("type", "text")), clean(element.get("name")) or "question"
    asked = _texts(element.get("title"), found.languages) or {found.languages[0]: name}
    before = len(found.questions)
    if kind == "rating":
        _rating(found, name, asked, element)
    elif kind in ("radiogroup", "dropdown", "checkbox", "tagbox", "buttongroup"):
        _choice(found, name, asked, element, "many" if kind in ("checkbox", "tagbox") else "one")
    elif kind == "boolean":
        found.add(name, "one", asked, options=found.options(name, [("yes", {}), ("no", {})]))
    elif kind == "comment":
        found.words(name, asked)
    elif kind == "text":
        given = str(element.get("inputType", "text"))
        found.add(name, {"number": "number", "range": "number", "date": "date"}.get(given, "text"), asked)
    elif kind in _TOLD:
        found.leave(name, "a text or picture without a question is not shown; every page asks something")
    else:
        found.leave(found.first(asked), f"{LEFT.get(kind, 'a kind that we do not know')} cannot be asked here")
    if element.get("visibleIf"):
        said = str(element["visibleIf"])
        if len(found.questions) == before or not carry_condition(found, said, _IF):
            found.leave(name, f"when it is asked ({clean(said)[:80]}) is not carried; build the condition anew")
    for extra in ("validators", "requiredIf", "enableIf"):
        if element.get(extra):
            found.leave(found.first(asked), f"its {extra} is not carried; nothing is compulsory here")


def _rating(found: Carried, name: str, asked: Mapping[str, str], element: Mapping[str, Any]) -> None:
    values = element.get("rateValues")
    given = [v.get("value") if isinstance(v, Mapping) else v for v in values] if isinstance(values, list) else None
    if given is None:
        low, count = element.get("rateMin", 1), element.get("rateCount")
        high = element.get("rateMax", low + count - 1 if type(low) is int and type(count) is int else 5)
        fits = type(low) is int and type(high) is int and 0 <= high - low <= 20
        given = list(range(low, high + 1)) if fits else []
    points = sorted(value for value in given if type(value) is int)
    if len(points) == len(given) and found.rate(name, asked, points):
        return
    if len(points) < 2:
        found.leave(found.first(asked), "its scale has no whole numbers")
        return
    found.add(name, "one", asked, options=found.options(name, [(str(point), {}) for point in points]))


def _choice(found: Carried, name: str, asked: Mapping[str, str], element: Mapping[str, Any], kind: str) -> None:
    listed = element.get("choices")
    choices: list[tuple[str, Mapping[str, str]]] = []
    for item in listed[:MOST] if isinstance(listed, list) else ():
        value = item.get("value") if isinstance(item, Mapping) else item
        text = item.get("text") if isinstance(item, Mapping) else None
        said = clean(value)
        choices.append((said, _texts(text, found.languages) or {found.languages[0]: said}))
    if len(choices) < 2:
        why = (
            "its choices come from elsewhere" if element.get("choicesByUrl") else "a choice needs two options at least"
        )
        found.leave(found.first(asked), why)
        return
    other = element.get("hasOther") is True or element.get("showOtherItem") is True
    more = {"other": other} if other or kind == "many" else {}
    found.add(name, kind, asked, options=found.options(name, choices), **more)
