"""From event to comment, and what goes with relational NPS: counts equal their lists, words claim little."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Customer
from tests.builders import make_brand, make_invitation, make_response, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import read, rows_of, words
from tests.web.admin.living import NOW, counted_statements, live


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    return client


def test_the_funnel_counts_what_its_lists_count(reader: FlaskClient) -> None:
    live()
    rows = rows_of(reader, "/admin/metrics/csat5/funnel?csv=funnel")
    counts = {row["stage"]: int(row["count"]) for row in rows}
    assert (counts["Asked"], counts["Confirmed"], counts["Commented"]) == (1, 1, 1)
    page = read(reader, "/admin/metrics/csat5/funnel")
    text = words(page)
    assert "Response rate 100 %" in text.replace("\u202f", " ")
    links = re.findall(r'<b><a href="([^"]*)">(\d+)</a></b>', page)
    assert len(links) >= 3
    for url, count in links:
        one = "asked" if "asked" in url and "decisions" in url else "decision" if "decisions" in url else "answer"
        assert f"{count} {one}" in words(read(reader, unescape(url))), url
    chips = re.findall(r'<a class="chip" href="([^"]*)" data-reason="([^"]*)".*?<b>(\d+)</b>', page, re.S)
    assert {code for _, code, _ in chips} == {"gap", "no_address"}
    for url, code, count in chips:
        listed = read(reader, unescape(url))
        assert f'data-reason="{code}" aria-current="true"' in listed
        assert listed.count("data-row ") == int(count)


def test_the_figure_is_followed_by_its_reach(reader: FlaskClient) -> None:
    live()
    page = read(reader, "/admin/metrics/csat5")
    (address,) = re.findall(r'hx-get="([^"]*/reach[^"]*)"', page)
    part = read(reader, unescape(address))
    assert "Covers" in words(part)
    assert "Asked too recently 1" in words(part)
    assert "<html" not in part
    read(reader, f"{unescape(address)}?days=30", 422)


def test_the_figure_is_weighted_for_who_answers_and_says_what_that_changes(reader: FlaskClient) -> None:
    make_brand()
    version, step = make_survey(), make_step("check_in")
    for channel, score, asked in (("email", 5, 33), ("sms", 1, 66)):
        for number in range(asked):
            invitation = make_invitation(version, step=step, channel=channel)
            if invitation.decision:
                invitation.decision.channel = channel
            if number < 33:
                make_response(version, score, invitation_id=invitation.id, channel=channel)
            else:
                make_response(version, None, invitation_id=invitation.id, channel=channel)
    db.session.commit()
    part = words(read(reader, "/admin/metrics/csat5/reach"))
    assert "For non-response 33 % 23–44 · worth 59 answers" in part
    assert "By response rate: 2 groups (channel × step). The 66 answers to an ask give 50.0 unweighted;" in part
    assert "it is lower since groups that answer seldom have lower scores." in part
    assert "For non-response" not in words(read(reader, "/admin/metrics/csat5/reach?language=en"))
    one = words(read(reader, "/admin/metrics/csat5/reach?channel=email"))
    assert "the same as the 33 answers unweighted, since no two groups (channel × step) have 30 each" in one


def test_the_funnel_says_which_filters_it_leaves_aside_and_when_a_rate_is_none(reader: FlaskClient) -> None:
    live()
    text = words(read(reader, "/admin/metrics/csat5/funnel?language=en&channel=web"))
    assert "Left aside here, since an event that was not asked has none: language." in text
    empty = words(read(reader, "/admin/metrics/nps/funnel"))
    assert "no event reached a trigger of this metric" in empty
    assert "0 %" not in empty


SATISFIED, DISSATISFIED = {3: 20, 8: 70, 9: 110}, {3: 25, 8: 15, 9: 10}


def linked() -> None:
    """The published example of a step's impact: 250 people who answered a step and, later, the relational question."""
    make_brand()
    make_step("check_in")
    csat, nps = make_survey(), make_survey("relational_nps", "nps")
    number = 0
    for step_score, histogram in ((5, SATISFIED), (2, DISSATISFIED)):
        for score, count in histogram.items():
            for _ in range(count):
                number += 1
                who = Customer(external_id=f"p-{number}", consent={}, attributes={}, created_at=NOW)
                db.session.add(who)
                db.session.flush()
                _answered(csat, step_score, who, 40)
                _answered(nps, score, who, 5, journey=None, step=None)
                if number % 10 == 0:
                    _answered(csat, 1, who, 60)
                    _answered(csat, 1, who, 200)
    db.session.commit()


def _answered(version: object, score: int, who: Customer, days_ago: int, **overrides: object) -> None:
    at = NOW - timedelta(days=days_ago)
    when = {"answered_at": at, "event_at": at, "updated_at": at, "reporting_day": at.date(), "customer_id": who.id}
    make_response(version, score, **(when | overrides))  # type: ignore[arg-type]


def test_a_steps_impact_is_the_published_one_and_is_called_an_association(reader: FlaskClient) -> None:
    linked()
    with counted_statements() as statements:
        page = read(reader, "/admin/metrics/nps/drivers")
    assert len(statements) <= 15
    (row,) = rows_of(reader, "/admin/metrics/nps/drivers?csv=drivers")
    assert (row["step"], row["people"], row["not satisfied"], row["gap in NPS"]) == ("Check-in", "250", "20.0", "75.0")
    assert float(row["impact"]) == pytest.approx(15.0)
    low, high = (float(part) for part in row["interval"].split(" to "))
    assert (low, high) == (pytest.approx(8.99886, abs=1e-3), pytest.approx(21.00114, abs=1e-3))
    text = words(page).lower()
    assert "associated with, never the cause" in text
    assert "causes the" not in text
    assert "caused" not in text


def test_few_people_on_one_side_hide_the_impact_and_other_metrics_have_no_drivers(reader: FlaskClient) -> None:
    make_brand()
    csat, nps = make_survey(), make_survey("relational_nps", "nps")
    for number in range(34):
        who = Customer(external_id=f"q-{number}", consent={}, attributes={}, created_at=NOW)
        db.session.add(who)
        db.session.flush()
        _answered(csat, 5 if number < 30 else 1, who, 40)
        _answered(nps, 9, who, 5, journey=None, step=None)
    db.session.commit()
    (row,) = rows_of(reader, "/admin/metrics/nps/drivers?csv=drivers")
    assert (row["people"], row["impact"], row["not satisfied"]) == ("34", "", "")
    assert "hidden" in words(read(reader, "/admin/metrics/nps/drivers"))
    assert "are read of NPS only" in read(reader, "/admin/metrics/csat5/drivers", 422)
    assert "/csat5/drivers" not in read(reader, "/admin/metrics/csat5")
