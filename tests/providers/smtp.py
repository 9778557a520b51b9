"""A stand-in mail server: `python -m tests.providers.smtp LOG [CERTIFICATE KEY [tls]] [--user NAME PASSWORD]`.

A behaviour belongs to one session's step and is taken when that step comes: `{"at": STEP, "reply": "550 5.1.1 no"}`
or `{"at": STEP, "do": "close"|"hang"|"trickle"}`. Steps: greeting, hello, starttls, auth, mail, rcpt, data, dot.
A mail is logged, on disk, before its final reply: what is in the log has been accepted.
"""

import argparse
import base64
import itertools
import socketserver
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from tests.providers.script import Log, Script, Server, serve

HANG_SECONDS = 120.0


class Gone(Exception):
    """The session is over."""


class Session(socketserver.StreamRequestHandler):
    script: Script
    log: Log
    context: ssl.SSLContext | None = None
    at_once = False
    account: tuple[str, str] | None = None
    sessions = itertools.count(1)
    upcoming: dict[str, Any] | None = None

    def handle(self) -> None:
        self.number = next(self.sessions)
        self.encrypted = False
        try:
            if self.at_once:
                self._encrypt()
            self._say("greeting", "220 stand-in ready")
            self._talk()
        except (Gone, OSError, ssl.SSLError):
            return

    def _encrypt(self) -> None:
        assert self.context is not None
        self.request = self.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.encrypted = True

    def _talk(self) -> None:
        sender, recipients = "", []
        while line := self.rfile.readline():
            command = line.decode().strip()
            word = command.upper()
            if word.startswith(("EHLO", "HELO")):
                self._hello()
            elif word == "STARTTLS":
                self._say("starttls", "220 go ahead")
                self._encrypt()
            elif word.startswith("AUTH PLAIN"):
                self._sign_in(command.split()[2] if len(command.split()) > 2 else "")
            elif word.startswith("MAIL FROM:"):
                sender, recipients = command[10:], []
                self._say("mail", "250 2.1.0 sender ok")
            elif word.startswith("RCPT TO:"):
                if self._say("rcpt", "250 2.1.5 recipient ok") < 300:
                    recipients.append(command[8:].strip("<>"))
            elif word == "DATA":
                if self._say("data", "354 go ahead") == 354:
                    self._take(sender, recipients)
            elif word in ("RSET", "NOOP"):
                self._write("250 ok")
            elif word == "QUIT":
                self._write("221 bye")
                return
            else:
                self._write("500 what?")

    def _hello(self) -> None:
        if self._coming("hello"):
            self._say("hello", "")
            return
        offers = ["8BITMIME", "SMTPUTF8"]
        offers += ["STARTTLS"] if self.context and not self.encrypted else []
        offers += ["AUTH PLAIN"] if self.account else []
        for offer in ["stand-in", *offers[:-1]]:
            self._write(f"250-{offer}")
        self._write(f"250 {offers[-1]}")

    def _sign_in(self, given: str) -> None:
        _, user, password = base64.b64decode(given).decode().split("\0")
        right = (user, password) == self.account
        self._say("auth", "235 2.7.0 welcome" if right else "535 5.7.8 wrong user or password")

    def _take(self, sender: str, recipients: list[str]) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        if line == b"":
            raise Gone
        refused = self._coming("dot") and str((self._coming("dot") or {}).get("reply", "2")).startswith(("4", "5"))
        if not refused:
            self.log.write(
                session=self.number,
                encrypted=self.encrypted,
                sender=sender,
                recipients=recipients,
                mail=b"".join(lines).decode("latin-1"),
            )
        self._say("dot", "250 2.0.0 queued as 12345")

    def _coming(self, step: str) -> dict[str, Any] | None:
        """The next behaviour when it belongs to this step. Sessions come one after the other in the tests."""
        if Session.upcoming is None:
            Session.upcoming = self.script.take() or None
        coming = Session.upcoming
        return coming if coming and coming["at"] == step else None

    def _say(self, step: str, reply: str) -> int:
        behaviour = self._coming(step) or {}
        if behaviour:
            Session.upcoming = None
        what = behaviour.get("do")
        if what == "close":
            self.request.close()
            raise Gone
        if what == "hang":
            time.sleep(HANG_SECONDS)
            raise Gone
        if what == "trickle":
            for byte in b"250-" + b"x" * 1000:
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
            raise Gone
        reply = behaviour.get("reply", reply)
        self._write(reply)
        if reply.startswith("421"):
            raise Gone
        return int(reply[:3])

    def _write(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")


def forget() -> None:
    Session.sessions = itertools.count(1)
    Session.upcoming = None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("tls", nargs="*")
    parser.add_argument("--user", nargs=2)
    given = parser.parse_args(sys.argv[1:])
    Session.script, Session.log = Script(), Log(given.log)
    if given.tls:
        Session.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        Session.context.load_cert_chain(given.tls[0], given.tls[1])
        Session.at_once = given.tls[2:] == ["tls"]
    Session.account = (given.user[0], given.user[1]) if given.user else None
    serve(Server(("127.0.0.1", 0), Session), Session.script, Session.log, forget)


if __name__ == "__main__":
    main()
