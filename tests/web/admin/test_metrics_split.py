"""Breakdowns, grids and comparisons: sums that agree, small cells that stay hidden, verdicts in words."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from tests.builders import make_brand, make_reporting_attribute, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import answer, read, rows_of, words
from tests.web.admin.living import NOW, counted_statements

CSAT = "/admin/metrics/csat5"


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    make_brand()
    make_reporting_attribute("class", 1)
    make_step("check_in", position=1)
    make_step("boarding", name={"en": "Boarding"}, position=2)
    return client


def test_the_groups_carry_their_own_interval_and_a_corrected_verdict(reader: FlaskClient) -> None:
    version = make_survey()
    for days_ago, good in ((3, 30), (30, 10)):
        answer(version, {5: good, 1: 40 - good}, days_ago=days_ago, step="flight.boarding")
        answer(version, {5: 20, 1: 20}, days_ago=days_ago)
    page = read(reader, f"{CSAT}/breakdown?by=step")
    text = words(page)
    assert "Boarding changed beyond chance." in text
    assert "2 groups read at once" in text
    rows = rows_of(reader, f"{CSAT}/breakdown?by=step&csv=breakdown")
    assert [(r["step"], r["n"], r["value"]) for r in rows] == [
        ("Check-in", "40", "50.0"), ("Boarding", "40", "75.0"), ("All", "80", "62.5"),
    ]  # fmt: skip
    assert rows[0]["against before"].startswith("undecidable")
    assert rows[1]["against before"].startswith("higher by")


def test_a_small_group_hides_the_next_smallest_on_the_page_and_in_the_file(reader: FlaskClient) -> None:
    version = make_survey()
    for name, n in (("email", 40), ("web", 12), ("sms", 3)):
        answer(version, {5: n}, channel=name)
    rows = rows_of(reader, f"{CSAT}/breakdown?by=channel&csv=breakdown")
    assert {r["channel"]: (r["value"], r["n"], r["status"]) for r in rows} == {
        "E-mail": ("100.0", "40", "ok"),
        "SMS": ("", "3", "suppressed"),
        "Web page": ("", "12", "suppressed"),
        "All": ("100.0", "55", "ok"),
    }
    text = words(read(reader, f"{CSAT}/breakdown?by=channel"))
    assert "3 answers; shown from 5" in text
    assert "hidden so that no other shows" in text
    compared = words(read(reader, f"{CSAT}/compare?by=channel&a=email&b=web"))
    assert "No difference is shown. Web page: hidden" in compared


def test_a_grid_has_figure_interval_and_n_in_each_cell_and_colours_only_what_differs(reader: FlaskClient) -> None:
    version = make_survey()
    cells = {("check_in", "email"): 38, ("check_in", "sms"): 20, ("boarding", "email"): 20, ("boarding", "sms"): 20}
    for (step, channel), good in cells.items():
        answer(version, {5: good, 1: 40 - good}, step=f"flight.{step}", channel=channel)
    page = read(reader, f"{CSAT}/breakdown?by=step&over=channel")
    text = words(page)
    assert "95 83–99 n 40 · higher than the rest" in text
    assert "50 35–65 n 40" in text
    assert page.count('class="h-f3"') == 1
    assert "1 cell differs from all other answers, of 4 read at once." in text
    rows = rows_of(reader, f"{CSAT}/breakdown?by=step&over=channel&csv=grid")
    assert len(rows) == 9
    assert (rows[-1]["step"], rows[-1]["channel"], rows[-1]["n"], rows[-1]["value"]) == ("All", "All", "160", "61.25")


def test_no_cell_of_a_grid_follows_from_its_totals(reader: FlaskClient) -> None:
    version = make_survey()
    cells = {
        ("email", "A"): 3,
        ("email", "B"): 40,
        ("sms", "A"): 41,
        ("sms", "B"): 42,
        ("web", "A"): 60,
        ("web", "B"): 61,
    }
    for (channel, name), n in cells.items():
        answer(version, {5: n}, channel=channel, context={"class": name})
    rows = rows_of(reader, f"{CSAT}/breakdown?by=channel&over=context.class&csv=grid")
    hidden = {(r["channel"], r["class"]) for r in rows if r["status"] == "suppressed"}
    assert hidden == {("E-mail", "A"), ("E-mail", "B"), ("SMS", "A"), ("SMS", "B")}
    assert "4 cells are hidden" in words(read(reader, f"{CSAT}/breakdown?by=channel&over=context.class"))


def test_answers_that_do_not_say_are_a_group_with_its_own_answers(reader: FlaskClient) -> None:
    version = make_survey()
    answer(version, {5: 31}, context={"class": "Business"})
    answer(version, {1: 32}, context={})
    page = read(reader, f"{CSAT}/breakdown?by=context.class")
    assert "not given" in page
    assert "32 answers" in words(
        read(reader, "/admin/responses/?metric=csat5&status=confirmed&from=2026-10-01&absent=context.class")
    )
    assert "absent=context.class" in page


def test_two_groups_are_compared_in_words(reader: FlaskClient) -> None:
    version = make_survey()
    answer(version, {5: 90, 1: 10}, context={"class": "Business"})
    answer(version, {5: 60, 1: 40}, context={"class": "Economy"})
    text = words(read(reader, f"{CSAT}/compare?by=context.class&a=Business&b=Economy"))
    assert "Business and Economy higher by 18 to 41" in text
    assert "Business minus Economy, p &lt; .001, one comparison." in text
    other_way = words(read(reader, f"{CSAT}/compare?by=context.class&a=Economy&b=Business"))
    assert "Economy and Business lower by 18 to 41" in other_way
    early = words(read(reader, f"{CSAT}/compare?by=context.class&a=Business&b=Economy&planned=200"))
    assert "too early: n under 200" in early


def test_two_periods_are_compared_and_must_not_share_a_day(reader: FlaskClient) -> None:
    version = make_survey()
    answer(version, {5: 20, 1: 20}, days_ago=3)
    answer(version, {5: 22, 1: 18}, days_ago=100)
    text = words(read(reader, f"{CSAT}/compare?from_b=2026-08-01&to_b=2026-08-31"))
    assert "undecidable: −26 to +16" in text
    assert "1 Aug – 31 Aug" in text
    page = read(reader, f"{CSAT}/compare?from_b=2026-10-01&to_b=2026-10-30", 422)
    assert "the two periods share 3 days" in page


WRONG = (
    ("breakdown?by=shoes", "by: &#39;shoes&#39; is nothing to group by"),
    ("breakdown?by=step&over=step", "over: &#39;step&#39; is there already"),
    ("breakdown?by=step&over=context.moon", "is none of the programme&#39;s reporting attributes"),
    ("compare?by=channel&a=email&b=email", "b: is the same group as a"),
    ("compare?by=channel&a=pigeon", "a: no answer of these days has channel &#39;pigeon&#39;"),
    ("compare?planned=many", "planned: must be a whole number"),
    ("compare?from_b=2026-11-05&to_b=2026-11-01", "from_b: 2026-11-05 comes after to_b 2026-11-01"),
)


def test_what_cannot_be_split_is_a_sentence(reader: FlaskClient) -> None:
    answer(make_survey(), {5: 40})
    for address, sentence in WRONG:
        assert sentence in read(reader, f"{CSAT}/{address}", 422), address
    for number in range(13):
        answer(make_survey(), {5: 1}, language=f"l{number}")
    page = read(reader, f"{CSAT}/breakdown?by=step&over=language", 422)
    assert "at most 60 × 12 can be read" in page


def test_single_employees_are_shown_from_thirty_answers_and_not_to_everyone(app: OpenAPI, reader: FlaskClient) -> None:
    make_reporting_attribute("actor", 2)
    version = make_survey()
    answer(version, {5: 29}, context={"actor": "a-1"})
    answer(version, {5: 80}, context={"actor": "a-2"})
    answer(version, {5: 90}, context={"actor": "a-3"})
    rows = rows_of(reader, f"{CSAT}/breakdown?by=context.actor&csv=breakdown")
    assert {r["actor"]: r["status"] for r in rows} == {
        "a-1": "suppressed",
        "a-2": "suppressed",
        "a-3": "ok",
        "All": "ok",
    }
    agent = app.test_client()
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(agent, user=make_user("agent"))
    page = read(agent, f"{CSAT}/breakdown?by=context.actor", 422)
    assert "figures of single employees are for analysts and admins" in page


def test_every_page_without_answers_says_so_within_its_statements(reader: FlaskClient) -> None:
    for address in ("breakdown", "breakdown?by=step&over=channel", "compare"):
        with counted_statements() as statements:
            page = read(reader, f"{CSAT}/{address}")
        assert len(statements) <= 15
        assert "no answers" in words(page).lower()
        assert "0 %" not in words(page)


def test_the_group_that_drives_a_change_is_named_first_and_chance_is_not_named(reader: FlaskClient) -> None:
    make_reporting_attribute("age", 2)
    version = make_survey()
    for days_ago, young in ((3, 10), (30, 45)):
        answer(version, {5: young, 1: 50 - young}, days_ago=days_ago, context={"age": "18-29", "class": "Economy"})
        answer(version, {5: 40, 1: 10}, days_ago=days_ago, context={"age": "60+", "class": "Business"}, channel="sms")
        answer(version, {5: 40, 1: 10}, days_ago=days_ago, context={"age": "30-59", "class": "Economy"}, channel="sms")
        answer(version, {5: 3}, days_ago=days_ago, context={"age": "60+", "class": "First"}, channel="web")
    assert "Which groups drive it?" in words(read(reader, CSAT))
    rows = rows_of(reader, f"{CSAT}/changes?csv=changes")
    # e-mail fell as well, but three answers by web hide the next smallest channel
    assert [(r["dimension"], r["group"]) for r in rows] == [("Age", "18-29"), ("Class", "Economy")]
    assert all(r["against before"].startswith("lower by") for r in rows)
    text = words(read(reader, f"{CSAT}/changes"))
    assert "2 groups of" in text
    only = rows_of(reader, f"{CSAT}/changes?context.age=60%2B&csv=changes")
    assert only == []
    with counted_statements() as statements:
        nothing = words(read(reader, "/admin/metrics/nps/changes"))
    assert len(statements) <= 15
    assert "no group has the 30 answers in both periods that a verdict needs" in nothing
