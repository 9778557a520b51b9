"""One small class for each kind of further question: its fields, its values, how an answer is read, where it can be
asked. How it looks is for the pages."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar, Generic, TypeVar

from surveyapp.domain.cutting import first_of
from surveyapp.domain.questions.parts import (
    COMMENT_LIMIT,
    LONG_LIMIT,
    SCORE,
    TEXT_LIMIT,
    YES,
    Kind,
    Option,
    Problem,
    Question,
)

Read = tuple[object, Problem | None]
Bound = TypeVar("Bound", int, str)
FACES = ("very_unhappy", "unhappy", "neutral", "happy", "very_happy")
FIRST_DAY, LAST_DAY = "1900-01-01", "2199-12-31"
LOWEST, HIGHEST = 0, 1_000_000_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,12}")


class Words:
    """An answer in words: the base of text, long text and comment."""

    kind: ClassVar[Kind]
    fields: ClassVar[frozenset[str]] = frozenset()
    limit: ClassVar[int] = TEXT_LIMIT
    needs_ask: ClassVar[bool] = True
    by_text: ClassVar[bool] = True

    def read(self, question: Question, given: Sequence[str]) -> Read:
        words, excess = read_words(given[0] if given else "", self.limit)
        return words or None, Problem(question.key, "too_long", excess) if excess else None


class Text(Words):
    """A short answer."""

    kind = Kind.TEXT


class Long(Words):
    """A longer answer."""

    kind = Kind.LONG
    limit = LONG_LIMIT


class Comment(Words):
    """The one box. The comment has a column of its own, so it is no answer among the others."""

    kind = Kind.COMMENT
    needs_ask = False


class One:
    """One of several options."""

    kind: ClassVar[Kind] = Kind.ONE
    fields: ClassVar[frozenset[str]] = frozenset({"options", "other"})
    needs_ask: ClassVar[bool] = True
    by_text: ClassVar[bool] = True
    several: ClassVar[bool] = False

    def read(self, question: Question, given: Sequence[str]) -> Read:
        chosen = list(dict.fromkeys(given))
        if not question.values.issuperset(chosen) or (len(chosen) > 1 and not self.several):
            return None, Problem(question.key, "choose")
        if self.several:
            return chosen or None, None
        return (chosen[0] if chosen else None), None


class Many(One):
    """Any of several options."""

    kind = Kind.MANY
    several = True


class Reasons(Many):
    """Any of several reasons; each belongs to the knowledge, the design or the delivery gap."""

    kind = Kind.REASONS


class Emotion(One):
    """One of five faces; their names are standard texts, so a picture is never needed."""

    kind = Kind.EMOTION
    fields = frozenset()
    needs_ask = False
    by_text = False


class Ranged(ABC, Generic[Bound]):
    """One value between two bounds, in any script's digits: the base of number and day."""

    kind: ClassVar[Kind]
    fields: ClassVar[frozenset[str]] = frozenset({"from", "to"})
    needs_ask: ClassVar[bool] = True
    by_text: ClassVar[bool] = False

    def read(self, question: Question, given: Sequence[str]) -> Read:
        text = "".join(_digit(letter) for letter in (given[0] if given else "").strip())
        if not text:
            return None, None
        value = self.value(text)
        if value is None or not self.low(question) <= value <= self.high(question):
            return None, Problem(question.key, self.kind)
        return value, None

    @abstractmethod
    def value(self, text: str) -> Bound | None:
        """What the text says; None when it is no such value."""

    @abstractmethod
    def low(self, question: Question) -> Bound:
        """The least value that fits: the question's own, else the least there is."""

    @abstractmethod
    def high(self, question: Question) -> Bound:
        """The greatest value that fits."""


class Number(Ranged[int]):
    """A whole number."""

    kind = Kind.NUMBER

    def value(self, text: str) -> int | None:
        return int(text) if _NUMBER.fullmatch(text) else None

    def low(self, question: Question) -> int:
        return question.low if isinstance(question.low, int) else LOWEST

    def high(self, question: Question) -> int:
        return question.high if isinstance(question.high, int) else HIGHEST


class Day(Ranged[str]):
    """A day, as the browser's date field writes it (ISO)."""

    kind = Kind.DATE

    def value(self, text: str) -> str | None:
        return text if is_day(text) else None

    def low(self, question: Question) -> str:
        return question.low if isinstance(question.low, str) else FIRST_DAY

    def high(self, question: Question) -> str:
        return question.high if isinstance(question.high, str) else LAST_DAY


class Consent:
    """Yes, or nothing."""

    kind: ClassVar[Kind] = Kind.CONSENT
    fields: ClassVar[frozenset[str]] = frozenset()
    needs_ask: ClassVar[bool] = False
    by_text: ClassVar[bool] = False

    def read(self, question: Question, given: Sequence[str]) -> Read:
        if set(given) - {YES}:
            return None, Problem(question.key, "choose")
        return YES if given else None, None


QuestionKind = Words | One | Number | Day | Consent
KINDS: dict[Kind, QuestionKind] = {
    one.kind: one
    for one in (Comment(), One(), Many(), Reasons(), Emotion(), Number(), Day(), Text(), Long(), Consent())
}


def faces() -> tuple[Option, ...]:
    """The five answers of an emotion question, the best last; their names are standard texts."""
    return tuple(Option(key, {}) for key in FACES)


def unasked(questions: Iterable[Question], channels: Iterable[str]) -> list[str]:
    """What these channels leave out of a survey, a sentence each: for whoever designs it."""
    questions, sentences = list(questions), []
    if "sms" in channels:
        kept = [q.key for q in questions if not KINDS[q.kind].by_text]
        if kept:
            sentences.append(f"A text message cannot ask {_listed(kept)}: the conversation leaves it out.")
    if "web" in channels:
        asked = by_widget(questions)
        if kept := [q.key for q in questions if q not in asked]:
            sentences.append(f"The widget cannot ask {_listed(kept)}: it leaves it out.")
    return sentences


def by_widget(questions: Iterable[Question]) -> list[Question]:
    """The questions that the widget asks: those of its kinds whose conditions a browser can judge by what it asked."""
    kept: list[Question] = []
    for question in questions:
        known = {SCORE, *(q.key for q in kept)}
        judged = all(
            key in known and (key == SCORE or isinstance(wanted, frozenset)) for key, wanted in question.when.items()
        )
        if judged and question.kind not in (Kind.NUMBER, Kind.DATE, Kind.CONSENT):
            kept.append(question)
    return kept


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


def is_day(text: object) -> bool:
    """Whether a text is a day of the calendar, written in full."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def read_words(text: str, limit: int) -> tuple[str, int]:
    """The words as they are kept (newlines for line ends, no control character) and how many exceed `limit`."""
    kept = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return kept, max(0, len(kept) - limit)


def read_comment(text: str) -> tuple[str, bool]:
    """The words of a comment as they are kept, the first 5,000 characters of them, and whether there were more."""
    kept, excess = read_words(text, COMMENT_LIMIT)
    return first_of(kept, COMMENT_LIMIT).rstrip() if excess else kept, excess > 0


def _digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)
