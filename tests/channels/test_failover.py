"""F64: a second mail provider takes what the first has definitely not taken, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from surveyapp.channels import registry
from surveyapp.channels.base import ReceiptKind, Sender
from surveyapp.channels.failover import FailOver
from surveyapp.channels.smtp import Smtp
from tests.channels.conftest import NOW, make_email
from tests.providers import StandIn

ACCEPTED, REFUSED, RETRY, CONFIGURATION, UNKNOWN = (
    ReceiptKind.ACCEPTED,
    ReceiptKind.REFUSED,
    ReceiptKind.RETRY,
    ReceiptKind.CONFIGURATION,
    ReceiptKind.UNKNOWN,
)
SOON = {"Retry-After": "9"}
GONE = {"refuse": "ada1@example.org"}


@pytest.fixture
def sender(providers: StandIn, mail_server: StandIn) -> Iterator[Sender]:
    """SendGrid first, then the mail server."""
    settings: dict[str, Any] = {
        "EMAIL_BACKEND": "sendgrid",
        "EMAIL_FALLBACK": "smtp",
        "SENDGRID_API_KEY": "SG.key",
        "SENDGRID_API_URL": f"http://127.0.0.1:{providers.port}",
        "SEND_BATCH": 50,
        "SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "SMS_BACKEND": "phone",
    }
    made = registry.senders(settings, lambda *messages: None, lambda: NOW)["email"]
    assert isinstance(made, FailOver)
    made._first.total = 2.0  # type: ignore[attr-defined]
    yield made
    assert isinstance(made._second, Smtp)
    made._second.close()


def outcomes(sender: Sender, *numbers: int) -> list[tuple[str, ReceiptKind, str]]:
    receipts = sender.send([make_email(number) for number in numbers])
    return sorted((r.uid, r.kind, r.provider) for r in receipts)


def by_mail_server(mail_server: StandIn) -> list[str]:
    return [recipient for entry in mail_server.log() for recipient in entry["recipients"]]


def test_f64_while_the_first_takes_messages_the_second_has_none(
    sender: Sender, providers: StandIn, mail_server: StandIn
) -> None:
    assert outcomes(sender, 1, 2) == [("m-1", ACCEPTED, "sendgrid"), ("m-2", ACCEPTED, "sendgrid")]
    assert by_mail_server(mail_server) == []


@pytest.mark.parametrize(
    "refusal", [{"status": 429, "headers": {"Retry-After": "60"}}, {"status": 503, "headers": SOON}, {"status": 401}]
)
def test_f64_what_was_definitely_not_taken_goes_to_the_second_and_stays_there_for_a_while(
    sender: Sender, providers: StandIn, mail_server: StandIn, refusal: dict[str, Any]
) -> None:
    providers.next(refusal)
    assert outcomes(sender, 1, 2) == [("m-1", ACCEPTED, "smtp"), ("m-2", ACCEPTED, "smtp")]
    assert outcomes(sender, 3) == [("m-3", ACCEPTED, "smtp")]
    assert len(providers.log()) == 1
    assert by_mail_server(mail_server) == ["ada1@example.org", "ada2@example.org", "ada3@example.org"]


@pytest.mark.parametrize("doubt", [{"status": 500}, {"do": "reset"}, {"do": "close"}, {"do": "trickle"}])
def test_f64_what_may_have_left_never_goes_to_the_second(
    sender: Sender, providers: StandIn, mail_server: StandIn, doubt: dict[str, Any]
) -> None:
    providers.next(doubt)
    assert outcomes(sender, 1, 2) == [("m-1", UNKNOWN, "sendgrid"), ("m-2", UNKNOWN, "sendgrid")]
    assert by_mail_server(mail_server) == []
    assert outcomes(sender, 3) == [("m-3", ACCEPTED, "sendgrid")]


def test_f64_a_recipient_who_is_refused_is_refused(sender: Sender, providers: StandIn, mail_server: StandIn) -> None:
    providers.next(GONE)
    assert outcomes(sender, 1, 2) == [("m-1", REFUSED, "sendgrid"), ("m-2", ACCEPTED, "sendgrid")]
    assert by_mail_server(mail_server) == []


def test_f64_where_neither_takes_it_a_wait_is_better_than_a_stop(
    sender: Sender, providers: StandIn, mail_server: StandIn
) -> None:
    providers.next({"status": 429, "headers": {"Retry-After": "60"}})
    mail_server.next({"at": "mail", "reply": "550 5.7.1 not you"})
    [receipt] = sender.send([make_email(1)])
    assert (receipt.kind, receipt.provider, receipt.retry_after) == (RETRY, "sendgrid", 60.0)


def test_f64_doubt_at_the_second_stays_doubt(sender: Sender, providers: StandIn, mail_server: StandIn) -> None:
    providers.next({"status": 401})
    mail_server.next({"at": "dot", "do": "close"})
    assert outcomes(sender, 1) == [("m-1", UNKNOWN, "smtp")]


def test_both_are_stopped_for_an_operator_when_both_say_so(
    sender: Sender, providers: StandIn, mail_server: StandIn
) -> None:
    providers.next({"status": 401})
    mail_server.next({"at": "mail", "reply": "550 5.7.1 not you"})
    assert outcomes(sender, 1) == [("m-1", CONFIGURATION, "smtp")]
