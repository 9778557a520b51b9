"""Reads what somebody answered, strictly: the score, the further answers, the words. Nothing is compulsory."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from surveyapp.domain.questions.kinds import KINDS, read_comment, read_words
from surveyapp.domain.questions.parts import NOT_APPLICABLE, Kind, Problem, Question
from surveyapp.domain.scores import METRICS

_INTEGER = re.compile(r"-?[1-9][0-9]?|0")


def read_score(metric: str, text: str) -> int | None:
    """The score that `text` is, written in plain digits as the scale writes it; None for anything else."""
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if value in METRICS[metric].scale else None


def read_primary(metric: str, text: str) -> int | str | None:
    """The first answer: a score, or `na` where the metric has that row; None for anything else."""
    if text == NOT_APPLICABLE and METRICS[metric].not_applicable:
        return NOT_APPLICABLE
    return read_score(metric, text)


def read_answers(
    questions: Sequence[Question], form: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Any], list[Problem]]:
    """The answers to `questions` among the fields of a form, and what is wrong with them. Nothing is compulsory.

    What was left empty is None; the comment is not among them.
    """
    answers: dict[str, Any] = {}
    problems: list[Problem] = []
    for question in questions:
        if question.kind is Kind.COMMENT:
            continue
        value, problem = KINDS[question.kind].read(question, [value for value in form.get(question.key, ()) if value])
        if problem is None or problem.kind == "too_long":
            answers[question.key] = value
        if problem is not None:
            problems.append(problem)
    return answers, problems


__all__ = ["read_answers", "read_comment", "read_primary", "read_score", "read_words"]
