"""Filling texts in and choosing a language."""

import pytest

from surveyapp.domain.wording import as_text_message, choose_language, fill, in_language, read_in, slots


def test_slots_are_filled_once_and_literally():
    assert fill("{b} asks about {s}", {"b": "{s} {0} {b.__class__}", "s": "x"}) == "{s} {0} {b.__class__} asks about x"


def test_an_unknown_slot_stays_as_it_is():
    assert fill("{b} and {first_name}", {"b": "Oddjob"}) == "Oddjob and {first_name}"
    assert slots("{b} and {first_name}, {b}") == {"b", "first_name"}


def test_a_text_missing_in_a_language_falls_back_to_the_brands_own():
    assert in_language({"en": "check-in", "fr": "l'enregistrement"}, "fr", "en") == "l'enregistrement"
    assert in_language({"en": "check-in"}, "fr", "en") == "check-in"
    assert in_language({"de": "Check-in"}, "fr", "en") == "Check-in"
    assert in_language({}, "fr", "en") == ""


def test_the_language_that_a_text_is_read_in_is_known():
    assert read_in({"en": "check-in", "fr": "l'enregistrement"}, "fr", "en") == "fr"
    assert read_in({"en": "check-in", "fr": ""}, "fr", "en") == "en"
    assert read_in({"de": "Check-in"}, "fr", "en") == "de"
    assert read_in({}, "fr", "en") == "fr"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(["fr"], "fr"), (["fr-CA"], "fr"), (["FR_ca"], "fr"), (["xx", "fr"], "fr"), (["xx"], "en"), ([None, ""], "en")],
)
def test_the_first_wanted_language_that_is_offered_is_chosen(wanted, chosen):
    assert choose_language(wanted, ["en", "fr"], "en") == chosen


def test_a_text_message_has_no_character_that_doubles_its_length():
    assert as_text_message("Pas 9\u202f? L’été\u00a0: “oui”") == 'Pas 9 ? L\'été : "oui"'
