"""Text message segments: exact counts at every border of GSM 03.38 and UCS-2."""

import pytest

from surveyapp.domain.segments import BASIC, EXTENSION, Segments, count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 0, 1)),
        ("a" * 160, Segments("GSM-7", 160, 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 307, 3)),
        ("€" * 80, Segments("GSM-7", 80, 160, 1)),
        ("€" * 81, Segments("GSM-7", 81, 162, 2)),
        ("\f", Segments("GSM-7", 1, 2, 1)),
        ("é" * 160, Segments("GSM-7", 160, 160, 1)),
        ("ç", Segments("UCS-2", 1, 1, 1)),
        ("Ç", Segments("GSM-7", 1, 1, 1)),
        ("ع" * 70, Segments("UCS-2", 70, 70, 1)),
        ("ع" * 71, Segments("UCS-2", 71, 71, 2)),
        ("ع" * 134, Segments("UCS-2", 134, 134, 2)),
        ("ع" * 135, Segments("UCS-2", 135, 135, 3)),
        ("😀" * 35, Segments("UCS-2", 70, 70, 1)),
        ("😀" * 36, Segments("UCS-2", 72, 72, 2)),
    ],
)
def test_the_count_is_exact_at_each_border(text: str, expected: Segments) -> None:
    assert count(text) == expected


def test_an_escaped_pair_is_never_split_across_parts() -> None:
    # 152 septets, then a pair that no longer fits: it opens the second part, which then takes 151 more.
    assert count("a" * 152 + "€" + "a" * 151).parts == 2
    assert count("a" * 152 + "€" + "a" * 152).parts == 3
    assert count("a" * 151 + "€" + "a" * 153).parts == 2


def test_a_surrogate_pair_is_never_split_across_parts() -> None:
    assert count("ع" * 66 + "😀" + "ع" * 65).parts == 2
    assert count("ع" * 66 + "😀" + "ع" * 66).parts == 3


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "parts"),
    [
        (
            "How likely is it that you would recommend Oddjob Airways to a friend or colleague? "
            "Reply 0 (not at all likely) to 10 (extremely likely). STOP to opt out",
            "GSM-7",
            152,
            1,
        ),
        (
            "Quelle est la probabilité que vous recommandiez Oddjob Airways à un ami ou un collègue ? "
            "Répondez de 0 (pas du tout probable) à 10 (extrêmement probable). STOP pour refuser",
            "UCS-2",
            172,
            3,
        ),
        ("Oddjob Airways : plus de question par SMS. Répondez START si vous changez d'avis.", "GSM-7", 81, 1),
        ("reçu", "UCS-2", 4, 1),
    ],
)
def test_real_messages_cost_what_the_design_says(text: str, encoding: str, characters: int, parts: int) -> None:
    counted = count(text)
    assert (counted.encoding, counted.characters, counted.parts) == (encoding, characters, parts)


def test_more_than_1600_characters_are_too_long() -> None:
    assert not count("a" * 1600).too_long
    assert count("a" * 1601).too_long
    assert count("😀" * 801).too_long


def test_the_alphabet_has_128_places_without_the_escape() -> None:
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION
