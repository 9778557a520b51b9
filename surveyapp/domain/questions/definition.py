"""One version of a survey: which questions stand on which page, and which of them apply after which answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from surveyapp.domain.questions.parts import (
    CONTACT,
    CONTEXT,
    IDEA,
    SCORE,
    Except,
    Group,
    Kind,
    Question,
    group_of,
)


@dataclass(frozen=True, slots=True)
class Thanks:
    """What the closing page offers beside its thanks; everything is off unless a survey says so.

    `text`, `link` and `label` are the promoters' path: shown after a favourable score and to nobody else.
    """

    idea: bool = False
    contact: bool = False
    text: Mapping[str, str] = field(default_factory=dict)
    label: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None

    @property
    def questions(self) -> tuple[Question, ...]:
        """What the closing page asks, in standard words."""
        asked = [Question(IDEA, Kind.LONG)] if self.idea else []
        return (*asked, *([Question(CONTACT, Kind.CONSENT)] if self.contact else []))


@dataclass(frozen=True, slots=True)
class Definition:
    """`resting` are the keys of questions that this person is not asked, as the answer is known from another time."""

    metric: str
    about: Mapping[str, str]
    questions: tuple[Question, ...]
    thanks: Thanks = Thanks()
    resting: frozenset[str] = frozenset()

    @property
    def wanted(self) -> tuple[Question, ...]:
        """The questions whose answer is not known yet."""
        return tuple(q for q in self.questions if q.key not in self.resting)

    def without_known(
        self, earlier: Iterable[tuple[datetime, Mapping[str, Any]]], own: Mapping[str, Any], now: datetime
    ) -> "Definition":
        """The same, without what the person answered `earlier` (other answers and their times) and lately enough.

        What they said in their `own` answer stays open to change.
        """
        answers = list(earlier)
        resting = frozenset(
            question.key
            for question in self.questions
            if question.ask_again is not None and question.key not in own
            if any(said.get(question.key) is not None and at + question.ask_again > now for at, said in answers)
        )
        return replace(self, resting=resting) if resting else self

    @property
    def several(self) -> bool:
        """Whether more than one question may be asked; a box for a comment alone asks nothing further."""
        return any(question.kind is not Kind.COMMENT for question in self.wanted)

    def page_of(self, question: Question) -> int:
        """The page a question stands on: 2, or the one after the last answer that its condition needs."""
        return self._pages()[question.key]

    def on_page(self, page: int, answers: Mapping[str, Any]) -> tuple[Question, ...]:
        """The questions of a page that apply after these answers (`score` and `context.…` among them), in order."""
        pages = self._pages()
        return tuple(q for q in self.wanted if pages[q.key] == page and applies(q, answers))

    def next_page(self, page: int, answers: Mapping[str, Any]) -> int | None:
        """The next page after `page` that has a question to ask, or None when all is said."""
        pages = self._pages()
        later = sorted({pages[q.key] for q in self.wanted if pages[q.key] > page and applies(q, answers)})
        return later[0] if later else None

    def group(self, score: int | None) -> Group | None:
        """Where a score of this survey stands."""
        return group_of(self.metric, score)

    def _pages(self) -> dict[str, int]:
        """The page of each question: conditions name earlier questions only, so one walk settles them all."""
        pages: dict[str, int] = {}
        for question in self.questions:
            pages[question.key] = 1 + max((pages[key] for key in question.when if key in pages), default=1)
        return pages


def applies(question: Question, answers: Mapping[str, Any]) -> bool:
    """Whether every part of the question's condition holds; an answer that was not given meets no condition.

    Of several values one must be among those wanted, and none among those excluded.
    """
    for key, wanted in question.when.items():
        given = answers.get(key)
        values = [v for v in (given if isinstance(given, list) else [given]) if isinstance(v, str | int | float)]
        holds = all if isinstance(wanted, Except) else any
        if not values or not holds(value in wanted for value in values):
            return False
    return True


def known(score: int | None, answers: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Everything a condition may name: the score, the answers so far, and the context under `context.…`."""
    return {**{f"{CONTEXT}{name}": value for name, value in context.items()}, **answers, SCORE: score}
