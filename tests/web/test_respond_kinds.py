"""Every kind of further question over the pages: shown, answered, refused in words, changed, continued elsewhere."""

import gzip
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.domain.tokens import mint
from surveyapp.models import Response, ResponseChange
from tests.builders import make_brand, make_invitation, make_step, make_survey
from tests.cells import ANSWERS
from tests.questions import DATE, EMOTION, EVERY_KIND, LONG, NUMBER, REASONS, THANKS

KEYS = ["a-secret-for-tests-only"]


def link(invitation, purpose="answer", path="s"):
    return f"/{path}/{mint(purpose, invitation.uid, KEYS)}"


@pytest.fixture
def asked(app):
    """An invitation to a survey with these further questions."""
    make_brand(languages=["en", "fr", "ar"])
    step = make_step()

    def ask(follow_up, metric="nps", properties=None, **definition):
        version = make_survey(f"s_{metric}", metric, follow_up=follow_up, **definition)
        soon = clock.now() + timedelta(days=14)
        return make_invitation(version, step=step, open_until=soon, properties=properties or {})

    return ask


def said(session):
    session.expire_all()
    row = session.scalar(select(Response))
    return row and (row.score, row.comment, row.answers)


def test_every_kind_is_shown_by_its_own_fields_and_its_answer_kept(client, asked, session):
    invitation = asked(EVERY_KIND, properties={"delay_minutes": 45})
    client.post(link(invitation), data={"score": "3"})
    page = client.get(link(invitation) + "/2").text
    assert "<h1>What went wrong?</h1>" in page
    assert page.count('type="radio" name="felt"') == 5
    assert re.findall(r'name="felt" value="(\w+)"', page)[0] == "very_happy"
    assert page.count('<svg viewBox="0 0 32 32" aria-hidden="true">') == 5
    assert 'inputmode="numeric" id="bags"' in page
    assert 'type="date" id="since" name="since" value="" min="2026-01-01"' in page
    assert "A number from 0 to 20" in page
    assert "Yes, you may call me about this" in page
    assert 'name="call" value="yes" checked' not in page
    sent = client.post(
        link(invitation) + "/2",
        data={
            "score": "3", "reason": ["long_wait", "other"], "channel": "desk", "used": "wifi", "felt": "unhappy",
            "bags": "٣", "since": "2026-10-01", "seat": "12A", "comment": "Slow", "call": "yes",
        },
    )  # fmt: skip
    assert sent.location == link(invitation) + "/3"
    assert "What did you do while you waited?" in client.get(sent.location).text
    assert client.post(sent.location, data={"wait": "Read"}).location == link(invitation) + "/done"
    assert said(session) == (
        3,
        "Slow",
        {
            "reason": ["long_wait", "other"], "channel": "desk", "used": ["wifi"], "felt": "unhappy", "bags": 3,
            "since": "2026-10-01", "seat": "12A", "call": "yes", "call_text": "standard/consent/1 en", "wait": "Read",
        },
    )  # fmt: skip


def test_the_title_promises_one_question_only_where_one_is_asked(client, asked):
    several, alone = asked(EVERY_KIND), asked("comment", "csat5")
    assert "<title>A few questions from Oddjob Airways</title>" in client.get(link(several)).text
    assert "<title>بضعة أسئلة من Oddjob Airways</title>" in client.get(link(several) + "?lang=ar").text
    assert "<title>One question from Oddjob Airways</title>" in client.get(link(alone)).text


def test_the_score_chooses_the_wording_and_who_may_be_called(client, asked):
    invitation = asked(EVERY_KIND)
    for score, words in ((10, "What went especially well?"), (7, "What is the main reason"), (2, "What went wrong?")):
        client.post(link(invitation), data={"score": str(score)})
        page = client.get(link(invitation) + "/2").text
        assert words in page
        assert ("you may call me" in page) is (score == 2)


def test_a_question_about_the_context_is_asked_only_where_the_event_says_so(client, asked):
    for delay, ends in ((45, "/3"), (10, "/done")):
        invitation = asked(EVERY_KIND, properties={"delay_minutes": delay})
        client.post(link(invitation), data={"score": "3"})
        sent = client.post(link(invitation) + "/2", data={"reason": "long_wait"})
        assert sent.location == link(invitation) + ends


def test_a_score_changed_beside_the_questions_brings_up_what_it_now_asks(client, asked):
    invitation = asked(EVERY_KIND)
    client.post(link(invitation), data={"score": "9"})
    again = client.post(link(invitation) + "/2", data={"score": "3", "seat": "12A"})
    assert again.location == link(invitation) + "/2"
    assert "you may call me" in client.get(again.location).text
    assert client.post(link(invitation) + "/2", data={"score": "3"}).location == link(invitation) + "/done"
    client.post(link(invitation), data={"score": "9"})
    skipped = client.post(link(invitation) + "/2", data={"score": "3", "skip": "1"})
    assert skipped.location == link(invitation) + "/done"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("reason", "<script>", "Error: choose one of the answers."),
        ("channel", ["app", "desk"], "Error: choose one of the answers."),
        ("felt", "ecstatic", "Error: choose one of the answers."),
        ("bags", "21", "Error: write a whole number from 0 to 20."),
        ("bags", "1.5", "Error: write a whole number from 0 to 20."),
        ("bags", "9" * 40_000, "Error: write a whole number from 0 to 20."),
        ("since", "2025-12-31", "Error: choose a day from 1 January 2026 to 31 December 2199."),
        ("since", "2026-02-30", "Error: choose a day from 1 January 2026 to 31 December 2199."),
        ("seat", "x" * 501, "Error: this answer is 1 characters too long."),
        ("call", "maybe", "Error: choose one of the answers."),
    ],
)
def test_what_does_not_fit_is_said_beside_its_question_and_everything_else_stays_on_the_page(
    client, asked, session, field, value, words
):
    invitation = asked(EVERY_KIND)
    client.post(link(invitation), data={"score": "3"})
    page = client.post(link(invitation) + "/2", data={"score": "4", "comment": "Kept", field: value})
    assert page.status_code == 422
    assert f'id="e-{field}">{words}</p>' in page.text
    assert f"<title>{words} – " in page.text
    assert "Kept</textarea>" in page.text
    assert '<input type="radio" name="score" value="4" checked>' in page.text
    assert len(page.data) < 40_000
    assert said(session) == (3, None, {})


def test_a_choice_taken_back_is_taken_back_and_a_page_that_never_showed_it_takes_nothing(client, asked, session):
    invitation = asked([REASONS, "comment"])
    client.post(link(invitation), data={"score": "3"})
    client.post(link(invitation) + "/2", data={"reason": "long_wait", "comment": "Slow"})
    page = client.get(link(invitation) + "/2").text
    assert '<input type="hidden" name="was" value="reason">' in page
    assert 'value="long_wait" checked' in page
    assert "Slow" not in page  # words are never shown again: a link can be forwarded
    client.post(link(invitation) + "/2", data={"comment": ""})
    assert said(session) == (3, "Slow", {"reason": ["long_wait"]})
    client.post(link(invitation) + "/2", data={"comment": "", "was": "reason"})
    assert said(session) == (3, "Slow", {})
    assert session.scalar(select(func.count(ResponseChange.id))) == 2


def test_a_second_device_goes_on_where_the_first_stopped(client, asked, session):
    invitation = asked([REASONS, EMOTION, NUMBER, "comment"])
    assert client.get(link(invitation)).status_code == 200
    client.post(link(invitation), data={"score": "8"})
    there = client.get(link(invitation) + "?lang=fr")
    assert (there.status_code, there.location) == (303, link(invitation) + "/2?lang=fr")
    assert (
        client.get(link(invitation) + "?score=2").status_code == 200
    )  # another number in the message is another answer
    client.post(link(invitation) + "/2", data={"reason": "long_wait", "felt": "happy", "bags": "1", "comment": "Fine"})
    assert client.get(link(invitation)).location == link(invitation) + "/done"
    assert session.scalar(select(func.count(Response.id))) == 1


def test_not_applicable_is_an_answer_without_a_score(client, asked, session):
    invitation = asked([LONG, DATE], "pmf")
    page = client.get(link(invitation)).text
    assert re.findall(r'<button name="score" value="(\w+)">(?:<b>)?([^<]+)', page) == [
        ("3", "Very disappointed"),
        ("2", "Somewhat disappointed"),
        ("1", "Not disappointed"),
        ("na", "Not applicable: I don’t use it any more"),
    ]
    tapped = client.post(link(invitation), data={"score": "na"})
    assert tapped.location == link(invitation) + "/2"
    assert "<b>Saved: Not applicable" in client.get(tapped.location).text
    client.post(tapped.location, data={"score": "na", "story": "I moved", "since": "2026-05-01"})
    assert said(session) == (None, None, {"story": "I moved", "since": "2026-05-01"})
    assert "Not applicable" in client.get(link(invitation) + "/done").text
    client.post(link(invitation), data={"score": "3"})
    assert said(session)[0] == 3
    client.post(link(invitation), data={"score": "na"})
    assert said(session)[0] is None
    nps = asked([], "nps")
    assert client.post(link(nps), data={"score": "na"}).status_code == 422


def test_the_thanks_take_an_idea_and_leave_to_get_in_touch(client, asked, session):
    invitation = asked([], thanks={"idea": True, "contact": True})
    client.post(link(invitation), data={"score": "6"})
    page = client.get(link(invitation) + "/done").text
    assert "What is one thing we should change?" in page
    assert 'name="contact" value="yes" aria' in page
    sent = client.post(link(invitation) + "/done", data={"idea": "Later <b>check-in</b>", "contact": "yes"})
    assert sent.location == link(invitation) + "/done?saved=1"
    thanked = client.get(sent.location).text
    assert '<p class="done" role="status">Saved.</p>' in thanked
    assert "Later" not in thanked
    assert said(session) == (
        6,
        None,
        {"idea": "Later <b>check-in</b>", "contact": "yes", "contact_text": "standard/contact/1 en"},
    )
    assert client.post(link(invitation) + "/done", data={"idea": "x" * 2_001}).status_code == 422
    assert client.post(link(invitation) + "/done", data={"contact": "perhaps"}).status_code == 422
    assert said(session)[2]["idea"] == "Later <b>check-in</b>"


def test_the_promoters_path_is_off_by_default_and_shown_to_nobody_before_or_below_a_favourable_score(client, asked):
    plain, full = asked([]), asked([], thanks=THANKS)
    client.post(link(plain), data={"score": "10"})
    assert "<form" not in client.get(link(plain) + "/done").text
    for path in ("", "?score=10"):
        assert "oddjob.example/friends" not in client.get(link(full) + path).text
    for score, shown in ((10, True), (8, False), (2, False)):
        client.post(link(full), data={"score": str(score)})
        page = client.get(link(full) + "/done").text
        assert ('<a href="https://oddjob.example/friends" rel="noopener noreferrer">Tell a friend</a>' in page) is shown
        assert ("What should we never change?" in page) is shown


def test_without_an_answer_there_are_no_thanks_to_answer(client, asked, session):
    invitation = asked([], thanks=THANKS)
    assert client.get(link(invitation) + "/done").status_code == 303
    assert client.post(link(invitation) + "/done", data={"idea": "x"}).status_code == 422
    assert said(session) is None


ODD = ["<script>alert(1)</script>", "{{7*7}}", "\u202eevil\u2066", "😀", "a\x00b", "=1+1"]


@pytest.mark.parametrize("words", ODD)
def test_c35_words_in_any_box_are_kept_as_written_and_shown_as_text(client, asked, session, words):
    invitation = asked([*EVERY_KIND[6:8], LONG], thanks={"idea": True})
    client.post(link(invitation), data={"score": "3"})
    client.post(link(invitation) + "/2", data={"seat": words, "story": words, "comment": words})
    client.post(link(invitation) + "/done", data={"idea": words})
    kept = words.replace("\x00", "")
    assert said(session) == (3, kept, {"seat": kept, "story": kept, "idea": kept})
    for path, field in (("/2", "seat"), ("/2", "story"), ("/done", "idea")):
        page = client.post(link(invitation) + path, data={field: words + "x" * 3_000})
        assert page.status_code == 422
        assert "<script>alert" not in page.text
        assert ">49<" not in page.text
    assert said(session) == (3, kept, {"seat": kept, "story": kept, "idea": kept})


@pytest.mark.parametrize("language", ["en", "ar"])
def test_c36_markup_in_a_surveys_own_texts_is_shown_as_text(client, asked, language):
    evil = {"en": '<img src=x onerror="alert(1)">{b}{{7*7}}'}
    options = [{"key": key, "label": evil} for key in ("a", "b")]
    questions = [
        {"key": "q1", "kind": "one", "ask": evil, "options": options},
        {"key": "q2", "kind": "text", "ask": evil, "ask_for": {"promoter": evil}},
        {"key": "q3", "kind": "consent", "ask": evil},
    ]
    path = {"text": evil, "label": evil, "link": "https://oddjob.example/?a=1&b=2"}
    invitation = asked(questions, thanks={"promoter": path})
    client.post(link(invitation), data={"score": "10"})
    for page in ("/2", "/done"):
        text = client.get(f"{link(invitation)}{page}?lang={language}").text
        assert "<img" not in text
        assert "&lt;img src=x onerror=" in text
        assert "{b}{{7*7}}" in text


def test_c35_a_cut_comment_is_told_on_whichever_page_comes_next(client, asked, session):
    invitation = asked(EVERY_KIND, properties={"delay_minutes": 45})
    client.post(link(invitation), data={"score": "3"})
    sent = client.post(link(invitation) + "/2", data={"reason": ["long_wait"], "comment": "x" * 5_001, "seat": "12A"})
    assert sent.location == link(invitation) + "/3?cut=1"
    assert '<p role="status">Only the first 5,000 characters' in client.get(sent.location).text
    assert "Only the first" not in client.get(link(invitation) + "/3").text
    assert said(session)[1] == "x" * 5_000
    wrong = client.post(link(invitation) + "/2", data={"comment": "y" * 5_001, "seat": "x" * 501})
    assert wrong.status_code == 422
    assert wrong.text.count('class="err"') == 1
    assert "y" * 5_001 in wrong.text
    assert said(session)[1] == "x" * 5_000


@pytest.mark.parametrize("path", ["", "/2", "/done"])
def test_a_megabyte_is_refused_calmly_and_what_was_given_stays(client, asked, session, path):
    invitation = asked(EVERY_KIND, thanks=THANKS)
    client.post(link(invitation), data={"score": "3"})
    page = client.post(link(invitation) + path, data={"score": "4", "comment": "x" * 1_000_000, "idea": "y" * 1_000})
    assert page.status_code == 413
    assert "That was too much text." in page.text
    assert said(session) == (3, None, {})


def test_every_page_posted_twice_counts_once(client, asked, session):
    invitation = asked(EVERY_KIND, thanks=THANKS)
    pages = (
        ("", {"score": "3"}),
        ("/2", {"score": "3", "reason": "long_wait", "bags": "2", "comment": "Slow", "call": "yes"}),
        ("/done", {"idea": "Later", "contact": "yes"}),
    )
    for path, data in pages:
        changes = session.scalar(select(func.count(ResponseChange.id)))
        for _ in range(2):
            assert client.post(link(invitation) + path, data=data).status_code == 303
        assert session.scalar(select(func.count(ResponseChange.id))) <= changes + 1
    assert session.scalar(select(func.count(Response.id))) == 1
    assert session.scalar(select(ANSWERS)) == 1


def test_a_closed_question_takes_no_further_answer_on_any_page_and_keeps_what_it_has(client, asked, session):
    invitation = asked(EVERY_KIND, thanks=THANKS)
    client.post(link(invitation), data={"score": "3"})
    client.post(link(invitation) + "/2", data={"seat": "12A"})
    invitation.open_until = clock.now() - timedelta(seconds=1)
    session.commit()
    for path in ("", "/2", "/done"):
        page = client.post(link(invitation) + path, data={"score": "9", "seat": "1A", "idea": "x"})
        assert page.status_code == 410
        assert "This question has closed." in page.text
    assert said(session) == (3, None, {"seat": "12A"})


def test_the_longest_pages_still_travel_in_one_round(client, asked):
    invitation = asked(EVERY_KIND, thanks=THANKS)
    client.post(link(invitation), data={"score": "3"})
    for path in ("/2", "/2?lang=ar", "/done", "?score=9"):
        page = client.get(link(invitation) + path)
        assert len(gzip.compress(page.data)) + len(str(page.headers)) <= 14 * 1024 / 2, path
        assert len(re.findall(r"<script|<link|<img", page.text)) <= 2
