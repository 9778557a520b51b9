"""Every survey of the library can be published as it is, in every language, and needs no advice."""

import pytest

from surveyapp.domain.programme.survey_draft import read_draft
from surveyapp.domain.scores import METRICS
from surveyapp.domain.survey_review import Setting, review
from surveyapp.queries.catalog import read_yaml
from surveyapp.queries.survey_templates import library
from surveyapp.queries.words import languages

KEYS = [template.key for template in library(["en"])]


@pytest.mark.parametrize("key", KEYS)
def test_a_template_is_a_working_survey_in_every_language(key: str) -> None:
    spoken = ("en", *(code for code in languages() if code != "en"))
    for offered in (("en",), ("fr", "ar"), ("fr-CA",), spoken):
        survey = next(t.survey for t in library(offered) if t.key == key)
        spec, refusals = read_draft({"key": key, **survey}, offered[0], offered, "UTC")
        assert refusals == []
        assert spec is not None
        assert review(survey, Setting(offered, read_yaml("review.yaml"))) == []


def test_there_is_one_for_each_metric_and_no_key_twice() -> None:
    assert {str(t.survey["metric"]) for t in library(["en"])} == set(METRICS)
    assert len(set(KEYS)) == len(KEYS)
