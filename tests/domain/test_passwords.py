"""Which passwords are refused, and in which words."""

import pytest

from surveyapp.domain.passwords import COMMON, SHORTEST, weakness

EMAIL = "ada.lovelace@example.org"


@pytest.mark.parametrize("password", ["elevenchars", "", "ééééééééééé"])
def test_short_ones_are_refused(password: str) -> None:
    assert weakness(password, EMAIL) == "Use at least 12 characters; a few words in a row are fine."


@pytest.mark.parametrize(
    "password", ["password1234", "PassWord1234", "pass word 1234", "aaaaaaaaaaaaa", "abcabcabcabcabc"]
)
def test_the_first_guesses_are_refused(password: str) -> None:
    assert weakness(password, EMAIL) == "This password is among the first that are guessed. Choose another."


@pytest.mark.parametrize("password", [EMAIL, "Ada.Lovelace"])
def test_one_s_own_address_is_refused(password: str) -> None:
    assert weakness(password, EMAIL) == "This password is your e-mail address. Choose another."


@pytest.mark.parametrize(
    "password", ["three calm green whales", "correct horse battery", "éàüößéàüößéà", "x7$kQ!9vTz@2"]
)
def test_long_uncommon_ones_are_taken_whatever_their_characters(password: str) -> None:
    assert weakness(password, EMAIL) is None


def test_the_list_holds_nothing_that_length_refuses_already() -> None:
    assert [p for p in COMMON if len(p) < SHORTEST - 1] == []
