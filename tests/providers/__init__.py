"""Stand-in providers: processes of their own on loopback that log, before they answer, what reached them.

The log is append-only and fsynced, one JSON object a line, so that it is the truth about what was handed over
whatever happens to the sender. What a stand-in does next is scripted through `StandIn.next`.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config import ROOT


class StandIn:
    """One running stand-in: `http` (SendGrid and Twilio) or `smtp`."""

    def __init__(self, kind: str, folder: Path, *options: str) -> None:
        self.path = folder / f"{kind}.log"
        self.path.touch()
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.providers.{kind}", str(self.path), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ports = self._process.stdout.readline().split()
        self.port, self._control = int(ports[0]), int(ports[1])

    def next(self, *behaviours: Mapping[str, Any]) -> None:
        """What to do with the next requests, one each; afterwards it accepts again."""
        self._tell(list(behaviours))

    def go_on(self) -> None:
        """Answer what is held."""
        self._tell("go on")

    def start_afresh(self) -> None:
        """An empty log, no script, and everything numbered from 1 again."""
        self._tell("start afresh")

    def _tell(self, what: Any) -> None:
        with socket.create_connection(("127.0.0.1", self._control), timeout=60) as control:
            control.sendall(json.dumps(what).encode() + b"\n")
            assert control.recv(3) == b"ok\n"

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
