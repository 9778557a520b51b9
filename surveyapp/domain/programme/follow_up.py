"""Reads the further questions of a survey and its thanks: languages, conditions and what an event already says here,
everything else is `domain/questions`."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from surveyapp.domain.programme.fields import Fields, Reading, shown, texts
from surveyapp.domain.programme.tree import Listing, Node, Path, Scalar, Table, locate, plain
from surveyapp.domain.questions import SCORE, DefinitionProblems, Group, Question, parse_definition
from surveyapp.domain.scores import METRICS, on_scale

COMMENT = "comment"
LONGEST_ASK = 300
LONGEST_LABEL = 80


def read_follow_up(
    reading: Reading, survey: Fields, metric: str | None, context: Collection[str] = ()
) -> str | tuple[object, ...]:
    """`comment` (also when left out), or the further questions as written; an empty list asks nothing further.

    `context` are the fields that events bring with them: what they already say is not asked.
    """
    node = survey.nodes.get("follow_up")
    if node is None:
        return COMMENT
    path = (*survey.path, "follow_up")
    if isinstance(node, Scalar) and node.value == COMMENT:
        return COMMENT
    if not isinstance(node, Listing):
        survey.refuse("follow_up", f"'follow_up' is comment or a list of further questions, not {shown(node)}.")
        return COMMENT
    before = len(reading.problems)
    for index, item in enumerate(node.items):
        if isinstance(item, Table):
            _texts(reading, item, (*path, index))
            _score_conditions(reading, item, (*path, index), metric)
            _not_known_already(reading, item, (*path, index), context)
    if len(reading.problems) > before or metric is None:
        return COMMENT
    written: Any = plain(node)
    try:
        parsed = parse_definition({"metric": metric, "follow_up": written})
    except DefinitionProblems as refusal:
        for where, sentence in refusal.problems:
            place = ".".join(str(part) for part in where[2:])
            at = locate(node, where[1:])
            reading.refuse(at, (*path, *where[1:]), f"In a question, {place or 'it'}: {sentence}.")
        return COMMENT
    _choices_named(reading, node, path, {question.key: question for question in parsed.questions})
    return tuple(written)


def read_thanks(reading: Reading, survey: Fields) -> Mapping[str, object]:
    """What the closing page offers, as written; empty when left out."""
    node = survey.nodes.get("thanks")
    if node is None:
        return {}
    path = (*survey.path, "thanks")
    if not isinstance(node, Table):
        survey.refuse("thanks", f"'thanks' is a mapping of idea, contact and promoter, not {shown(node)}.")
        return {}
    before = len(reading.problems)
    promoter = node.get("promoter")
    for name, longest in (("text", LONGEST_ASK), ("label", LONGEST_LABEL)):
        given = promoter.get(name) if isinstance(promoter, Table) else None
        if given is not None:
            texts(reading, given, (*path, "promoter", name), name, longest)
    if len(reading.problems) > before:
        return {}
    said: Any = plain(node)
    try:
        parse_definition({"metric": "nps", "thanks": said})
    except DefinitionProblems as refusal:
        for where, sentence in refusal.problems:
            place = ".".join(str(part) for part in where)
            reading.refuse(locate(node, where[1:]), (*path, *where[1:]), f"{place}: {sentence}.")
        return {}
    return dict(said)


def _not_known_already(reading: Reading, question: Table, path: Path, context: Collection[str]) -> None:
    key = question.get("key")
    if isinstance(key, Scalar) and key.value in context:
        sentence = f"The event already says {shown(key)}: it is never asked. A condition may use context.{key.value}."
        reading.refuse(key, (*path, "key"), sentence)


def _texts(reading: Reading, question: Table, path: Path) -> None:
    """Checks the languages and lengths of a question and its options."""
    for name, node, longest, owner in _texts_of(question):
        if isinstance(node, Table) or name == "ask":
            texts(reading, node, (*path, name), name, longest, owner)


def _texts_of(question: Table) -> Iterator[tuple[str, Node, int, str]]:
    """Every text by its field, with the most characters it may have and whose it is."""
    this = _of("question", question)
    ask, options = question.get("ask"), question.get("options")
    if ask is not None:
        yield "ask", ask, LONGEST_ASK, this
    other = question.get("ask_for")
    for group, wording in other.entries if isinstance(other, Table) else ():
        yield "ask_for", wording, LONGEST_ASK, f" {group.text}{this}"
    for option in options.items if isinstance(options, Listing) else ():
        label = option.get("label") if isinstance(option, Table) else None
        if isinstance(option, Table) and label is not None:
            yield "label", label, LONGEST_LABEL, _of("choice", option) + this


def _of(what: str, table: Table) -> str:
    key = table.get("key")
    return f" of the {what} {key.text!r}" if isinstance(key, Scalar) else f" of a {what}"


def _score_conditions(reading: Reading, question: Table, path: Path, metric: str | None) -> None:
    """Refuses a condition on a score that the metric's scale does not have."""
    when = question.get("when")
    condition = when.get(SCORE) if isinstance(when, Table) else None
    if condition is None or metric is None:
        return
    here = (*path, "when", SCORE)
    if isinstance(condition, Table):
        bounds = Fields(reading, condition, here, ("from", "to"), "A condition on the score")
        scores = list(bounds.nodes.values())
        low, high = (getattr(bounds.nodes.get(name), "value", None) for name in ("from", "to"))
        if type(low) is int and type(high) is int and low > high:
            reading.refuse(condition, here, f"No score is at least {low} and at most {high}.")
    else:
        scores = list(condition.items) if isinstance(condition, Listing) else [condition]
    scale = METRICS[metric]
    for node in scores:
        if isinstance(node, Scalar) and node.value in set(Group):
            continue
        if not isinstance(node, Scalar) or not on_scale(metric, node.value):
            sentence = f"A {metric} score is a whole number from {scale.low} to {scale.high}, not {shown(node)}."
            reading.refuse(node, here, sentence)


def _choices_named(reading: Reading, listing: Listing, path: Path, questions: Mapping[str, Question]) -> None:
    """Refuses a condition on a choice that the earlier question does not offer."""
    for index, item in enumerate(listing.items):
        when = item.get("when") if isinstance(item, Table) else None
        for name, condition in when.entries if isinstance(when, Table) else ():
            question = questions.get(name.text)
            if question is None or not question.values:
                continue
            for node in condition.items if isinstance(condition, Listing) else (condition,):
                if isinstance(node, Scalar) and node.value not in question.values:
                    near = reading.nearest(node.text, question.values)
                    sentence = f"The question {name.text!r} has no choice {shown(node)}{near}"
                    reading.refuse(node, (*path, index, "when", name.text), sentence)
