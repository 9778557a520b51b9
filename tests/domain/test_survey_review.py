"""What a methodologist would say of a survey: exact findings, and nothing where there is nothing to say."""

from typing import Any

import pytest

from surveyapp.domain.programme.survey_draft import read_draft
from surveyapp.domain.survey_review import Setting, review, seconds
from surveyapp.queries.catalog import read_yaml

EN = Setting(["en"], read_yaml("review.yaml"), known=("class", "loyalty_level"))


def chips(
    key: str = "why", ask: str = "What went wrong?", labels: tuple[str, ...] = ("Slow", "Rude"), **more: Any
) -> Any:
    options = [{"key": f"o{n}", "label": {"en": label}} for n, label in enumerate(labels)]
    return {"key": key, "kind": "many", "ask": {"en": ask}, "options": options, **more}


def said(*questions: Any, setting: Setting = EN, **more: Any) -> list[tuple[str, str]]:
    definition = {"metric": "csat5", "about": {"en": "check-in"}, "follow_up": list(questions), **more}
    return [(finding.kind, finding.place) for finding in review(definition, setting)]


def test_a_plain_survey_needs_no_advice() -> None:
    assert said("comment", chips(when={"score": {"to": 3}})) == []


def test_two_ratings_on_one_screen_colour_one_another() -> None:
    rating = ("1", "2", "3 – fine")
    assert said(chips("a", labels=rating), chips("b", labels=rating)) == [("two_ratings", "b")]
    later = chips("b", labels=rating, when={"a": ["o1"]})
    assert said(chips("a", labels=rating), later) == []


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        ("How much did you love our wonderful crew?", "leading"),
        ("Would a 10 % discount bring you back?", "promotional"),
        ("See www.example.org and tell us", "promotional"),
        ("Don’t you agree?", "leading"),
    ],
)
def test_wording_that_leads_or_sells_is_named(ask: str, kind: str) -> None:
    assert said(chips(ask=ask)) == [(kind, "why")]


def test_a_promise_of_one_question_is_heard_where_more_are_asked() -> None:
    assert said("comment", about={"en": "check-in: one question"}) == []
    assert said(chips(), about={"en": "check-in: One Question"}) == [("length", "")]
    dutch = {"en": "check-in", "nl": "inchecken, één vraag"}
    [finding] = [f for f in review({"metric": "nps", "about": dutch, "follow_up": [chips()]}, EN) if f.kind == "length"]
    assert (
        finding.sentence
        == "“één vraag” in “inchecken, één vraag” promises less than is asked: 1 more may follow the rating."
    )


def test_a_word_inside_another_is_no_word() -> None:
    assert said(chips(ask="Was the wholesale counter open, and the greater hall?")) == []


def test_what_the_event_already_says_is_refused_by_name_and_doubted_in_words() -> None:
    assert said(chips("class")) == [("known", "class")]
    assert [f.refuses for f in review({"metric": "nps", "follow_up": [chips("Loyalty-Level")]}, EN)] == [True]
    assert said(chips(ask="Which class did you fly?")) == [("known", "why")]
    assert said({"key": "tell", "kind": "comment", "ask": {"en": "What of your class?"}}) == []


def test_a_text_that_a_language_lacks_is_named() -> None:
    [finding] = review(
        {"metric": "csat5", "about": {"en": "check-in", "fr": "x"}, "follow_up": [chips(labels=("A", "B"))]},
        Setting(["en", "fr"], {}, names={"en": "English", "fr": "French"}),
    )
    assert finding.sentence == (
        "French: 3 texts are missing (“What went wrong?”, A, B). French readers would get English."
    )


def test_the_slowest_way_through_is_timed() -> None:
    long = [{"key": f"q{n}", "kind": "long", "ask": {"en": "Tell us"}} for n in range(4)]
    assert seconds({"metric": "nps", "follow_up": "comment"}, "en") == 24.0
    assert seconds({"metric": "nps", "follow_up": long}, "en") == 4 + 4 * 25.5
    assert said(*long) == [("long", "")]
    apart = [{**q, "when": {"score": [n]}} for n, q in enumerate(long, 1)]
    assert said(*apart) == [], "no two of them are met by one person"


def test_a_pale_brand_colour_and_a_reason_without_a_gap_are_named() -> None:
    assert said(setting=Setting(["en"], {}, colour="#ffdd00")) == [("contrast", "")]
    assert said(setting=Setting(["en"], {}, colour="#0b5c63")) == []
    assert said({**chips(), "kind": "reasons"}) == [("gap", "why")]


def test_nothing_that_is_stored_makes_the_review_fail() -> None:
    for broken in ({}, {"metric": 3, "about": "x", "follow_up": [{"options": [{"label": 3}], "when": {"score": "x"}}]}):
        assert isinstance(review(broken, EN), list)
        assert seconds(broken, "en") > 0


def test_a_missing_translation_says_which_choice_of_which_question():
    options = [{"key": "app", "label": {"en": "App"}}, {"key": "desk", "label": {"fr": "Comptoir"}}]
    question = {"key": "way", "kind": "one", "ask": {"en": "Which way?"}, "options": options}
    _, refusals = read_draft({"key": "one", "metric": "nps", "follow_up": [question]}, "en", ["en", "fr"], "UTC")
    assert [refusal.sentence for refusal in refusals] == [
        "'label' of the choice 'desk' of the question 'way' lacks the brand's own language 'en'."
    ]


def test_the_promoters_path_does_not_sell():
    words = {"en": {"promotional": ["discount*"]}}
    for text, kinds in (("Here is your discount code", ["promotional"]), ("Tell a friend", [])):
        path = {"text": {"en": text}, "label": {"en": "Go"}, "link": "https://oddjob.example"}
        found = review({"metric": "nps", "follow_up": [], "thanks": {"promoter": path}}, Setting(["en"], words))
        assert [finding.kind for finding in found] == kinds
