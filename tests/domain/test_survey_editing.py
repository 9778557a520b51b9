"""A survey's definition while it is edited: nothing is lost, nothing refers to what is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.questions import parse_definition
from surveyapp.domain.survey_difference import differences, span
from surveyapp.domain.survey_editing import (
    NothingThere,
    add_condition,
    add_question,
    expanded,
    key_of,
    move_question,
    named,
    plain,
    remove_question,
)


def question(key: str, **more: object) -> dict[str, object]:
    options = [{"key": "a", "label": {"en": "A"}}, {"key": "b", "label": {"en": "B"}}]
    return {"key": key, "kind": "one", "ask": {"en": key}, "options": options, **more}


def test_what_is_opened_and_closed_says_the_same() -> None:
    for follow_up in ("comment", [], [question("q")], ["comment", question("q", when={"score": {"to": 2}})]):
        said = {"metric": "nps", "about": {"en": "it"}, "follow_up": follow_up, "thanks": {"idea": True}}
        assert plain(expanded(said)) == said


def test_a_definition_of_any_kind_can_be_opened() -> None:
    for broken in ({}, {"follow_up": 3}, {"follow_up": [None, 3, {"options": [1], "when": 2}]}, {"about": []}):
        assert isinstance(plain(expanded(broken))["follow_up"], list | str)


def test_a_condition_on_a_question_that_comes_later_or_is_gone_is_dropped() -> None:
    draft = expanded({"metric": "nps", "follow_up": [question("first_q"), question("second_q")]})
    add_condition(draft, 1, "first_q", ["a"])
    add_condition(draft, 1, "score", [0])
    assert move_question(draft, 1, 0) == 0
    assert draft["follow_up"][0]["when"] == {"score": [0]}
    remove_question(draft, 0)
    assert [q["key"] for q in draft["follow_up"]] == ["first_q"]
    with pytest.raises(NothingThere):
        remove_question(draft, 4)


def test_questions_get_free_keys_and_one_comment() -> None:
    draft = expanded({"metric": "nps", "follow_up": "comment"})
    assert [add_question(draft, kind) for kind in ("many", "many", "comment", "text")] == [1, 2, None, 3]
    assert [q["key"] for q in draft["follow_up"]] == ["comment", "question", "question_2", "question_3"]


def test_provisional_keys_become_words_and_conditions_follow() -> None:
    options = [{"key": "first", "label": {"en": "Waited too long!"}}, {"key": "second", "label": {"ar": "آخر"}}]
    draft = [
        {"key": "question", "kind": "many", "ask": {"en": "What went wrong?"}, "options": options},
        question("question_2", ask={"en": "Score"}, when={"question": ["first"]}),
    ]
    made = named({"metric": "nps", "follow_up": draft}, "en")["follow_up"]
    assert [q["key"] for q in made] == ["what_went_wrong", "question_2"]
    assert [o["key"] for o in made[0]["options"]] == ["waited_too_long", "second"]
    assert made[1]["when"] == {"what_went_wrong": ["waited_too_long"]}
    assert key_of("Score", set(), "x") == "x"
    assert key_of("Été 2026", {"t_2026"}, "x") == "t_2026_2"


def test_differences_are_told_in_words_and_say_what_begins_anew() -> None:
    before = {"metric": "csat5", "about": {"en": "bags"}, "follow_up": ["comment", question("why")]}
    after = {
        "metric": "csat5",
        "about": {"en": "your bags"},
        "follow_up": [question("why", ask={"en": "Why?"}, when={"score": {"from": 1, "to": 3}}), "comment"],
        "quota": 5,
    }
    told = [
        (change.what, change.before, change.after, bool(change.breaks)) for change in differences(before, after, "en")
    ]
    assert told == [
        ("About, en", "bags", "your bags", False),
        ("Question “Why?”: wording, en", "why", "Why?", True),
        ("Question “Why?”: when", "always", " only after a score of 1 to 3", False),
        ("Order of the questions", "comment · “why”", "“Why?” · comment", False),
        ("Quota", "none", "5", False),
    ]
    assert differences(before, before, "en") == []


def test_scores_are_said_as_a_person_would() -> None:
    assert [span(v) for v in ([], [3], [2, 1], [1, 2, 3], [1, 3, 5], [-2, -1, 0])] == [
        "nothing", "3", "1 or 2", "1 to 3", "1, 3 or 5", "−2 to 0",
    ]  # fmt: skip


KEYS = ("a", "b", "c", "d", "e")


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, object]]:
    """Questions with conditions on the score and on any earlier question."""
    made: list[dict[str, object]] = []
    for index, key in enumerate(KEYS[: draw(st.integers(0, 5))]):
        when: dict[str, object] = {}
        if draw(st.booleans()):
            when["score"] = draw(st.lists(st.integers(0, 10), min_size=1, max_size=4))
        for earlier in KEYS[:index]:
            if draw(st.booleans()):
                when[earlier] = draw(st.sampled_from([["a"], ["b"], ["a", "b"]]))
        made.append(question(key, when=when))
    return made


@given(graphs(), st.integers(0, 10), st.lists(st.sampled_from(["a", "b", None]), min_size=5, max_size=5))
def test_any_condition_graph_ends_and_never_shows_a_screen_that_cannot_be_answered(
    graph: list[dict[str, object]], score: int, chosen: list[str | None]
) -> None:
    """Whatever is answered, pages only go on, each has a question that applies and can be answered, and all end."""
    definition = parse_definition({"metric": "nps", "follow_up": graph})
    answers: dict[str, object] = {"score": score}
    page, seen = 1, []
    while (following := definition.next_page(page, answers)) is not None:
        assert following > page
        shown = definition.on_page(following, answers)
        assert shown
        for asked in shown:
            assert asked.key not in seen
            assert asked.values
            seen.append(asked.key)
            answers[asked.key] = chosen[KEYS.index(asked.key)]
        page = following
        assert page <= len(KEYS) + 1


@given(graphs(), st.integers(0, 4), st.integers(0, 4))
def test_a_question_may_be_moved_anywhere_and_the_survey_can_still_be_asked(
    graph: list[dict[str, object]], index: int, to: int
) -> None:
    draft = expanded({"metric": "nps", "follow_up": graph})
    if index < len(graph):
        move_question(draft, index, to)
    assert len(parse_definition(plain(draft)).questions) == len(graph)
