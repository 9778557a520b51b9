"""The list of cases: who waits longest stands first, what opened it is one click away, closing says how it ended."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select

from surveyapp import clock
from surveyapp.domain import tokens
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Case, Customer, Invitation, Response
from surveyapp.queries.console import paging
from surveyapp.services import audit
from surveyapp.services.cases import open_case, take_case
from surveyapp.web.respond.shell import keys
from tests.web.admin.living import NOW, live
from tests.web.admin.test_pages import words
from tests.web.admin.test_policy import Console

CASES = "/admin/cases/"
TURNS = ("case.taken", "case.given_back")


@pytest.fixture
def agent(app: OpenAPI, client: FlaskClient) -> Console:
    live()
    return Console(client, "agent")


def opened(days: int, person: str = "c-1", **more: str) -> str:
    with clock.at(NOW - timedelta(days=days)):
        return open_case(person, **more).uid


def test_who_waits_longest_stands_first_and_filters_narrow(agent: Console) -> None:
    assert "Nobody waits for us" in words(agent.read(CASES))
    opened(1, reason="wrote <b>twice</b>", step="flight.boarding")
    oldest = opened(3, "c-2")
    page = agent.read(CASES)
    text = words(page)
    assert "2 people wait for us, the longest since" in text
    assert "2 cases are open" in words(agent.read("/admin/"))
    assert re.search(r'Cases</span><span class="lbl navn">2<', page)
    assert page.index(">c-2<") < page.index(">c-1<")
    assert "Wrote &lt;b&gt;twice&lt;/b&gt;" in page
    assert "Boarding" in text
    assert "No reason was given" in text
    only = agent.read(f"{CASES}?journey=flight")
    assert (">c-1<" in only, ">c-2<" in only) == (True, False)
    only = agent.read(f"{CASES}?customer=c-2")
    assert (">c-1<" in only, ">c-2<" in only) == (False, True)
    assert "No case matches" in agent.read(f"{CASES}?customer=nobody")
    assert f"/admin/cases/{oldest}/close" in page


def test_an_answer_that_opened_a_case_is_one_click_away(agent: Console) -> None:
    response = db.session.scalars(select(Response)).one()
    uid = db.session.scalars(select(Invitation.uid)).one()
    version = db.session.get_one(Invitation, response.invitation_id).survey_version
    version.definition = {**version.definition, "thanks": {"contact": True}}
    db.session.commit()
    with clock.at(NOW):
        link = f"/s/{tokens.mint('answer', uid, keys())}/done"
        assert agent.client.post(link, data={"contact": "yes"}).status_code == 303
    page = agent.read(CASES)
    assert f'href="/admin/responses/{response.uid}"' in page
    assert "Quick &lt;b&gt;and&lt;/b&gt; kind" in page
    assert "Asked to be contacted" in page
    assert 'href="/admin/cases/"' in agent.read("/admin/"), "home leads to the list"


def test_closing_says_how_it_ended_and_who_did(agent: Console) -> None:
    uid = opened(2, reason="wrote twice")
    for outcome in ("", "forgotten"):
        agent.post(f"{CASES}{uid}/close", outcome=outcome)
        assert "Not closed: choose how it ended." in agent.read(CASES)
    assert db.session.scalars(select(Case.closed_at)).one() is None
    done = agent.post(f"{CASES}{uid}/close?journey=flight&evil=1", outcome="solved")
    assert done.location == f"{CASES}?journey=flight"
    closed = words(agent.read(f"{CASES}?state=closed"))
    assert "Nobody waits for us. 1 case is closed." in closed
    assert "solvedby agent" in closed
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "case.closed")).one()
    assert (noted.object, noted.detail) == (uid, {"outcome": "solved"})
    assert noted.actor == db.session.scalars(select(Case.closed_by)).one() != "system"
    assert agent.post(f"{CASES}{'0' * 32}/close", outcome="solved").status_code == 404


def test_a_case_is_taken_given_back_and_taken_over(agent: Console) -> None:
    mine, other = opened(2), opened(1, "c-2")
    taken = agent.post(f"{CASES}{mine}/take?state=mine")
    assert taken.location == f"{CASES}?state=mine"
    assert "You look after this case." in agent.read(CASES)
    with audit.acting("colleague@example.org"):
        take_case(other)
    page = words(agent.read(CASES))
    assert "Mine and free 1All open 2Closed 0" in page
    assert ("colleague@example.org Take over" in page, "you Give back" in page) == (True, True)
    only = agent.read(f"{CASES}?state=mine")
    assert (">c-1<" in only, ">c-2<" in only) == (True, False)
    agent.post(f"{CASES}{other}/give-back")
    assert "Nothing changed: colleague@example.org looks after this case." in agent.read(CASES)
    agent.post(f"{CASES}{other}/take")
    assert "Nothing changed: colleague@example.org looks after this case." in agent.read(CASES)
    agent.post(f"{CASES}{other}/take", previous="colleague@example.org")
    agent.post(f"{CASES}{mine}/give-back")
    assert "The case is free again." in agent.read(CASES)
    db.session.rollback()
    me = db.session.scalars(select(Case.taken_by).where(Case.uid == other)).one()
    assert db.session.execute(select(Case.taken_by, Case.taken_at).where(Case.uid == mine)).one() == (None, None)
    noted = select(AuditEntry.action, AuditEntry.object, AuditEntry.actor, AuditEntry.detail)
    assert db.session.execute(noted.where(AuditEntry.action.in_(TURNS)).order_by(AuditEntry.id)).all() == [
        ("case.taken", mine, me, {}),
        ("case.taken", other, "colleague@example.org", {}),
        ("case.taken", other, me, {"from": "colleague@example.org"}),
        ("case.given_back", mine, me, {}),
    ]


def test_what_is_closed_or_unknown_is_taken_by_nobody(agent: Console) -> None:
    uid = opened(1)
    agent.post(f"{CASES}{uid}/close", outcome="solved")
    for turn in ("take", "give-back"):
        agent.post(f"{CASES}{uid}/{turn}")
        assert "Nothing changed: the case is closed." in agent.read(CASES)
        assert agent.post(f"{CASES}{'0' * 32}/{turn}").status_code == 404
    assert db.session.scalars(select(Case.taken_by)).one() is None


def test_the_next_page_goes_on_where_the_last_one_ended(agent: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    person = db.session.scalars(select(Customer.id).where(Customer.external_id == "c-1")).one()
    rows = [
        Case(
            uid=f"{number:032x}", customer_id=person, reason=f"number {number}.", opened_by="key:crm",
            opened_at=NOW - timedelta(days=9) + timedelta(hours=number // 2),
            closed_at=NOW - timedelta(hours=number // 2) if state else None, closed_by="x" if state else None,
        )
        for state in (0, 1) for number in range(state * 100, state * 100 + paging.SIZE + 3)
    ]  # fmt: skip
    db.session.add_all(rows)
    db.session.commit()
    for state, first in (("", 0), ("closed", 100)):
        address, seen = f"{CASES}?state={state}", []
        while address:
            page = agent.read(address)
            seen += [n for n in range(first, first + paging.SIZE + 3) if f"umber {n}." in page]
            following = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
            address = following.replace("&amp;", "&") if 'rel="next"' in page else ""
        assert len(seen) == paging.SIZE + 3
        assert len(set(seen)) == paging.SIZE + 3


def test_who_may_only_read_sees_no_button(app: OpenAPI, client: FlaskClient) -> None:
    live()
    analyst = Console(client, "analyst")
    uid = opened(1)
    page = analyst.read(CASES)
    assert ">c-1<" in page
    assert "<form method" not in page.partition("<main")[2]
    assert analyst.post(f"{CASES}{uid}/close", outcome="solved").status_code == 403
    assert analyst.post(f"{CASES}{uid}/take").status_code == 403
    assert db.session.scalars(select(Case.taken_by)).one() is None
    assert db.session.scalars(select(Case.closed_at)).one() is None
