"""What keeps a draft from being asked, in the designer's own words instead of the programme file's. No database."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surveyapp.domain.programme.survey_draft import Refusal
from surveyapp.web.admin.formats import sentence_case

FIELDS = {
    "about": "what it is about",
    "ask": "the wording",
    "ask_again": "not asked again for",
    "closes": "closes at the end of",
    "group": "the group of surveys",
    "key": "the name in the data",
    "label": "a choice",
    "metric": "the metric",
    "public": "the public link",
    "quota": "closes after so many answers",
}
QUESTION = re.compile(r"follow_up\[(\d+)\]")
LACKS = re.compile(r"'(\w+)'( of the choice '([^']*)')?.* lacks the brand's own language '([\w-]+)'\.")
SLUG = re.compile(r"'public' is a slug of small letters, digits, - and _, not '(.*)'\.")
NAMED = re.compile(r"'(\w+)'(?: of the question '[^']*')? (?:is|has|holds|consists of) (.+)")


def placed(refusal: Refusal, view: Mapping[str, Any], language_name: Callable[[str], str]) -> dict[str, Any]:
    """A refusal with the number of the question it is about (None where it is about none) and a plain sentence."""
    found = QUESTION.match(refusal.place)
    n = int(found[1]) if found else None
    questions = view.get("follow_up") or []
    options = questions[n].get("options") or () if n is not None and n < len(questions) else ()
    return {
        "n": n,
        "where": f"Question {n + 1}: " if n is not None else "",
        "place": refusal.place.partition(".")[0],
        "sentence": _plain(refusal.sentence, options, language_name),
    }


def _plain(sentence: str, options: Sequence[Any], language_name: Callable[[str], str]) -> str:
    if lacks := LACKS.fullmatch(sentence):
        field, _, choice, language = lacks.groups()
        what = FIELDS.get(field, field)
        keys = [str(option.get("key")) for option in options if isinstance(option, Mapping)]
        if choice in keys:
            what = f"choice {keys.index(choice) + 1}"
        return f"{sentence_case(what)} has no text in {language_name(language)} yet."
    if slug := SLUG.fullmatch(sentence):
        return f"The public link takes small letters, digits, - and _. “{slug[1]}” does not fit."
    named = NAMED.fullmatch(sentence)
    if named and named[1] in FIELDS:
        sentence = f"{sentence_case(FIELDS[named[1]])}: {named[2]}"
    return re.sub(r"'([^']*)'", r"“\1”", sentence)
