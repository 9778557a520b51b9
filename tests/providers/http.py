"""A stand-in for SendGrid's Mail Send and Twilio's Messages: `python -m tests.providers.http LOG`.

A behaviour is `{"status", "headers", "body"}` for an answer, `{"do": "hang"|"reset"|"close"|"trickle"|"large"}`
(a trickle's bytes come `"every"` so many seconds), `{"do": "hold"}` to answer only when told to go on, or
`{"refuse": ADDRESS}`: 400 for a batch that holds it, for this and every later request until one no longer does.
"""

import itertools
import json
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.providers.script import Log, Script, Server, serve

HANG_SECONDS = 120.0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script
    log: Log
    numbers = itertools.count(1)
    connections = itertools.count(1)
    refused: set[str] = set()

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection_number = next(self.connections)

    def log_message(self, *args: Any) -> None:
        """Our own log says more."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sendgrid = self.path == "/v3/mail/send"
        body = json.loads(raw) if sendgrid else {k: v[0] for k, v in parse_qs(raw.decode(), True).items()}
        behaviour = self.script.take()
        number = next(self.numbers)
        if "refuse" in behaviour:
            self.refused.add(behaviour["refuse"])
        status, headers, answer = self._answer(behaviour, sendgrid, body, number)
        self.log.write(
            number=number,
            connection=self.connection_number,
            path=self.path,
            headers={name.title(): value for name, value in self.headers.items()},
            body=body,
            did=behaviour.get("do", "answer"),
            status=status,
        )
        self._do(behaviour, status, headers, answer)

    def _answer(self, behaviour: dict[str, Any], sendgrid: bool, body: Any, number: int) -> tuple[int, Any, bytes]:
        if "status" in behaviour:
            return behaviour["status"], behaviour.get("headers", {}), json.dumps(behaviour.get("body", {})).encode()
        if sendgrid:
            recipients = {to["email"] for p in body["personalizations"] for to in p["to"]}
            if recipients & self.refused:
                error = {"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email"}
                return 400, {}, json.dumps({"errors": [error]}).encode()
            return 202, {"X-Message-Id": f"sg-{number}"}, b""
        sid = "SM" + f"{number:032x}"
        return 201, {}, json.dumps({"sid": sid, "status": "queued", "to": body.get("To")}).encode()

    def _do(self, behaviour: dict[str, Any], status: int, headers: Any, answer: bytes) -> None:
        what = behaviour.get("do")
        if what == "hold":
            self.script.go.wait(HANG_SECONDS)
        if what == "hang":
            time.sleep(HANG_SECONDS)
            self.close_connection = True
        elif what in ("reset", "close"):
            if what == "reset":
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
            self.close_connection = True
        elif what == "trickle":
            self._trickle(b"HTTP/1.1 202 Accepted\r\nX-Slow: " + b"x" * 1000, behaviour.get("every", 0.2))
        elif what == "large":
            self._large(status)
        else:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def _trickle(self, answer: bytes, every: float) -> None:
        """A byte now and then: no single read ever times out."""
        self.close_connection = True
        for byte in answer:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(every)

    def _large(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", str(100 * 1024 * 1024))
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" " * 1024 * 1024)


def forget() -> None:
    Handler.numbers, Handler.connections = itertools.count(1), itertools.count(1)
    Handler.refused.clear()


def main() -> None:
    Handler.script, Handler.log = Script(), Log(Path(sys.argv[1]))
    serve(Server(("127.0.0.1", 0), Handler), Handler.script, Handler.log, forget)


if __name__ == "__main__":
    main()
