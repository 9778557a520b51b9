"""Gathers what a survey is reviewed by: the brand's languages and colour, words to listen for, what events say."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.questions import DefinitionProblems, parse_definition, unasked
from surveyapp.domain.survey_editing import expanded
from surveyapp.domain.survey_review import Finding, Setting, review
from surveyapp.models import Brand, Survey, Trigger
from surveyapp.queries.catalog import read_yaml
from surveyapp.queries.survey_context import known_context
from surveyapp.queries.words import english_name


def review_of(session: Session | scoped_session[Session], key: str, definition: Mapping[str, Any]) -> list[Finding]:
    """What there is to say of a definition under this key, what refuses first; nothing without a brand."""
    brand = session.get(Brand, 1)
    if brand is None:
        return []
    languages = (brand.language, *(other for other in brand.languages if other != brand.language))
    names = {language: english_name(language) for language in languages}
    known = tuple(known_context(session, key))
    found = review(definition, Setting(languages, read_yaml("review.yaml"), known, brand.colour, names))
    return found + [Finding("left_out", "", sentence) for sentence in _left_out(session, key, definition)]


def _left_out(session: Session | scoped_session[Session], key: str, definition: Mapping[str, Any]) -> list[str]:
    """What the channels of its triggers leave out; nothing of a definition that cannot be asked yet."""
    try:
        questions = parse_definition({"metric": definition.get("metric"), **expanded(definition)}).questions
    except DefinitionProblems:
        return []
    used = select(Trigger.channels).join(Survey, Survey.id == Trigger.survey_id).where(Survey.key == key)
    return unasked(questions, {channel for channels in session.scalars(used) for channel in channels})
