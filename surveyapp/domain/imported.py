"""An answer brought from another tool, read field by field. What its names stand for is not known here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from surveyapp.domain.fields import (
    ID_LIMIT,
    kind_of,
    read_id,
    read_instant,
    read_names,
    read_text,
    read_timezone,
    unknown_fields,
)
from surveyapp.domain.vocabulary import Channel, ResponseStatus

AHEAD = timedelta(days=365)  # what lies beyond is no history, and near the year 9999 no local day
COMMENT_LIMIT = 10_000
LANGUAGE_LIMIT = 20
DECISION_LIMIT = 40
KNOWN = frozenset(
    "id survey version metric score comment answers status channel language customer journey step instance "
    "event_at answered_at timezone context decision inclusion".split()
)


@dataclass(frozen=True, slots=True)
class ImportedResponse:
    """`step` is a key beside `journey`. `version` and `metric` are None where the sender leaves them to us."""

    id: str
    survey: str
    score: int | None
    event_at: datetime
    answered_at: datetime
    comment: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    status: str = ResponseStatus.CONFIRMED
    channel: str = Channel.EMAIL
    language: str | None = None
    customer: str | None = None
    journey: str | None = None
    step: str | None = None
    instance: str | None = None
    timezone: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    metric: str | None = None
    decision: str | None = None
    inclusion: float | None = None


def read_imported(value: object, now: datetime) -> ImportedResponse | list[str]:
    """The answer, or every problem found, each a sentence that begins with the field's name.

    An unknown time zone is no problem: the brand's is used. Without `event_at` the answer's own time stands for it.
    """
    if not isinstance(value, dict):
        return [f"response: must be an object, not {kind_of(value)}"]
    problems = unknown_fields(value, KNOWN, "")
    journey, step = _read_step(value, problems)
    answered_at = read_instant(value.get("answered_at"), "answered_at", problems)
    event_at = answered_at if value.get("event_at") is None else read_instant(value["event_at"], "event_at", problems)
    problems += [
        f"{name}: lies more than a year ahead; check the sender's clock"
        for name, moment in {"answered_at": answered_at, "event_at": event_at}.items()
        if value.get(name) is not None and moment is not None and moment > now + AHEAD
    ]
    customer = value.get("customer")
    found: dict[str, Any] = {
        "id": read_id(value.get("id"), "id", problems),
        "survey": read_id(value.get("survey"), "survey", problems),
        "score": _read_score(value, problems),
        "comment": _read_comment(value.get("comment"), problems),
        "answers": read_names(value.get("answers"), "answers", problems),
        "status": _read_word(value, "status", tuple(ResponseStatus), ResponseStatus.CONFIRMED, problems),
        "channel": _read_word(value, "channel", tuple(Channel), None, problems),
        "language": read_text(value.get("language"), "language", problems, LANGUAGE_LIMIT),
        "customer": None if customer is None else read_id(customer, "customer", problems),
        "instance": read_text(value.get("instance"), "instance", problems, ID_LIMIT),
        "timezone": read_timezone(value.get("timezone"), "timezone", problems),
        "context": read_names(value.get("context"), "context", problems),
        "version": _read_version(value.get("version"), problems),
        "metric": read_text(value.get("metric"), "metric", problems, LANGUAGE_LIMIT),
        "decision": read_text(value.get("decision"), "decision", problems, DECISION_LIMIT),
        "inclusion": _read_inclusion(value.get("inclusion"), problems),
    }
    if problems or answered_at is None or event_at is None:
        return problems
    return ImportedResponse(journey=journey, step=step, event_at=event_at, answered_at=answered_at, **found)


def _read_step(value: Mapping[str, Any], problems: list[str]) -> tuple[str | None, str | None]:
    journey = read_text(value.get("journey"), "journey", problems, ID_LIMIT)
    step = read_text(value.get("step"), "step", problems, ID_LIMIT)
    if journey is None and step is not None:
        journey, dot, short = step.partition(".")
        if not dot:
            problems.append("journey: is missing beside the step")
            return None, None
        return journey, short
    return journey, step


def _read_score(value: Mapping[str, Any], problems: list[str]) -> int | None:
    if "score" not in value:
        problems.append("score: is missing; write null for an answer without one")
        return None
    score = value["score"]
    if score is None or type(score) is int:
        return score
    what = f"{score!r}" if type(score) is float else kind_of(score)
    problems.append(f"score: must be a whole number of the survey's scale, not {what}")
    return None


def _read_comment(value: object, problems: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(f"comment: must be a text, not {kind_of(value)}")
        return None
    if len(value) > COMMENT_LIMIT:
        problems.append(f"comment: has {len(value):,} characters; at most {COMMENT_LIMIT:,} are kept")
        return None
    return value or None


def _read_word(
    value: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str | None, problems: list[str]
) -> str:
    given = value.get(name)
    if given is None and default is not None:
        return default
    if isinstance(given, str) and given in allowed:
        return given
    if given is None:
        problems.append(f"{name}: is missing; one of {', '.join(allowed)}")
    elif isinstance(given, str):
        problems.append(f"{name}: '{given[:40]}' is none of {', '.join(allowed)}")
    else:
        problems.append(f"{name}: must be a text, not {kind_of(given)}")
    return ""


def _read_version(value: object, problems: list[str]) -> int | None:
    if value is None:
        return None
    if type(value) is int and 0 < value < 2**31:
        return value
    problems.append("version: must be the number of a version of the survey")
    return None


def _read_inclusion(value: object, problems: list[str]) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    problems.append("inclusion: must be a chance above 0 and at most 1")
    return None
