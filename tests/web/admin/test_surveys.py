"""The pages about surveys: what they say, who may change what, and that nothing goes live by itself."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import (
    AuditEntry,
    Customer,
    Invitation,
    LedgerEntry,
    MetricCell,
    Response,
    SurveyVersion,
    TestAnswer,
)
from surveyapp.services import surveys
from tests import outreach
from tests.services.test_surveys import KEY, WENT_WRONG, asking, exported, versions
from tests.web.admin.living import NOW, counted_statements, live
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import Console

COUNTED_MODELS = (Response, MetricCell, Invitation, Customer, LedgerEntry)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def editor(app: OpenAPI, client: FlaskClient) -> Console:
    live()
    return Console(client, "editor")


def test_the_list_says_what_is_asked_by_what_and_how_it_stands(editor: Console) -> None:
    surveys.new_survey("spare", {"metric": "nps"}, "lena")
    surveys.save_draft(KEY, lambda d: {**d, "closes": "2026-11-23", "public": "desk"}, "lena")
    surveys.publish(KEY, "lena")
    with counted_statements() as statements:
        page = editor.read("/admin/surveys/")
    assert len(statements) <= 12, "\n".join(statements)
    text = words(page)
    assert "4 surveys, 1 answer in 28 days." in text
    assert "Check-incheck_in_csat" in text
    assert "Check-in, /l/desk" in text
    for state in ("closed", "live", "never published"):
        assert state in text
    assert 'aria-current="page"' in page
    assert "/admin/responses/?survey=check_in_csat" in page


def test_a_survey_s_page_shows_its_question_its_draft_and_its_versions(editor: Console) -> None:
    surveys.save_draft(KEY, asking("comment", WENT_WRONG), "lena")
    page = editor.read(f"/admin/surveys/{KEY}")
    [figures] = re.findall(r'href="(/admin/metrics/[^"]*)"[^>]*><svg', page.split("</nav>", 1)[1])[:1]
    editor.read(figures.replace("&amp;", "&"))
    text = words(page)
    assert "Version 1 is live since" in text
    assert "Overall, how satisfied were you with check-in?" in text
    assert "What is the main reason for your score?" in text
    assert "Draft of version 2" in text
    assert "Question “What went wrong?” not asked → asked only after a score of 1 to 3" in text
    changed = words(editor.read(f"/admin/surveys/{KEY}/changes"))
    assert "1 difference from version 1 to the draft." in changed
    answer = editor.post(f"/admin/surveys/{KEY}/publish", revision="2")
    assert (answer.status_code, answer.location) == (303, f"/admin/surveys/{KEY}")
    text = words(editor.read(f"/admin/surveys/{KEY}"))
    assert "Version 2 is live." in text
    assert "choose any: Slow · Rude" in text
    assert "only after a score of 1 to 3" in text
    assert "1 answer · what changed" not in text
    assert "1 difference from version 1 to version 2." in words(editor.read(f"/admin/surveys/{KEY}/changes?to=2"))


def test_a_new_metric_says_which_series_begins_anew(editor: Console) -> None:
    surveys.save_draft(KEY, lambda d: {**d, "metric": "csat7"}, "lena")
    text = words(editor.read(f"/admin/surveys/{KEY}"))
    assert "Metric csat5 → csat7 Begins a new series: the rating: figures before and after are two series." in text


def test_a_copy_is_a_draft_and_an_archived_survey_comes_back(editor: Console) -> None:
    answer = editor.post(f"/admin/surveys/{KEY}/copy")
    assert answer.location == "/admin/surveys/check_in_csat_copy"
    text = words(editor.read(answer.location))
    assert "A draft that was never published. It asks nobody." in text
    assert editor.post("/admin/surveys/check_in_csat_copy/discard").location == "/admin/surveys/"
    editor.read("/admin/surveys/check_in_csat_copy", 404)
    asked = words(editor.read(f"/admin/surveys/{KEY}/archive"))
    assert "The trigger after_check_in: Check-in is no longer asked about." in asked
    editor.post(f"/admin/surveys/{KEY}/archive")
    text = words(editor.read(f"/admin/surveys/{KEY}"))
    assert "Archived check_in_csat with after_check_in." in text
    assert "1 answer stay" in text
    assert "1 archived survey" in words(editor.read("/admin/surveys/"))
    editor.post(f"/admin/surveys/{KEY}/restore")
    assert exported() is not None


def test_what_is_not_there_is_said_and_what_is_foreign_is_text(editor: Console) -> None:
    for address in ("nope", "nope/changes", f"{KEY}/changes?from=9", f"{KEY}/changes?to=draft", "%00", "x" * 300):
        editor.read(f"/admin/surveys/{address}", 404)
    for act in ("copy", "archive", "restore", "publish"):
        assert editor.post(f"/admin/surveys/nope/{act}").status_code == 404
    surveys.save_draft(KEY, lambda d: {**d, "about": {"en": HOSTILE}, "metric": [], "quota": {"a": 1}}, "lena")
    page = editor.read(f"/admin/surveys/{KEY}")
    assert HOSTILE not in page
    assert editor.post(f"/admin/surveys/{KEY}/publish", revision="2").status_code == 303
    assert "Not published." in words(editor.read(f"/admin/surveys/{KEY}"))
    assert [number for number, _ in versions()] == [1]


def test_who_may_not_change_may_read(app: OpenAPI, client: FlaskClient) -> None:
    live()
    reader = Console(client, "analyst")
    surveys.save_draft(KEY, asking(), "lena")
    page = reader.read(f"/admin/surveys/{KEY}")
    assert "Publish version" not in page
    for act in ("copy", "archive", "restore", "publish", "discard"):
        assert reader.post(f"/admin/surveys/{KEY}/{act}").status_code == 403
    assert db.session.scalar(select(func.count()).select_from(SurveyVersion)) == 3


def test_there_is_an_empty_page(app: OpenAPI, client: FlaskClient) -> None:
    with clock.at(NOW - timedelta(minutes=1)):
        console = Console(client, "editor")
    assert "No survey yet" in words(console.read("/admin/surveys/"))


def test_one_click_makes_a_survey_that_can_be_published(editor: Console) -> None:
    page = words(editor.read("/admin/surveys/-/new"))
    assert "A problem solved" in page
    assert "To what extent do you agree" in page
    answer = editor.post("/admin/surveys/-/new", template="support_ces")
    assert answer.location == "/admin/surveys/support_ces/design"
    assert "Nobody is asked until it is published." in words(editor.read(answer.location))
    assert editor.post("/admin/surveys/support_ces/publish", revision="1").status_code == 303
    assert exported("support_ces")["metric"] == "ces2"
    assert editor.post("/admin/surveys/-/new", template="support_ces").location == "/admin/surveys/support_ces_2/design"
    refused = editor.post("/admin/surveys/-/new", template="support_ces", key="no spaces please")
    assert refused.status_code == 422
    assert "key has letters a-z" in refused.text
    assert editor.post("/admin/surveys/-/new", template="nothing").status_code == 404


def test_a_trial_is_kept_apart_from_everything_that_counts_and_cleared_by_one_click(editor: Console) -> None:
    before = [db.session.scalar(select(func.count()).select_from(m)) for m in COUNTED_MODELS]
    answer = editor.post(f"/admin/surveys/{KEY}/test")
    assert answer.status_code == 303
    link = answer.location
    with clock.at(NOW):
        assert "check-in" in editor.client.get(link).text
        further = editor.client.post(link, data={"score": "2"})
        assert further.status_code == 303
        assert "page.saved" not in editor.client.get(further.location).text
        done = editor.client.post(further.location, data={"comment": "Only a trial"})
        assert "Thank you" in editor.client.get(done.location).text
        assert editor.client.post(link, data={"score": "99"}).status_code == 422
        again = editor.client.post(link, data={"score": "5"})
        assert again.status_code == 303
    text = words(editor.read(f"/admin/surveys/{KEY}"))
    assert "5 test Only a trial" in text
    assert "1 answer in all" in text
    assert [db.session.scalar(select(func.count()).select_from(m)) for m in COUNTED_MODELS] == before
    with clock.at(NOW + timedelta(hours=25)):
        assert editor.client.get(link).status_code == 410
        assert editor.client.post(link, data={"score": "1"}).status_code == 410
    editor.post(f"/admin/surveys/{KEY}/clear-tests")
    assert "1 test answer cleared." in words(editor.read(f"/admin/surveys/{KEY}"))
    assert db.session.scalar(select(func.count()).select_from(TestAnswer)) == 0
    assert editor.post("/admin/surveys/nope/test").status_code == 404


ABOARD = {"key": "seat", "kind": "text", "ask": {"en": "Was the seat wide?"}, "when": {"context.class": "business"}}


def test_a_draft_is_tried_as_a_customer_would_and_its_trials_go_with_it(editor: Console) -> None:
    assert editor.post(f"/admin/surveys/{KEY}/test", draft="1").status_code == 404
    counted = [db.session.scalar(select(func.count()).select_from(m)) for m in COUNTED_MODELS]
    surveys.save_draft(KEY, lambda d: {**d, "follow_up": [ABOARD, {"key": "x", "kind": "one"}]}, "lena")
    refused = editor.post(f"/admin/surveys/{KEY}/test", draft="1")
    assert refused.location == f"/admin/surveys/{KEY}/design"
    assert "the draft cannot be asked yet." in words(editor.read(f"/admin/surveys/{KEY}"))
    surveys.save_draft(KEY, lambda d: {**d, "about": {"en": "the draft"}, "follow_up": [ABOARD]}, "lena")
    link = editor.post(f"/admin/surveys/{KEY}/test", draft="1").location
    with clock.at(NOW):
        assert "the draft" in editor.client.get(link).text
        further = editor.client.post(link, data={"score": "2"}).location
        assert "Was the seat wide?" in editor.client.get(further).text, "asked as if the context met its condition"
        done = editor.client.post(further, data={"seat": "<b>No</b>"}).location
        assert "Thank you" in editor.client.get(done).text
        surveys.save_draft(KEY, lambda d: {**d, "metric": "nonsense"}, "lena")
        assert editor.client.get(link).status_code == 404, "a draft that cannot be asked any more"
        surveys.undo(KEY, "lena")
    assert "2 test draft," in words(editor.read(f"/admin/surveys/{KEY}"))
    assert [db.session.scalar(select(func.count()).select_from(m)) for m in COUNTED_MODELS] == counted
    surveys.publish(KEY, "lena")
    assert db.session.scalar(select(func.count()).select_from(TestAnswer)) == 0
    with clock.at(NOW):
        assert editor.client.get(link).status_code == 404
        assert editor.client.post(link, data={"score": "1"}).status_code in (404, 410)


def test_a_public_link_has_its_codes_and_nothing_else_does(editor: Console) -> None:
    editor.read(f"/admin/surveys/{KEY}/qr.svg", 404)
    surveys.save_draft(KEY, lambda d: {**d, "public": "desk"}, "lena")
    surveys.publish(KEY, "lena")
    page = editor.read(f"/admin/surveys/{KEY}")
    assert "/l/desk" in page
    assert "&lt;survey-widget journey=&#34;flight&#34;" in page or '&lt;survey-widget journey="flight"' in page
    with clock.at(NOW):
        svg, png = (editor.client.get(f"/admin/surveys/{KEY}/qr.{kind}?download=1") for kind in ("svg", "png"))
    assert svg.text.startswith("<?xml")
    assert png.data.startswith(b"\x89PNG")
    assert svg.headers["Content-Disposition"] == f'attachment; filename="{KEY}-qr.svg"'
    editor.read(f"/admin/surveys/{KEY}/qr.gif", 404)


def test_one_customer_s_link_is_shown_only_where_they_were_asked(editor: Console) -> None:
    found = editor.post(f"/admin/surveys/{KEY}/person", customer="c-1").text
    address = re.search(r'id="person-link">http://[^/]+(/s/[^<]+)<', found)
    assert address
    with clock.at(NOW):
        assert editor.client.get(address[1]).location == f"{address[1]}/done", "it was answered already"
    assert "Nobody with this id was asked this yet." in editor.post(f"/admin/surveys/{KEY}/person", customer="c-2").text
    told = select(AuditEntry.detail).where(AuditEntry.action == "survey.link_shown").order_by(AuditEntry.id)
    assert list(db.session.scalars(told)) == [{"customer": "c-1", "found": True}, {"customer": "c-2", "found": False}]


def test_a_survey_closes_calmly_when_its_quota_is_reached_and_opens_when_it_is_raised(editor: Console) -> None:
    surveys.save_draft("boarding_csat", lambda d: {**d, "public": "gate", "quota": 1}, "lena")
    surveys.publish("boarding_csat", "lena")
    with clock.at(NOW):
        links = [editor.client.get("/l/gate").location for _ in range(2)]
        first = editor.client.post(links[0], data={"score": "5"})
        assert first.status_code == 303
        kept = editor.client.post(first.location, data={"comment": "and a word"})
        assert kept.status_code == 303, "who has answered may go on"
        late = editor.client.get(links[1])
        assert late.status_code == 410
        assert "There is nothing left for you to do." in late.text
        assert editor.client.post(links[1], data={"score": "4"}).status_code == 410
        outreach.happens("e-9", "c-9", "boarding", NOW)
        outreach.send()
    assert outreach.outcomes()["e-9"] == ("refused", "survey_closed")
    assert "quota reached" in words(editor.read("/admin/surveys/"))
    surveys.save_draft("boarding_csat", lambda d: {**d, "quota": 2}, "lena")
    surveys.publish("boarding_csat", "lena")
    with clock.at(NOW):
        assert editor.client.post(links[1], data={"score": "4"}).status_code == 303
        assert editor.client.get(editor.client.get("/l/gate").location).status_code == 410


def test_a_question_in_its_kind_s_standard_words_is_shown_with_them(editor: Console) -> None:
    surveys.save_draft(KEY, asking({"key": "feeling", "kind": "emotion"}, "comment"), "lena")
    assert "How did that leave you feeling?" in editor.read(f"/admin/surveys/{KEY}/design")
    assert "“How did that leave you feeling?”" in editor.read("/admin/surveys/-/new")
