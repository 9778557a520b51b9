"""From an event to a real provider's stand-in, through the same dispatch as everything else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from structlog.testing import capture_logs

from surveyapp import clock
from surveyapp.channels.smtp import Smtp
from surveyapp.domain import tokens
from surveyapp.extensions import db
from surveyapp.models import ChannelState, Invitation, LedgerEntry, Message, Suppression
from surveyapp.services.senders import configured
from tests import outreach
from tests.channels.conftest import _http, _smtp, mail_server, providers
from tests.providers import StandIn

__all__ = ["_http", "_smtp", "mail_server", "providers"]
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
KEYS = ["a-secret-for-tests-only"]


def only(model: Any) -> Any:
    return db.session.scalars(select(model).execution_options(populate_existing=True)).one()


def ask(**customer: Any) -> None:
    with clock.at(NOON - timedelta(days=1)):
        outreach.load()
    with clock.at(NOON):
        outreach.happens("e-1", "c-1", "check_in", NOON, customer=customer)


def stopped_by(channel: str, reason: str) -> None:
    """The hand-over fails by our own fault: an alert, no attempt burned, no contact counted, nobody suppressed."""
    with capture_logs() as said:
        assert outreach.send(NOON).postponed == 1
    assert (only(Message).state, only(Message).attempts, only(Message).retries) == ("planned", 0, 0)
    assert (only(ChannelState).channel, only(ChannelState).reason) == (channel, reason)
    assert only(ChannelState).paused_until == NOON + timedelta(minutes=15)
    assert db.session.scalars(select(Suppression)).all() == []
    assert set(db.session.scalars(select(LedgerEntry.state))) == {"released"}
    [alert] = [entry for entry in said if entry["event"] == "channel_misconfigured"]
    assert (alert["log_level"], alert["channel"], alert["error"]) == ("error", channel, reason)
    assert outreach.send(NOON + timedelta(minutes=14)).claimed == 0


class TestSendGrid:
    @pytest.fixture
    def settings(self, providers: StandIn) -> dict[str, object]:
        address = f"http://127.0.0.1:{providers.port}"
        return {"EMAIL_BACKEND": "sendgrid", "SENDGRID_API_KEY": "SG.key", "SENDGRID_API_URL": address}

    def test_an_ask_reaches_sendgrid_with_our_id_and_nothing_personal_beside_the_address(
        self, app: Flask, providers: StandIn
    ) -> None:
        ask(attributes={"secret": "gold member"})
        assert outreach.send(NOON).sent == 1
        (call,) = providers.log()
        (person,) = call["body"]["personalizations"]
        message, invitation = only(Message), only(Invitation)
        assert person["to"] == [{"email": "c-1@example.org"}]
        assert person["custom_args"] == {"message_uid": message.uid}
        assert person["substitutions"]["[%answer%]"] == tokens.mint("answer", invitation.uid, KEYS)
        assert "[%answer%]?score=5" in call["body"]["content"][1]["value"]
        assert "gold member" not in str(call["body"])
        assert (message.state, message.provider, message.provider_ref) == ("sent", "sendgrid", "sg-1")

    def test_a_hundred_asks_are_two_calls(self, app: Flask, providers: StandIn) -> None:
        with clock.at(NOON - timedelta(days=1)):
            outreach.load()
        with clock.at(NOON):
            for number in range(100):
                outreach.happens(f"e-{number}", f"c-{number}", "check_in", NOON)
        assert outreach.send(NOON).sent == 100
        assert [len(call["body"]["personalizations"]) for call in providers.log()] == [50, 50]

    def test_f63_wrong_credentials_stop_the_channel(self, app: Flask, providers: StandIn) -> None:
        ask()
        providers.next({"status": 401})
        stopped_by("email", "status 401")


class TestSmtp:
    @pytest.fixture
    def settings(self, mail_server: StandIn) -> dict[str, object]:
        return {"EMAIL_BACKEND": "smtp", "SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}"}

    @pytest.fixture(autouse=True)
    def _let_go(self, app: Flask) -> Iterator[None]:
        yield
        sender = configured()["email"]
        assert isinstance(sender, Smtp)
        sender.close()

    def test_an_ask_reaches_the_mail_server(self, app: Flask, mail_server: StandIn) -> None:
        ask()
        assert outreach.send(NOON).sent == 1
        (entry,) = mail_server.log()
        assert entry["recipients"] == ["c-1@example.org"]
        assert f"Message-ID: <{only(Message).uid}@localhost.localdomain>\r\n" in entry["mail"]
        assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in entry["mail"]

    def test_f63_a_server_that_does_not_take_our_mail_stops_the_channel(self, app: Flask, mail_server: StandIn) -> None:
        ask()
        mail_server.next({"at": "mail", "reply": "530 5.7.0 sign in first"})
        stopped_by("email", "mail 530 5.7.0")

    def test_a_recipient_put_off_holds_nobody_else_back(self, app: Flask, mail_server: StandIn) -> None:
        ask()
        mail_server.next({"at": "rcpt", "reply": "450 4.2.0 greylisted"})
        assert outreach.send(NOON).postponed == 1
        assert (only(Message).state, only(Message).due_at) == ("planned", NOON + timedelta(minutes=5))
        assert db.session.scalars(select(ChannelState)).all() == []
        assert outreach.send(NOON + timedelta(minutes=6)).sent == 1


class TestTwilio:
    @pytest.fixture
    def settings(self, providers: StandIn) -> dict[str, object]:
        return {
            "SMS_BACKEND": "twilio",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "secret",
            "TWILIO_FROM": "+33700000000",
            "TWILIO_API_URL": f"http://127.0.0.1:{providers.port}",
        }

    def test_an_ask_reaches_twilio_as_one_text(self, app: Flask, providers: StandIn) -> None:
        ask(email=None, phone="+33612345678")
        assert outreach.send(NOON).sent == 1
        (call,) = providers.log()
        assert call["body"]["To"] == "+33612345678"
        assert call["body"]["Body"].startswith("Oddjob: Overall, how satisfied were you with check-in? Reply 1 (")
        assert call["body"]["Body"].endswith("STOP to opt out")
        message = only(Message)
        assert (message.state, message.provider, message.provider_ref) == ("sent", "twilio", "SM" + "0" * 31 + "1")

    @pytest.mark.parametrize(
        ("quiet", "zone", "seconds"),
        [
            ("", None, "36000"),
            ('quiet_hours: {from: "20:00", to: "08:00"}', None, "25200"),  # until 20:00 in Paris, by the number
            ('quiet_hours: {from: "20:00", to: "08:00"}', "Asia/Kolkata", "9000"),  # 17:30 there
        ],
    )
    def test_a_text_may_be_delivered_for_ten_hours_or_until_the_recipients_evening(
        self, app: Flask, providers: StandIn, quiet: str, zone: str | None, seconds: str
    ) -> None:
        with clock.at(NOON - timedelta(days=1)):
            outreach.load(f"policy:\n  {quiet}\n" if quiet else outreach.POLICY)
        with clock.at(NOON):
            person = {"email": None, "phone": "+33612345678", "timezone": zone}
            outreach.happens("e-1", "c-1", "check_in", NOON, customer=person)
        assert outreach.send(NOON).sent == 1
        (call,) = providers.log()
        assert call["body"]["ValidityPeriod"] == seconds

    def test_a_text_whose_window_closes_while_it_is_sent_goes_out_in_the_next_one(
        self, app: Flask, providers: StandIn
    ) -> None:
        evening = datetime(2026, 11, 2, 18, 59, 59, 500_000, tzinfo=UTC)  # half a second before 20:00 in Paris
        with clock.at(NOON):
            outreach.load('policy:\n  quiet_hours: {from: "20:00", to: "08:00"}\n')
        with clock.at(evening):
            outreach.happens("e-1", "c-1", "check_in", NOON, customer={"email": None, "phone": "+33612345678"})
            assert outreach.send(evening).postponed == 1
        assert (only(Message).state, only(Message).attempts) == ("planned", 0)
        assert db.session.scalars(select(ChannelState)).all() == []
        assert outreach.send(evening + timedelta(minutes=1)).postponed == 1
        assert only(Message).reason == "quiet_hours"
        assert providers.log() == []
        assert only(Message).due_at >= datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
        assert outreach.send(only(Message).due_at).sent == 1

    def test_f63_wrong_credentials_stop_the_channel(self, app: Flask, providers: StandIn) -> None:
        ask(email=None, phone="+33612345678")
        providers.next({"status": 401, "body": {"code": 20003}})
        stopped_by("sms", "status 401, code 20003: wrong credentials")

    def test_an_opt_out_the_provider_holds_becomes_ours(self, app: Flask, providers: StandIn) -> None:
        ask(email=None, phone="+33612345678")
        providers.next({"status": 400, "body": {"code": 21610}})
        assert outreach.send(NOON).failed == 1
        assert (only(Message).state, only(Message).reason) == ("failed", "opted_out")
