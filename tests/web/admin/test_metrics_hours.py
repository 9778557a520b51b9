"""Figures by the hour of the event, alone and beside another dimension: exact counts, hidden cells, links kept."""

import html
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models.metrics import VALUES
from surveyapp.queries.console.figures import Period
from surveyapp.queries.console.responses import ResponseFilter
from surveyapp.queries.console.tallies import TooManyAnswers, pairs_by_tally, tallies
from surveyapp.queries.metrics import report
from tests.builders import make_brand, make_reporting_attribute, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import answer, read, rows_of, words
from tests.web.admin.living import NOW

PAGE = "/admin/metrics/csat5/breakdown"


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    make_brand()
    make_step("check_in")
    make_reporting_attribute("place", 1)
    return client


def test_place_by_hour_has_figure_interval_and_n_in_each_cell_and_hides_the_small(reader: FlaskClient) -> None:
    version = make_survey()
    cells = {("Lyon", 0): 40, ("Lyon", 7): 35, ("Nice", 0): 30, ("Nice", 7): 3, ("Paris", 0): 9, ("Paris", 7): 50}
    for (place, hour), n in cells.items():
        answer(version, {5: n - 2, 1: 2}, context={"place": place}, reporting_hour=hour)
    answer(version, {5: 60})
    address = f"{PAGE}?by=context.place&over=hour"
    rows = {(r["place"], r["hour of the day"]): r for r in rows_of(reader, f"{address}&csv=grid")}
    paris = rows["Paris", "07:00–07:59"]
    assert (paris["value"], paris["n"], paris["low"][:4]) == ("96.0", "50", "86.5")
    assert rows["Lyon", "All"]["n"] == "75"
    assert rows["not given", "not given"]["n"] == "60"
    assert {cell for cell, row in rows.items() if row["status"] == "suppressed"} == {
        ("Nice", "07:00–07:59"), ("Nice", "00:00–00:59"), ("Lyon", "07:00–07:59"), ("Lyon", "00:00–00:59"),
    }  # fmt: skip
    assert "Hour of the day" in words(read(reader, address))


def test_the_counts_of_an_hour_lead_to_as_many_answers(reader: FlaskClient) -> None:
    version = make_survey()
    for hour, n in ((0, 31), (13, 32), (None, 33)):
        answer(version, {4: n}, reporting_hour=hour)
    page = read(reader, f"{PAGE}?by=hour")
    links = re.findall(r'href="(/admin/responses/\?[^"]+)">n.(\d+)</a>', page.replace("&#8239;", " "))
    assert [n for _, n in links if n != "96"] == ["31", "32", "33"]
    for link, n in links:
        assert f"{n} answers from" in words(read(reader, html.unescape(link)))
    assert "00:00–00:59" in words(read(reader, html.unescape(links[0][0])))


def test_both_periods_are_compared_by_hour(reader: FlaskClient) -> None:
    version = make_survey()
    answer(version, {5: 36, 1: 4}, reporting_hour=8)
    answer(version, {5: 10, 1: 30}, reporting_hour=8, days_ago=31)
    answer(version, {5: 30}, reporting_hour=9, status="suspected_bot")
    eight, _ = rows_of(reader, f"{PAGE}?by=hour&csv=breakdown")
    assert eight["against before"].startswith("higher by ")


def test_what_is_read_from_answers_equals_the_cells(reader: FlaskClient) -> None:
    version = make_survey()
    for value in [*range(VALUES + 3), "other", True, 1.0, "", None, ["a"]]:
        answer(version, {3: 1, 5: 2}, context={"place": value})
    answer(version, {2: 4}, step=None, language=None, status="provisional")
    session, days = db.session(), Period((NOW - timedelta(days=9)).date(), NOW.date())
    for name in ("context.place", "step", "phase", "channel", "language", "survey", "version", "partner", "journey"):
        found = pairs_by_tally(session, ResponseFilter(metric="csat5"), days, None, (name,))
        assert {key[0]: (pair.now.n, pair.now.provisional) for key, pair in found.items()} == {
            group.key[name]: (group.histogram or pair_of(group.n), group.provisional)
            for group in report(session, "csat5", None, (name,)).groups
        }, name


def pair_of(n: int) -> dict[int, int]:
    """The histogram of a hidden group of this test's values."""
    return {3: n // 3, 5: 2 * n // 3} if n else {}


def test_nothing_is_counted_of_more_answers_than_can_be_read(reader: FlaskClient) -> None:
    version = make_survey()
    answer(version, {5: 4}, reporting_hour=8)
    wanted = ResponseFilter(metric="csat5")
    assert [tally.n for tally in tallies(db.session(), wanted, ("hour",), most=4)] == [4]
    with pytest.raises(TooManyAnswers):
        tallies(db.session(), wanted, ("hour",), most=3)
