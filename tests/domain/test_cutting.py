"""A text that is too long ends after a whole character as a reader sees it."""

import pytest

from surveyapp.domain.cutting import first_of
from surveyapp.domain.questions import read_comment

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
WALES = "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "gbwls") + "\U000e007f"


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("", 3, ""),
        ("ab\U0001f600\U0001f600", 3, "ab\U0001f600"),
        ("abe\u0301\u0302x", 3, "ab"),
        ("abe\u0301\u0302x", 4, "ab"),
        ("abe\u0301\u0302x", 5, "abe\u0301\u0302"),
        (f"a{FAMILY}b", 2, "a"),
        (f"a{FAMILY}b", 5, "a"),
        (f"a{FAMILY}b", 6, f"a{FAMILY}"),
        ("a\U0001f44d\U0001f3fdb", 2, "a"),
        ("a❤\ufe0fb", 2, "a"),
        (f"a{WALES}b", 5, "a"),
        ("\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea", 3, "\U0001f1eb\U0001f1f7"),
        ("\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea", 2, "\U0001f1eb\U0001f1f7"),
        ("a\u1112\u1161\u11abb", 3, "a"),
        ("नमस्ते", 5, "नमस्"),
        ("e" + "\u0301" * 500, 100, "e" + "\u0301" * 99),
    ],
)
def test_a_text_ends_after_a_whole_character(text: str, most: int, kept: str) -> None:
    assert first_of(text, most) == kept


def test_a_comment_is_cut_after_it_is_cleaned_and_says_so() -> None:
    assert read_comment("\x00 " + "x" * 5_000 + " \r\n") == ("x" * 5_000, False)
    assert read_comment("x" * 4_999 + "\r\n" + "y") == ("x" * 4_999, True)
    assert read_comment("\U0001f600" * 5_001) == ("\U0001f600" * 5_000, True)
    assert read_comment(" \n") == ("", False)
