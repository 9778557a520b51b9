"""Any mail server by SMTP: kept connections, one outcome per recipient, and the reply codes in our words.

Until the final dot of DATA has gone out a failure is safe to repeat; from there on only the server's reply tells.
"""

import contextlib
import queue
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from surveyapp.channels.base import Now, OutgoingMessage, Receipt, ReceiptKind, Store, later
from surveyapp.channels.deadlines import CONNECT, ENOUGH, TOTAL, TimedSocket, handover, present
from surveyapp.domain.vocabulary import Channel

NAME = "smtp"
BATCH = 10  # sent one after the other on one connection
KEPT = 8
IDLE = 20.0
BODY = SMTP.clone(max_line_length=76)  # the most that quoted-printable allows
# For headers a shorter limit would fold a long link, and readers would not find it.
MAIL = SMTP.clone(max_line_length=998)
WIDE_MAIL = MAIL.clone(utf8=True)

# step: what its 4xx and its 5xx replies mean. Before RCPT the server speaks about us, from there on about this mail.
REPLIES = {
    "greeting": (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION),
    "hello": (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION),
    "starttls": (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION),
    "auth": (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION),
    "mail": (ReceiptKind.RETRY, ReceiptKind.CONFIGURATION),
    "rcpt": (ReceiptKind.RETRY, ReceiptKind.REFUSED),
    "data": (ReceiptKind.RETRY, ReceiptKind.REFUSED),
    "dot": (ReceiptKind.RETRY, ReceiptKind.REFUSED),
}
THIS_MAIL = frozenset({"rcpt", "data", "dot"})
SHUTTING_DOWN = 421
GREYLISTED = 300.0  # seconds after which a mail that was put off is tried again
TAKEN = range(250, 260)
# RCPT refusals after which the address is not used again: by enhanced code, or by the plain one where none is given
NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
NO_SUCH_ADDRESS_PLAIN = frozenset({550, 551, 553})
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})\b")


class Replied(Exception):
    """The server answered a step with a code that ends it."""

    def __init__(self, step: str, code: int, text: bytes) -> None:
        found = _ENHANCED.match(text)
        self.step, self.code = step, code
        self.enhanced = found[1].decode() if found else None
        super().__init__(f"{step} {code}" + (f" {self.enhanced}" if self.enhanced else ""))


class Unusable(Exception):
    """This server cannot be used as configured; a sentence."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. `starttls` None takes what the server offers."""

    host: str
    port: int
    tls: bool
    starttls: bool | None
    user: str
    password: str


def parse_address(address: str) -> Server:
    """The server named by `smtp://user:password@host:587?starttls=1` or `smtps://…`.

    Raises ValueError with a sentence when the address names none.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL reads smtp://user:password@host:587?starttls=1 or smtps://…")
    asked = parse_qs(parts.query).get("starttls", [""])[0]
    if asked not in ("", "0", "1"):
        raise ValueError("SMTP_URL: starttls is 1 or 0")
    tls = parts.scheme == "smtps"
    return Server(
        host=parts.hostname,
        port=parts.port or (465 if tls else 587),
        tls=tls,
        starttls=bool(int(asked)) if asked else None,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def build(settings: Mapping[str, Any], store: Store, now: Now) -> "Smtp":
    """The sender for the server in `SMTP_URL`. Raises ValueError when that is no address of one."""
    return Smtp(parse_address(settings["SMTP_URL"]), now)


class _Connection(smtplib.SMTP):
    """A session whose every operation ends with the hand-over."""

    last_used = 0.0
    encrypted = False
    in_doubt = False

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self._server = server
        self._context = context
        super().__init__(timeout=CONNECT)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        opened = socket.create_connection((host, port), present().allowance(CONNECT))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the lone final dot would wait for 40 ms
        if self._server.tls:
            opened = self._context.wrap_socket(opened, server_hostname=self._server.host)
            self.encrypted = True
        return TimedSocket(opened)

    def open(self) -> None:
        """Greeted, encrypted and signed in. Raises Replied, Unusable, OSError or smtplib's own."""
        server = self._server
        self._host = server.host
        _expect("greeting", self.connect(server.host, server.port), 220)
        self._hello()
        if not server.tls and server.starttls is not False:
            self._encrypt(required=server.starttls is True)
        if server.user:
            self._sign_in()

    def _hello(self) -> None:
        code, text = self.ehlo()
        if code != 250:
            _expect("hello", self.helo(), 250)

    def _encrypt(self, *, required: bool) -> None:
        if not self.has_extn("starttls"):
            if required:
                raise Unusable("the server offers no STARTTLS")
            return
        _expect("starttls", self.docmd("STARTTLS"), 220)
        assert isinstance(self.sock, TimedSocket)
        self.sock = self.sock.encrypted(self._context, self._server.host)
        self.encrypted = True
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self._hello()

    def _sign_in(self) -> None:
        if not self.encrypted and not _is_here(self._server.host):
            raise Unusable("the password would travel unencrypted: use smtps:// or ?starttls=1")
        try:
            self.login(self._server.user, self._server.password)
        except smtplib.SMTPNotSupportedError as problem:
            raise Unusable("the server offers no way to sign in") from problem
        except smtplib.SMTPResponseException as problem:
            raise Replied("auth", problem.smtp_code, _bytes(problem.smtp_error)) from problem

    def hand_over(self, sender: str, recipient: str, mail: bytes, wide: bool) -> None:
        """The mail has been taken. Raises Replied when a step was refused; `in_doubt` once only a reply can tell."""
        self.in_doubt = False
        options = ["SMTPUTF8", "BODY=8BITMIME"] if wide else []
        _expect("mail", self.mail(sender, options), 250)
        _expect("rcpt", self.rcpt(recipient), *TAKEN)
        _expect("data", self.docmd("DATA"), 354)
        self.send(re.sub(rb"(?m)^\.", b"..", mail))
        self.in_doubt = True
        self.send(b".\r\n")
        _expect("dot", self.getreply(), *TAKEN)


class Smtp:
    """The sender. A few mails go one after the other on one connection, each with its own outcome."""

    name = NAME
    channel = Channel.EMAIL
    batch_size = BATCH
    total = TOTAL

    def __init__(self, server: Server, now: Now) -> None:
        self._server = server
        self._now = now
        self._context = ssl.create_default_context()
        self._idle: queue.LifoQueue[_Connection] = queue.LifoQueue()

    def send(self, messages: Sequence[OutgoingMessage]) -> list[Receipt]:
        with handover(self.total):
            receipts: list[Receipt] = []
            while len(receipts) < len(messages):
                receipts += self._on_one_connection(messages[len(receipts) :])
            return receipts

    def _on_one_connection(self, messages: Sequence[OutgoingMessage]) -> Iterator[Receipt]:
        """Receipts until the messages or the connection are used up; at least one."""
        if present().left < ENOUGH:
            yield from (later(message.uid, NAME) for message in messages)
            return
        try:
            connection = self._connection()
        except (Replied, Unusable, OSError, smtplib.SMTPException) as problem:
            yield from (_receipt(message, problem) for message in messages)
            return
        for message in messages:
            if present().left < ENOUGH:
                break
            receipt, usable = _deliver(connection, message, self._now())
            yield receipt
            if not usable:
                connection.close()
                return
        self._keep(connection)

    def _connection(self) -> _Connection:
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                break
            if time.monotonic() - connection.last_used < IDLE and _still_open(connection):
                return connection
            connection.close()
        connection = _Connection(self._server, self._context)
        try:
            connection.open()
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Let go of the kept connections."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _keep(self, connection: _Connection) -> None:
        connection.last_used = time.monotonic()
        if self._idle.qsize() < KEPT:
            self._idle.put(connection)
        else:
            connection.close()


def _deliver(connection: _Connection, message: OutgoingMessage, now: datetime) -> tuple[Receipt, bool]:
    """The outcome for one message, and whether the connection can take another."""
    sender = parseaddr(message.sender)[1]
    wide = not (message.recipient.isascii() and sender.isascii())
    if wide and not connection.has_extn("smtputf8"):
        refused = Receipt(message.uid, ReceiptKind.REFUSED, NAME, error="the server takes no such address")
        return refused, True
    try:
        mail = as_mail(message, now).as_bytes(policy=WIDE_MAIL if wide else MAIL)
    except ValueError:
        return Receipt(message.uid, ReceiptKind.REFUSED, NAME, error="a header that could be broken out of"), True
    try:
        connection.hand_over(sender, message.recipient, mail, wide)
    except Replied as problem:
        if problem.step == "dot" and not 400 <= problem.code < 600:
            return Receipt(message.uid, ReceiptKind.UNKNOWN, NAME, error=str(problem)), False
        usable = problem.code != SHUTTING_DOWN and _started_afresh(connection)
        return _receipt(message, problem), usable
    except (OSError, smtplib.SMTPException) as problem:
        if connection.in_doubt:
            return Receipt(message.uid, ReceiptKind.UNKNOWN, NAME, error=f"no reply: {type(problem).__name__}"), False
        return _receipt(message, problem), False
    return Receipt(message.uid, ReceiptKind.ACCEPTED, NAME, reference=message.headers.get("Message-ID")), True


def as_mail(message: OutgoingMessage, now: datetime) -> EmailMessage:
    """The message as one mail of two alternatives. Raises ValueError when a header could be broken out of."""
    mail = EmailMessage(policy=BODY)
    mail["From"] = message.sender
    mail["To"] = message.recipient
    mail["Subject"] = message.subject or ""
    mail["Date"] = now
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(message.text, cte="quoted-printable")
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail


def _expect(step: str, reply: tuple[int, bytes], *wanted: int) -> None:
    code, text = reply
    if code not in wanted:
        raise Replied(step, code, text)


def _receipt(message: OutgoingMessage, problem: Exception) -> Receipt:
    """The outcome of a mail that has definitely not been sent."""
    if isinstance(problem, Unusable):
        return Receipt(message.uid, ReceiptKind.CONFIGURATION, NAME, error=str(problem))
    if not isinstance(problem, Replied):
        return Receipt(message.uid, ReceiptKind.RETRY, NAME, error=f"not sent: {type(problem).__name__}")
    temporary, permanent = REPLIES[problem.step]
    kind = permanent if 500 <= problem.code < 600 else temporary
    alone = kind is ReceiptKind.RETRY and problem.step in THIS_MAIL and problem.code != SHUTTING_DOWN
    gone = kind is ReceiptKind.REFUSED and problem.step == "rcpt" and _no_such_address(problem)
    return Receipt(
        message.uid,
        kind,
        NAME,
        error=str(problem),
        retry_after=GREYLISTED if alone else None,
        suppress="bounced" if gone else None,
        alone=alone,
    )


def _no_such_address(problem: Replied) -> bool:
    if problem.enhanced:
        return problem.enhanced in NO_SUCH_ADDRESS
    return problem.code in NO_SUCH_ADDRESS_PLAIN


def _started_afresh(connection: _Connection) -> bool:
    """Whether the session is ready for another mail after a refused one."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        return connection.rset()[0] == 250
    return False


def _still_open(connection: _Connection) -> bool:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        return connection.noop()[0] == 250
    return False


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
