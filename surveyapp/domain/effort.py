"""What an answer asked of a person, counted from what they answered. Pure; how long it took is measured elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surveyapp.domain.questions import Definition, Kind

CLOSING = 0


@dataclass(frozen=True, slots=True)
class Effort:
    """The `taps` an answer took at least, and the `screens` it was given on."""

    taps: int
    screens: int


def effort(definition: Definition, answers: Mapping[str, Any], comment: str | None) -> Effort:
    """One tap for the score; one for each choice, one into each field that was filled in, one to send each screen.

    Keys of a keyboard are no taps, and a choice changed on the way is not known.
    """
    taps, screens = 1, set()
    asked = [(question, definition.page_of(question)) for question in definition.questions]
    for question, screen in (*asked, *((question, CLOSING) for question in definition.thanks.questions)):
        given = comment if question.kind is Kind.COMMENT else answers.get(question.key)
        if given not in (None, "", []):
            taps += len(given) if isinstance(given, list) else 1
            screens.add(screen)
    return Effort(taps + len(screens), 1 + len(screens))
