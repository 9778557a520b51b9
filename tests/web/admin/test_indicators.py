"""The pages of operational series: beside the perception of the same step, worded as associated, gated."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.gates import Status
from surveyapp.domain.indicators import Definition
from surveyapp.models import Indicator, IndicatorValue, Trigger
from surveyapp.queries import indicators as queries
from surveyapp.services import indicators, rollups
from tests.builders import make_brand, make_response, make_step, make_survey
from tests.people import sign_in_as

Database = scoped_session[Session]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEP = "flight.check_in"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def journey(session: Database) -> None:
    make_brand()
    step, version = make_step(), make_survey()
    session.add(Trigger(key="after", step=step, survey=version.survey, channels=["email"], definition={}))
    answers = [
        make_response(version, score, reporting_day=date(2026, 11, 16), context={"delay_minutes": delay})
        for score, delay, n in ((5, 0, 40), (4, 12.5, 20), (2, 45, 9), (1, 200, 3), (5, "late", 2), (5, True, 1))
        for _ in range(n)
    ]
    rollups.count_many(session, answers)
    session.commit()


def keep(*values: tuple[str, float], step: str | None = STEP) -> None:
    indicators.keep_values("wait", [{"day": day, "step": step, "value": value} for day, value in values])


def test_a_step_shows_its_measures_by_type(client: FlaskClient, journey: None) -> None:
    keep(("2026-11-16", 10), ("2026-11-17", 14), ("2026-07-01", 99))
    keep(("2026-11-16", 77), step="flight.boarding")
    indicators.keep_values("complaints", [{"day": f"2026-11-{day}", "step": STEP, "value": 3} for day in (10, 11)])
    indicators.define("wait", Definition("Minutes waited", unit="minutes"))
    sign_in_as(client, "analyst")
    page = client.get("/admin/journeys/flight/check_in").text
    perception, descriptive, prediction = page.split("<h2")[1:4]
    assert "CSAT 1–5" in perception
    assert "n&#8239;75" in perception
    assert [re.sub("<[^>]+>", "", found) for found in re.findall(r'<b class="fig">(.*?)</b>', descriptive)] == [
        "6",
        "12&#8239;minutes",
    ]
    assert "Not measured here." in prediction
    assert "consequence" not in page
    assert 'href="/admin/journeys/flight/check_in"' in client.get("/admin/journeys/flight").text
    assert client.get("/admin/journeys/flight/nowhere").status_code == 404


def test_a_series_of_one_height_is_drawn_in_the_middle_with_one_label(client: FlaskClient, journey: None) -> None:
    keep(("2026-11-16", 12.5), ("2026-11-10", 12.5))
    sign_in_as(client, "analyst")
    page = client.get("/admin/indicators/wait").text
    assert page.count('<text class="sv" x="100%" y="71">12.5</text>') == 1
    assert page.count('cy="67.0"') == 2


def test_an_indicator_stands_beside_the_figure_of_its_step(client: FlaskClient, journey: None) -> None:
    keep(("2026-11-16", 10), ("2026-11-17", 14), ("2026-11-10", 30))
    sign_in_as(client, "analyst")
    page = client.get("/admin/indicators/wait").text
    assert "18 on average over 91 days at Check-in." in page
    assert "Beside it CSAT 1–5" in page
    assert "associated with, not caused by" in page
    assert ">2026-W47</td>" in page
    assert "12 on" not in page
    assert "Bring in values" not in page  # an analyst reads
    listed = client.get("/admin/indicators/").text
    assert "Descriptive" in listed
    assert "18" in listed


def test_the_figure_is_read_by_bands_of_what_happened_to_each_person(session: Database, journey: None) -> None:
    found = queries.at_event(session, "csat5", "delay_minutes", step=STEP, edges=[0, 15, 60])
    assert [(f.n, f.status, f.value) for _, f in found.groups] == [
        (40, Status.OK, 100.0),
        (20, Status.LOW_N, 100.0),
        (9, Status.SUPPRESSED, None),  # would be given away by the total
        (3, Status.SUPPRESSED, None),
    ]
    assert (found.total.n, found.untold) == (72, 3)
    assert found.total.value == pytest.approx(100 * 60 / 72)


def test_bands_are_proposed_and_bad_edges_are_told(client: FlaskClient, journey: None) -> None:
    keep(("2026-11-16", 10))
    sign_in_as(client, "analyst")
    page = client.get("/admin/indicators/wait?property=delay_minutes").text
    assert 'value="0, 12"' in page
    assert "3 other answers did not tell it" in page
    assert (
        "Edges are numbers between commas" in client.get("/admin/indicators/wait?property=delay_minutes&bands=x").text
    )
    assert "carries a number called" in client.get("/admin/indicators/wait?property=moon%22").text


def test_values_come_in_as_csv_and_each_bad_line_is_named(
    client: FlaskClient, session: Database, journey: None
) -> None:
    token = sign_in_as(client, "editor")
    made = client.post("/admin/indicators/", data={"key": "wait", "csrf_token": token})
    assert (made.status_code, made.location) == (303, "/admin/indicators/wait")
    lines = f"day,step,value\n2026-11-16,{STEP},10\n2026-11-17,{STEP},=1+1\n"
    found = client.post("/admin/indicators/wait/values", data={"lines": lines, "csrf_token": token})
    assert found.status_code == 422
    assert "1 kept, 0 taken away, 1 refused." in found.text
    assert "Line 3: value: must be a number or null, not a text" in found.text
    file = {"file": (io.BytesIO(lines.replace("=1+1", "12").encode("utf-8-sig")), "wait.csv"), "csrf_token": token}
    assert client.post("/admin/indicators/wait/values", data=file).status_code == 303
    assert session.scalars(select(IndicatorValue.value).order_by(IndicatorValue.day)).all() == [10, 12]
    many = f"day,step,value\n{f'2026-11-17,{STEP},x{chr(10)}' * 23}"
    for data, sentence in (
        ({"lines": " "}, "Choose a CSV file, or paste its lines."),
        ({"lines": "a,b\n1,2"}, "The first line must name the columns day and value"),
        ({"file": (io.BytesIO(b"\xff\xfe"), "x.csv")}, "The file is not UTF-8 text; save it as CSV UTF-8."),
        ({"lines": many}, "… and 3 more lines."),
    ):
        bad: dict[str, Any] = {**data, "csrf_token": token}
        refused = client.post("/admin/indicators/wait/values", data=bad)
        assert (refused.status_code, sentence in refused.text) == (422, True), refused.text
    part = '--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'  # the client would leave a file open
    body = part % ("csrf_token", "", token) + part % ("file", '; filename="x.csv"', "x" * 2_000_001) + "--b--\r\n"
    large = client.post("/admin/indicators/wait/values", data=body, content_type="multipart/form-data; boundary=b")
    assert (large.status_code, "The file has more than 2 MB; send it in parts." in large.text) == (422, True)
    assert client.post("/admin/indicators/", data={"key": "=1", "csrf_token": token}).status_code == 422


def test_a_meaning_is_saved_or_refused_at_its_field(client: FlaskClient, session: Database, journey: None) -> None:
    keep(("2026-11-16", 10))
    token = sign_in_as(client, "editor")
    told = {"name": "Wait", "kind": "consequence", "unit": "min", "total": "sum", "better": "lower", "property": "p"}
    assert client.post("/admin/indicators/wait", data=told | {"csrf_token": token}).status_code == 303
    row = session.scalars(select(Indicator)).one()
    assert (row.name, row.kind, row.unit, row.total, row.better, row.property) == tuple(told.values())
    refused = client.post("/admin/indicators/wait", data=told | {"name": "", "csrf_token": token})
    assert (refused.status_code, "Name: one line of at most 200 characters." in refused.text) == (422, True)
    assert client.post("/admin/indicators/wait", data=told | {"kind": "mood", "csrf_token": token}).status_code == 400
    assert client.get("/admin/indicators/moon").status_code == 404


def test_without_values_or_answers_the_page_says_so(client: FlaskClient, session: Database) -> None:
    make_brand()
    sign_in_as(client, "admin")
    assert "No indicator yet" in client.get("/admin/indicators/").text
    indicators.keep_values("churn", [{"day": (NOW - timedelta(days=400)).date().isoformat(), "value": 0}])
    page = client.get("/admin/indicators/churn").text
    assert "No value in these 91 days" in page
    assert "Nothing in these days" in page


def test_days_without_a_value_are_gaps_and_a_zero_is_a_value(session: Database) -> None:
    keep(("2026-11-01", 0), ("2026-11-03", 4), step=None)
    scope = queries.Scope(first=date(2026, 11, 1), last=date(2026, 11, 3))
    days = queries.series(session, "wait", queries.Total.SUM, scope, weekly=False)
    assert [(p.name, p.value, p.n) for p in days] == [
        ("2026-11-01", 0, 1),
        ("2026-11-02", None, 0),
        ("2026-11-03", 4, 1),
    ]
