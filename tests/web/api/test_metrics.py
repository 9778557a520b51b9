"""Figures over HTTP: the contract's shape, and a sentence that names the parameter for everything wrong."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.models import StructuralBreak
from surveyapp.services import rollups
from tests.builders import MOMENT, make_reporting_attribute, make_responses, make_step, make_survey
from tests.people import bearer

Database = scoped_session[Session]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.at(MOMENT):
        yield


@pytest.fixture
def headers(session: Database) -> dict[str, str]:
    return bearer("read")


def answers(session: Database, histogram: dict[int, int], **overrides: Any) -> None:
    version = overrides.pop("version", None) or make_survey("relational_nps", "nps")
    rollups.count_many(session, make_responses(version, histogram, **overrides))
    session.commit()


def test_the_shape_is_that_of_the_contract(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    make_step()
    answers(session, {6: 10, 8: 20, 9: 20, 10: 10})
    found = client.get(
        "/api/v1/metrics?metric=nps&survey=&journey=flight&from=2026-11-01&to=2026-11-30&group_by=step", headers=headers
    )
    assert found.status_code == 200
    figure = {
        "n": 60,
        "n_eff": 60.0,
        "value": 33.333333,
        "ci": [13.301183, 50.190881],
        "mean": 8.333333,
        "histogram": {"6": 10, "8": 20, "9": 20, "10": 10},
        "status": "ok",
        "provisional": 0,
        "open": True,
        "refused": False,
        "versions": {"relational_nps": [1]},
    }
    assert found.json == {
        "metric": "nps",
        "method": "adjusted_wald_95",
        "weighted": False,
        "from": "2026-11-01",
        "to": "2026-11-30",
        "groups": [{"key": {"step": "flight.check_in"}} | figure],
        "total": figure,
        "trimmed_at": None,
        "breaks": [],
        "notes": [],
    }


def test_what_a_figure_joins_is_said(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    for version in (make_survey("relational_nps", "nps"), newest := make_survey("relational_nps", "nps")):
        answers(session, {9: 30}, channel="email", version=version)
    answers(session, {9: 30}, channel="sms", version=newest)
    answers(session, {9: 3}, channel="web", version=make_survey("other_nps", "nps"))
    for name, metric, day in (("New app", None, 2), ("Elsewhere", "csat5", 2), ("Before", "nps", 1)):
        when = MOMENT.date() + timedelta(days=day - 2)
        session.add(StructuralBreak(uid=name, day=when, name=name, metric=metric, created_by="ada", created_at=MOMENT))
    session.commit()
    query = "/api/v1/metrics?metric=nps&from=2026-11-01&group_by="
    found = client.get(query + "channel", headers=headers).json
    assert found is not None
    assert {g["key"]["channel"]: g["versions"] for g in found["groups"]} == {
        "email": {"relational_nps": [1, 2]}, "sms": {}, "web": {},
    }  # fmt: skip
    assert found["total"]["versions"] == {"other_nps": [1], "relational_nps": [1, 2]}
    assert found["breaks"] == [{"day": "2026-11-02", "name": "New app"}]
    assert found["notes"] == [
        "'New app' (2026-11-02) lies in these days: what was asked before it differs in kind.",
        "Versions 1, 2 of relational_nps are joined: a new wording may answer differently. "
        "group_by=version tells them apart.",
    ]
    apart = client.get(query + "survey,version&to=2026-11-01", headers=headers).json
    assert apart is not None
    assert (apart["breaks"], apart["notes"]) == ([], [])


def test_a_day_is_open_until_its_response_window_closes(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    answers(session, {9: 30}, channel="sms")
    answers(session, {9: 30}, channel="email", reporting_day=MOMENT.date() - timedelta(days=20))
    query = "/api/v1/metrics?metric=nps&group_by=day,channel"

    def read(days: int) -> list[bool]:
        with clock.at(MOMENT + timedelta(days=days)):
            found = client.get(query, headers=headers).json
        assert found is not None
        return [g["open"] for g in found["groups"]]

    assert [read(0), read(3), read(4)] == [[False, True], [False, True], [False, False]]
    with clock.at(MOMENT + timedelta(days=14)):
        email = client.get("/api/v1/metrics?metric=nps&to=2026-11-02", headers=headers).json
        sms = client.get("/api/v1/metrics?metric=nps&to=2026-11-02&channel=sms", headers=headers).json
    assert email is not None
    assert sms is not None
    assert (email["total"]["open"], sms["total"]["open"]) == (True, False)


def test_without_answers_the_total_says_no_data(client: FlaskClient, headers: dict[str, str]) -> None:
    found = client.get("/api/v1/metrics?metric=csat5&group_by=step", headers=headers).json
    assert found is not None
    assert found["method"] == "wilson_95"
    assert (found["from"], found["to"], found["groups"]) == (None, None, [])
    assert found["total"] == {
        "n": 0,
        "n_eff": 0.0,
        "value": None,
        "ci": None,
        "mean": None,
        "histogram": None,
        "status": "no_data",
        "provisional": 0,
        "open": True,
        "refused": False,
        "versions": {},
    }


def test_a_mean_names_its_interval(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    answers(session, {1: 30, 2: 22, 3: 14, 4: 9, 5: 5}, version=make_survey("effort", "ces1"))
    found = client.get("/api/v1/metrics?survey=effort", headers=headers).json
    assert found is not None
    assert (found["metric"], found["method"]) == ("ces1", "t_95")
    assert found["groups"][0]["key"] == {}
    assert found["total"]["value"] == 2.2125


def test_few_answers_are_hidden(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    answers(session, {9: 3})
    found = client.get("/api/v1/metrics?metric=nps", headers=headers).json
    assert found is not None
    total = found["total"]
    assert (total["n"], total["status"], total["value"], total["ci"], total["mean"], total["histogram"]) == (
        3,
        "suppressed",
        None,
        None,
        None,
        None,
    )


def test_context_filters_and_groups(client: FlaskClient, session: Database, headers: dict[str, str]) -> None:
    make_reporting_attribute("class", 1)
    version = make_survey("relational_nps", "nps")
    answers(session, {9: 30}, version=version, context={"class": "Business"})
    answers(session, {0: 31}, version=version, context={"class": "Eco"})
    by = client.get("/api/v1/metrics?metric=nps&group_by=context.class", headers=headers).json
    one = client.get("/api/v1/metrics?metric=nps&context.class=Eco", headers=headers).json
    assert by is not None
    assert one is not None
    assert [(g["key"], g["n"]) for g in by["groups"]] == [
        ({"context.class": "Business"}, 30),
        ({"context.class": "Eco"}, 31),
    ]
    assert (one["total"]["n"], one["total"]["value"]) == (31, -100.0)


def test_a_weighted_figure_says_what_it_is_worth(
    client: FlaskClient, session: Database, headers: dict[str, str]
) -> None:
    version = make_survey("relational_nps", "nps")
    answers(session, {5: 10, 7: 20, 9: 70}, version=version)
    answers(session, {5: 20, 7: 15, 9: 15}, version=version, inclusion=0.1)
    found = client.get("/api/v1/metrics?metric=nps&weighted=true", headers=headers).json
    assert found is not None
    assert (found["method"], found["weighted"]) == ("hajek_95", True)
    assert (found["total"]["n"], found["total"]["n_eff"], found["total"]["value"]) == (150, 70.588235, 1.666667)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("", "metric", "is missing"),
        ("metric=happiness", "metric", "'happiness' is none of nps, tnps"),
        ("metric=nps&metric=csat5", "metric", "is given twice"),
        ("metric=nps&group_by=colour", "group_by", "'colour' is none of journey"),
        ("metric=nps&group_by=step,step", "group_by", "names the same twice"),
        ("metric=nps&group_by=step,day,survey,channel,language", "group_by", "at most 4"),
        ("metric=nps&group_by=context.seat", "group_by", "'seat' is none of the programme's reporting_attributes"),
        ("metric=nps&context.seat=1A", "context.seat", "'seat' is none of the programme's reporting_attributes"),
        ("metric=nps&from=2026-11-03&to=2026-11-02", "from", "comes after to=2026-11-02"),
        ("metric=nps&from=yesterday", "from", "must be a day such as 2026-11-02"),
        ("metric=nps&to=2026-02-30", "to", "must be a day such as 2026-11-02"),
        ("metric=nps&to=2026-11-02T00:00:00Z", "to", "must be a day such as 2026-11-02"),
        ("metric=nps&colour=red", "colour", "is no parameter here; known are metric"),
        ("metric=nps&channel=pigeon", "channel", "'pigeon' is none of email, sms, web"),
        ("metric=nps&version=two", "version", "must be a whole number"),
        ("metric=nps&weighted=maybe", "weighted", "is true or false"),
        ("metric=nps&step=check_in", "step", "'check_in' is a short key; write journey.step"),
        ("metric=nps&step=flight.moon", "step", "there is no step 'flight.moon'"),
        ("metric=nps&journey=moon", "journey", "there is no journey 'moon'"),
        ("metric=nps&survey=moon", "survey", "there is no survey 'moon'"),
        ("metric=nps&survey=effort", "survey", "'effort' asks ces2, not nps; two scales are never one figure"),
        ("metric=nps&partner=moon", "partner", "there is no partner 'moon'"),
        ("metric=nps&phase=a%0Ab", "phase", "must be one line"),
    ],
)
def test_what_is_wrong_is_named(
    client: FlaskClient, headers: dict[str, str], query: str, field: str, words: str
) -> None:
    make_survey("effort", "ces2")
    found = client.get(f"/api/v1/metrics?{query}", headers=headers)
    assert found.status_code == 422
    assert found.content_type == "application/problem+json"
    assert found.json is not None
    error = next(e for e in found.json["errors"] if e["field"] == field)
    assert words in error["message"]


def test_figures_need_a_key_that_may_read(client: FlaskClient) -> None:
    assert client.get("/api/v1/metrics?metric=nps").status_code == 401
    assert client.get("/api/v1/metrics?metric=nps", headers=bearer("ingest")).status_code == 403


def test_the_funnel_has_the_counts_of_the_contract(client: FlaskClient, headers: dict[str, str]) -> None:
    found = client.get("/api/v1/funnel?from=2026-11-01&to=2026-11-30", headers=headers)
    assert found.status_code == 200
    names = "events eligible sampled allowed sent delivered clicked rated confirmed commented".split()
    assert found.json is not None
    assert {name: found.json[name] for name in names} == dict.fromkeys(names, 0)
    assert found.json["response_rate"] is None
    assert client.get("/api/v1/funnel?step=flight.moon", headers=headers).status_code == 422
    assert client.get("/api/v1/funnel?group_by=step", headers=headers).status_code == 422
