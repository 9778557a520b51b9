"""Reads one survey that is being written exactly as a programme file's would be. Pure; knows no draft's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.programme.fields import Fields, Reading
from surveyapp.domain.programme.specs import SurveySpec
from surveyapp.domain.programme.surveys import read_surveys
from surveyapp.domain.programme.tree import planted

_PREFIX = "surveys[0]"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a survey cannot be asked as it is: the `place` within it, such as `follow_up[1].ask`, and a sentence."""

    place: str
    sentence: str


def read_draft(
    definition: Mapping[str, Any], language: str, languages: Sequence[str], timezone: str
) -> tuple[SurveySpec | None, list[Refusal]]:
    """The survey, and everything that keeps it from being one; it is None where there is anything."""
    reading = Reading(language=language, languages=tuple(languages))
    top = Fields(reading, planted({"surveys": [definition]}), (), ("surveys",), "A programme")
    found = read_surveys(reading, top, timezone)
    refusals = [Refusal(p.path.removeprefix(_PREFIX).lstrip("."), p.sentence) for p in reading.problems]
    return (None if refusals or not found else found[0]), list(dict.fromkeys(refusals))
