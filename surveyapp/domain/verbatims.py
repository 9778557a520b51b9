"""Customers' own words: how they are folded for the search, and by which keywords a theme recognises them.

Folding is ours, so that every database finds the same. Nothing is stemmed, guessed or sent anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

WORD_LIMIT = 64
MOST_WORDS = 12
MOST_KEYWORDS = 60
KEYWORD_LIMIT = 80
ANY = "any"
"""Stands for every language among a theme's rules."""

STRETCH = "\u0640"
"""The Arabic stroke that makes a word longer and means nothing."""
_WORD = re.compile(r"[^\W_]+")


class Gap(StrEnum):
    """Which gap a reason belongs to: what staff knew, how the service is designed, how it was delivered."""

    KNOWLEDGE = "knowledge"
    DESIGN = "design"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Term:
    """One word to look for; `open` also finds longer words that begin with it."""

    word: str
    open: bool = False

    def fits(self, words: Iterable[str]) -> bool:
        return any(word == self.word or (self.open and word.startswith(self.word)) for word in words)


Terms = tuple[Term, ...]
"""All of them must occur, in any order."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A name, the gap its reasons belong to ('' for none), and its keywords by language."""

    name: str
    gap: str = ""
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def by_language(self) -> dict[str, list[Terms]]:
        """The terms to look for in each language; one of them is enough."""
        read = {language: [keyword_terms(one) for one in keywords] for language, keywords in self.rules.items()}
        return {language: [terms for terms in found if terms] for language, found in read.items() if any(found)}

    def fits(self, comment: str, language: str | None) -> bool:
        """Whether the words of this language hold one of the keywords."""
        words = set(folded(comment).split())
        rules = [
            terms
            for key, found in self.by_language().items()
            if key == ANY or key[:2] == (language or "")[:2]
            for terms in found
        ]
        return any(all(term.fits(words) for term in terms) for terms in rules)


def folded(text: str | None) -> str:
    """The words between single spaces: without case, accents and vowel marks, each at most 64 characters."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text or "") if not unicodedata.combining(c))
    plain = unicodedata.normalize("NFKC", plain.casefold()).replace(
        "\u0640", ""
    )  # the Arabic stroke that only stretches
    return " ".join(word[:WORD_LIMIT] for word in _WORD.findall(plain))


def sought(text: str) -> Terms:
    """What a person typed, all of it data: every word must occur, or begin a word; signs are no operators."""
    words = dict.fromkeys(folded(text).split())
    return tuple(Term(word, open=True) for word in list(words)[:MOST_WORDS])


def keyword_terms(keyword: str) -> Terms:
    """A keyword's words, all of which must occur; one that ends in `*` also finds longer words."""
    found = []
    for piece in keyword.split():
        words = folded(piece).split()
        found += [Term(word, open=piece.endswith("*") and word == words[-1]) for word in words]
    return tuple(dict.fromkeys(found))


def read_keywords(text: str, problems: list[str]) -> list[str]:
    """Keywords written between commas or lines, as typed; a sentence is added for each that holds no word."""
    keywords = list(dict.fromkeys(" ".join(one.split()) for one in re.split(r"[,;\n\u060c]", text) if one.strip()))
    problems += [f"'{one[:40]}' holds no letter or digit." for one in keywords if not keyword_terms(one)]
    problems += [
        f"'{one[:40]}…' is longer than {KEYWORD_LIMIT} characters." for one in keywords if len(one) > KEYWORD_LIMIT
    ]
    if len(keywords) > MOST_KEYWORDS:
        problems.append(f"At most {MOST_KEYWORDS} keywords a language; there are {len(keywords)}.")
    return keywords
