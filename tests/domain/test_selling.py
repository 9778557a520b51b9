"""What sells in a message that asks: words, tracking links, links that lead away; ours and the brand's may stand."""

import pytest

from surveyapp.domain.selling import first_word, promotions, words_for
from surveyapp.queries.catalog import read_yaml

LISTS = read_yaml("review.yaml")
EN = words_for(LISTS, "en")["promotional"]
OURS = ("https://ask.example/", "https://oddjob.example/privacy", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("How was check-in? https://ask.example/s/abc", []),
        ("Your DISCOUNTS wait", ["“discount” sells; a message that asks never does."]),
        ("See https://shop.example/x", ["A link to shop.example leads away from the question."]),
        ("https://ask.example/s/a?utm_source=mail", ["A link to ask.example tracks who follows it."]),
        ("https://oddjob.example/sale", []),
    ],
)
def test_what_sells_is_named(text: str, said: list[str]) -> None:
    assert promotions([text, text], EN, OURS) == said


def test_a_word_is_heard_whole_in_any_case_and_its_longer_forms_with_a_star() -> None:
    assert first_word("A wholesale buyer", ["sale", "buy"]) is None
    assert first_word("Don’t you agree", ["don't you*"]) == "don't you"
    assert words_for(LISTS, "de-CH") == LISTS["de"]
    assert words_for(LISTS, "xx") == {}


def texts_in(part: object) -> list[str]:
    if isinstance(part, dict):
        return [text for value in part.values() for text in texts_in(value)]
    return [part] if isinstance(part, str) else []


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "nl", "ar"])
def test_our_own_messages_sell_nothing(language: str) -> None:
    texts = texts_in(read_yaml(f"messages/{language}.yaml"))
    assert len(texts) > 20
    assert promotions(texts, words_for(LISTS, language)["promotional"], OURS) == []
