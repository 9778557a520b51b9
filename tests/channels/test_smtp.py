"""A mail server by SMTP, against a stand-in process: what it receives, and what each reply at each step means."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from surveyapp.channels.base import Receipt, ReceiptKind
from surveyapp.channels.smtp import Server, Smtp, build, parse_address
from tests.channels.conftest import NOW, make_email
from tests.providers import StandIn

REFUSED, RETRY, CONFIGURATION, UNKNOWN = (
    ReceiptKind.REFUSED,
    ReceiptKind.RETRY,
    ReceiptKind.CONFIGURATION,
    ReceiptKind.UNKNOWN,
)


@pytest.fixture
def made() -> Iterator[Callable[[str], Smtp]]:
    """`made(address)`: a sender whose kept connections are let go when the test ends."""
    senders: list[Smtp] = []

    def make(address: str) -> Smtp:
        sender = build({"SMTP_URL": address}, lambda message: None, lambda: NOW)
        senders.append(sender)
        return sender

    yield make
    for sender in senders:
        sender.close()


Made = Callable[[str], Smtp]


@pytest.fixture
def sender(mail_server: StandIn, made: Made) -> Smtp:
    return made(f"smtp://127.0.0.1:{mail_server.port}")


def accepted(number: int) -> Receipt:
    return Receipt(f"m-{number}", ReceiptKind.ACCEPTED, "smtp", reference=f"<m-{number}@example.org>")


def test_a_mail_arrives_with_its_headers_and_both_parts(sender: Smtp, mail_server: StandIn) -> None:
    message = make_email(1, text="How likely?\n.a line with a dot\n", sender="Hôtel Élysée <ask@example.org>")
    assert sender.send([message]) == [accepted(1)]
    (entry,) = mail_server.log()
    assert entry["sender"].startswith("<ask@example.org>")
    assert entry["recipients"] == ["ada1@example.org"]
    mail = message_from_string(entry["mail"], policy=default)
    assert mail["From"] == "Hôtel Élysée <ask@example.org>"
    assert mail["To"] == "ada1@example.org"
    assert mail["Subject"] == "One question about check-in"
    assert mail["Date"].datetime == NOW
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = mail.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == message.text
    assert rich.get_content().strip() == message.html
    for name, value in message.headers.items():
        assert f"\r\n{name}: {value}\r\n" in entry["mail"]


def test_no_line_of_a_body_is_longer_than_quoted_printable_allows(sender: Smtp, mail_server: StandIn) -> None:
    message = make_email(1, text="À " * 300 + "\n", html="<p>" + "è=" * 500 + "</p>")
    assert sender.send([message]) == [accepted(1)]
    (entry,) = mail_server.log()
    _, _, body = entry["mail"].partition("\r\n\r\n")
    assert max(len(line) for line in body.split("\r\n")) == 76
    plain, rich = message_from_string(entry["mail"], policy=default).iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == message.text
    assert rich.get_content().strip() == message.html


def test_a_batch_goes_over_one_connection_which_is_kept(sender: Smtp, mail_server: StandIn) -> None:
    assert sender.batch_size == 10
    assert sender.send([make_email(n) for n in range(10)]) == [accepted(n) for n in range(10)]
    assert sender.send([make_email(11)]) == [accepted(11)]
    assert {entry["session"] for entry in mail_server.log()} == {1}


@pytest.mark.parametrize(
    ("at", "reply", "kind", "suppress", "alone"),
    [
        ("greeting", "421 busy", RETRY, None, False),
        ("greeting", "554 go away", CONFIGURATION, None, False),
        ("mail", "451 4.3.0 later", RETRY, None, False),
        ("mail", "550 5.7.1 sender not allowed", CONFIGURATION, None, False),
        ("mail", "530 5.7.0 sign in first", CONFIGURATION, None, False),
        ("rcpt", "550 5.1.1 no such user", REFUSED, "bounced", False),
        ("rcpt", "550 no such user", REFUSED, "bounced", False),
        ("rcpt", "553 bad mailbox", REFUSED, "bounced", False),
        ("rcpt", "550 5.7.1 blocked by policy", REFUSED, None, False),
        ("rcpt", "552 5.2.2 mailbox full", REFUSED, None, False),
        ("rcpt", "554 transaction failed", REFUSED, None, False),
        ("rcpt", "450 4.2.0 greylisted", RETRY, None, True),
        ("rcpt", "421 4.7.0 too many", RETRY, None, False),
        ("data", "451 4.3.0 later", RETRY, None, True),
        ("data", "554 5.6.0 no", REFUSED, None, False),
        ("dot", "452 4.3.1 disk full", RETRY, None, True),
        ("dot", "554 5.7.1 spam", REFUSED, None, False),
        ("dot", "354 odd", UNKNOWN, None, False),
    ],
)
def test_each_reply_at_each_step_has_one_meaning(
    sender: Smtp, mail_server: StandIn, at: str, reply: str, kind: ReceiptKind, suppress: str | None, alone: bool
) -> None:
    mail_server.next({"at": at, "reply": reply})
    (receipt,) = sender.send([make_email(1)])
    assert (receipt.kind, receipt.suppress, receipt.alone) == (kind, suppress, alone)
    assert "@" not in (receipt.error or "")
    assert sender.send([make_email(2)]) == [accepted(2)]
    if kind is not UNKNOWN:
        assert [entry["recipients"] for entry in mail_server.log()] == [["ada2@example.org"]]


@pytest.mark.parametrize("what", ["close", "hang", "trickle"])
@pytest.mark.parametrize(
    ("at", "kind"),
    [("greeting", RETRY), ("hello", RETRY), ("mail", RETRY), ("rcpt", RETRY), ("data", RETRY), ("dot", UNKNOWN)],
)
def test_a_failure_is_doubtful_only_after_the_final_dot(
    sender: Smtp, mail_server: StandIn, at: str, what: str, kind: ReceiptKind
) -> None:
    mail_server.next({"at": at, "do": what})
    sender.total = 5.0 if at == "dot" else 1.2  # the dot must be reached within it
    began = time.monotonic()
    (receipt,) = sender.send([make_email(1)])
    assert time.monotonic() - began < 90
    assert receipt.kind is kind
    assert len(mail_server.log()) == (1 if at == "dot" else 0)
    sender.total = 15.0
    assert sender.send([make_email(2)]) == [accepted(2)]


def test_one_refused_recipient_harms_none_of_its_neighbours(sender: Smtp, mail_server: StandIn) -> None:
    mail_server.next({"at": "rcpt", "reply": "550 5.1.1 no such user"})
    receipts = sender.send([make_email(n) for n in range(3)])
    assert [receipt.kind for receipt in receipts] == [REFUSED, ReceiptKind.ACCEPTED, ReceiptKind.ACCEPTED]
    assert [entry["recipients"] for entry in mail_server.log()] == [["ada1@example.org"], ["ada2@example.org"]]


def test_a_cut_in_the_middle_goes_on_over_a_new_connection(sender: Smtp, mail_server: StandIn) -> None:
    mail_server.next({"at": "dot", "do": "close"})
    receipts = sender.send([make_email(n) for n in range(3)])
    assert [receipt.kind for receipt in receipts] == [UNKNOWN, ReceiptKind.ACCEPTED, ReceiptKind.ACCEPTED]
    assert [entry["session"] for entry in mail_server.log()] == [1, 2, 2]


def test_what_there_was_no_time_for_is_left_for_later(sender: Smtp, mail_server: StandIn) -> None:
    mail_server.next({"at": "dot", "do": "hang"})
    sender.total = 2.5
    receipts = sender.send([make_email(n) for n in range(3)])
    assert [(receipt.kind, receipt.alone) for receipt in receipts] == [(UNKNOWN, False), (RETRY, True), (RETRY, True)]


def test_a_server_that_is_not_there_may_be_tried_again(made: Made) -> None:
    (receipt,) = made("smtp://127.0.0.1:1").send([make_email(1)])
    assert (receipt.kind, receipt.error) == (RETRY, "not sent: ConnectionRefusedError")


def test_an_address_the_server_cannot_take_is_refused_before_the_call(sender: Smtp, mail_server: StandIn) -> None:
    assert sender.send([make_email(1, recipient="adé@example.org")]) == [accepted(1)]
    assert mail_server.log()[0]["sender"].endswith("SMTPUTF8 BODY=8BITMIME")


def test_a_header_that_could_be_broken_out_of_is_refused(sender: Smtp, mail_server: StandIn) -> None:
    (receipt,) = sender.send([make_email(1, subject="a\r\nBcc: eve@example.org")])
    assert (receipt.kind, receipt.suppress) == (REFUSED, None)
    assert mail_server.log() == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    today = datetime.now(UTC)
    made_out = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made_out.public_bytes(Encoding.PEM))
    key_text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key_text)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
def secure(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[StandIn]:
    """A server that offers STARTTLS and wants a sign-in."""
    stand_in = StandIn("smtp", tmp_path, *map(str, certificate), "--user", "ask", "pass/word")
    yield stand_in
    stand_in.stop()


def test_mail_travels_encrypted_and_signed_in(
    made: Made, secure: StandIn, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    sender = made(f"smtp://ask:pass%2Fword@127.0.0.1:{secure.port}?starttls=1")
    assert sender.send([make_email(1)]) == [accepted(1)]
    assert secure.log()[0]["encrypted"] is True


def test_a_server_that_speaks_tls_at_once_is_spoken_to_so(
    made: Made, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    stand_in = StandIn("smtp", tmp_path, *map(str, certificate), "tls")
    try:
        assert made(f"smtps://127.0.0.1:{stand_in.port}").send([make_email(1)]) == [accepted(1)]
        assert stand_in.log()[0]["encrypted"] is True
    finally:
        stand_in.stop()


def test_a_certificate_nobody_vouches_for_stops_the_mail(made: Made, secure: StandIn) -> None:
    (receipt,) = made(f"smtp://127.0.0.1:{secure.port}?starttls=1").send([make_email(1)])
    assert receipt.kind is RETRY
    assert secure.log() == []


def test_a_wrong_password_is_our_configuration(
    made: Made, secure: StandIn, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    (receipt,) = made(f"smtp://ask:wrong@127.0.0.1:{secure.port}").send([make_email(1)])
    assert (receipt.kind, receipt.error) == (CONFIGURATION, "auth 535 5.7.8")
    assert secure.log() == []


def test_demanded_encryption_that_is_not_offered_is_our_configuration(made: Made, mail_server: StandIn) -> None:
    (receipt,) = made(f"smtp://127.0.0.1:{mail_server.port}?starttls=1").send([make_email(1)])
    assert (receipt.kind, receipt.error) == (CONFIGURATION, "the server offers no STARTTLS")
    assert mail_server.log() == []


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("smtp://mail.example.org", Server("mail.example.org", 587, False, None, "", "")),
        ("smtp://u:p%40ss@mail.example.org:25?starttls=1", Server("mail.example.org", 25, False, True, "u", "p@ss")),
        ("smtps://u@mail.example.org?starttls=0", Server("mail.example.org", 465, True, False, "u", "")),
    ],
)
def test_the_address_of_a_server_is_read(address: str, server: Server) -> None:
    assert parse_address(address) == server


@pytest.mark.parametrize(
    "address", ["", "mail.example.org", "http://x", "smtp://", "smtp://x?starttls=yes", "smtp://x:port"]
)
def test_what_is_no_address_of_a_server_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        parse_address(address)
