"""A further question as a page shows it: its words in the reader's language, its choices, what was given, its error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from surveyapp.domain.questions import (
    COMMENT_LIMIT,
    KINDS,
    LONG_LIMIT,
    OTHER,
    TEXT_LIMIT,
    Group,
    Kind,
    Problem,
    Question,
)
from surveyapp.domain.questions.kinds import FIRST_DAY, HIGHEST, LAST_DAY, LOWEST
from surveyapp.web.respond.shell import Frame

LIMITS = {Kind.COMMENT: 4 * COMMENT_LIMIT, Kind.TEXT: 4 * TEXT_LIMIT, Kind.LONG: 4 * LONG_LIMIT}
WORDS = frozenset({Kind.TEXT, Kind.LONG, Kind.COMMENT})
CHOICES = frozenset({Kind.ONE, Kind.MANY, Kind.REASONS, Kind.EMOTION, Kind.CONSENT})


@dataclass(frozen=True)
class Ask:
    """One question. `given` is what the fields show: chosen keys, or a text. `was`: it shows an earlier choice."""

    key: str
    kind: str
    text: str
    options: list[dict[str, Any]] = field(default_factory=list)
    given: Any = ""
    error: str | None = None
    was: bool = False
    low: str = ""
    high: str = ""
    hint: str = ""


def asks(
    page: Frame,
    questions: Sequence[Question],
    group: Group | None,
    *,
    stored: Mapping[str, Any] | None = None,
    form: Mapping[str, list[str]] | None = None,
    problems: Mapping[str, Problem] | None = None,
) -> list[Ask]:
    """The questions of one page. With a `form`, as it was filled in; else with the choices that are stored.

    Stored words are never shown again: a link can be forwarded.
    """
    return [_ask(page, q, group, stored or {}, form, (problems or {}).get(q.key)) for q in questions]


def _ask(
    page: Frame,
    question: Question,
    group: Group | None,
    stored: Mapping[str, Any],
    form: Mapping[str, list[str]] | None,
    problem: Problem | None,
) -> Ask:
    kind = question.kind
    earlier = stored.get(question.key) if kind not in WORDS else None
    given: Any = earlier if form is None else form.get(question.key, [])
    if kind in CHOICES:
        given = given if isinstance(given, list) else [given] if given else []
    elif isinstance(given, list):
        given = "".join(given[:1])[: LIMITS.get(kind, 40) + 1]
    low, high = _bounds(question)
    return Ask(
        key=question.key,
        kind=str(kind),
        text=_text(page, question, group),
        options=_options(page, question),
        given="" if given is None else given,
        error=_error(page, question, problem) if problem else None,
        was=kind in CHOICES and (earlier is not None or question.key in (form or {}).get("was", [])),
        low=low,
        high=high,
        hint=page.words.say("page.between", low=low, high=high) if kind is Kind.NUMBER and low and high else "",
    )


def _text(page: Frame, question: Question, group: Group | None) -> str:
    """The question in the page's language; a missing text falls back to the brand's, none at all to the standard."""
    text = page.own(question.asks(group))
    if text:
        return text
    if question.kind is Kind.COMMENT:
        return str(page.words.texts["short"]["reason"])
    texts = page.words.texts["standard"]
    promoter = texts.get(f"{question.key}_promoter") if group is Group.PROMOTER else None
    return str((promoter or texts.get(question.key) or texts[question.kind])["ask"])


def _options(page: Frame, question: Question) -> list[dict[str, Any]]:
    if question.kind is Kind.EMOTION:
        names = page.words.texts["standard"]["emotion"]["labels"]
        faces = [{"key": o.key, "text": names[o.key], "face": place} for place, o in enumerate(question.options)]
        return faces[::-1]
    options = [{"key": o.key, "text": page.own(o.label)} for o in question.options]
    if question.other:
        options.append({"key": OTHER, "text": page.words.say("page.other")})
    return options


def _bounds(question: Question) -> tuple[str, str]:
    """The bounds that the page may name: those that the survey set."""
    low = "" if question.low is None else str(question.low)
    return low, "" if question.high is None else str(question.high)


def _error(page: Frame, question: Question, problem: Problem) -> str:
    match problem.kind:
        case "choose":
            return page.say("page.choose")
        case "number":
            kind = KINDS[Kind.NUMBER]
            low, high = kind.low(question), kind.high(question)
            bounded = (low, high) != (LOWEST, HIGHEST)
            return page.say("page.number", low=low, high=high) if bounded else page.say("page.number_any")
        case "date":
            return _day_error(page, question)
    return page.say("page.too_long", k=problem.excess)


def _day_error(page: Frame, question: Question) -> str:
    low, high = str(question.low or FIRST_DAY), str(question.high or LAST_DAY)
    days = {"low": page.words.full_day(date.fromisoformat(low)), "high": page.words.full_day(date.fromisoformat(high))}
    if (low, high) == (FIRST_DAY, LAST_DAY):
        return page.say("page.day_any", low=page.words.full_day(date(2026, 11, 2)))
    return page.say("page.day", **days)
