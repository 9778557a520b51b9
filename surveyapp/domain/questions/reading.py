"""Reads a survey's definition, as it is stored, into questions; says everything that is wrong with it and where."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from surveyapp.domain.durations import parse_duration
from surveyapp.domain.questions.definition import Definition, Thanks
from surveyapp.domain.questions.kinds import KINDS, faces, is_day
from surveyapp.domain.questions.parts import (
    CONTEXT,
    GAPS,
    OPTION_LIMIT,
    QUESTION_LIMIT,
    RESERVED,
    SCORE,
    Between,
    Condition,
    DefinitionProblems,
    Except,
    Group,
    Kind,
    Option,
    Question,
)
from surveyapp.domain.scores import METRICS

LONG_QUESTIONS = 2
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONTEXT_NAME = re.compile(r"context\.[A-Za-z0-9_-]{1,80}")
_FIELDS = frozenset({"key", "kind", "ask", "ask_for", "when", "ask_again"})
_THANKS = frozenset({"idea", "contact", "promoter"})
_PROMOTER = frozenset({"text", "label", "link"})
_Path = tuple[str | int, ...]
_Problems = list[tuple[_Path, str]]


@lru_cache(maxsize=256)
def read_definition(stored: str) -> Definition:
    """The questions of a definition in its stored form, JSON. A published version never changes: each is read once."""
    return parse_definition(json.loads(stored))


def parse_definition(definition: Mapping[str, Any]) -> Definition:
    """The questions of a definition (fields `metric`, `about`, `follow_up`, `thanks`). Raises DefinitionProblems."""
    problems: _Problems = []
    metric = definition.get("metric")
    if not isinstance(metric, str) or metric not in METRICS:
        problems.append((("metric",), f"'{metric}' is no metric; there are {', '.join(METRICS)}"))
        metric = "nps"
    follow_up = definition.get("follow_up") or []
    if follow_up == Kind.COMMENT:
        follow_up = [Kind.COMMENT]
    if not isinstance(follow_up, list):
        problems.append((("follow_up",), "must be 'comment' or a list of questions"))
        follow_up = []
    if len(follow_up) > QUESTION_LIMIT:
        problems.append((("follow_up",), f"more than {QUESTION_LIMIT} questions are too many to ask"))
    questions: list[Question] = []
    for index, item in enumerate(follow_up[:QUESTION_LIMIT]):
        question = _question(item, [q.key for q in questions], metric, ("follow_up", index), problems)
        if question is not None:
            questions.append(question)
    if sum(question.kind is Kind.LONG for question in questions) > LONG_QUESTIONS:
        problems.append((("follow_up",), f"more than {LONG_QUESTIONS} long answers are too much to write"))
    thanks = _thanks(definition.get("thanks") or {}, problems)
    if problems:
        raise DefinitionProblems(problems)
    return Definition(metric, _texts(definition.get("about") or {}), tuple(questions), thanks)


def _question(item: object, earlier: Sequence[str], metric: str, path: _Path, problems: _Problems) -> Question | None:
    if item == Kind.COMMENT:
        item = {"key": "comment", "kind": Kind.COMMENT}
    if not isinstance(item, Mapping):
        problems.append((path, "must be 'comment' or a question with a key"))
        return None
    before = len(problems)
    key = item.get("key")
    named = item.get("kind", Kind.COMMENT if key == "comment" else None)
    kind = Kind(named) if isinstance(named, str) and named in set(Kind) else None
    known = _FIELDS | (KINDS[kind].fields if kind else {"options", "other"})
    problems.extend(((*path, name), _stranger(str(name), kind)) for name in item if name not in known)
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key in RESERVED:
        said = ", ".join(sorted(RESERVED))
        problems.append(((*path, "key"), f"must be a short name in small letters, not one of: {said}"))
    elif key in earlier:
        problems.append(((*path, "key"), f"'{key}' is asked twice"))
    if kind is None:
        problems.append(((*path, "kind"), f"must be one of {', '.join(Kind)}"))
    elif (kind is Kind.COMMENT) != (key == "comment"):
        problems.append(((*path, "kind"), "the comment, and only the comment, has the key 'comment'"))
    ask = _texts(item.get("ask") or {})
    if not ask and (kind is None or KINDS[kind].needs_ask):
        problems.append(((*path, "ask"), "is missing: the question itself, by language"))
    ask_for = dict(_by_group(item.get("ask_for") or {}, (*path, "ask_for"), problems))
    options = faces() if kind is Kind.EMOTION else tuple(_options(item.get("options") or [], kind, path, problems))
    when = dict(_conditions({} if item.get("when") is None else item["when"], earlier, metric, path, problems))
    low, high = _bounds(item, kind, path, problems)
    ask_again = _ask_again(item.get("ask_again"), kind, path, problems)
    if not isinstance(item.get("other", False), bool):
        problems.append(((*path, "other"), "must be true or false"))
    if len(problems) > before or kind is None:
        return None
    other = bool(item.get("other", kind in (Kind.MANY, Kind.REASONS))) and kind is not Kind.EMOTION
    return Question(str(key), kind, ask, options, other and bool(options), when, ask_for, low, high, ask_again)


def _ask_again(text: object, kind: Kind | None, path: _Path, problems: _Problems) -> timedelta | None:
    """For how long an answer counts as known. The comment and a consent belong to what just happened."""
    if text is None:
        return None
    if kind in (Kind.COMMENT, Kind.CONSENT):
        problems.append(((*path, "ask_again"), f"a {kind} is asked each time"))
        return None
    try:
        return parse_duration(text)
    except ValueError as reason:
        problems.append(((*path, "ask_again"), str(reason)))
        return None


def _stranger(name: str, kind: Kind | None) -> str:
    if name == "options":
        return "only a choice has options"
    return f"'{name}' is no field of a {kind} question" if kind else f"'{name}' is no field of a question"


def _by_group(texts: object, path: _Path, problems: _Problems) -> Iterator[tuple[str, Mapping[str, str]]]:
    if not isinstance(texts, Mapping):
        problems.append((path, f"must have a wording for {', '.join(Group)}, by language"))
        return
    for name, wording in texts.items():
        if name not in set(Group) or not _texts(wording):
            problems.append(((*path, str(name)), f"must be a wording by language, for one of {', '.join(Group)}"))
        else:
            yield Group(name), _texts(wording)


def _bounds(
    item: Mapping[str, Any], kind: Kind | None, path: _Path, problems: _Problems
) -> tuple[int | str | None, int | str | None]:
    """The bounds of a number or a day."""
    if kind not in (Kind.NUMBER, Kind.DATE):
        return None, None
    bounds = [item.get("from"), item.get("to")]
    for name, value in zip(("from", "to"), bounds, strict=True):
        good = is_day(value) if kind is Kind.DATE else type(value) is int and abs(value) <= 10**9
        if value is not None and not good:
            shape = "a day such as '2026-11-02'" if kind is Kind.DATE else "a whole number"
            problems.append(((*path, name), f"must be {shape}"))
            return None, None
    low, high = bounds
    if low is not None and high is not None and low > high:
        problems.append(((*path, "to"), f"nothing lies between {low} and {high}"))
    return low, high


def _options(options: object, kind: Kind | None, path: _Path, problems: _Problems) -> Iterator[Option]:
    if kind is None or "options" not in KINDS[kind].fields:
        return
    if not isinstance(options, list) or not 2 <= len(options) <= OPTION_LIMIT:
        problems.append(((*path, "options"), f"a choice has 2 to {OPTION_LIMIT} options"))
        return
    seen: set[str] = set()
    for index, option in enumerate(options):
        key = option.get("key") if isinstance(option, Mapping) else None
        label = _texts(option.get("label") or {}) if isinstance(option, Mapping) else {}
        if not isinstance(key, str) or not _KEY.fullmatch(key) or key in seen or not label:
            problems.append(((*path, "options", index), "needs a key of its own and a label by language"))
            continue
        fields = ("key", "label", "gap") if kind is Kind.REASONS else ("key", "label")
        strangers = [name for name in option if name not in fields]
        problems.extend(((*path, "options", index, name), f"'{name}' is no field of an option") for name in strangers)
        gap = option.get("gap")
        if kind is Kind.REASONS and gap not in GAPS:
            problems.append(((*path, "options", index, "gap"), f"a reason belongs to one of {', '.join(GAPS)}"))
        seen.add(key)
        yield Option(key, label, gap if kind is Kind.REASONS else None)


def _conditions(
    when: object, earlier: Sequence[str], metric: str, path: _Path, problems: _Problems
) -> Iterator[tuple[str, Condition]]:
    if not isinstance(when, Mapping):
        problems.append(((*path, "when"), "must name an earlier answer and its values"))
        return
    for key, allowed in when.items():
        place = (*path, "when", str(key))
        on_context = isinstance(key, str) and key.startswith(CONTEXT)
        if on_context and not _CONTEXT_NAME.fullmatch(key):
            problems.append((place, "names a context field by letters, digits, _ and -, at most 80"))
            continue
        if key != SCORE and key not in earlier and not on_context:
            problems.append((place, f"'{key}' is not asked before"))
            continue
        condition = _condition(str(key), allowed, metric)
        if condition is None:
            more = ", or 'not' with values" if on_context else ""
            problems.append((place, f"must be one value, a list of values, or numbers 'from' and 'to'{more}"))
        else:
            yield str(key), condition


def _condition(key: str, allowed: object, metric: str) -> Condition | None:
    if not isinstance(allowed, Mapping):
        return _values(key, allowed, metric)
    if key.startswith(CONTEXT) and set(allowed) == {"not"}:
        values = _values(key, allowed["not"], metric)
        return None if values is None else Except(values)
    return _range(allowed)


def _range(bounds: Mapping[str, Any]) -> Between | None:
    low, high = bounds.get("from"), bounds.get("to")
    given = [value for value in (low, high) if value is not None]
    if not given or set(bounds) - {"from", "to"} or not all(type(value) in (int, float) for value in given):
        return None
    return Between(low, high) if len(given) < 2 or given[0] <= given[1] else None


def _values(key: str, allowed: object, metric: str) -> frozenset[object] | None:
    values = allowed if isinstance(allowed, list) else [allowed]
    if key == SCORE:
        values = [score for value in values for score in _scores(value, metric)]
        fits: tuple[type, ...] = (int,)
    else:
        fits = (str, int, float) if key.startswith(CONTEXT) else (str, int)
    if not values or not all(isinstance(value, fits) for value in values):
        return None
    return frozenset(values)


def _scores(value: object, metric: str) -> Sequence[object]:
    """A score as it is; the scores of a group for its name."""
    if isinstance(value, str) and value in set(Group):
        meaning = METRICS[metric]
        sides = {Group.PROMOTER: meaning.favourable, Group.DETRACTOR: meaning.unfavourable}
        middle = frozenset(meaning.scale) - meaning.favourable - meaning.unfavourable
        return sorted(sides.get(Group(value), middle))
    return [value]


def _thanks(thanks: object, problems: _Problems) -> Thanks:
    if not isinstance(thanks, Mapping) or set(thanks) - _THANKS:
        problems.append((("thanks",), f"is a mapping of {', '.join(sorted(_THANKS))}"))
        return Thanks()
    for name in ("idea", "contact"):
        if not isinstance(thanks.get(name, False), bool):
            problems.append((("thanks", name), "must be true or false"))
    path = thanks.get("promoter")
    if path is None:
        return Thanks(thanks.get("idea") is True, thanks.get("contact") is True)
    if not isinstance(path, Mapping) or set(path) - _PROMOTER:
        problems.append((("thanks", "promoter"), f"is a mapping of {', '.join(sorted(_PROMOTER))}"))
        return Thanks()
    text, label, link = _texts(path.get("text")), _texts(path.get("label")), path.get("link")
    if not text or not label:
        problems.append((("thanks", "promoter"), "needs a text and a label for its link, by language"))
    if not isinstance(link, str) or not link.startswith("https://") or len(link) > 500 or re.search(r"[\s\"'<>]", link):
        problems.append((("thanks", "promoter", "link"), "must be an address that starts with https://"))
    return Thanks(thanks.get("idea") is True, thanks.get("contact") is True, text, label, str(link))


def _texts(texts: object) -> dict[str, str]:
    if not isinstance(texts, Mapping):
        return {}
    return {str(language): text for language, text in texts.items() if isinstance(text, str) and text}
