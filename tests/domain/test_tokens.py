"""Signed links: what opens, what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.tokens import mint, read

UID = "Zk3vX0qTQ2mB8c1dE5fGhw"
KEYS = ["the-key-of-today", "the-key-of-yesterday"]


def test_a_token_gives_its_id_back():
    token = mint("answer", UID, KEYS)
    assert token.startswith(UID)
    assert len(token) == 38
    assert token[-1].isalnum()
    assert read("answer", token, KEYS) == UID


def test_a_token_of_one_purpose_opens_no_other():
    assert read("opt_out", mint("answer", UID, KEYS), KEYS) is None


def test_a_token_of_an_older_key_still_opens_and_one_of_a_foreign_key_does_not():
    assert read("answer", mint("answer", UID, KEYS[1:]), KEYS) == UID
    assert read("answer", mint("answer", UID, ["someone-elses-key"]), KEYS) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 16, "a" * 38, "é" * 38, "\0" * 38, "a" * 5000, "../" * 13])
def test_what_was_never_minted_opens_nothing(token):
    assert read("answer", token, KEYS) is None


@given(position=st.integers(0, 37), character=st.sampled_from("abcXYZ019_-é "))
def test_changing_any_one_character_breaks_it(position, character):
    token = mint("answer", UID, KEYS)
    changed = token[:position] + character + token[position + 1 :]
    assert (read("answer", changed, KEYS) == UID) == (changed == token)


@given(length=st.integers(0, 37))
def test_a_cut_token_opens_nothing(length):
    assert read("answer", mint("answer", UID, KEYS)[:length], KEYS) is None
