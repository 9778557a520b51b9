"""The programme files that ship are whole, in both languages, and apply as they stand."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask_openapi3 import OpenAPI

from surveyapp.domain.policy_reading import parse_policy
from surveyapp.domain.programme import Programme
from surveyapp.domain.questions import parse_definition
from surveyapp.queries.catalog import CATALOG
from surveyapp.queries.programme import export
from surveyapp.services.programme import ProgrammeResult, apply_programme
from surveyapp.services.programme_file import check

JOURNEYS = ("ride_hailing", "flight", "insurance")
FILES = {name: CATALOG / "journeys" / f"{name}.yaml" for name in JOURNEYS} | {"demo": CATALOG / "demo.yaml"}
RATED = (
    *("online_booking time_convenience check_in online_boarding gate_location on_board_service seat_comfort").split(),
    *("leg_room cleanliness food_and_drink in_flight_service wifi entertainment baggage_handling").split(),
)


def read(name: str) -> Programme:
    return check(FILES[name].read_bytes())


def texts(value: object) -> Iterator[Mapping[str, str]]:
    """Every text by language in a file's values."""
    if isinstance(value, dict):
        if "en" in value or "fr" in value:
            yield value
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def test_every_file_of_the_catalog_is_tested() -> None:
    found = {path for path in CATALOG.rglob("*.yaml") if path.read_text("utf-8").count("\nprogramme: 1\n")}
    assert found == set(FILES.values())


@pytest.mark.parametrize("name", FILES)
def test_it_applies_and_its_export_changes_nothing(app: OpenAPI, name: str) -> None:
    text = FILES[name].read_text("utf-8")
    assert apply_programme(text, actor="test").version == 1
    assert apply_programme(text, actor="test") == ProgrammeResult(1, [])
    assert apply_programme(export(), actor="test") == ProgrammeResult(1, [])


@pytest.mark.parametrize("name", FILES)
def test_every_text_is_in_english_and_french(name: str) -> None:
    found = list(texts(yaml.safe_load(FILES[name].read_text("utf-8"))))
    assert found != []
    assert [text for text in found if set(text) != {"en", "fr"}] == []


@pytest.mark.parametrize("name", FILES)
def test_every_survey_can_be_asked_and_has_a_trigger(name: str) -> None:
    programme = read(name)
    for survey in programme.surveys:
        follow_up: Any = survey.follow_up if isinstance(survey.follow_up, str) else list(survey.follow_up)
        parse_definition({"metric": survey.metric, "about": survey.about, "follow_up": follow_up})
    assert {trigger.survey for trigger in programme.triggers} == {survey.key for survey in programme.surveys}


@pytest.mark.parametrize("name", FILES)
def test_every_asked_step_has_an_attribute_and_every_hard_stop_has_no_trigger(name: str) -> None:
    programme = read(name)
    steps = programme.steps()
    asked = {trigger.step for trigger in programme.triggers if trigger.step}
    assert [path for path in asked if not steps[path].attributes] == []
    stops = {path for path, step in steps.items() if step.phase == "hard stops"}
    assert {path for path, step in steps.items() if step.sensitive} == stops
    assert stops != set()
    assert stops & asked == set()


@pytest.mark.parametrize("name", FILES)
def test_no_relational_score_is_asked_in_the_middle_of_a_journey(name: str) -> None:
    programme = read(name)
    metrics = {survey.key: survey.metric for survey in programme.surveys}
    assert {metrics[trigger.survey] for trigger in programme.triggers if trigger.step} <= {"csat5", "ces2"}
    assert {metrics[trigger.survey] for trigger in programme.triggers if trigger.every} == {"nps"}


def test_the_flight_rates_the_fourteen_steps_of_the_passenger_data_one_by_one() -> None:
    programme = read("flight")
    surveys = {survey.key: survey for survey in programme.surveys}
    triggers = {trigger.step: trigger for trigger in programme.triggers}
    for step in RATED:
        survey = surveys[triggers[f"flight.{step}"].survey]
        assert (survey.key, survey.metric) == (f"{step}_csat", "csat5")
    phases = [step.phase for step in programme.journeys[0].steps]
    order = ["order", "check-in", "boarding", "on board", "arrival", "baggage", "after-care", "hard stops"]
    assert list(dict.fromkeys(phases)) == order
    assert programme.reporting_attributes == ("class", "customer_type", "travel_type", "age_band")


def test_the_default_policies_are_those_of_the_method() -> None:
    gaps = {name: read(name).policy["gap"] for name in JOURNEYS}
    assert gaps == {
        "ride_hailing": {"1": "7d", "2": "14d", "3": "30d"},
        "flight": {"1": "7d", "2": "30d", "3": "30d"},
        "insurance": {"1": "21d", "2": "60d", "3": "90d"},
    }
    truths = {path for name in JOURNEYS for path, step in read(name).steps().items() if step.moment_of_truth}
    assert truths == {
        "ride.problem_ride",
        "flight.on_board_service",
        "flight.baggage_handling",
        "flight.disruption",
        "insurance.claim_settled",
    }


def test_the_demonstration_holds_the_three_journeys_as_they_are() -> None:
    demo, parts = read("demo"), [read(name) for name in JOURNEYS]
    assert demo.journeys == tuple(journey for part in parts for journey in part.journeys)
    assert demo.dimensions == tuple(dimension for part in parts for dimension in part.dimensions)
    relational = parts[0].surveys[-1]
    assert demo.surveys == (*(s for part in parts for s in part.surveys if s != relational), relational)
    assert demo.triggers[:-1] == tuple(t for part in parts for t in part.triggers if t.step)
    assert [trigger.key for trigger in demo.triggers if trigger.every] == ["relationship"]


def test_the_demonstrations_rules_keep_each_journey_its_own_policy() -> None:
    demo = parse_policy(read("demo").policy)
    own = {gap.scope.journey: gap.tiers for gap in demo.gaps if gap.scope.journey}
    parts = {name: parse_policy(read(name).policy) for name in JOURNEYS}
    assert own == {
        "ride": parts["ride_hailing"].gaps[0].tiers,
        "flight": parts["flight"].gaps[0].tiers,
        "insurance": parts["insurance"].gaps[0].tiers,
    }


def test_files_are_named_in_the_folders_readme() -> None:
    readme = Path(CATALOG / "README.md").read_text("utf-8")
    assert [path for path in FILES.values() if str(path.relative_to(CATALOG)) not in readme] == []
