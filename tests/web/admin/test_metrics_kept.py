"""Saved views with their links, and structural breaks across which nothing is compared unasked."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, SavedView, StructuralBreak, SurveyVersion
from tests.builders import make_brand, make_survey
from tests.people import csrf_for, make_user, sign_in_as
from tests.web.admin.answered import answer, read, words
from tests.web.admin.living import NOW, live

LIST = "/admin/metrics/"


def signed_in(app: OpenAPI, role: str) -> FlaskClient:
    client = app.test_client()
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user(role, name=f"The {role}"))
    return client


@pytest.fixture
def analyst(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    make_brand()
    return signed_in(app, "analyst")


def post(client: FlaskClient, address: str, **form: str) -> int:
    with client.session_transaction() as browser:
        token = csrf_for(browser)
    with clock.at(NOW):
        return client.post(address, data={"csrf_token": token} | form).status_code


def save(client: FlaskClient, name: str = "Business, by channel", **form: str) -> int:
    given = {"name": name, "page": "csat5/breakdown", "query": "by=channel&days=91&csv=breakdown"}
    return post(client, f"{LIST}views", **(given | form))


def test_a_view_is_kept_with_its_filters_and_opens_by_its_link(analyst: FlaskClient) -> None:
    page = read(analyst, "/admin/metrics/csat5/breakdown?by=channel&days=91")
    assert 'name="page" value="csat5/breakdown"' in page
    assert 'name="query" value="by=channel&amp;days=91"' in page
    assert save(analyst) == 303
    view = db.session.scalars(select(SavedView)).one()
    assert (view.page, view.query, view.shared) == ("csat5/breakdown", "by=channel&days=91", False)
    assert "Business, by channel" in words(read(analyst, LIST))
    with clock.at(NOW):
        opened = analyst.get(f"{LIST}views/{view.uid}")
    assert opened.location == "/admin/metrics/csat5/breakdown?by=channel&days=91"
    assert db.session.scalars(select(AuditEntry.action).where(AuditEntry.object == view.uid)).all() == ["view.saved"]


def test_only_shared_views_are_seen_by_others_and_only_the_owner_removes_them(
    app: OpenAPI, analyst: FlaskClient
) -> None:
    save(analyst, "Mine")
    save(analyst, "Ours", shared="1")
    mine, ours = db.session.scalars(select(SavedView.uid).order_by(SavedView.name)).all()
    agent, admin = signed_in(app, "agent"), signed_in(app, "admin")
    text = words(read(agent, LIST))
    assert "Ours" in text
    assert "Mine" not in text
    read(agent, f"{LIST}views/{mine}", 404)
    read(agent, f"{LIST}views/{ours}", 303)
    assert post(agent, f"{LIST}views/{ours}/remove") == 404
    assert post(admin, f"{LIST}views/{mine}/remove") == 404
    assert post(admin, f"{LIST}views/{ours}/remove") == 303
    assert post(analyst, f"{LIST}views/{mine}/remove") == 303
    assert db.session.scalars(select(SavedView)).all() == []


def test_what_cannot_be_kept_is_refused_and_not_kept(analyst: FlaskClient) -> None:
    for form in (
        {"name": "  "},
        {"name": "x" * 81},
        {"page": "happiness"},
        {"page": "csat5/../../customers"},
        {"query": "a=" + "x" * 2000},
    ):
        assert save(analyst, **form) == 422, form
    assert db.session.scalars(select(SavedView)).all() == []


def test_nothing_is_compared_across_a_structural_break_unless_asked(analyst: FlaskClient) -> None:
    live()
    version = db.session.scalars(select(SurveyVersion).order_by(SurveyVersion.id)).all()[0]
    answer(version, {5: 40, 1: 10}, days_ago=3)
    answer(version, {5: 20, 1: 30}, days_ago=40)
    assert "higher by" in words(read(analyst, "/admin/metrics/csat5"))
    day = (NOW - timedelta(days=20)).date()
    assert post(analyst, f"{LIST}breaks", day=day.isoformat(), name="New <fares>", metric="csat5") == 303
    page = read(analyst, "/admin/metrics/csat5")
    text = words(page)
    assert "not compared across a break" in text
    assert "higher by" not in text
    assert "“New &lt;fares&gt;” lies between" in text
    trend = json.loads(unescape(re.findall(r"data-chart='([^']*)'", page)[0]))
    assert {row["segment"] for row in trend["rows"]} == {0, 1}
    assert [(line["name"], line["structural"]) for line in trend["lines"]] == [("New <fares>, 4 Nov", True)]
    assert [row["segment"] for row in trend["rows"] if row["n"]] == [0, 1, 1]
    assert "higher by" in words(read(analyst, "/admin/metrics/csat5?across=1"))
    compared = words(read(analyst, "/admin/metrics/csat5/compare"))
    assert "not compared across a break" in compared
    assert "Compare anyway" in compared
    for address in (LIST, "/admin/metrics/csat5/breakdown", "/admin/", "/admin/journeys/flight"):
        text = words(read(analyst, address))
        assert "higher by" not in text, address
        assert "“New &lt;fares&gt;” lies between" in text, address
    assert "higher by" in words(read(analyst, "/admin/metrics/csat5/breakdown?across=1"))
    uid = db.session.scalars(select(StructuralBreak.uid)).one()
    assert post(analyst, f"{LIST}breaks/{uid}/remove") == 303
    assert "higher by" in words(read(analyst, "/admin/"))
    assert "higher by" in words(read(analyst, "/admin/metrics/csat5"))


def test_a_decision_keeps_the_figure_as_it_stood(app: OpenAPI, analyst: FlaskClient) -> None:
    version = make_survey()
    answer(version, {5: 30, 1: 20}, days_ago=3)
    answer(version, {5: 4}, days_ago=3, channel="sms")
    (place,) = re.findall(r'action="([^"]*/decisions[^"]*)"', read(analyst, "/admin/metrics/csat5?channel=email"))
    told = {"decision": "Open a <second> desk", "owner": "Ada"}
    assert post(analyst, unescape(place), **told) == 303
    answer(version, {1: 50}, days_ago=3)
    text = words(read(analyst, LIST)).replace("\u202f", " ")
    assert "Open a &lt;second&gt; desk Ada · CSAT 1–5 60 %, 46–72, n 50, 2026-10-28 to 2026-11-24" in text
    assert "/admin/metrics/csat5?channel=email&amp;from=2026-10-28&amp;to=2026-11-24" in read(analyst, LIST)
    few = "/admin/metrics/csat5/decisions?channel=sms"
    assert post(analyst, few, **told) == 422, "a hidden figure is kept by nobody"
    assert post(analyst, "/admin/metrics/csat5/decisions?days=30", **told) == 422
    assert post(analyst, "/admin/metrics/csat5/decisions", **(told | {"owner": " "})) == 422
    assert post(signed_in(app, "agent"), "/admin/metrics/csat5/decisions", **told) == 403
    assert words(read(analyst, LIST)).count("second") == 1


def test_a_new_version_between_two_periods_is_said_beside_every_comparison(analyst: FlaskClient) -> None:
    live()
    version = db.session.scalars(select(SurveyVersion).order_by(SurveyVersion.id)).all()[0]
    answer(version, {5: 20, 1: 30}, days_ago=40)
    pages = (LIST, *(f"/admin/metrics/csat5{tab}" for tab in ("", "/breakdown", "/compare", "/changes")))
    for address in (*pages, "/admin/", "/admin/journeys/flight"):
        assert "came check_in_csat" not in words(read(analyst, address)), address
    answer(make_survey(), {5: 40, 1: 10}, days_ago=3)
    told = "During the two periods came check_in_csat version 2 (2 Nov): a new wording may answer differently."
    for address in (*pages, "/admin/", "/admin/journeys/flight"):
        assert told in words(read(analyst, address)), address
    for query in ("?version=2", "?days=7"):
        assert "came check_in_csat" not in words(read(analyst, f"/admin/metrics/csat5{query}"))
    elsewhere = make_survey("relational", "nps")
    make_survey(elsewhere.survey.key, "nps")
    assert "came relational" not in words(read(analyst, "/admin/metrics/csat5"))


def test_a_break_needs_a_day_a_name_a_known_metric_and_somebody_who_may(app: OpenAPI, analyst: FlaskClient) -> None:
    good = {"day": "2026-11-02", "name": "New fares", "metric": ""}
    for wrong in ({"day": "soon"}, {"day": "0001-01-01"}, {"name": ""}, {"metric": "happiness"}):
        assert post(analyst, f"{LIST}breaks", **(good | wrong)) == 422, wrong
    assert post(signed_in(app, "agent"), f"{LIST}breaks", **good) == 403
    assert db.session.scalars(select(StructuralBreak)).all() == []
    assert post(analyst, f"{LIST}breaks", **good) == 303
    assert "all metrics" in words(read(analyst, LIST))
