"""How many taps and screens an answer took, from what was answered."""

from typing import Any

import pytest

from surveyapp.domain.effort import Effort, effort
from surveyapp.domain.questions import parse_definition

CHIPS = {
    "key": "why",
    "kind": "many",
    "ask": {"en": "Why?"},
    "options": [{"key": "a", "label": {"en": "A"}}, {"key": "b", "label": {"en": "B"}}],
}
LATER = {"key": "seat", "kind": "text", "ask": {"en": "Where?"}, "when": {"why": "a"}}
DEFINITION = parse_definition({"metric": "nps", "follow_up": [CHIPS, LATER, "comment"], "thanks": {"idea": True}})


@pytest.mark.parametrize(
    ("answers", "comment", "taps", "screens"),
    [
        ({}, None, 1, 1),
        ({"why": []}, "", 1, 1),
        ({"why": ["a", "b"]}, None, 4, 2),
        ({"why": ["a"]}, "Slow", 4, 2),
        ({"why": ["a"], "seat": "12A"}, None, 5, 3),
        ({"idea": "More light"}, None, 3, 2),
        ({"unknown": "x"}, None, 1, 1),
    ],
)
def test_every_choice_field_and_screen_counts(answers: dict[str, Any], comment: str, taps: int, screens: int) -> None:
    assert effort(DEFINITION, answers, comment) == Effort(taps, screens)
