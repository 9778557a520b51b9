"""The local mailbox and phone as pages and as JSON: the contract's shape, and nothing hostile that runs."""

import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp.channels.base import OutgoingMessage
from surveyapp.domain.vocabulary import Channel
from surveyapp.models import LocalMessage
from surveyapp.services import mailbox
from tests.people import sign_in_as

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def keep(number: int = 1, **changes: object) -> None:
    values = {
        "uid": f"m-{number}",
        "channel": Channel.EMAIL,
        "recipient": f"ada{number}@example.org",
        "sender": "Oddjob <ask@example.org>",
        "subject": f"Question {number}",
        "text": "plain words",
        "html": "<!DOCTYPE html><html><head><title>t</title></head><body><p>rich words</p></body></html>",
        "headers": {"Message-ID": f"<m-{number}@example.org>"},
    }
    mailbox.store(OutgoingMessage(**(values | changes)))


def keep_text(number: str = "+33612345678", text: str = "How likely? Reply 0 to 10") -> None:
    keep(2, channel=Channel.SMS, recipient=number, sender="Oddjob", subject=None, html=None, headers={}, text=text)


def test_the_json_has_the_contracts_shape_in_ascending_order(client: FlaskClient) -> None:
    keep(1)
    keep_text()
    response = client.get("/dev/mailbox.json")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    first, second = response.json["messages"]
    sent_at = first.pop("sent_at")
    assert sent_at.endswith("Z")
    assert first == {
        "id": first["id"],
        "channel": "email",
        "to": "ada1@example.org",
        "from": "Oddjob <ask@example.org>",
        "subject": "Question 1",
        "text": "plain words",
        "html": "<!DOCTYPE html><html><head><title>t</title></head><body><p>rich words</p></body></html>",
        "headers": {"Message-ID": "<m-1@example.org>"},
    }
    assert (second["channel"], second["subject"], second["html"], second["headers"]) == ("sms", None, None, {})
    assert first["id"] < second["id"]
    assert client.get(f"/dev/mailbox.json?after={first['id']}").json == {"messages": [second]}
    assert client.get(f"/dev/mailbox.json?after={second['id']}").json == {"messages": []}


def test_the_json_hands_out_more_than_one_batch(client: FlaskClient, session: scoped_session[Session]) -> None:
    keep(1)
    sent_at = session.scalars(select(LocalMessage.sent_at)).one()
    session.add_all(
        LocalMessage(
            channel="email", recipient=f"a{n}@b.org", sender="x", text="t", headers={}, direction="out", sent_at=sent_at
        )
        for n in range(450)
    )
    session.commit()
    messages = client.get("/dev/mailbox.json").json["messages"]
    assert len(messages) == 451
    assert [m["id"] for m in messages] == sorted(m["id"] for m in messages)


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "", "99999999999999999999", "٣"])
def test_a_malformed_after_is_refused(client: FlaskClient, after: str) -> None:
    assert client.get("/dev/mailbox.json", query_string={"after": after}).status_code == 400


def test_an_empty_mailbox_says_how_to_get_a_first_message(client: FlaskClient) -> None:
    page = client.get("/dev/mailbox")
    assert page.status_code == 200
    assert "No message yet." in page.text
    assert "POST /api/v1/events" in page.text
    assert client.get("/dev/mailbox.json").json == {"messages": []}


def test_the_newest_message_is_open_beside_the_list(client: FlaskClient) -> None:
    keep(1)
    keep(2)
    page = client.get("/dev/mailbox").text
    assert page.index("ada2@example.org") < page.index("ada1@example.org")
    assert page.count("<iframe") == 1
    assert 'title="The e-mail as its reader sees it"' in page


def test_a_message_is_read_as_html_text_and_headers(client: FlaskClient) -> None:
    keep(1)
    number = client.get("/dev/mailbox.json").json["messages"][0]["id"]
    address = f"/dev/mailbox/{number}"
    read = client.get(address).text
    assert f'<iframe src="{address}/body"' in read
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"' in read
    assert "plain words" in client.get(f"{address}?view=text").text
    assert "&lt;m-1@example.org&gt;" in client.get(f"{address}?view=headers").text


def test_the_body_stands_alone_under_a_policy_that_runs_nothing(client: FlaskClient) -> None:
    keep(1, html="<!DOCTYPE html><html><head></head><body><script>alert(1)</script></body></html>")
    number = client.get("/dev/mailbox.json").json["messages"][0]["id"]
    response = client.get(f"/dev/mailbox/{number}/body")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; ")
    assert "script-src" not in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank">' in response.text


def test_the_pages_run_only_our_own_files(client: FlaskClient) -> None:
    keep(1, subject="<script>alert(1)</script>", recipient='"><script>@example.org')
    keep_text(text="<script>alert(2)</script> {{7*7}} https://example.org/x")
    for address in ("/dev/mailbox", "/dev/mailbox?channel=email"):
        page = client.get(address)
        assert "<script>" not in page.text
        assert "unsafe" not in page.headers["Content-Security-Policy"]
    talk = client.get("/dev/mailbox").text
    assert "&lt;script&gt;alert(2)&lt;/script&gt; {{7*7}}" in talk
    assert '<a href="https://example.org/x" rel="noopener" target="_blank">' in talk


@pytest.mark.parametrize("path", ["/dev/mailbox/1", "/dev/mailbox/1/body", "/dev/mailbox/99999999999999999999"])
def test_an_unknown_message_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_list_is_filtered_and_the_filter_kept(client: FlaskClient) -> None:
    keep(1)
    keep(2)
    page = client.get("/dev/mailbox?to=ADA1@").text
    assert "ada1@example.org" in page
    assert "ada2@example.org" not in page
    assert "?to=ADA1@" in page or "?to=ADA1%40" in page
    assert "No message to or from that address yet." in client.get("/dev/mailbox?to=nobody").text
    assert client.get("/dev/mailbox?channel=nonsense").status_code == 200


def test_older_messages_are_a_page_away(client: FlaskClient) -> None:
    for number in range(55):
        keep(number)
    page = client.get("/dev/mailbox").text
    assert "Older messages" in page
    oldest_shown = client.get("/dev/mailbox.json").json["messages"][5]["id"]
    assert f"before={oldest_shown}" in page
    older = client.get(f"/dev/mailbox?before={oldest_shown}").text
    assert "ada4@example.org" in older
    assert "ada5@example.org" not in older


def test_a_text_comes_in_for_a_program_and_for_a_person(client: FlaskClient, session: scoped_session[Session]) -> None:
    keep_text()
    program = client.post("/dev/phone", data={"from": "+33612345678", "body": "9"})
    assert program.status_code == 202
    row = session.get_one(LocalMessage, program.json["id"])
    assert (row.direction, row.channel, row.sender, row.text) == ("in", "sms", "+33612345678", "9")
    as_json = client.post("/dev/phone", json={"from": "+33612345678", "body": "neuf"})
    assert as_json.status_code == 202
    person = client.post("/dev/phone", data={"from": "+33612345678", "body": "STOP"}, headers=BROWSER)
    assert person.status_code == 303
    talk = client.get(person.headers["Location"]).text.partition('class="talk"')[2]
    assert talk.index("How likely?") < talk.index("neuf") < talk.index("STOP")
    assert [m["channel"] for m in client.get("/dev/mailbox.json").json["messages"]] == ["sms"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"from": "+33612345678"},
        {"from": "+33612345678", "body": "  "},
        {"from": "+33612345678", "body": "x" * 1601},
        {"from": "+33612345678", "body": "a\0b"},
        {"from": "0612345678", "body": "9"},
        {"from": "+33612345678\n", "body": "9"},
    ],
)
def test_a_text_that_no_phone_could_send_is_refused(client: FlaskClient, form: dict[str, str]) -> None:
    assert client.post("/dev/phone", data=form).status_code == 422
    assert client.get("/dev/mailbox").text.count("<li>") == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"from":"+33612345678","body":"\\ud800"}', 400),
        ("{", 400),
        ("[]", 422),
        ('"x"', 422),
        ('{"from":1,"body":2}', 422),
    ],
)
def test_json_that_is_no_text_message_is_refused(client: FlaskClient, body: str, status: int) -> None:
    assert client.post("/dev/phone", data=body, content_type="application/json").status_code == status


def test_another_site_cannot_send_a_text_in(client: FlaskClient) -> None:
    form = {"from": "+33612345678", "body": "STOP"}
    assert client.post("/dev/phone", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


class TestWithRealProviders:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"EMAIL_BACKEND": "smtp", "SMTP_URL": "smtp://127.0.0.1:1", "SMS_BACKEND": "twilio"}

    @pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox.json", "/dev/phone", "/dev/mailbox/1"])
    def test_there_is_no_mailbox(self, client: FlaskClient, path: str) -> None:
        assert client.get(path).status_code == 404
        assert client.post("/dev/phone", data={"from": "+33612345678", "body": "9"}).status_code == 404

    def test_the_console_does_not_lead_there(self, client: FlaskClient) -> None:
        sign_in_as(client)
        page = client.get("/admin/").text
        assert ("/dev/mailbox" in page, "/admin/try/" in page) == (False, False)


class TestWithOneRealProvider:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"SMS_BACKEND": "twilio"}

    def test_the_mailbox_stays_and_the_phone_is_absent(self, client: FlaskClient) -> None:
        keep(1)
        assert len(json.loads(client.get("/dev/mailbox.json").text)["messages"]) == 1
        assert client.post("/dev/phone", data={"from": "+33612345678", "body": "9"}).status_code == 404
