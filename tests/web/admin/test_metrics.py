"""The pages of a metric: figures equal a recount, carry their uncertainty, and never answer a wrong question."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Partner, Response
from tests.builders import make_brand, make_reporting_attribute, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import answer, read, rows_of, words
from tests.web.admin.living import NOW, counted_statements

BUDGET = 15


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst", name="Lena Hart"))
    make_brand()
    return client


@pytest.fixture
def flown(reader: FlaskClient) -> FlaskClient:
    """CSAT of two steps: 28 days with 80 answers, the 28 before with 70, told apart by class and channel."""
    make_reporting_attribute("class", 1)
    make_step("check_in", position=1)
    make_step("boarding", name={"en": "Boarding"}, position=2)
    version = make_survey()
    business, economy = {"context": {"class": "Business"}}, {"context": {"class": "Economy"}, "channel": "sms"}
    answer(version, {5: 20, 4: 15, 2: 5}, **business)
    answer(version, {5: 10, 3: 20, 1: 10}, step="flight.boarding", **economy)
    answer(version, {5: 10, 4: 10, 1: 20}, days_ago=30, **business)
    answer(version, {5: 5, 1: 25}, days_ago=30, step="flight.boarding", **economy)
    answer(version, {1: 2}, status="provisional")
    return reader


def test_the_list_shows_every_metric_with_interval_n_and_verdict(flown: FlaskClient) -> None:
    answer(make_survey("relational_nps", "nps"), {9: 3}, journey=None, step=None)
    text = words(read(flown, "/admin/metrics/"))
    assert "56 %" in text
    assert "45–67 · n 80" in text
    assert "higher by" in text
    assert "3 answers; shown from 5" in text
    assert "2 provisional" in text


def test_a_figure_equals_a_recount_of_the_raw_rows(flown: FlaskClient) -> None:
    raw = db.session.execute(
        select(func.count(), func.sum(db.case((Response.score >= 4, 1), else_=0))).where(
            Response.status == "confirmed", Response.reporting_day > (NOW - timedelta(days=28)).date()
        )
    ).one()
    assert tuple(raw) == (80, 45)
    page = read(flown, "/admin/metrics/csat5")
    text = words(page)
    assert "56 %" in text
    assert "45–67" in text
    assert "n 80" in text
    assert "Against 36 % (26–47, n 70) in the 28 days before." in text.replace("\u202f", " ")
    assert "higher by 5 to 35" in text
    assert "only a change of 23 points or more could be seen" in text
    assert "2 not confirmed" in text
    scores = rows_of(flown, "/admin/metrics/csat5?csv=distribution")
    assert [(row["score"], row["answers"]) for row in scores] == [
        ("1", "10"), ("2", "5"), ("3", "20"), ("4", "15"), ("5", "30"),
    ]  # fmt: skip


def test_every_count_leads_to_as_many_answers(flown: FlaskClient) -> None:
    answer(make_survey(), {None: 3})  # words without a score are in no base
    answer(make_survey(), {5: 7}, channel="web", language="fr", phase="after", context={}, step="flight.check_in")
    addresses = [
        "/admin/metrics/csat5",
        "/admin/metrics/csat5?context.class=Business&channel=email&step=flight.check_in",
    ]
    for address in [*addresses, "/admin/metrics/csat5?language=fr&phase=after&version=3", "/admin/metrics/"]:
        links = re.findall(r'<a href="(/admin/responses/[^"]*)">([^<]*)</a>', read(flown, address))
        assert links, address
        for url, count in links:
            n = int(re.sub(r"\D", "", unescape(count).replace("n", "")))
            assert f"{n} answer" in words(read(flown, unescape(url))), (address, url, count)


def test_filters_are_kept_and_can_be_taken_away(flown: FlaskClient) -> None:
    page = read(flown, "/admin/metrics/csat5?context.class=Business&days=91")
    text = words(page)
    assert "n 80" in text
    assert "Class: Business" in text
    assert "days=7" in page
    assert "context.class=Business" in re.findall(r'href="([^"]*days=7[^"]*)"', page)[0]


FEW = (
    ("phase", "after", {"phase": "after"}),
    ("language", "fr", {"language": "fr"}),
    ("version", "2", {}),
    ("partner", "hertz", {}),
)


def test_every_filter_has_a_control_and_hides_a_figure_of_a_few(flown: FlaskClient) -> None:
    partner = Partner(key="hertz", name="Hertz", publishable="pk", secret_encrypted="x", origins=[], created_at=NOW)
    db.session.add(partner)
    make_step("after_care", phase="after")
    first, second = make_survey("stay"), make_survey("stay")
    for name, value, said in FEW:
        own = {"partner_id": partner.id} if name == "partner" else said
        answer(second if name == "version" else first, {5: 3}, **own)
        answer(first, {4: 6})
        page = read(flown, f"/admin/metrics/csat5?survey=stay&{name}={value}")
        control = re.findall(rf'<select class="form-select" name="{name}".*?</select>', page, re.S)
        assert re.findall(r'value="([^"]*)" selected', control[0]) == [value], name
        assert len(control) == 1
        text = words(page)
        assert "hidden, 3 answers; shown from 5" in text, name
        assert rows_of(flown, f"/admin/metrics/csat5?survey=stay&{name}={value}&csv=distribution") == []


def test_the_weeks_are_a_chart_a_table_and_a_file_that_say_the_same(flown: FlaskClient) -> None:
    page = read(flown, "/admin/metrics/csat5")
    charts = [json.loads(unescape(found)) for found in re.findall(r"data-chart='([^']*)'", page)]
    assert [chart["kind"] for chart in charts] == ["trend", "bars", "steps"]
    weeks = rows_of(flown, "/admin/metrics/csat5?csv=weeks")
    assert [(w["from"], w["n"], w["value"]) for w in weeks if w["n"] != "0"] == [
        ("2026-10-19", "70", "35.7143"), ("2026-11-16", "80", "56.25"),
    ]  # fmt: skip
    assert [row["v"] for row in charts[0]["rows"] if row["n"]] == [35.71, 56.25]
    assert [row["v"] for row in charts[0]["rows"] if not row["n"]] == [None] * 4, "an empty week is no nought"
    assert charts[0]["rows"][-2]["open"]
    for sentence in re.findall(r'role="img" aria-label="([^"]*)"', page):
        assert sentence


def test_weighted_stands_beside_unweighted_or_is_refused(flown: FlaskClient) -> None:
    answer(make_survey("pulse", "nps"), {5: 10, 7: 20, 9: 70})
    answer(make_survey("pulse", "nps"), {5: 20, 7: 15, 9: 15}, inclusion=0.1)
    text = words(read(flown, "/admin/metrics/nps"))
    assert "Weighted 2" in text
    assert "worth 71 answers" in text
    assert "Weighted is lower: answers that stand for many events not asked have lower scores" in text
    answer(make_survey("poll", "csat7"), {7: 20, 1: 10})
    answer(make_survey("poll", "csat7"), {7: 1}, inclusion=0.02)
    refused = words(read(flown, "/admin/metrics/csat7"))
    assert "Weighted refused" in refused


def test_mix_and_performance_add_up_to_the_change(flown: FlaskClient) -> None:
    answer(make_survey(), {5: 2}, context={"class": "First"})
    rows = rows_of(flown, "/admin/metrics/csat5?mix=context.class&csv=mix")
    assert [row["class"] for row in rows] == ["Business", "small groups together"]
    page = read(flown, "/admin/metrics/csat5?mix=context.class")
    steps = json.loads(unescape(re.findall(r"data-chart='([^']*)'", page)[2]))["rows"]
    assert steps[0]["to"] == pytest.approx(100 * 25 / 70)
    assert steps[3]["to"] == pytest.approx(100 * 47 / 82)
    assert steps[2]["to"] == pytest.approx(steps[3]["from"])


@pytest.mark.parametrize("n", [1, 4])
def test_a_few_answers_are_hidden_everywhere_on_the_page(reader: FlaskClient, n: int) -> None:
    answer(make_survey("relational_nps", "nps"), {9: n}, journey=None, step=None)
    page = read(reader, "/admin/metrics/nps")
    assert "hidden" in words(page)
    assert f"{n} answer" in words(page)
    assert rows_of(reader, "/admin/metrics/nps?csv=distribution") == []
    assert {(w["value"], w["low"], w["high"]) for w in rows_of(reader, "/admin/metrics/nps?csv=weeks")} == {
        ("", "", "")
    }
    assert '"v": 100' not in unescape(page)


def test_a_metric_without_answers_is_no_data_and_not_nought(reader: FlaskClient) -> None:
    text = words(read(reader, "/admin/metrics/nps"))
    assert "no answers. That is not a figure of nought." in text
    assert "not computed" not in text
    assert "No figure yet" in words(read(reader, "/admin/metrics/"))


WRONG = (
    ("days=30", "days: 30 is not offered: 7, 28 or 91, whole weeks"),
    ("from=2026-11-05&to=2026-11-01", "from: 2026-11-05 comes after to 2026-11-01; swap the two"),
    ("from=yesterday", "from: must be a day such as 2026-11-02"),
    ("from=2010-01-01&to=2026-01-01", "longer than 1096 days"),
    ("days=7&from=2026-11-01", "days: and from/to are both given; keep one"),
    ("mix=shoe_size", "mix: &#39;shoe_size&#39; is nothing to group by; one of journey, step"),
    ("mix=context.seat", "is none of the programme&#39;s reporting attributes"),
    ("context.seat=1A", "context.seat: is none of the programme&#39;s reporting attributes"),
    ("step=flight.moon", "step: there is no step &#39;flight.moon&#39;"),
    ("channel=pigeon", "channel: &#39;pigeon&#39; is none of email"),
    ("version=two", "version: must be a whole number"),
    (
        "survey=relational",
        "survey: &#39;relational&#39; asks another metric (nps); two scales are never one figure",
    ),
    ("colour=red", "colour: is no filter of this page"),
    ("channel=sms&channel=web", "channel: is given twice"),
    ("csv=moon", "csv: this page has no table &#39;moon&#39;; it has weeks"),
)


def test_what_cannot_be_honoured_is_a_sentence_and_no_figure(flown: FlaskClient) -> None:
    make_survey("relational", "nps")
    for query, sentence in WRONG:
        page = read(flown, f"/admin/metrics/csat5?{query}", 422)
        assert sentence in page, query
        assert "data-chart" not in page
        assert "n 80" not in words(page)
    assert "days: 30 is not offered" in read(flown, "/admin/metrics/?days=30", 422)


def test_an_unknown_metric_is_not_found_and_says_which_there_are(reader: FlaskClient) -> None:
    with clock.at(NOW):
        found = reader.get("/admin/metrics/happiness")
    assert found.status_code == 404
    assert "csat5" in found.text


def test_the_definition_stands_on_every_page_of_a_metric(flown: FlaskClient) -> None:
    for address in ("/admin/metrics/csat5", "/admin/metrics/csat5?days=30"):
        status = 422 if "30" in address else 200
        text = words(read(flown, address, status))
        assert "CSAT 1–5, definition 1: answers 4–5 in percent" in text


PAGES = ("/admin/metrics/", "/admin/metrics/csat5", "/admin/metrics/csat5?context.class=Business&step=flight.check_in")


@pytest.mark.parametrize("address", PAGES)
def test_every_page_keeps_within_its_statements(flown: FlaskClient, address: str) -> None:
    with counted_statements() as statements:
        read(flown, address)
    assert len(statements) <= BUDGET, "\n".join(statements)
    assert not [statement for statement in statements if "FROM response" in statement], "pages read cells"
