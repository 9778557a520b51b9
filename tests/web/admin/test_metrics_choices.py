"""What was chosen at further questions: shares with their intervals, gaps of reasons, hidden where few answered."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from surveyapp import clock
from tests.builders import make_brand, make_reporting_attribute, make_step, make_survey
from tests.people import make_user, sign_in_as
from tests.web.admin.answered import answer, read, rows_of, words
from tests.web.admin.living import NOW

PAGE = "/admin/metrics/csat5/choices"
REASONS: list[Any] = [
    {
        "key": "reasons",
        "kind": "reasons",
        "ask": {"en": "What went wrong?"},
        "options": [
            {"key": "wait", "label": {"en": "Long wait"}, "gap": "delivery"},
            {"key": "rude", "label": {"en": "Unfriendly"}, "gap": "delivery"},
            {"key": "unsolved", "label": {"en": "Not solved"}, "gap": "knowledge"},
        ],
    },
    {
        "key": "source",
        "kind": "one",
        "ask": {"en": "What shaped what you expected?"},
        "options": [{"key": "past", "label": {"en": "My past"}}, {"key": "heard", "label": {"en": "What I heard"}}],
    },
]


@pytest.fixture
def reader(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst"))
    make_brand()
    make_step("check_in", position=1)
    make_step("boarding", name={"en": "Boarding"}, position=2)
    make_reporting_attribute("class", 1)
    return client


def test_reasons_and_their_gaps_have_a_share_of_those_who_named_any(reader: FlaskClient) -> None:
    version = make_survey(follow_up=REASONS)
    answer(version, {1: 20}, answers={"reasons": ["wait", "rude"]})
    answer(version, {2: 15}, answers={"reasons": ["wait"]})
    answer(version, {4: 15}, answers={"reasons": ["unsolved", "gone_since"]})
    answer(version, {5: 90})
    answer(version, {1: 40}, answers={"reasons": ["rude"]}, status="suspected_bot")
    rows = {r["choice"]: r for r in rows_of(reader, f"{PAGE}?csv=choices")}
    assert {name: (r["percent"], r["chose"], r["answered"]) for name, r in rows.items()} == {
        "Knowledge gap": ("30.0", "15", "50"),
        "Delivery gap": ("70.0", "35", "50"),
        "Long wait": ("70.0", "35", "50"),
        "Unfriendly": ("40.0", "20", "50"),
        "Not solved": ("30.0", "15", "50"),
        "Something else": ("0.0", "0", "50"),
    }
    assert (rows["Delivery gap"]["low"], rows["Delivery gap"]["high"]) == ("56.2496", "80.8964")
    text = words(read(reader, PAGE))
    assert "Delivery gap most often, by 70 % (56–81) of 50 answers." in text
    assert "Unfriendly 40 % 28–54 · 20 of 50 0 %" in text
    assert "chose only what no version" not in text


def test_every_count_leads_to_its_answers(reader: FlaskClient) -> None:
    version = make_survey(follow_up=REASONS)
    answer(version, {1: 20}, answers={"reasons": ["wait", "rude"], "source": "past"})
    answer(version, {2: 15}, answers={"reasons": ["wait"], "source": "heard"})
    for question in ("reasons", "source"):
        page = read(reader, f"{PAGE}?question={question}")
        links = re.findall(r'· <a href="([^"]+)">(\d+)</a> of', page)
        assert [n for _, n in links] == {"reasons": ["35", "20"], "source": ["20", "15"]}[question]
        for link, n in links:
            assert f"{n} answers from" in words(read(reader, html.unescape(link)))


def test_a_cross_table_has_a_share_in_each_group_and_hides_the_small_ones(reader: FlaskClient) -> None:
    version = make_survey(follow_up=REASONS)
    for name, score, source, n in (
        ("Eco", 5, "past", 30), ("Eco", 2, "heard", 10), ("Plus", 4, "heard", 12), ("Business", 1, "past", 4),
    ):  # fmt: skip
        answer(version, {score: n}, context={"class": name}, answers={"source": source})
    rows = rows_of(reader, f"{PAGE}?question=source&over=context.class&csv=choices")
    assert {(r["choice"], r["class"]): (r["percent"], r["chose"]) for r in rows} == {
        ("My past", "Business"): ("", ""), ("My past", "Eco"): ("75.0", "30"), ("My past", "Plus"): ("", ""),
        ("My past", "All"): ("60.7143", "34"), ("What I heard", "Business"): ("", ""),
        ("What I heard", "Eco"): ("25.0", "10"), ("What I heard", "Plus"): ("", ""),
        ("What I heard", "All"): ("39.2857", "22"),
    }  # fmt: skip
    by_score = rows_of(reader, f"{PAGE}?question=source&over=score&csv=choices")
    assert {(r["choice"], r["score"]): r["chose"] for r in by_score if r["score"] != "All"} == {
        ("My past", "unfavourable score"): "4", ("My past", "favourable score"): "30",
        ("What I heard", "unfavourable score"): "10", ("What I heard", "favourable score"): "12",
    }  # fmt: skip
    assert "n 40" in words(read(reader, f"{PAGE}?question=source&over=context.class"))
    by_step = read(reader, f"{PAGE}?question=source&over=step")
    assert "Check-in" in words(by_step)


def test_figures_of_options_do_not_give_the_few_away(reader: FlaskClient) -> None:
    version = make_survey(follow_up=REASONS)
    answer(version, {5: 31}, answers={"source": "past"})
    answer(version, {1: 3}, answers={"source": "heard"})
    text = words(read(reader, f"{PAGE}?question=source"))
    assert "My past 91 % 77–97 · 31 of 34 hidden hidden so that no other shows" in text
    assert "What I heard 9 % 3–23 · 3 of 34 hidden 3 answers; shown from 5" in text


def test_what_cannot_be_shown_is_said(reader: FlaskClient) -> None:
    assert "No question with options" in words(read(reader, PAGE))
    version = make_survey(follow_up=REASONS)
    assert "Nobody answered this question" in words(read(reader, PAGE))
    answer(version, {5: 4}, answers={"source": "past"})
    answer(version, {5: 6}, answers={"reasons": ["gone_since"]})
    unoffered = words(read(reader, f"{PAGE}?question=reasons"))
    assert "none of these options was chosen." in unoffered
    assert "6 answers chose only what no version of a survey offers." in unoffered
    hidden = words(read(reader, f"{PAGE}?question=source"))
    assert "hidden, 4 answers; shown from 5." in hidden
    assert "100 %" not in hidden
    assert "no further question with options; there is reasons, source" in words(
        read(reader, f"{PAGE}?question=x", 422)
    )
    assert "nothing to group by" in words(read(reader, f"{PAGE}?over=colour", 422))
