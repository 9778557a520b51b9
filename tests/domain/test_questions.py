"""What a survey asks, and how an answer is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.questions import (
    KINDS,
    Definition,
    DefinitionProblems,
    Group,
    Kind,
    Problem,
    group_of,
    known,
    parse_definition,
    read_answers,
    read_primary,
    read_score,
    read_words,
    unasked,
)
from surveyapp.domain.scores import METRICS
from tests.questions import EVERY_KIND, NUMBER, THANKS

REASONS = {
    "key": "reason",
    "kind": "many",
    "ask": {"en": "What is the main reason for your score?"},
    "options": [{"key": "crew", "label": {"en": "Crew"}}, {"key": "price", "label": {"en": "Price"}}],
}
STORY = {
    "metric": "nps",
    "follow_up": [
        REASONS,
        "comment",
        {"key": "which", "kind": "text", "ask": {"en": "Which?"}, "when": {"reason": ["price", "other"]}},
        {"key": "call", "kind": "one", "ask": {"en": "Call?"}, "when": {"score": {"to": 6}},
         "options": [{"key": "yes", "label": {"en": "Yes"}}, {"key": "no", "label": {"en": "No"}}]},
    ],
}  # fmt: skip


def keys(questions):
    return [q.key for q in questions]


def test_a_comment_is_the_only_further_question_of_a_plain_survey():
    definition = parse_definition({"metric": "csat5", "about": {"en": "check-in"}, "follow_up": "comment"})
    assert definition.metric == "csat5"
    assert definition.about == {"en": "check-in"}
    assert keys(definition.questions) == ["comment"]
    assert definition.next_page(1, {"score": 4}) == 2
    assert definition.next_page(2, {"score": 4}) is None


def test_without_a_follow_up_the_score_is_all():
    assert parse_definition({"metric": "nps"}) == Definition("nps", {}, ())
    assert parse_definition({"metric": "nps"}).next_page(1, {"score": 4}) is None


def test_conditions_on_the_score_and_on_earlier_answers_choose_the_questions_of_each_page():
    definition = parse_definition(STORY)
    assert keys(definition.on_page(2, {"score": 9})) == ["reason", "comment"]
    assert keys(definition.on_page(2, {"score": 6})) == ["reason", "comment", "call"]
    assert definition.next_page(2, {"score": 9, "reason": ["crew"]}) is None
    assert definition.next_page(2, {"score": 9, "reason": ["crew", "price"]}) == 3
    assert keys(definition.on_page(3, {"score": 9, "reason": ["other"]})) == ["which"]


@pytest.mark.parametrize(
    ("metric", "text", "score"),
    [("nps", "0", 0), ("nps", "10", 10), ("csat5", "5", 5), ("disconfirmation", "-2", -2), ("pmf", "3", 3)],
)
def test_a_score_is_a_plain_integer_of_the_scale(metric, text, score):
    assert read_score(metric, text) == score


@pytest.mark.parametrize(
    "text", ["", "11", "-1", "9.5", "9.0", "09", "-0", "+9", " 9", "9 ", "true", "٣", "９", "NaN", "1e1", "9\n", "²"]
)
def test_anything_else_is_no_score(text):
    assert read_score("nps", text) is None


def test_words_are_kept_as_written_but_for_line_ends_and_control_characters():
    assert read_words("  a\r\nb\x00\x1b <script>{{7*7}} \u202e😀 \r", 5_000) == ("a\nb <script>{{7*7}} \u202e😀", 0)
    assert read_words("x" * 5_003, 5_000) == ("x" * 5_003, 3)


def test_answers_are_read_by_question():
    questions = parse_definition(STORY).questions
    form = {"reason": ["price", "price", "other"], "which": ["Bags"], "call": ["yes"], "comment": ["words"]}
    assert read_answers(questions, form) == ({"reason": ["price", "other"], "which": "Bags", "call": "yes"}, [])
    assert read_answers(questions, {}) == ({"reason": None, "which": None, "call": None}, [])


def test_an_unknown_option_two_where_one_is_asked_and_a_long_text_are_refused_by_field():
    questions = parse_definition(STORY).questions
    form = {"reason": ["<script>"], "call": ["yes", "no"], "which": ["x" * 504]}
    assert read_answers(questions, form)[1] == [
        Problem("reason", "choose"),
        Problem("which", "too_long", 4),
        Problem("call", "choose"),
    ]


def test_something_else_is_offered_after_the_chips():
    reason = parse_definition(STORY).questions[0]
    assert reason.kind is Kind.MANY
    assert reason.values == {"crew", "price", "other"}


@pytest.mark.parametrize(
    ("follow_up", "path"),
    [
        ("words", ("follow_up",)),
        ([7], ("follow_up", 0)),
        ([{"key": "score", "kind": "text", "ask": {"en": "?"}}], ("follow_up", 0, "key")),
        ([{"key": "a", "kind": "stars", "ask": {"en": "?"}}], ("follow_up", 0, "kind")),
        ([{"key": "a", "kind": "text"}], ("follow_up", 0, "ask")),
        ([{"key": "a", "kind": "text", "ask": {"en": "?"}, "colour": 1}], ("follow_up", 0, "colour")),
        ([{"key": "a", "kind": "one", "ask": {"en": "?"}}], ("follow_up", 0, "options")),
        ([REASONS, REASONS], ("follow_up", 1, "key")),
        ([{"key": "a", "kind": "text", "ask": {"en": "?"}, "when": {"b": "x"}}], ("follow_up", 0, "when", "b")),
        ([{"key": "a", "kind": "text", "ask": {"en": "?"}, "when": {"score": "x"}}], ("follow_up", 0, "when", "score")),
        ([{"key": ["a"], "kind": ["b"], "ask": 1, "when": 3}], ("follow_up", 0, "when")),
        ([{"key": "a", "kind": "text", "ask": {"en": "?"}, "when": ""}], ("follow_up", 0, "when")),
        ([{**REASONS, "other": "yes"}], ("follow_up", 0, "other")),
        (
            [{**REASONS, "options": [{**REASONS["options"][0], "colour": 1}, *REASONS["options"][1:]]}],
            ("follow_up", 0, "options", 0, "colour"),
        ),
        (["comment"] * 11, ("follow_up",)),
    ],
)
def test_a_definition_that_cannot_be_asked_is_refused_with_its_place(follow_up, path):
    with pytest.raises(DefinitionProblems) as refused:
        parse_definition({"metric": "nps", "follow_up": follow_up})
    assert path in [place for place, _ in refused.value.problems]


def test_an_unknown_metric_is_refused():
    with pytest.raises(DefinitionProblems, match="'stars' is no metric"):
        parse_definition({"metric": "stars"})
    with pytest.raises(DefinitionProblems):
        parse_definition({"metric": ["nps"]})


def test_every_kind_has_one_class_and_reads_its_own_values_only():
    assert set(KINDS) == set(Kind)
    questions = parse_definition({"metric": "nps", "follow_up": EVERY_KIND}).questions
    form = {
        "reason": ["long_wait"], "channel": ["app"], "used": ["wifi", "lounge"], "felt": ["neutral"], "bags": [" ٢٠ "],
        "since": ["2026-02-28"], "seat": ["12A"], "call": ["yes"], "wait": [""],
    }  # fmt: skip
    answers, problems = read_answers(questions, form)
    assert problems == []
    assert answers == {
        "reason": ["long_wait"], "channel": "app", "used": ["wifi", "lounge"], "felt": "neutral", "bags": 20,
        "since": "2026-02-28", "seat": "12A", "call": "yes", "wait": None,
    }  # fmt: skip
    bad = {
        "reason": ["rude"], "channel": ["app", "desk"], "used": ["bar"], "felt": ["happy", "neutral"], "bags": ["21"],
        "since": ["2025-12-31"], "seat": ["x" * 501], "call": ["no"],
    }  # fmt: skip
    assert [(p.field, p.kind) for p in read_answers(questions, bad)[1]] == [
        ("reason", "choose"), ("channel", "choose"), ("used", "choose"), ("felt", "choose"), ("bags", "number"),
        ("since", "date"), ("seat", "too_long"), ("call", "choose"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["-1", "1.0", "1e1", "NaN", "²", "1 000", "0x1", "9" * 5_000, "one"])
def test_a_number_is_a_whole_number_within_its_bounds(text):
    (question,) = parse_definition({"metric": "nps", "follow_up": [NUMBER]}).questions
    assert read_answers([question], {"bags": [text]}) == ({}, [Problem("bags", "number")])


def test_not_applicable_is_an_answer_where_the_metric_has_that_row_and_nowhere_else():
    assert read_primary("pmf", "na") == "na"
    assert [metric for metric in METRICS if read_primary(metric, "na")] == ["pmf"]
    assert read_primary("pmf", "3") == 3


def test_a_reason_without_a_gap_is_refused():
    options = [{"key": "a", "label": {"en": "A"}, "gap": "delivery"}, {"key": "b", "label": {"en": "B"}}]
    with pytest.raises(DefinitionProblems) as refused:
        parse_definition(
            {"metric": "nps", "follow_up": [{"key": "r", "kind": "reasons", "ask": {"en": "?"}, "options": options}]}
        )
    assert [path for path, _ in refused.value.problems] == [("follow_up", 0, "options", 1, "gap")]


@pytest.mark.parametrize(
    ("metric", "score", "group"),
    [("nps", 9, "promoter"), ("nps", 7, "passive"), ("nps", 6, "detractor"), ("csat5", 3, "passive"),
     ("ces1", 5, "detractor"),
     ("disconfirmation", 0, "promoter"), ("pmf", None, None)],
)  # fmt: skip
def test_a_score_stands_in_one_of_three_groups(metric, score, group):
    assert group_of(metric, score) == (Group(group) if group else None)


def test_a_group_may_be_the_condition_and_choose_the_wording():
    definition = parse_definition({"metric": "csat5", "follow_up": EVERY_KIND})
    assert [score for score in range(1, 6) if "call" in keys(definition.on_page(2, {"score": score}))] == [1, 2]
    reason = definition.questions[0]
    assert reason.asks(Group.DETRACTOR) == {"en": "What went wrong?"}
    assert reason.asks(Group.PASSIVE) == reason.ask == reason.asks(None)


def test_conditions_on_the_context_and_on_numbers_hold_within_their_bounds():
    definition = parse_definition({"metric": "nps", "follow_up": EVERY_KIND})
    for delay, asked in ((30, True), (29.9, False), ("45", False), (True, False), (None, False), ([50], True)):
        said = known(3, {"reason": ["long_wait"]}, {"delay_minutes": delay})
        assert ("wait" in keys(definition.on_page(3, said))) is asked, delay


@pytest.mark.parametrize(
    ("thanks", "path"),
    [
        ({"idea": "yes"}, ("thanks", "idea")),
        ({"money": True}, ("thanks",)),
        ({"promoter": {"text": {"en": "x"}, "link": "https://a.example"}}, ("thanks", "promoter")),
        ({"promoter": {**THANKS["promoter"], "link": "javascript:alert(1)"}}, ("thanks", "promoter", "link")),
        ({"promoter": {**THANKS["promoter"], "link": 'https://a.example/" onclick='}}, ("thanks", "promoter", "link")),
    ],
)
def test_thanks_that_cannot_be_shown_are_refused(thanks, path):
    with pytest.raises(DefinitionProblems) as refused:
        parse_definition({"metric": "nps", "thanks": thanks})
    assert path in [place for place, _ in refused.value.problems]


def test_what_a_channel_cannot_ask_is_said():
    questions = parse_definition({"metric": "nps", "follow_up": EVERY_KIND}).questions
    assert unasked(questions, ["email"]) == []
    assert unasked(questions, ["sms"]) == [
        "A text message cannot ask 'felt', 'bags', 'since', 'call': the conversation leaves it out."
    ]
    assert unasked(questions, ["web"]) == ["The widget cannot ask 'bags', 'since', 'call', 'wait': it leaves it out."]
    assert unasked(parse_definition({"metric": "nps", "follow_up": "comment"}).questions, ["sms", "web"]) == []


QUESTION = st.fixed_dictionaries(
    {"kind": st.sampled_from([kind for kind in Kind if kind is not Kind.COMMENT])},
    optional={"needs": st.lists(st.integers(0, 9), max_size=3), "score": st.sampled_from([*Group, 3, {"to": 6}])},
)


@given(st.lists(QUESTION, max_size=10), st.integers(0, 10), st.data())
def test_every_way_through_any_conditions_ends_and_every_screen_can_be_answered(shapes, score, data):
    """A screen holds a question, every question on it can be read, none comes twice, and none is without its needs."""
    follow_up, long = [], 0
    for number, shape in enumerate(shapes):
        kind = Kind.TEXT if shape["kind"] is Kind.LONG and long >= 2 else shape["kind"]
        long += kind is Kind.LONG
        item = {"key": f"q{number}", "kind": str(kind), "ask": {"en": "?"}}
        if "options" in KINDS[kind].fields:
            gap = {"gap": "design"} if kind is Kind.REASONS else {}
            item["options"] = [{"key": key, "label": {"en": key}, **gap} for key in ("a", "b")]
        when = {"score": shape["score"]} if "score" in shape else {}
        when |= {f"q{n}": _some_value(Kind(follow_up[n]["kind"])) for n in shape.get("needs", []) if n < number}
        follow_up.append(item | ({"when": when} if when else {}))
    definition = parse_definition({"metric": "nps", "follow_up": follow_up})
    answers, page, seen = {}, 1, []
    while (page := definition.next_page(page, known(score, answers, {}))) is not None:
        shown = definition.on_page(page, known(score, answers, {}))
        assert shown
        for question in shown:
            assert question.key not in seen
            assert all(key in answers for key in question.when if key != "score")
            seen.append(question.key)
            if data.draw(st.booleans()):
                read, problems = read_answers([question], {question.key: [str(_some_value(question.kind))]})
                assert problems == []
                answers |= read
        assert page <= 1 + len(follow_up)


def _some_value(kind):
    return {Kind.NUMBER: 1, Kind.DATE: "2026-11-02", Kind.CONSENT: "yes", Kind.EMOTION: "happy"}.get(kind, "a")
