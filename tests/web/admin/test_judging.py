"""A person reads what came over a link and judges the answer: audited, by editors, the figures following."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from surveyapp import clock
from surveyapp.domain.tokens import mint
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Invitation, LedgerEntry, MetricCell, Response, ResponseChange
from surveyapp.services.rebuilding import rebuild
from tests.cells import ANSWERS
from tests.outreach import happens, load, send
from tests.people import make_user, sign_in_as
from tests.web.admin.living import NOW

KEYS = ["a-secret-for-tests-only"]


@pytest.fixture
def scanned(client, app):
    """An answer that a scanner gave, with all its evidence; its address."""
    with clock.at(NOW - timedelta(hours=2)):
        load()
        happens("e-1", "c-1", "check_in", NOW - timedelta(hours=2), properties={"class": "Business"})
        send()
        link = f"/s/{mint('answer', db.session.scalars(select(Invitation.uid)).one(), KEYS)}"
        db.session.commit()
    with clock.at(NOW - timedelta(hours=1)):
        visits = [re.search(r'name="visit" value="([^"]+)"', client.get(f"{link}?score={n}").text)[1] for n in (1, 5)]
        client.head(link)
        client.get(link + "/all")
        client.post(link, data={"score": "5", "visit": visits[1], "scripted": "1"})
        client.post(link, data={"score": "5", "visit": visits[1], "gesture": "scroll"})
    return f"/admin/responses/{db.session.scalars(select(Response.uid)).one()}"


def enter(client, role):
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user(role))


def judge(client, address, **form):
    with clock.at(NOW):
        page = client.get(address).text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        return client.post(address + "/status", data={"csrf_token": found[1] if found else "", **form})


def cells():
    db.session.commit()
    assert rebuild(check=True).differences == []
    rows = db.session.execute(select(MetricCell.status, ANSWERS).group_by(MetricCell.status).having(ANSWERS > 0))
    return {row[0]: row[1] for row in rows}


def test_the_raw_evidence_is_in_order_and_in_words(client, scanned):
    enter(client, "analyst")
    with clock.at(NOW):
        page = client.get(scanned).text
    card = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index('id="evidence"') :]))
    told = [
        "the message left us",
        "visitor A opened the page with score 1",
        "visitor A opened the page with score 5",
        "visitor A asked whether the page is there (HEAD)",
        "visitor A followed the link that no person sees",
        "visitor A the page's script posted with score 5",
        "visitor A posted at a gesture (scroll): set aside as a bot, because its visitor followed a link that no",
        "person sees; its visitor fetched two or more scores within a minute",
    ]
    places = [card.replace("&#39;", "'").find(one) for one in told]
    assert -1 not in places, card
    assert places == sorted(places)
    assert 'name="why"' not in page


def test_an_editor_judges_and_everything_follows(client, scanned, session):
    assert cells() == {"suspected_bot": 1}
    enter(client, "editor")
    answer = judge(client, scanned, status="confirmed", why="She told us on the phone.")
    assert (answer.status_code, answer.location) == (303, scanned)
    response = session.scalars(select(Response)).one()
    assert response.status == "confirmed"
    assert cells() == {"confirmed": 1}
    assert [change.status for change in session.scalars(select(ResponseChange))] == ["suspected_bot"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "response.judged")).one()
    assert entry.object == response.uid
    assert entry.actor.endswith("@example.org")
    assert entry.detail == {"from": "suspected_bot", "to": "confirmed", "why": "She told us on the phone."}
    assert session.scalars(select(Invitation.answered_at)).one() == NOW
    assert session.scalars(select(LedgerEntry.answered_at)).first() == NOW
    with clock.at(NOW):
        assert "This answer is now confirmed." in client.get(scanned).text
    assert judge(client, scanned, status="confirmed", why="Again").status_code == 303
    assert session.scalar(select(func.count(ResponseChange.id))) == 1
    judge(client, scanned, status="suspected_bot", why="No.")
    assert cells() == {"suspected_bot": 1}


@pytest.mark.parametrize(
    "form",
    [
        {"status": "confirmed", "why": " "},
        {"status": "confirmed", "why": "y" * 501},
        {"status": "x", "why": "y"},
        {},
    ],
)
def test_a_judgement_needs_a_reason_and_a_status(client, scanned, form):
    enter(client, "editor")
    answer = judge(client, scanned, **form)
    assert answer.status_code == 422
    assert "Say why in a few words" in answer.text
    assert cells() == {"suspected_bot": 1}


@pytest.mark.parametrize("role", ["analyst", "agent"])
def test_others_may_not_judge(client, scanned, role):
    enter(client, role)
    assert judge(client, scanned, status="confirmed", why="y").status_code == 403
    assert cells() == {"suspected_bot": 1}


def test_a_judgement_on_no_answer_is_404(client, scanned):
    enter(client, "editor")
    with clock.at(NOW):
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(scanned).text)[1]
        data = {"csrf_token": token, "status": "confirmed", "why": "y"}
        assert client.post("/admin/responses/nobody/status", data=data).status_code == 404
