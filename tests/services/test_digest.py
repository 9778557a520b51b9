"""The weekly digest: once a week to those who asked, verbatims before scores, never a customer contact."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.channels.base import ReceiptKind
from surveyapp.models import LedgerEntry, LocalMessage, Message, User
from surveyapp.services import dashboard, digest, rollups, verbatims
from tests.builders import make_brand, make_customer, make_response, make_survey
from tests.people import make_user, sign_in_as
from tests.services.test_dispatch import answering

Database = scoped_session[Session]
MONDAY = datetime(2026, 11, 9, 7, 0, tzinfo=UTC)  # eight in Paris


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with clock.at(moment):
        yield


def mails(session: Database) -> list[LocalMessage]:
    session.expire_all()
    return list(session.scalars(select(LocalMessage).order_by(LocalMessage.id)))


@pytest.fixture
def week(session: Database) -> None:
    make_brand()
    version = make_survey()
    customer = make_customer(email="ada@example.org")
    said = make_response(
        version, 2, comment="<b>Too slow</b>\nreally", reporting_day=date(2026, 11, 4), customer_id=customer.id
    )
    now = [make_response(version, 5, reporting_day=date(2026, 11, 3)) for _ in range(40)]
    before = [make_response(version, 1, reporting_day=date(2026, 10, 27)) for _ in range(40)]
    rollups.count_many(session, [said, *now, *before])
    verbatims.keep(session, {said.id: said.comment})
    session.commit()


def test_who_asked_gets_it_once_a_week_and_words_come_first(session: Database, week: None) -> None:
    asked, _other, gone = make_user("analyst"), make_user("admin"), make_user("editor")
    partner = make_user("partner")
    for user in (asked, gone, partner):
        digest.choose(user.id, True)
    gone.disabled_at = MONDAY
    session.commit()
    email = asked.email
    with at(MONDAY.replace(hour=5)):
        assert digest.send_due() == 0
    with at(MONDAY):
        assert [digest.send_due(), digest.send_due()] == [1, 0]
    [mail] = mails(session)
    assert (mail.recipient, mail.subject) == (email, "Oddjob Airways: what customers said, 2026-11-02 to 2026-11-08")
    assert mail.text.index("Too slow") < mail.text.index("CSAT 1–5: 98 % (87 to 100, n 41) - higher by")
    assert "&lt;b&gt;Too slow&lt;/b&gt; really" in (mail.html or "")
    assert "ada@example.org" not in mail.text
    assert "/account" in mail.text
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    with at(MONDAY.replace(day=16)):
        assert digest.send_due() == 1
        digest.choose(asked.id, False)
    with at(MONDAY.replace(day=23)):
        assert digest.send_due() == 0
    assert "Nobody wrote anything this week." in mails(session)[-1].text


@pytest.mark.parametrize(("kind", "again"), [(ReceiptKind.RETRY, 1), (ReceiptKind.UNKNOWN, 0)])
def test_what_surely_did_not_leave_is_tried_again_and_nothing_else(
    app: Flask, session: Database, week: None, kind: ReceiptKind, again: int
) -> None:
    user = make_user("analyst")
    digest.choose(user.id, True)
    with at(MONDAY):
        app.extensions["surveyapp_senders"] = {"email": answering(kind)}
        assert digest.send_due() == 0
        del app.extensions["surveyapp_senders"]
        assert [digest.send_due(), digest.send_due()] == [again, 0]
    session.expire_all()
    assert session.get_one(User, user.id).preferences["digest"] is True


def test_a_person_turns_it_on_and_off_in_the_account(client: FlaskClient, session: Database) -> None:
    make_brand()
    user = make_user("agent")
    token = sign_in_as(client, user=user)
    assert "No weekly digest is sent to you." in client.get("/account").text
    assert client.post("/account/digest", data={"wanted": "1", "csrf_token": token}).status_code == 303
    assert "Stop the digest" in client.get("/account").text
    assert client.post("/account/digest", data={"wanted": "", "csrf_token": token}).status_code == 303
    session.expire_all()
    assert session.get_one(User, user.id).preferences == {"digest": False}
    assert client.post("/account/digest", data={"wanted": "1"}).status_code == 403


def test_figures_are_not_compared_across_a_break(session: Database, week: None) -> None:
    asked = make_user("analyst")
    digest.choose(asked.id, True)
    session.commit()
    with at(MONDAY):
        dashboard.add_break(date(2026, 11, 1), "New fares", "csat5")
        digest.send_due()
    [mail] = mails(session)
    assert "not compared across a break" in mail.text
    assert "higher by" not in mail.text
