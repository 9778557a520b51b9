"""What both stand-ins share: the fsynced log, and the script of what to do next. Imports nothing of the product."""

import json
import os
import socketserver
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Script:
    """The behaviours to come, taken one at a time; without one, the stand-in accepts. What is held waits for `go`."""

    def __init__(self) -> None:
        self._coming: deque[dict[str, Any]] = deque()
        self._lock = threading.Lock()
        self.go = threading.Event()

    def take(self) -> dict[str, Any]:
        with self._lock:
            return self._coming.popleft() if self._coming else {}

    def put(self, behaviours: list[dict[str, Any]]) -> None:
        with self._lock:
            self._coming.clear()
            self._coming.extend(behaviours)
            self.go.clear()


class Log:
    """Append-only, on disk before the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._lock = threading.Lock()

    def write(self, **entry: Any) -> None:
        with self._lock:
            os.write(self._file, json.dumps(entry).encode() + b"\n")
            os.fsync(self._file)

    def empty(self) -> None:
        """Between two tests only."""
        with self._lock:
            os.ftruncate(self._file, 0)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the game."""


def serve(server: socketserver.BaseServer, script: Script, log: Log, forget: Callable[[], None]) -> None:
    """Run the stand-in beside its control port, and say both ports on standard output.

    `forget` sets back what the stand-in itself counts and remembers.
    """

    class Control(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            told = json.loads(self.rfile.readline())
            if told == "start afresh":
                script.put([])
                log.empty()
                forget()
            elif told == "go on":
                script.go.set()
            else:
                script.put(told)
            self.wfile.write(b"ok\n")

    control = Server(("127.0.0.1", 0), Control)
    threading.Thread(target=control.serve_forever, daemon=True).start()
    print(server.server_address[1], control.server_address[1], flush=True)
    server.serve_forever()
