"""The pages of a question: what they show, what they record, what they refuse, and at what cost."""

import gzip
import io
import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
import structlog
from sqlalchemy import event, func, select

from surveyapp import clock, logs
from surveyapp.domain.scores import METRICS
from surveyapp.domain.tokens import mint
from surveyapp.extensions import db
from surveyapp.models import (
    Base,
    ContactKey,
    Customer,
    Invitation,
    LedgerEntry,
    Message,
    PolicyVersion,
    ReportingValue,
    Response,
    ResponseChange,
)
from surveyapp.queries.words import words
from surveyapp.web.respond.script import digest
from tests.builders import (
    MOMENT,
    make_brand,
    make_customer,
    make_invitation,
    make_reporting_attribute,
    make_step,
    make_survey,
)

KEYS = ["a-secret-for-tests-only"]
WIRE_LIMIT = 14 * 1024
CHIPS = {
    "key": "reason",
    "kind": "many",
    "ask": {"en": "What is the main reason for your score?"},
    "options": [
        {"key": key, "label": {"en": label}}
        for key, label in [
            ("booking", "Booking"), ("check_in", "Check-in"), ("punctuality", "Punctuality"), ("crew", "Crew"),
            ("seat", "Seat and comfort"), ("food", "Food and drink"), ("price", "Price"),
        ]
    ],
}  # fmt: skip


def link(invitation, purpose="answer", path="s"):
    return f"/{path}/{mint(purpose, invitation.uid, KEYS)}"


@pytest.fixture
def nps(app):
    make_brand(contact="hello@oddjob.example", privacy_url="https://oddjob.example/privacy")
    version = make_survey("relational_nps", "nps", follow_up="comment")
    return make_invitation(version, step=make_step(), open_until=clock.now() + timedelta(days=14))


@pytest.fixture
def csat(app):
    make_brand()
    version = make_survey(about={"en": "check-in", "fr": "l'enregistrement"}, follow_up="comment")
    return make_invitation(version, step=make_step(), open_until=clock.now() + timedelta(days=14))


def everything(session):
    """Every row of every table but what was fetched over links."""
    session.commit()
    return {
        table.name: sorted(map(repr, session.execute(select(table)).all()))
        for table in Base.metadata.sorted_tables
        if table.name != "link_hit"
    }


def visit_of(page):
    """The visit that a page carries in its form."""
    return re.search(r'name="visit" value="([^"]+)"', page.text)[1]


def stored(session):
    return [(r.score, r.comment, r.status) for r in session.scalars(select(Response))]


def test_the_page_asks_one_question_with_every_value_as_a_button(client, nps):
    page = client.get(link(nps))
    html = page.text
    assert page.status_code == 200
    assert "<h1>How likely is it that you would recommend Oddjob Airways to a friend or colleague?</h1>" in html
    assert re.findall(r'<button name="score" value="(\d+)"', html) == [str(n) for n in range(11)]
    assert 'aria-label="0, Not at all likely"' in html
    assert 'aria-label="10, Extremely likely"' in html
    assert '<p class="about">Flight, 2 November</p>' in html
    assert "aria-current=" not in html
    assert "<title>One question from Oddjob Airways</title>" in html


def test_labelled_scales_are_lists_with_the_highest_on_top(client, csat):
    html = client.get(link(csat)).text
    assert "<h1>Overall, how satisfied were you with check-in?</h1>" in html
    assert re.findall(r"<b>(\d)</b>([^<]+)</button>", html) == [
        ("5", "Very satisfied"),
        ("4", "Satisfied"),
        ("3", "Neither satisfied nor dissatisfied"),
        ("2", "Dissatisfied"),
        ("1", "Very dissatisfied"),
    ]


def test_a_score_in_the_address_is_filled_and_sent_by_one_button(client, nps):
    html = client.get(link(nps) + "?score=9").text
    assert html.count('aria-current="true"') == 1
    assert '<button name="score" value="9" aria-current="true">9</button>' in html
    assert '<button class="go" name="score" value="9">Send my answer: 9</button>' in html


@pytest.mark.parametrize("score", ["11", "-1", "9.5", "", "true", "٣", "9%0A", "<b>"])
def test_a_score_off_the_scale_shows_the_plain_page(client, nps, score):
    page = client.get(f"{link(nps)}?score={score}")
    assert page.status_code == 200
    assert "aria-current=" not in page.text
    assert "Send my answer" not in page.text


def test_looking_changes_nothing_in_any_table(client, nps, session):
    before = everything(session)
    for score in range(11):
        for method in (client.get, client.head):
            assert method(f"{link(nps)}?score={score}").status_code == 200
    assert client.options(link(nps)).status_code == 200
    assert client.get(link(nps) + "/all").status_code == 404
    for path in ("/2", "/done"):
        assert client.get(link(nps) + path).status_code == 303
    client.get(link(nps, "opt_out", "u"))
    client.get(link(nps, "preferences", "p"))
    assert everything(session) == before


def test_a_tap_then_words_make_one_answer(client, nps, session):
    tapped = client.post(link(nps), data={"score": "9"})
    assert (tapped.status_code, tapped.location) == (303, link(nps) + "/2")
    why = client.get(tapped.location)
    assert "<b>Saved: 9.</b> You can still change it." in why.text
    assert '<input type="radio" name="score" value="9" checked>' in why.text
    assert "What is the main reason for your score?" in why.text
    assert stored(session) == [(9, None, "confirmed")]
    sent = client.post(link(nps) + "/2", data={"score": "8", "comment": "Crew"})
    assert (sent.status_code, sent.location) == (303, link(nps) + "/done")
    thanks = client.get(sent.location).text
    assert "Thank you. That was all." in thanks
    assert "8 <a" in thanks
    assert "Change it" in thanks
    assert stored(session) == [(8, "Crew", "confirmed")]
    assert session.scalar(select(func.count(ResponseChange.id))) == 1


def test_skipping_ends_with_the_score(client, nps, session):
    client.post(link(nps), data={"score": "3"})
    done = client.post(link(nps) + "/2", data={"score": "3", "comment": "half a thou", "skip": "1"})
    assert done.location.endswith("/done")
    assert stored(session) == [(3, None, "confirmed")]


def test_a_survey_without_further_questions_ends_at_once(client, app, session):
    make_brand()
    invitation = make_invitation(make_survey("plain", "csat5"))
    assert client.post(link(invitation), data={"score": "5"}).location == link(invitation) + "/done"
    assert "Very satisfied <a" in client.get(link(invitation) + "/done").text


@pytest.mark.parametrize("data", [{"score": "11"}, {"score": "9.5"}, {"score": "٣"}, {"score": ["3", "4"]}, {}])
def test_an_answer_off_the_scale_is_refused_in_words(client, nps, session, data):
    page = client.post(link(nps), data=data)
    assert page.status_code == 422
    assert "Error: choose one of the answers." in page.text
    assert "<title>Error: choose one of the answers. – One question" in page.text
    assert stored(session) == []


def test_c35_a_comment_is_kept_up_to_five_thousand_characters_and_the_customer_goes_on(client, nps, session):
    client.post(link(nps), data={"score": "9"})
    sent = client.post(link(nps) + "/2", data={"score": "4", "comment": "<b>\u202e" + "x" * 5_000})
    assert (sent.status_code, sent.location) == (303, link(nps) + "/done?cut=1")
    assert stored(session) == [(4, "<b>\u202e" + "x" * 4_996, "confirmed")]
    page = client.get(sent.location)
    assert page.status_code == 200
    assert "Thank you. That was all." in page.text
    assert "<p>Only the first 5,000 characters of your comment are kept.</p>" in page.text
    exact = client.post(link(nps) + "/2?lang=fr", data={"comment": "é" * 5_000})
    assert exact.location == link(nps) + "/done?lang=fr"
    assert "5\u202f000 premiers caractères" in client.get(link(nps) + "/done?lang=fr&cut=1").text
    skipped = client.post(link(nps) + "/2", data={"comment": "x" * 5_001, "skip": "1"})
    assert skipped.location == link(nps) + "/done"
    assert "Only the first" not in client.get(skipped.location).text


def test_c35_a_body_larger_than_any_answer_is_refused_calmly_once_the_score_is_saved(client, nps, session):
    client.post(link(nps), data={"score": "9"})
    page = client.post(link(nps) + "/2", data={"score": "4", "comment": "x" * 1_000_000})
    assert page.status_code == 413
    assert "That was too much text." in page.text
    assert "Your score is saved." in page.text
    assert stored(session) == [(9, None, "confirmed")]


@pytest.mark.parametrize("letter", ["x", "\U0001f600", "é"])
@pytest.mark.parametrize("path", ["", "/2"])
def test_c35_a_first_score_is_not_lost_with_a_megabyte_of_words(client, nps, session, letter, path):
    sent = client.post(link(nps) + path, data={"score": "9", "comment": letter * 1_000_000})
    assert (sent.status_code, sent.location) == (303, link(nps) + "/done?cut=1")
    assert stored(session) == [(9, letter * 5_000, "confirmed")]


@pytest.mark.parametrize(
    "told",
    [
        {"data": {"comment": "x" * 100_000, "score": "9"}},
        {"data": {"score": "9", "comment": "x" * 100_000}, "content_type": "multipart/form-data"},
        {"data": "&" * 100_000, "content_type": "application/x-www-form-urlencoded"},
        {"data": "score=9&comment=" + "x" * 100_000, "content_type": "text/plain"},
    ],
)
def test_a_large_body_without_a_score_in_front_is_refused_and_leaves_nothing(client, nps, session, told):
    assert client.post(link(nps), **told).status_code == 413
    assert stored(session) == []


@pytest.mark.parametrize("comment", ["<script>alert(1)</script>", "{{7*7}}", "\u202eevil", "😀", "a\x00b"])
def test_words_are_stored_as_written_and_shown_as_text(client, nps, session, comment):
    client.post(link(nps), data={"score": "9"})
    client.post(link(nps) + "/2", data={"comment": comment})
    assert session.scalar(select(Response.comment)) == comment.replace("\x00", "")
    client.post(link(nps) + "/2", data={"comment": comment + "x" * 5_000})
    assert session.scalar(select(Response.comment)) == (comment.replace("\x00", "") + "x" * 5_000)[:5_000]


def test_a_name_with_markup_is_shown_as_text(client, app):
    make_brand(name="<script>x</script>{s}", logo='javascript:"><script>')
    page = client.get(link(make_invitation(make_survey("nps", "nps")))).text
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;{s}" in page


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1] + ("a" if t[-1] != "a" else "b"),
        lambda t: t[:-1],
        lambda t: "x" + t[1:],
        lambda t: t + "?",
        lambda t: "é",
        lambda t: "a" * 3000,
        lambda t: mint("opt_out", "invitation-0001", KEYS),
        lambda t: mint("answer", "invitation-0001", ["another-secret-altogether"]),
        lambda t: mint("answer", "nobody", KEYS),
    ],
)
def test_a_link_that_is_not_ours_says_so_calmly_and_alike(client, nps, spoil):
    token = link(nps).removeprefix("/s/")
    pages = [client.open(f"/s/{quote(spoil(token))}", method=method, data={"score": "9"} if method == "POST" else None)
             for method in ("GET", "POST")]  # fmt: skip
    for page in pages:
        if page.request.path == link(nps):  # the question mark only begins an empty query
            continue
        assert page.status_code == 404
        assert "This link isn’t complete." in page.text
        assert nps.customer.email not in page.text


def test_an_expired_question_is_closed_without_personal_data(client, nps, session):
    nps.open_until = MOMENT
    session.commit()
    for page in (client.get(link(nps) + "?score=9"), client.post(link(nps), data={"score": "9"})):
        assert page.status_code == 410
        assert "This question has closed." in page.text
        assert "It was open until 2 November 2026." in page.text
        assert "mailto:hello@oddjob.example" in page.text
        assert "/u/" not in page.text
        assert "/p/" not in page.text
    assert stored(session) == []


def test_a_closed_survey_and_an_erased_person_are_closed_too(client, nps, session):
    nps.survey_version.survey.archived_at = MOMENT
    session.commit()
    assert client.get(link(nps)).status_code == 410
    nps.survey_version.survey.archived_at, nps.customer.erased_at = None, MOMENT
    session.commit()
    assert client.get(link(nps)).status_code == 410
    assert client.post(link(nps), data={"score": "9"}).status_code == 410
    assert stored(session) == []


def test_after_the_edit_window_the_answer_stands(client, nps, session):
    client.post(link(nps), data={"score": "9"})
    response = session.scalar(select(Response))
    response.answered_at = clock.now() - timedelta(hours=25)
    session.commit()
    late = client.post(link(nps), data={"score": "1"})
    assert late.status_code == 409
    assert "Your answer is saved." in late.text
    assert client.get(link(nps)).status_code == 200
    assert "Your answer is saved." in client.get(link(nps)).text
    assert client.post(link(nps), data={"score": "9"}).status_code == 303
    assert stored(session) == [(9, None, "confirmed")]


def test_the_language_is_the_invitations_and_can_be_switched(client, csat, session):
    english = client.get(link(csat)).text
    assert 'lang="en"' in english
    assert f'<a href="{link(csat)}?lang=fr" lang="fr" hreflang="fr">Français</a>' in english
    french = client.get(link(csat) + "?lang=fr&score=4").text
    assert "satisfaction concernant l&#39;enregistrement\u202f?" in french
    assert f'action="{link(csat)}?lang=fr"' in french
    assert f'href="{link(csat)}?score=4&amp;lang=en"' in french
    tapped = client.post(link(csat) + "?lang=fr", data={"score": "4"})
    assert tapped.location == link(csat) + "/2?lang=fr"
    assert "Quelle est la raison principale" in client.get(tapped.location).text
    assert session.scalar(select(Response.language)) == "fr"
    assert 'lang="en"' in client.get(link(csat) + "/2?lang=de").text


def test_a_language_the_brand_lacks_reads_as_the_brands_own(client, app):
    make_brand(language="fr", languages=["fr"])
    page = client.get(link(make_invitation(make_survey("nps", "nps"), language="pt")))
    assert 'lang="fr"' in page.text


def test_a_page_without_a_person_speaks_the_browsers_language(client, app):
    make_brand(languages=["en", "fr"])
    page = client.get("/s/not-a-link", headers={"Accept-Language": "pt, fr-CA;q=0.8, en;q=0.5"})
    assert (page.status_code, page.headers["Content-Language"]) == (404, "fr")
    assert "Ce lien n’est pas complet." in page.text


def test_words_that_a_survey_lacks_in_a_language_are_marked_as_the_other_ones(client, app):
    make_brand(languages=["en", "fr"])
    survey = make_survey(about={"en": "check-in"}, follow_up=[CHIPS])
    asked = make_invitation(survey, step=make_step(), language="fr")
    first = client.get(link(asked)).text
    assert 'satisfaction concernant <bdi lang="en">check-in</bdi>\u202f?' in first
    assert client.post(link(asked), data={"score": "2"}).status_code == 303
    second = client.get(link(asked) + "/2").text
    assert '<h1><bdi lang="en">What is the main reason for your score?</bdi></h1>' in second
    assert '<bdi lang="en">Booking</bdi>' in second
    assert "<bdi" not in client.get(link(asked) + "/2?lang=en").text


def test_arabic_is_turned_by_direction_alone(client, app):
    make_brand(languages=["en", "ar"])
    html = client.get(link(make_invitation(make_survey("nps", "nps"), language="ar"))).text
    assert '<html lang="ar" dir="rtl">' in html
    assert "بـ<bdi>Oddjob Airways</bdi> لصديق" in html
    assert re.findall(r'name="score" value="(\d+)"', html) == [str(n) for n in range(11)]


def test_a_public_link_gives_every_visitor_their_own_question(client, app, session):
    make_brand()
    version = make_survey("cabin", "nps", follow_up="comment")
    version.survey.public_slug = "cabin"
    before = everything(session)
    first, second = client.get("/l/cabin"), client.get("/l/cabin?score=9")
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location != second.location
    page = client.get(second.location)
    assert "Send my answer: 9" in page.text
    assert "/u/" not in page.text
    assert everything(session) == before
    tapped = client.post(first.location, data={"score": "7"})
    assert client.get(tapped.location).status_code == 200
    assert client.post(tapped.location, data={"comment": "Cold"}).status_code == 303
    assert stored(session) == [(7, "Cold", "confirmed")]
    posted = client.post("/l/cabin", data={"score": "3"})
    assert posted.status_code == 303
    assert client.get(posted.location).status_code == 200
    assert session.scalar(select(func.count(Response.id))) == 2
    assert session.scalar(select(func.count(Customer.id)).where(Customer.external_id.is_not(None))) == 0
    assert client.get("/l/nowhere").status_code == 404
    assert client.post("/l/nowhere", data={"score": "3"}).status_code == 404


def test_chips_and_a_conditional_question_have_their_pages(client, app, session):
    make_brand()
    which = {"key": "which", "kind": "text", "ask": {"en": "Which price?"}, "when": {"reason": "price"}}
    invitation = make_invitation(make_survey("long", "nps", follow_up=[CHIPS, "comment", which]))
    client.post(link(invitation), data={"score": "6"})
    page = client.get(link(invitation) + "/2").text
    assert page.count('type="checkbox" name="reason"') == 8
    assert page.index("Something else") > page.index("Price")
    asked = client.post(link(invitation) + "/2", data={"score": "6", "reason": ["price", "crew"], "comment": ""})
    assert asked.location == link(invitation) + "/3"
    assert '<h1 id="q-which">Which price?</h1>' in client.get(asked.location).text
    assert client.post(asked.location, data={"which": "Bags"}).location == link(invitation) + "/done"
    assert session.scalar(select(Response.answers)) == {"reason": ["price", "crew"], "which": "Bags"}
    wrong = client.post(link(invitation) + "/2", data={"reason": "free text"})
    assert wrong.status_code == 422
    assert 'id="e-reason"' in wrong.text


def test_no_cookie_no_second_request_and_small(client, app, session):
    make_brand(languages=["en", "fr"])
    make_step()
    survey = make_survey("long", "nps", follow_up=[CHIPS, "comment"])
    invitation = make_invitation(survey, step=make_step("boarding"))
    client.post(link(invitation), data={"score": "6"})
    fresh = make_invitation(survey, step=make_step("arrival"))
    for path in ("", "?score=9", "?lang=fr", "/2", "/done"):
        page = client.get(link(invitation if path.startswith("/") else fresh) + path)
        wire = len(gzip.compress(page.data)) + len(str(page.headers))
        assert wire <= WIRE_LIMIT / 2, (path, wire)
        assert len(page.data) <= (1.5 * WIRE_LIMIT if path == "?score=9" else WIRE_LIMIT), (path, len(page.data))
        assert "Set-Cookie" not in page.headers
        scripts = re.findall(r"<script[^>]*>[^<]*", page.text)
        assert scripts == ([] if path == "/done" else [f'<script src="/s/{digest()}.js" defer>'])
        assert re.findall(r'<link rel="(\w+)" href="(\w+:)', page.text) == [("icon", "data:")]
        assert not re.search(r"@import|url\(|<img", page.text)


def test_the_headers_keep_the_page_private_and_allow_its_own_style_only(client, nps):
    page = client.get(link(nps))
    (css,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(sha256(css.encode()).digest()).decode()
    assert page.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
    )
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert not re.search(r'style="|onclick|javascript:', page.text)


def test_the_style_is_in_the_brands_colours_and_never_in_anything_else(client, app):
    make_brand(palette={"accent": "#123456;}body{display:none", "on": "#ffffff"})
    html = client.get(link(make_invitation(make_survey("nps", "nps")))).text
    assert "display:none" not in html
    assert ":root{--accent:#0b5c63;" in html


def test_shown_answered_and_commented_costs_at_most_21_statements(client, nps, session):
    make_reporting_attribute("class", 1)
    make_customer(email=nps.customer.email)
    nps.event.properties = {"class": "Business", "delay_minutes": 12}
    gap = {"gap": {"1": "7d", "2": "30d", "3": "30d"}}
    session.add(PolicyVersion(number=1, definition=gap, effective_from=MOMENT, created_at=MOMENT, created_by="test"))
    session.add(ReportingValue(name="class", value="Business"))
    session.commit()
    address = link(nps)
    statements = []
    session.commit()

    def note(connection, cursor, statement, *rest):
        statements.append(statement.split("\n")[0][:80])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        first = visit_of(client.get(address + "?score=9"))
        before = len(statements)
        tapped = client.post(address, data={"score": "9", "visit": first})
        tap = [one for one in statements[before:] if not one.startswith("BEGIN")]
        second = visit_of(client.get(tapped.location))
        sent = client.post(tapped.location, data={"score": "9", "comment": "Crew", "visit": second})
        client.get(sent.location)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    statements = [one for one in statements if not one.startswith("BEGIN")]
    assert len(statements) <= 21, "\n".join(statements)
    assert len(tap) <= (4 if db.engine.dialect.name == "postgresql" else 8), "\n".join(tap)


def asked_and_answered(client, session, invitation):
    message = Message(
        uid="m-1", idem_key="t:e:email:first", invitation_id=invitation.id, customer_id=invitation.customer_id,
        trigger_id=invitation.trigger_id, survey_id=invitation.trigger.survey_id, channel="email", kind="first", tier=2,
        priority=0, due_at=MOMENT, state="sent", created_at=MOMENT,
    )  # fmt: skip
    session.add(message)
    session.flush()
    key = f"c:{invitation.customer_id}"
    session.add(ContactKey(customer_id=invitation.customer_id, key=key))
    session.add(
        LedgerEntry(
            message_id=message.id, subject_key=key, channel="email", at=clock.now(), state="sent", kind="first", tier=2
        )
    )
    session.commit()
    client.post(link(invitation), data={"score": "9"})


def test_the_thanks_name_the_day_before_which_nobody_asks_again(client, nps, session):
    asked_and_answered(client, session, nps)
    assert "We will not ask you again before" not in client.get(link(nps) + "/done").text
    gap = {"gap": {"1": "7d", "2": "30d", "3": "30d"}}
    session.add(PolicyVersion(number=1, definition=gap, effective_from=MOMENT, created_at=MOMENT, created_by="test"))
    session.commit()
    html = client.get(link(nps) + "/done").text
    last = session.scalar(select(LedgerEntry.at))
    day = words("en").full_day((last + timedelta(days=7)).astimezone(ZoneInfo("Europe/Paris")).date())
    assert f"<dt>We will not ask you again before</dt><dd>{day}</dd>" in html
    page = client.get(link(nps, "preferences", "p")).text
    assert f"The earliest we could ask you again <strong>{day}</strong>" in page


def test_a_failure_of_ours_keeps_the_words_in_the_page_and_out_of_the_log(client, nps, session):
    lines = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(lines))
    client.post(link(nps), data={"score": "9"})
    address = link(nps) + "/2?lang=fr"
    session.commit()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE response_change RENAME TO response_change_away")
    try:
        page = client.post(address, data={"score": "4", "comment": 'The crew "were" kind.'})
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "5"
        assert "Votre réponse n’a pas pu être enregistrée." in page.text
        assert '<input type="hidden" name="score" value="4">' in page.text
        assert '<input type="hidden" name="comment" value="The crew &#34;were&#34; kind.">' in page.text
        assert f'action="{address}"' in page.text
    finally:
        logs.configure("ERROR")
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE response_change_away RENAME TO response_change")
    assert stored(session) == [(9, None, "confirmed")]
    assert "answer_failed" in lines.getvalue()
    assert "were" not in lines.getvalue()
    assert nps.uid not in lines.getvalue()


def test_every_standard_scale_can_be_shown_and_answered_in_every_language(client, app, session):
    make_brand(languages=["en", "fr", "de", "es", "nl", "ar"])
    for metric, scale in METRICS.items():
        invitation = make_invitation(make_survey(f"s_{metric}", metric, about={"en": "it"}))
        for language in ("en", "fr", "de", "es", "nl", "ar"):
            page = client.get(f"{link(invitation)}?lang={language}")
            values = [int(v) for v in re.findall(r'<button name="score" value="(-?\d+)"', page.text)]
            assert sorted(values) == list(scale.scale)
            assert page.status_code == 200
        assert client.post(link(invitation), data={"score": str(scale.low)}).status_code == 303
    assert session.scalar(select(func.count(Response.id))) == len(METRICS)
    assert session.scalar(select(func.count(Invitation.id))) == len(METRICS)


def test_a_customer_who_opted_out_may_still_answer(client, nps, session):
    assert client.post(link(nps, "opt_out", "u")).status_code == 200
    assert client.post(link(nps), data={"score": "2"}).status_code == 303
    assert stored(session) == [(2, None, "confirmed")]


def test_an_unknown_customer_field_in_the_form_is_ignored(client, nps, session):
    client.post(link(nps), data={"score": "2", "status": "confirmed", "customer_id": "7", "channel": "sms"})
    response = session.scalar(select(Response))
    assert (response.channel, response.customer_id) == ("email", nps.customer_id)
    assert make_customer().id != response.customer_id
