"""The webhooks' pages: added, shown, changed, tried, replayed; who may, and what stays secret."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from surveyapp import clock
from surveyapp.domain.webhooks import Told
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Webhook, WebhookDelivery
from surveyapp.services import webhook_delivery, webhooks
from tests.people import make_user, sign_in_as
from tests.web.admin.living import NOW as LATER
from tests.web.admin.living import counted_statements, live
from tests.web.admin.test_pages import words

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
GOOD = {"url": "https://example.org/hook", "description": "CRM", "events": ["case.opened", "response.confirmed"]}
NOT_TAKEN = webhook_delivery.Posted(webhook_delivery.Fate.REFUSED, 400, "answered 400")


class Pages:
    """A signed-in administrator's browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.token = client, sign_in_as(client, user=make_user("admin"))

    def get(self, path: str = "", status: int = 200) -> str:
        answer = self.client.get(f"/admin/access/webhooks/{path}")
        assert answer.status_code == status
        return answer.text

    def post(self, path: str = "", **fields: object) -> TestResponse:
        return self.client.post(f"/admin/access/webhooks/{path}", data={"csrf_token": self.token} | fields)


@pytest.fixture
def pages(app: OpenAPI, client: FlaskClient) -> Iterator[Pages]:
    with clock.at(NOW):
        yield Pages(client)


def endpoint() -> str:
    return webhooks.create_webhook(GOOD)[0].uid


def row(uid: str) -> Webhook:
    db.session.expire_all()
    return db.session.scalars(select(Webhook).where(Webhook.uid == uid)).one()


class Refusing(webhook_delivery.Poster):
    def post(self, posting: webhook_delivery.Posting, timestamp: int) -> webhook_delivery.Posted:
        return NOT_TAKEN


def test_an_endpoint_is_added_and_its_secret_shown(pages: Pages) -> None:
    assert "Nobody is told yet" in pages.get()
    page = pages.post(**GOOD)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{44}", page.text)
    assert secret is not None
    assert page.headers["Cache-Control"] == "no-store"
    listed = pages.get()
    assert secret[0] not in listed
    assert "CRMhttps://example.org/hook response.confirmed case.opened Active 000" in words(listed)
    uid = db.session.scalars(select(Webhook.uid)).one()
    assert secret[0] not in pages.get(uid)
    assert secret[0] in pages.post(f"{uid}/secret").text
    assert (
        db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first() == "webhook.secret_shown"
    )


def test_a_form_that_does_not_fit_says_why_keeps_what_was_written_and_stores_nothing(pages: Pages) -> None:
    page = pages.post(url="http://10.0.0.1/", description="<b>CRM</b>")
    assert page.status_code == 422
    assert "It must begin with https://." in page.text
    assert "Choose at least one." in page.text
    assert 'value="&lt;b&gt;CRM&lt;/b&gt;"' in page.text
    assert db.session.scalars(select(Webhook)).all() == []
    uid = endpoint()
    assert pages.post(uid, url="", description="", events=[]).status_code == 422
    assert row(uid).url == GOOD["url"]


def test_an_endpoint_is_changed_paused_resumed_and_deleted_after_a_question(pages: Pages) -> None:
    uid = endpoint()
    assert pages.post(uid, url="https://example.org/b", description="ERP", events=["case.opened"]).status_code == 303
    assert (row(uid).url, row(uid).description, row(uid).events) == ("https://example.org/b", "ERP", ["case.opened"])
    pages.post(f"{uid}/pause")
    assert "what happens waits for it." in words(pages.get(uid))
    pages.post(f"{uid}/test")
    assert "Nothing was sent: it is paused or disabled." in pages.get(uid)
    pages.post(f"{uid}/resume")
    assert row(uid).paused_at is None
    assert "Delete ERP?" in pages.get(f"{uid}/delete")
    assert row(uid).description == "ERP"
    assert pages.post(f"{uid}/delete").location == "/admin/access/webhooks/"
    assert db.session.scalars(select(Webhook)).all() == []


def test_the_secret_is_replaced_and_the_old_one_ended_after_a_question(pages: Pages) -> None:
    uid = endpoint()
    old = webhooks.show_secret(uid)
    assert "Make a new secret?" in pages.get(f"{uid}/rotate")
    page = pages.post(f"{uid}/rotate").text
    new = webhooks.show_secret(uid)
    assert new != old
    assert new in page
    assert "by the one before" in pages.get(uid)
    assert "Sign by the old secret no more?" in pages.get(f"{uid}/end-former")
    pages.post(f"{uid}/end-former")
    assert row(uid).former_secret_encrypted is None


def test_the_log_tells_how_each_message_went_and_replays_it(pages: Pages) -> None:
    uid = endpoint()
    pages.post(f"{uid}/test")
    assert "waiting" in words(pages.get(f"{uid}?state=planned"))
    assert "Replay" not in pages.get(uid)
    webhook_delivery.send_due(Refusing())
    message = db.session.scalars(select(WebhookDelivery)).one()
    page = pages.get(uid)
    assert "not wanted" in words(page)
    assert "Answered 400" in words(page)
    assert "A test. Nothing has happened." in page
    assert "No message fits these filters." in pages.get(f"{uid}?state=delivered&event=webhook.test")
    assert message.uid in pages.get(f"{uid}?state=failed&event=webhook.test&older=oops")
    assert message.uid not in pages.get(f"{uid}?older={message.id}")
    assert pages.post(f"{uid}/deliveries/{message.uid}/replay").status_code == 303
    db.session.expire_all()
    assert db.session.scalars(select(WebhookDelivery.state)).one() == "planned"
    pages.post(f"{uid}/deliveries/{message.uid}/replay")
    assert "It waits to be sent anyway" in pages.get(uid)
    assert pages.post(f"{uid}/deliveries/msg_00/replay").status_code == 404


def test_a_disabled_endpoint_is_told_of_where_people_look(pages: Pages, app: OpenAPI) -> None:
    uid = endpoint()
    reason = "It has taken nothing for 5 days; last: answered 500"
    db.session.execute(update(Webhook).values(disabled_at=NOW, disabled_reason=reason))
    db.session.commit()
    assert reason in pages.get()
    assert reason in pages.get(uid)
    live()
    with clock.at(LATER):
        sign_in_as(pages.client)
        assert "1 webhook is disabled" in pages.client.get("/admin/").text
    assert f"Webhook CRM: disabled ({reason})" in app.test_cli_runner().invoke(args=["doctor"]).output


def test_the_pages_take_few_statements_however_much_was_told(pages: Pages) -> None:
    uid = endpoint()
    for _ in range(60):
        webhooks.send_test(uid)
    for address in ("", uid):
        with counted_statements() as seen:
            pages.get(address)
        assert len(seen) <= 9, "\n".join(seen)
    older = re.search(r"older=(\d+)", pages.get(uid))
    assert older is not None
    assert pages.get(f"{uid}?older={older[1]}").count('class="hookdata"') == 10


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("path", ["", "rotate", "delete", "end-former"])
def test_a_stranger_of_an_endpoint_is_not_found(pages: Pages, path: str) -> None:
    pages.get(f"wh_0/{path}".rstrip("/"), 404)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("path", ["", "pause", "resume", "test", "secret", "rotate", "delete", "end-former"])
def test_what_is_not_there_cannot_be_changed(pages: Pages, path: str) -> None:
    assert pages.post(f"wh_0/{path}".rstrip("/"), **GOOD).status_code == 404


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("role", ["editor", "analyst", "agent", "partner"])
def test_only_administrators_come_here(client: FlaskClient, app: OpenAPI, role: str) -> None:
    uid = endpoint()
    token = sign_in_as(client, role)
    for address in ("/admin/access/webhooks/", f"/admin/access/webhooks/{uid}"):
        assert client.get(address).status_code == 403
    assert client.post(f"/admin/access/webhooks/{uid}/secret", data={"csrf_token": token}).status_code == 403


@pytest.mark.database("sqlite")
def test_every_event_is_offered(pages: Pages) -> None:
    page = pages.get()
    assert [event for event in Told if f'value="{event}"' not in page] == []
