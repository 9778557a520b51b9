"""The standard texts: complete in every language, locked, with the marks each language needs."""

import shutil
from datetime import date
from hashlib import sha256

import pytest

from surveyapp.domain.scores import METRICS
from surveyapp.domain.wording import slots
from surveyapp.queries import catalog
from surveyapp.queries.catalog import read_yaml
from surveyapp.queries.words import english_name, languages, words

LOCKED = {  # a change of words needs a new version in the file, then a new line here
    "ar": "7021da1e3a7914cd",
    "de": "1c30f9617a68cc0f",
    "en": "13ad99fdc4a3d154",
    "es": "da751fc7ef503033",
    "fr": "0bdcf9daadc04567",
    "nl": "4408755922107958",
}


STANDARD = {  # the same for the standard further questions
    "ar": "cb36beda728f7e69",
    "de": "5d710e9fcd768d18",
    "en": "6388859616a67257",
    "es": "c6691ba5f157cd80",
    "fr": "444d08c0298eaf06",
    "nl": "44ae9ab59ac19e81",
}


def flat(texts, path=()):
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield (*path, key), value


def test_six_languages_are_there():
    assert languages() == ("ar", "de", "en", "es", "fr", "nl")
    assert [words(code).direction for code in languages()] == ["rtl", "ltr", "ltr", "ltr", "ltr", "ltr"]


@pytest.mark.parametrize("language", languages())
def test_every_language_says_everything_with_the_same_slots(language):
    here, english = dict(flat(read_yaml(f"wording/{language}.yaml"))), dict(flat(read_yaml("wording/en.yaml")))
    assert set(here) == set(english)
    assert {k for k in here if slots(str(here[k])) != slots(str(english[k]))} == set()
    assert {k: v for k, v in here.items() if not isinstance(v, str) and k[-1] not in ("version", "wording")} == {}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("metric", METRICS)
def test_every_value_of_a_listed_scale_has_its_label_and_a_bar_its_two_ends(language, metric):
    labels, scale = words(language).labels(metric), METRICS[metric]
    expected = [scale.low, scale.high] if scale.layout == "horizontal" else list(scale.scale)
    assert sorted(labels) == expected
    assert all(labels.values())


@pytest.mark.parametrize("language", languages())
def test_the_questions_are_locked(language):
    questions = read_yaml(f"wording/{language}.yaml")["questions"]
    assert sha256(repr(sorted(flat(questions), key=str)).encode()).hexdigest()[:16] == LOCKED[language]


@pytest.mark.parametrize("language", languages())
def test_the_standard_further_questions_are_locked_too(language):
    standard = read_yaml(f"wording/{language}.yaml")["standard"]
    assert sha256(repr(sorted(flat(standard), key=str)).encode()).hexdigest()[:16] == STANDARD[language]
    assert all(type(text["version"]) is int for text in standard.values())


def test_a_language_is_added_by_files_alone_one_for_each_kind_of_text(tmp_path, monkeypatch):
    shutil.copytree(catalog.CATALOG, tmp_path / "catalog")
    english = (tmp_path / "catalog/wording/en.yaml").read_text(encoding="utf-8")
    italian = english.replace("language: en", "language: it").replace("name: English", "name: Italiano")
    (tmp_path / "catalog/wording/it.yaml").write_text(italian.replace("  send: Send", "  send: Invia"), "utf-8")
    monkeypatch.setattr(catalog, "CATALOG", tmp_path / "catalog")
    _forget()
    try:
        assert "it" not in languages()  # its messages are still missing
        shutil.copy(tmp_path / "catalog/messages/en.yaml", tmp_path / "catalog/messages/it.yaml")
        _forget()
        assert "it" in languages()
        assert (words("it").name, words("it").say("page.send")) == ("Italiano", "Invia")
        assert words("it-CH").full_day(date(2026, 12, 3)) == "3 dicembre 2026"
    finally:
        monkeypatch.undo()
        _forget()


def _forget():
    catalog.names.cache_clear()
    catalog.read_yaml.cache_clear()


def test_the_questions_are_those_of_the_method():
    assert words("en").question("nps", "Oddjob Airways") == (
        "How likely is it that you would recommend Oddjob Airways to a friend or colleague?"
    )
    assert words("fr").question("csat5", "Oddjob Airways", "l'enregistrement") == (
        "Globalement, quel est votre niveau de satisfaction concernant l'enregistrement\u202f?"
    )
    assert words("fr").question("ces2", "Oddjob Airways") == (
        "Dans quelle mesure êtes-vous d'accord\u00a0: "
        "«\u00a0Oddjob Airways m'a permis de traiter facilement ma demande.\u00a0»"
    )
    assert words("ar").question("nps", "Oddjob") == "ما مدى احتمال أن توصي بـOddjob لصديق أو زميل؟"


def test_french_has_its_narrow_spaces_everywhere():
    wrong = {
        path
        for path, text in flat(read_yaml("wording/fr.yaml"))
        if any(mark in str(text) for mark in (" ?", " ;", " !", " :", "« ", " »"))
    }
    assert wrong == set()


def test_no_text_says_what_the_voice_forbids():
    said = " ".join(str(text).lower() for _, text in flat(read_yaml("wording/en.yaml")))
    assert not any(word in said for word in ("feedback", "survey", "valued", "!"))


def test_days_are_written_as_each_language_writes_them():
    day = date(2026, 12, 3)
    assert words("en").day(day) == "3 December"
    assert words("en").full_day(day) == "3 December 2026"
    assert words("fr").full_day(date(2026, 11, 1)) == "1er novembre 2026"
    assert words("de").full_day(day) == "3. Dezember 2026"
    assert words("ar").full_day(day) == "3 ديسمبر 2026"


def test_a_language_we_lack_is_said_in_english():
    assert words("pt").say("page.send") == "Send"
    assert words("pt").full_day(date(2026, 12, 3)) == "3 de dezembro de 2026"
    assert words("xx-unknown").day(date(2026, 12, 3)) == "3 December"


def test_a_language_is_called_by_its_english_name() -> None:
    assert [english_name(code) for code in ("fr", "ar", "pt-BR", "xx-none")] == [
        "French",
        "Arabic",
        "Portuguese (Brazil)",
        "xx-none",
    ]
