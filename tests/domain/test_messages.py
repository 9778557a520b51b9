"""Values made harmless: one line, no controls, no direction switches; headers that cannot be broken out of."""

import pytest

from surveyapp.domain.messages import UnsafeHeader, header, one_line


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("Oddjob Airways", "Oddjob Airways"),
        ("Oddjob\r\nBcc: eve@example.org", "Oddjob Bcc: eve@example.org"),
        ("a\u2028b\u2029c\x85d\ve\ff", "a b c d e f"),
        ("a\0b\x07c\x7fd", "abcd"),
        ("safe \u202egnp.exe\u202c end", "safe gnp.exe end"),
        ("\u2066x\u2069", "x"),
        ("lone \ud800 half", "lone half"),
        ("collègue\u202f? \u00a0oui", "collègue\u202f? \u00a0oui"),
        ("علامة\u200f!", "علامة\u200f!"),
        ("  two   spaces  ", "two spaces"),
    ],
)
def test_a_value_becomes_one_harmless_line(value: str, line: str) -> None:
    assert one_line(value) == line


def test_a_long_value_is_cut_with_an_ellipsis() -> None:
    assert one_line("word " * 100, 20) == "word word word word…"
    assert len(one_line("x" * 500)) == 200


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\r\n b", "a\0b", "a\u2028b", "a\x85b", "\ud800", "x" * 999])
def test_a_header_that_could_be_broken_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(UnsafeHeader) as refusal:
        header("Subject", bad)
    assert "Subject" in str(refusal.value)
    assert bad not in str(refusal.value)


def test_a_header_of_998_characters_passes_unchanged() -> None:
    assert header("Subject", "é" * 998) == "é" * 998
