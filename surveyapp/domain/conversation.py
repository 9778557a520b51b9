"""What a text from a person means among the questions that are open on their number. Pure; sends nothing.

A number answers the latest open question; the others stay open. Words answer the question we asked by text last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from surveyapp.domain.replies import ReplyKind, read_score


class Act(StrEnum):
    SCORE = "score"  # the answer to an open question
    CORRECTION = "correction"  # another score for an answer that may still be changed
    WORDS = "words"  # the answer to the question that followed by text
    MORE_WORDS = "more_words"  # something added afterwards
    UNCLEAR = "unclear"  # no single number where one was asked for
    UNBOUND = "unbound"  # nothing is open on this number


@dataclass(frozen=True, slots=True)
class OpenAsk:
    """A question asked by text whose link is still open. `awaiting_since` is when we asked the next one by text."""

    invitation: int
    low: int
    high: int
    asked_at: datetime
    answered: bool = False
    editable: bool = False
    awaiting_since: datetime | None = None
    awaiting_choice: bool = False
    asked_again: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """`open_asks` is how many questions the number could have answered; above 1 it is ambiguous."""

    act: Act
    ask: OpenAsk | None = None
    score: int | None = None
    alone: bool = True
    open_asks: int = 0


def meaning(text: str, asks: Sequence[OpenAsk], languages: Sequence[str]) -> Meaning:
    """What `text`, which is no opt-out or other order, means."""
    unanswered = sorted((a for a in asks if not a.answered), key=lambda a: a.asked_at, reverse=True)
    target = unanswered[0] if unanswered else None
    talking = max((a for a in asks if a.awaiting_since), key=_since, default=None)
    if target is not None:
        reply = read_score(text, target.low, target.high, languages)
        asked_last = talking is None or target.asked_at > _since(talking)
        bare = reply.alone and not (talking is not None and talking.awaiting_choice)
        if reply.score is not None and (asked_last or bare):
            return Meaning(Act.SCORE, target, reply.score, reply.alone, len(unanswered))
        if asked_last:
            return Meaning(Act.UNCLEAR, target, open_asks=len(unanswered))
    return _about_an_answer(text, talking, asks, languages)


def _about_an_answer(text: str, talking: OpenAsk | None, asks: Sequence[OpenAsk], languages: Sequence[str]) -> Meaning:
    """The text adds to an answer or changes it."""
    known = max((a for a in asks if a.answered and a.editable), key=lambda a: a.asked_at, default=None)
    about = talking or known
    if about is None:
        return Meaning(Act.UNBOUND)
    reply = read_score(text, about.low, about.high, languages)
    if reply.score is not None and reply.alone and about.editable and not about.awaiting_choice:
        return Meaning(Act.CORRECTION, about, reply.score)
    if talking is not None:
        return Meaning(Act.WORDS, talking)
    return Meaning(Act.UNBOUND if reply.kind is ReplyKind.EMPTY else Act.MORE_WORDS, about)


def _since(ask: OpenAsk) -> datetime:
    assert ask.awaiting_since is not None
    return ask.awaiting_since
