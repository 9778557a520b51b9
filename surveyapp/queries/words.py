"""The standard texts as one language says them: questions, labels, micro-copy and days. Fills in; decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from surveyapp.domain.wording import fill
from surveyapp.queries import catalog

_REGION = {"en": "en_GB"}  # day before month, as everywhere else but in the United States


@dataclass(frozen=True)
class Words:
    """One language's texts. `language` is the reader's; `texts` fall back to English where the catalog lacks it."""

    language: str
    texts: Mapping[str, Any]

    @property
    def direction(self) -> str:
        return str(self.texts["direction"])

    @property
    def name(self) -> str:
        """The language's own name for itself."""
        return str(self.texts["name"])

    def say(self, key: str, **values: object) -> str:
        """The text under a dotted key such as `page.saved`, filled in. Raises KeyError for an unknown key."""
        return fill(self.text(key), values)

    def text(self, key: str) -> str:
        """The text under a dotted key, with its slots left open."""
        section, _, name = key.partition(".")
        return str(self.texts[section][name])

    def ask(self, metric: str) -> str:
        """The locked question of a metric, with its slots `{b}` and `{s}` left open."""
        return str(self.texts["questions"][metric]["ask"])

    def question(self, metric: str, brand: str, about: str = "") -> str:
        """The locked question of a metric, filled in."""
        return fill(self.ask(metric), {"b": brand, "s": about})

    def labels(self, metric: str) -> Mapping[int, str]:
        """The locked labels by score; a scale of eleven has only its two ends."""
        labels: dict[int, str] = self.texts["questions"][metric]["labels"]
        return labels

    def version(self, metric: str) -> int:
        """The version of the question's wording."""
        return int(self.texts["questions"][metric]["version"])

    def number(self, value: int) -> str:
        """A whole number with its thousands apart: 5,000, 5.000."""
        return str(format_decimal(value, locale=_locale(self.language)))

    def day(self, moment: date) -> str:
        """A day without its year: 2 November, 2 novembre."""
        locale = _locale(self.language)
        text = format_skeleton("MMMMd", moment, locale=locale)
        return _first_of_month(text, moment, locale)

    def full_day(self, moment: date) -> str:
        """A day with its year: 3 December 2026."""
        locale = _locale(self.language)
        return _first_of_month(format_date(moment, "long", locale=locale), moment, locale)


def words(language: str) -> Words:
    """The texts of a language."""
    return Words(language, catalog.wording(language))


def languages() -> tuple[str, ...]:
    """The languages that all standard texts exist in: the questions and pages, and the messages."""
    messages = catalog.names("messages")
    return tuple(code for code in catalog.names("wording") if code in messages)


def english_name(language: str) -> str:
    """What the language is called in English; one that nobody knows by its code."""
    try:
        return Locale.parse(language.replace("-", "_")).get_display_name("en") or language
    except (UnknownLocaleError, ValueError):
        return language


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(_REGION.get(language, language).replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en", "GB")


def _first_of_month(text: str, moment: date, locale: Locale) -> str:
    if locale.language == "fr" and moment.day == 1:
        return "1er" + text.removeprefix("1")
    return text
