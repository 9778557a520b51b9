"""Words are folded by us, so that what is found does not depend on a database, an accent or a sign."""

import pytest

from surveyapp.domain import verbatims
from surveyapp.domain.verbatims import ANY, Term, Theme


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L'Été, à l'hôtel!", "l ete a l hotel"),
        ("STRASSE Straße", "strasse strasse"),
        ("جِدًّا رائعــة أحمد", "جدا رايعة احمد"),
        ("ﬁne ①２ o'clock_x", "fine 12 o clock x"),
        ("Ünïcödé\u0301", "unicode"),
        ("e\u0301te\u0301", "ete"),
        ("… — ?!", ""),
        (None, ""),
        ("a" * 100, "a" * 64),
    ],
)
def test_words_are_folded(text: str | None, words: str) -> None:
    assert verbatims.folded(text) == words


def test_what_is_typed_is_data_and_never_an_operator() -> None:
    assert verbatims.sought('bag" OR NOT (x*) --') == tuple(Term(w, True) for w in ("bag", "or", "not", "x"))
    assert verbatims.sought("'; DROP & | ! :*") == (Term("drop", True),)
    assert verbatims.sought(" … ") == ()
    assert len(verbatims.sought(" ".join(f"w{n}" for n in range(40)))) == 12


def test_a_keyword_needs_all_its_words_and_a_star_finds_longer_ones() -> None:
    theme = Theme("Waiting", rules={"en": ["long wait*", "queue"], "fr": ["file d'attente"], ANY: ["🙁 late"]})
    assert theme.fits("We were waiting so LONG", "en")
    assert theme.fits("what a queue!", "en-GB")
    assert not theme.fits("what queues", "en")
    assert not theme.fits("queue", "fr")
    assert theme.fits("une file… d’attente", "fr")
    assert theme.fits("too late", None)
    assert not theme.fits("queue", None)


def test_keywords_are_read_from_commas_and_lines_and_empty_ones_are_told() -> None:
    problems: list[str] = []
    assert verbatims.read_keywords("queue, long  wait*\nqueue,, انتظار، طابور", problems) == [
        "queue",
        "long wait*",
        "انتظار",
        "طابور",
    ]
    assert problems == []
    verbatims.read_keywords("!!, " + "x" * 90, problems)
    assert problems == ["'!!' holds no letter or digit.", f"'{'x' * 40}…' is longer than 80 characters."]
    verbatims.read_keywords(",".join(f"k{n}" for n in range(61)), problems)
    assert problems[-1] == "At most 60 keywords a language; there are 61."
