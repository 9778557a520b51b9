"""Conditions as the designer writes them: read, written and tried without losing what a file said."""

import pytest

from surveyapp.domain.questions import parse_definition
from surveyapp.domain.survey_conditions import (
    IS,
    KEPT,
    NOT,
    OnContext,
    pickable,
    read_context,
    sample_choices,
    write_context,
)


@pytest.mark.parametrize(
    ("condition", "verb", "values"),
    [
        ("economy", IS, ("economy",)),
        (["a", "b"], IS, ("a", "b")),
        ([2, "2", True], IS, ("2", "true")),
        ({"not": "economy"}, NOT, ("economy",)),
        ({"not": ["a", 3]}, NOT, ("a", "3")),
        ({"from": 3}, KEPT, ()),
        ({"not": "a", "from": 3}, KEPT, ()),
        ([], IS, ()),
    ],
)
def test_a_condition_on_the_context_is_read_and_stays_when_it_is_written_unchanged(condition, verb, values):
    read = read_context(condition)
    assert read == OnContext(verb, values)
    assert write_context(read, condition) is condition


@pytest.mark.parametrize(
    ("verb", "values", "written"),
    [
        (IS, ("economy",), "economy"),
        (IS, ("a", "b"), ["a", "b"]),
        (NOT, ("a",), {"not": ["a"]}),
        (NOT, (), {"not": []}),
        (IS, ("2",), [2, "2"]),
        (IS, ("-2.5", "007"), [-2.5, "-2.5", "007"]),
        (NOT, ("true",), {"not": [True, "true"]}),
    ],
)
def test_a_condition_is_written_as_events_may_say_its_values(verb, values, written):
    assert write_context(OnContext(verb, values), "before") == written
    assert read_context(written) == OnContext(verb, values)


def asks(condition: object, **context: object) -> bool:
    question = {"key": "q", "kind": "text", "ask": {"en": "?"}, "when": {"context.class": condition}}
    definition = parse_definition({"metric": "nps", "follow_up": [question]})
    return definition.next_page(1, {f"context.{name}": value for name, value in context.items()}) == 2


def test_what_is_not_said_meets_neither_is_nor_is_not():
    assert asks({"not": ["economy", "basic"]}, **{"class": "business"})
    assert not asks({"not": ["economy", "basic"]}, **{"class": "basic"})
    assert not asks({"not": "economy"})
    assert not asks({"not": "economy"}, **{"class": ["business", "economy"]}), "none of several may be excluded"
    assert asks(["economy"], **{"class": ["business", "economy"]}), "one of several is enough"


def test_every_answer_that_can_be_picked_is_offered():
    options = [{"key": "a", "label": {"en": "A"}}, {"key": "b", "label": {"en": "B"}}]
    assert list(pickable({"kind": "one", "options": options})) == ["a", "b"]
    assert list(pickable({"kind": "many", "options": options})) == ["a", "b", "other"]
    assert len(pickable({"kind": "emotion"})) == 5
    assert list(pickable({"kind": "consent"})) == ["yes"]
    assert pickable({"kind": "number"}) == {}


def test_a_preview_tries_first_what_meets_the_condition():
    follow_up = [
        {"when": {"score": 3, "context.class": ["business", "first"]}},
        {"when": {"context.country": {"not": "fr"}, "context.class": "economy"}},
        {"when": {"context.bags": {"from": 2}}},
        {"when": None},
    ]
    assert sample_choices(follow_up) == {
        "class": {"business": "business", "first": "first", "economy": "economy", "": ""},
        "country": {"": "", "fr": "fr"},
        "bags": {"2": 2, "": ""},
    }
