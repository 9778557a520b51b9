"""A trigger's messages before anybody is asked: what is shown, what a test sends, and that nothing else changes."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from surveyapp.domain import tokens
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, LocalMessage
from surveyapp.models.base import Base
from tests import outreach
from tests.people import make_user, sign_in_as

PAGE = "/admin/messages/after_check_in"
HOSTILE = "<script>alert(1)</script>"
NORMAL = outreach.PROGRAMME.replace("about: {en: check-in}", "about: {en: check-in, fr: l'enregistrement}")


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, object]:
    return {"SMS_SEGMENT_PRICE": getattr(request, "param", "0.045 EUR")}


def row_counts() -> dict[str, int]:
    found = {t.name: db.session.scalar(select(func.count()).select_from(t)) or 0 for t in Base.metadata.sorted_tables}
    db.session.rollback()
    return found


def costs(page: str) -> list[str | None]:
    """Encoding, characters, segments and price of the text message, as shown."""
    found = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page))
    return [found.get(name) for name in ("Encoding", "Characters", "Segments", "About")]


def text_of(page: str, part: str) -> str:
    [found] = re.findall(rf'id="{part}".*?<pre[^>]*>(.*?)</pre>', page, re.DOTALL)
    return unescape(found)


def test_the_page_shows_both_widths_the_plain_text_and_what_a_text_costs(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    sign_in_as(client)
    before = row_counts()
    answer = client.get(PAGE)
    text = text_of(answer.text, "text")
    assert answer.status_code == 200
    assert re.findall(r'<iframe class="(\w+)" src="([^"]*)"', answer.text) == [
        ("desk", f"{PAGE}/body?language=en"),
        ("hand", f"{PAGE}/body?language=en"),
    ]
    assert answer.text.count(" sandbox></iframe>") == 2
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "5 Very satisfied" in text_of(answer.text, "plain")
    assert text.endswith("or answer here: http://localhost/t/Preview-00 STOP to opt out")
    assert (len(text), costs(answer.text)) == (167, ["GSM-7", "167", "2", "0.090 EUR each"])
    assert row_counts() == before


def test_one_letter_outside_the_phones_alphabet_makes_it_three_segments(client: FlaskClient) -> None:
    outreach.load(programme=outreach.PROGRAMME.replace("{en: check-in}", "{en: регистрацию}"))
    sign_in_as(client)
    page = client.get(PAGE).text
    assert (len(text_of(page, "text")), costs(page)) == (170, ["UCS-2", "170", "3", "0.135 EUR each"])


@pytest.mark.parametrize("settings", [""], indirect=True)
def test_without_a_price_none_is_shown(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    sign_in_as(client)
    assert costs(client.get(PAGE).text) == ["GSM-7", "167", "2", None]


def test_a_reminder_is_shown_where_the_trigger_sends_one(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    sign_in_as(client)
    assert "kind=reminder" not in client.get(PAGE).text
    reminding = "survey: check_in_csat, reminder: {after: 2d}, channels:"
    outreach.load(programme=NORMAL.replace("survey: check_in_csat, channels:", reminding))
    assert "kind=reminder" in client.get(PAGE).text
    assert "A short reminder: one question about check-in" in client.get(f"{PAGE}?kind=reminder").text


def test_the_body_is_the_true_email_under_its_own_policy(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    sign_in_as(client)
    answer = client.get(f"{PAGE}/body?language=fr")
    links = re.findall(r'href="([^"]*)"', answer.text)
    assert 'lang="fr"' in answer.text
    assert [link[-1] for link in links[:5]] == ["5", "4", "3", "2", "1"]
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("frame-ancestors 'self'; sandbox")
    assert "script-src" not in policy


def test_its_links_open_nothing(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    key = str(client.application.config["SECRET_KEY"])
    sign_in_as(client)
    links = re.findall(r'href="[^"]*/([sup])/([^"/?]+)', client.get(f"{PAGE}/body").text)
    assert {path for path, _ in links} == {"s", "u", "p"}
    for path, token in links:
        assert [tokens.read(purpose, token, [key]) for purpose in ("answer", "opt_out", "preferences")] == [None] * 3
        assert client.get(f"/{path}/{token}").status_code == 404
    assert client.get("/t/Preview-00").status_code == 404


def test_a_hostile_name_stays_text(client: FlaskClient) -> None:
    outreach.load(programme=outreach.PROGRAMME.replace("{en: check-in}", f'{{en: "{HOSTILE}"}}'))
    sign_in_as(client)
    for address in (PAGE, f"{PAGE}/body"):
        page = client.get(address).text
        assert HOSTILE not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_test_arrives_once_marked_and_nothing_else_changes(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    user = make_user("editor")
    address = user.email
    token = sign_in_as(client, user=user)
    before = row_counts()
    answer = client.post(f"{PAGE}/test", data={"csrf_token": token, "language": "fr"})
    after = row_counts()
    assert answer.headers["Location"] == f"{PAGE}?language=fr&kind=first"
    assert {t: after[t] - before[t] for t in after if after[t] != before[t]} == {"local_message": 1, "audit_entry": 1}
    mail = db.session.scalars(select(LocalMessage)).one()
    assert (mail.recipient, mail.channel, mail.subject) == (
        address,
        "email",
        "[Test] Une question sur l'enregistrement",
    )
    assert mail.headers["Message-ID"].startswith("<test-")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "message.tested")).one()
    assert (entry.actor, entry.object) == (address, "after_check_in")
    assert entry.detail == {"language": "fr", "kind": "first", "outcome": "accepted", "provider": "mailbox"}
    assert f"A test is on its way to {address}." in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize("role", ["analyst", "agent", "partner"])
def test_only_admins_and_editors_send_a_test(client: FlaskClient, role: str) -> None:
    outreach.load()
    token = sign_in_as(client, role)
    answer = client.get(PAGE)
    assert answer.status_code == (403 if role == "partner" else 200)
    assert "Send me a test" not in answer.text
    assert client.post(f"{PAGE}/test", data={"csrf_token": token}).status_code == 403
    assert db.session.scalars(select(LocalMessage)).all() == []


def test_a_test_without_the_forms_token_is_refused(client: FlaskClient) -> None:
    outreach.load()
    sign_in_as(client)
    assert client.post(f"{PAGE}/test").status_code == 403
    assert db.session.scalars(select(LocalMessage)).all() == []


def test_an_unknown_trigger_is_not_found(client: FlaskClient) -> None:
    outreach.load()
    token = sign_in_as(client)
    for key in ("nowhere", "%00"):
        assert client.get(f"/admin/messages/{key}").status_code == 404
        assert client.get(f"/admin/messages/{key}/body").status_code == 404
        assert client.post(f"/admin/messages/{key}/test", data={"csrf_token": token}).status_code == 404


def test_a_trigger_that_only_asks_in_pages_sends_nothing(client: FlaskClient) -> None:
    outreach.load(programme=outreach.PROGRAMME.replace("[email, sms]", "[web]"))
    token = sign_in_as(client)
    assert "This trigger asks inside your pages only." in client.get(PAGE).text
    assert client.get(f"{PAGE}/body").status_code == 404
    assert client.post(f"{PAGE}/test", data={"csrf_token": token}).status_code == 404


def test_the_programme_leads_to_every_triggers_messages(client: FlaskClient) -> None:
    outreach.load()
    sign_in_as(client)
    links = re.findall(r'href="(/admin/messages/[^"]*)"', client.get("/admin/programme/").text)
    assert links == [f"/admin/messages/{key}" for key in ("after_check_in", "after_boarding", "after_baggage")]


def test_a_message_that_sells_is_warned_of_and_a_plain_one_is_not(client: FlaskClient) -> None:
    outreach.load(programme=NORMAL)
    sign_in_as(client)
    for language in ("en", "fr"):
        assert "sells; a message" not in client.get(f"{PAGE}?language={language}").text
        assert "leads away" not in client.get(f"{PAGE}?language={language}").text
    selling = "about: {en: 'check-in, <b>20</b> % discount at https://shop.example/a?utm_id=1'"
    outreach.load(programme=NORMAL.replace("about: {en: check-in", selling))
    page = unescape(client.get(PAGE).text)
    assert "“discount” sells; a message that asks never does." in page
    assert "A link to shop.example tracks who follows it." in page
