"""What keeps a draft from being asked is said in the designer's words."""

import pytest

from surveyapp.domain.programme.survey_draft import read_draft
from surveyapp.web.admin.designer_words import placed

CHOICE = {"key": "q", "kind": "one", "ask": {"en": "How?"}, "options": [{"key": "a", "label": {"en": "A"}}]}
UNTOLD = [{"key": "a", "label": {"en": "A"}}, {"key": "b", "label": {}}]
NAMES = {"en": "English", "fr": "Français"}


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({"about": {"fr": "la file"}}, "What it is about has no text in English yet."),
        ({"follow_up": [CHOICE | {"ask": {"fr": "?"}}]},
         "Question 1: The wording has no text in English yet."),
        ({"follow_up": ["comment", CHOICE | {"options": UNTOLD}]},
         "Question 2: Choice 2 has no text in English yet."),
        ({"public": "Our desk!"}, "The public link takes small letters, digits, - and _. “Our desk!” does not fit."),
        ({"quota": "many"}, "Closes after so many answers: a whole number from 1 to 1000000000, not “many”."),
        ({"follow_up": [CHOICE | {"when": {"score": [9]}}]},
         "Question 1: A csat5 score is a whole number from 1 to 5, not “9”."),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_the_designers_words(definition: dict[str, object], told: str) -> None:
    whole = {"key": "desk", "metric": "csat5", "about": {"en": "the desk"}, **definition}
    _, refusals = read_draft(whole, "en", list(NAMES), "Europe/Paris")
    shown = [placed(refusal, whole, NAMES.__getitem__) for refusal in refusals]
    assert told in [one["where"] + one["sentence"] for one in shown]
