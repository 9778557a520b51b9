"""Reads the designer's one form back into a survey's definition, and carries out its buttons. Saves nothing.

Whatever cannot be read stays as it was typed: whether it can be asked is said beside it, and nothing is lost.
"""

from collections.abc import Mapping
from typing import Any

from surveyapp.domain import survey_editing as editing
from surveyapp.domain.questions import CONTEXT, GAPS, OPTION_LIMIT, QUESTION_LIMIT, SCORE, Group, Kind
from surveyapp.domain.reporting_values import LONGEST as LONGEST_VALUE
from surveyapp.domain.survey_conditions import IS, NOT, OnContext, write_context
from surveyapp.domain.survey_editing import Draft, NothingThere

LONGEST = 600
LONGEST_NAME = 80


def read(form: Any, before: Mapping[str, Any], languages: tuple[str, ...]) -> Draft:
    """The definition that the form says. Fields that the form does not know stay as they were."""
    draft = editing.expanded(before)
    old = {str(question.get("key")): question for question in draft["follow_up"]}
    for name in ("metric", "public", "group", "closes"):
        if name in form:
            draft[name] = _line(form[name])
    if "quota" in form:
        draft["quota"] = _whole(form["quota"])
    if "closing" in form:
        draft["thanks"] = _thanks(form, draft.get("thanks"))
    draft["about"] = _texts(form, "about", languages, draft.get("about"))
    if "questions" in form:
        count = min(_whole(form["questions"]) or 0, QUESTION_LIMIT) if _is_whole(form["questions"]) else 0
        metric = str(draft.get("metric"))
        draft["follow_up"] = [_question(form, f"q{n}.", old, languages, metric) for n in range(count)]
    return editing.plain(draft)


def _question(form: Any, at: str, old: Mapping[str, Draft], languages: tuple[str, ...], metric: str) -> Draft:
    was = _line(form.get(at + "was", ""))
    question: Draft = dict(old.get(was, {}))
    kind = form.get(at + "kind", question.get("kind", "text"))
    key = "comment" if kind == Kind.COMMENT else _line(form.get(at + "key", "")) or was
    question |= {"key": "question" if key == "comment" != kind else key, "kind": _line(kind)}
    question["ask"] = _texts(form, at + "ask", languages, question.get("ask"))
    if at + "groups" in form:
        question["ask_for"] = _wordings(form, at, languages, question.get("ask_for"))
    if kind in editing.CHOICES:
        question["options"] = _options(form, at, question, languages)
        if (form.get(at + "other") == "1") != editing.offers_other(question):
            question["other"] = form.get(at + "other") == "1"
    else:
        for name in ("options", "other"):
            question.pop(name, None)
    for name, field in (("from", "low"), ("to", "high")):
        if at + field in form:
            text = _line(form[at + field])
            question[name] = _whole(text) if kind == "number" else text
        elif kind not in ("number", "date"):
            question.pop(name, None)
    if kind in ("comment", "consent"):
        question.pop("ask_again", None)
    elif at + "again" in form:
        question["ask_again"] = _line(form[at + "again"])
    question["when"] = _conditions(form, at, question, metric)
    return question


def _wordings(form: Any, at: str, languages: tuple[str, ...], before: object) -> Draft:
    """Another wording for each group of scores that has one."""
    old = before if isinstance(before, Mapping) else {}
    found = {str(group): _texts(form, f"{at}for.{group}", languages, old.get(group)) for group in Group}
    return {group: wording for group, wording in found.items() if wording}


def _thanks(form: Any, before: object) -> Draft:
    """What the closing page offers; the promoters' path stays as the programme file says it."""
    thanks: Draft = dict(before) if isinstance(before, Mapping) else {}
    for name in ("idea", "contact"):
        thanks.pop(name, None)
        if form.get(name) == "1":
            thanks[name] = True
    return thanks


def _options(form: Any, at: str, question: Draft, languages: tuple[str, ...]) -> list[Draft]:
    old = {option.get("key"): option for option in question.get("options") or []}
    found: list[Draft] = []
    for n in range(OPTION_LIMIT):
        place = f"{at}o{n}."
        if place + "key" not in form:
            break
        key = _line(form[place + "key"])
        option = dict(old.get(key, {})) | {"key": key}
        option["label"] = _texts(form, place + "label", languages, option.get("label"))
        gap = form.get(place + "gap")
        if gap in GAPS and question["kind"] == "reasons":
            option["gap"] = gap
        elif question["kind"] != "reasons" or gap is not None:
            option.pop("gap", None)
        found.append(option)
    if not found and question.get("kind") in editing.CHOICES:
        found = [{"key": "first", "label": {}}, {"key": "second", "label": {}}]
    return found


def _conditions(form: Any, at: str, question: Draft, metric: str) -> Draft:
    """Conditions that the page shows; those it does not stay, and so does one that says the same."""
    when: Draft = dict(question.get("when") or {})
    for name in form.getlist(at + "when"):
        values = form.getlist(f"{at}when.{name}")
        if name == SCORE:
            scores = [int(value) for value in values if _is_whole(value)]
            if scores != editing.score_values(when.get(name), metric):
                when[name] = scores
        elif name.startswith(CONTEXT):
            verb = NOT if form.get(f"{at}verb.{name}") == NOT else IS
            texts = [_line(text)[:LONGEST_VALUE] for text in (*values, form.get(f"{at}more.{name}", ""))]
            wanted = OnContext(verb, tuple(dict.fromkeys(text for text in texts if text)))
            when[name] = write_context(wanted, when.get(name))
        elif [_line(value) for value in values] != editing.choice_values(when.get(name)):
            when[name] = [_line(value) for value in values]
    return when


def pressed(form: Any) -> str:
    """What the pressed button says; one that needs a field beside it (`field.2`, a context's name) with that."""
    do = str(form.get("do", "save"))
    verb, _, number = do.partition(".")
    if verb != "field":
        return do
    name = _line(form.get(f"q{number}.field", ""))[:LONGEST_NAME]
    return f"when.{number}.{CONTEXT}{name}" if name else "save"


def carry_out(draft: Draft, do: str) -> tuple[Draft, str]:
    """The definition after a button such as `up.2` or `add.many`, and the key of the question to show open.

    Raises NothingThere for a button of a question that has gone.
    """
    working = editing.expanded(draft)
    verb, _, rest = do.partition(".")
    parts = rest.split(".", 1)
    index = int(parts[0]) if _is_whole(parts[0]) else -1
    if verb == "add":
        if rest not in set(Kind):
            raise NothingThere
        added = editing.add_question(working, rest)
        index = len(editing.questions(working)) - 1 if added is None else added
    elif verb in ("up", "down", "move"):
        to = int(parts[1]) if verb == "move" and len(parts) > 1 and _is_whole(parts[1]) else index
        index = editing.move_question(working, index, to + {"up": -1, "down": 1}.get(verb, 0))
    elif verb == "remove":
        editing.remove_question(working, index)
        return editing.plain(working), ""
    else:
        _part(working, verb, index, parts[1] if len(parts) > 1 else "")
    return editing.plain(working), str(editing.question_at(working, index).get("key"))


def _part(working: Draft, verb: str, index: int, name: str) -> None:
    """A button inside one question."""
    if verb == "option":
        editing.add_option(working, index)
    elif verb == "drop":
        editing.remove_option(working, index, int(name) if _is_whole(name) else -1)
    elif verb == "when":
        earlier = {str(q.get("key")): q for q in editing.questions(working)[:index]}
        if name != SCORE and name not in earlier and not name.startswith(CONTEXT):
            raise NothingThere
        editing.add_condition(working, index, name, [])
    elif verb == "always":
        editing.remove_condition(working, index, name)
    elif verb != "save":
        raise NothingThere


def _texts(form: Any, name: str, languages: tuple[str, ...], before: object) -> Draft:
    texts: Draft = dict(before) if isinstance(before, Mapping) else {}
    for language in languages:
        if f"{name}.{language}" in form:
            text = _line(form[f"{name}.{language}"])
            texts.pop(language, None)
            if text:
                texts[language] = text
    return {language: texts[language] for language in (*languages, *texts) if language in texts}


def _line(text: object) -> str:
    """One line without control characters, not longer than anything a survey can hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:LONGEST]


def _is_whole(text: object) -> bool:
    digits = str(text).strip().removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 10


def _whole(text: object) -> Any:
    """The number, or the text as it was typed."""
    return int(str(text).strip()) if _is_whole(text) else _line(text)
