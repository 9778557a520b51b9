"""The product and a bare view behind the server that is documented for deployment, and one small client for both.

Both are mounted in the same server processes, so that whatever the server, its settings or the machine cost, both pay.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from config import ROOT
from surveyapp import create_app
from tests.bench.harness import connect
from tests.databases import testing_config

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
BARE = "/bare"
SERVER = ("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "8")  # as docs/operations.md says
STARTS_WITHIN = 120
TABLE = "CREATE TABLE bare (id bigserial PRIMARY KEY, link text, score int, at timestamptz)"
KEPT = "INSERT INTO bare (link, score, at) VALUES (%s, %s, %s)"


def bare_view(url: str) -> Flask:
    """A view that reads the form, makes the score durable and redirects, and does nothing else: no link is checked.

    Each thread keeps a connection of its own that commits by itself, the least that psycopg can do.
    """
    app, own = Flask("bare"), threading.local()

    @app.post("/s/<token>")
    def keep(token: str) -> tuple[str, int, dict[str, str]]:
        if not hasattr(own, "connection"):
            own.connection = connect(url)
        own.connection.execute(KEPT, (token, int(request.form["score"]), datetime.now(UTC)))
        return "", 303, {"Location": f"/s/{token}/2"}

    return app


def both() -> "WSGIApplication":
    """What the server serves: the product, and the bare view below BARE, on the database of the environment."""
    url = os.environ["DATABASE_URL"]
    product = create_app(testing_config(url, TESTING=False))
    return DispatcherMiddleware(product, {BARE: bare_view(url)})


@contextmanager
def served(url: str) -> Iterator[int]:
    """The port on which both answer until the block ends."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    command = (sys.executable, "-m", *SERVER, "--host", HOST, "--port", str(port), "--log-level", "error")
    settings = os.environ | {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*command, "--factory", f"{__name__}:both"], cwd=ROOT, env=settings)
    try:
        _wait_until_open(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            return socket.create_connection((HOST, port), 1).close()
        except OSError:
            assert process.poll() is None, "the server ended by itself"
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.1)


class Client:
    """One connection that is kept open: posts a form, reads the answer to its end."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), STARTS_WITHIN)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, form: str) -> int:
        """The answer's status."""
        self._socket.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode()
        )
        head, length = b"", 0
        while b"\r\n\r\n" not in head:
            head += self._read()
        head, _, body = head.partition(b"\r\n\r\n")
        first, *fields = head.decode().lower().split("\r\n")
        for field in fields:
            if field.startswith("content-length:"):
                length = int(field.partition(":")[2])
        while len(body) < length:
            body += self._read()
        return int(first.split()[1])

    def _read(self) -> bytes:
        piece = self._socket.recv(65_536)
        assert piece, "the server closed the connection"
        return piece

    def close(self) -> None:
        self._socket.close()
