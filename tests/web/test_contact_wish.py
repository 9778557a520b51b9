"""Who leaves word that they may be contacted opens a case, once per answer, and closes it by taking the word back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain.tokens import mint
from surveyapp.models import AuditEntry, Case, Response
from surveyapp.services import audit
from surveyapp.services.cases import close_case
from tests.builders import make_brand, make_invitation, make_step, make_survey
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import Console

KEYS = ["a-secret-for-tests-only"]
CALL = {"key": "call", "kind": "consent"}
QUOTE = {"key": "quote", "kind": "consent", "ask": {"en": "May we quote you?"}}


@pytest.fixture
def answered(app, client, session):
    """A link over which a score was given, to a survey with this definition."""
    make_brand()
    step = make_step()

    def answer(**definition):
        version = make_survey("nps_a", "nps", **definition)
        invitation = make_invitation(version, step=step, open_until=clock.now() + timedelta(days=14))
        address = f"/s/{mint('answer', invitation.uid, KEYS)}"
        client.post(address, data={"score": "3"})
        return address, invitation.customer_id

    return answer


def kept(session):
    session.expire_all()
    return session.scalars(select(Case).order_by(Case.id)).all()


def notes(session):
    query = select(AuditEntry.action, AuditEntry.actor).where(AuditEntry.action.startswith("case."))
    return [tuple(row) for row in session.execute(query.order_by(AuditEntry.id))]


def test_leave_to_get_in_touch_opens_one_case_however_often_it_is_posted(client, session, answered):
    address, customer = answered(follow_up=[], thanks={"contact": True})
    assert kept(session) == []
    for _ in range(2):
        client.post(address + "/done", data={"contact": "yes"})
    (case,) = kept(session)
    assert (case.customer_id, case.reason, case.opened_by, case.closed_at) == (
        customer,
        "asked to be contacted",
        "answer",
        None,
    )
    assert case.step == "flight.check_in"
    assert notes(session) == [("case.opened", "answer")]


def test_a_word_taken_back_closes_the_case(client, session, answered):
    address, _ = answered(follow_up=[], thanks={"contact": True, "idea": True})
    client.post(address + "/done", data={"contact": "yes"})
    client.post(address + "/done", data={"idea": "Shorter queues", "contact": "yes", "was": "contact"})
    assert kept(session)[0].closed_at is None
    client.post(address + "/done", data={"was": "contact"})
    assert kept(session)[0].closed_at is not None
    client.post(address + "/done", data={"contact": "yes"})
    assert kept(session)[0].closed_at is None, "they changed their mind once more"
    assert [action for action, _ in notes(session)] == ["case.opened", "case.closed", "case.opened"]
    with audit.acting("bea@example.org"):
        close_case(kept(session)[0].uid)
    client.post(address + "/done", data={"idea": "Fewer forms", "contact": "yes", "was": "contact"})
    assert kept(session)[0].closed_by == "bea@example.org", "what was looked after stays closed"


def test_a_consent_among_the_questions_opens_it_too_and_own_words_are_named(client, session, answered):
    address, _ = answered(follow_up=[CALL, QUOTE])
    client.post(address + "/2", data={"score": "3", "quote": "yes"})
    assert [case.reason for case in kept(session)] == ["asked to be contacted (quote)"]


def test_the_console_shows_it_and_an_editor_closes_it(client, session, answered):
    address, _ = answered(follow_up=[], thanks={"contact": True})
    client.post(address + "/done", data={"contact": "yes"})
    uid = session.scalars(select(Response.uid)).one()
    editor = Console(client, "editor")
    home = words(editor.read("/admin/"))
    assert "1 person asked to be contacted" in home
    assert "case is open" not in home
    assert "Cases1 open" in home.replace("Cases 1", "Cases1")
    page = f"/admin/responses/{uid}"
    assert "Close the case" in editor.read(page)
    assert editor.post(page + "/case/close").location == page
    assert "Close the case" not in editor.read(page)
    assert "asked to be contacted" not in words(editor.read("/admin/"))
    assert kept(session)[0].closed_by == editor.email
    assert editor.post("/admin/responses/unknown/case/close").status_code == 404


def test_an_answer_without_it_opens_nothing(client, session, answered):
    address, _ = answered(follow_up=[CALL, "comment"])
    client.post(address + "/2", data={"score": "3", "comment": "Slow"})
    assert kept(session) == []
