"""What a posted page says: score, further answers, words, each read against what was asked. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surveyapp.domain.questions import (
    NOT_APPLICABLE,
    YES,
    Definition,
    Kind,
    Problem,
    Question,
    known,
    read_answers,
    read_comment,
    read_primary,
)
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.queries.words import words

Form = Mapping[str, Sequence[str]]
CLOSING = 0
"""The page that says thank you, among the numbers of pages."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answered. None leaves that part of the answer as it was; `cleared` are answers taken back."""

    status: ResponseStatus
    channel: str
    language: str | None = None
    score: int | None = None
    comment: str | None = None
    answers: Mapping[str, Any] | None = None
    lowers: bool = False
    trapped: bool = False
    not_applicable: bool = False
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Before:
    """What is known before a post: the survey (`where` names it and its version), the answer so far, its context."""

    definition: Definition
    answered: bool
    score: int | None
    answers: Mapping[str, Any]
    context: Mapping[str, Any]
    where: str = ""
    language: str | None = None

    def questions(self, page: int, score: int | None) -> tuple[Question, ...]:
        """The questions of a page for somebody with this score."""
        if page == CLOSING:
            return self.definition.thanks.questions
        return self.definition.on_page(page, known(score, self.answers, self.context)) if page > 1 else ()

    def next_page(self, page: int, score: int | None, answers: Mapping[str, Any]) -> int | None:
        """Where to go on after a page: there again where another score brought up a question that it did not show."""
        said = known(score, answers, self.context)
        shown = self.questions(page, self.score)
        if page > 1 and any(one not in shown for one in self.definition.on_page(page, said)):
            return page
        return self.definition.next_page(page, said)


def read_form(before: Before, form: Form, page: int, given: Given) -> tuple[Given, list[Problem]]:
    """What the fields of a page add to `given` (whose status, channel and language stand), and what is wrong with them.
    A comment is never wrong: what is too long of it is left away.

    `skip` keeps the score and drops the rest. A choice that the page showed as chosen (`was`) and that comes back
    empty is taken back; any other empty field leaves what was answered before.
    """
    problems: list[Problem] = []
    score, not_applicable = None, False
    if scores := form.get("score"):
        first = read_primary(before.definition.metric, scores[0]) if len(scores) == 1 else None
        not_applicable = first == NOT_APPLICABLE
        score = first if isinstance(first, int) else None
        if first is None:
            problems.append(Problem("score", "choose"))
    elif not before.answered:
        problems.append(Problem("score", "choose"))
    given = replace(given, score=score, not_applicable=not_applicable)
    if "skip" in form:
        return given, problems
    said, _ = read_comment((form.get("comment") or [""])[0])
    now = None if not_applicable else before.score if score is None else score
    asked = before.questions(page, now)
    answers, wrong = read_answers(asked, form)
    cleared = frozenset(key for key in form.get("was", ()) if key in answers and answers[key] is None)
    kept = {key: value for key, value in answers.items() if value is not None}
    kept |= _texts_agreed_to(before, asked, kept, given.language or before.language or "en")
    return replace(given, comment=said or None, answers=kept, cleared=cleared), problems + wrong


def _texts_agreed_to(
    before: Before, asked: Sequence[Question], answers: Mapping[str, Any], language: str
) -> dict[str, str]:
    """For each consent that was given, which words were agreed to: a survey's version or a standard text's."""
    agreed = [q for q in asked if q.kind is Kind.CONSENT and answers.get(q.key) == YES]
    found = {}
    for question in agreed:
        name = question.key if not question.ask and question.key == "contact" else "consent"
        standard = f"standard/{name}/{words(language).texts['standard'][name]['version']}"
        found[f"{question.key}_text"] = f"{before.where if question.ask else standard} {language}"
    return found


def is_cut(form: Form) -> bool:
    """Whether the comment of a posted page is kept only in part."""
    return "skip" not in form and read_comment((form.get("comment") or [""])[0])[1]
