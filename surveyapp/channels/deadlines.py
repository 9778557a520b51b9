"""How long a hand-over may take in all, and whether a byte of it has left. Knows no provider.

A socket's own timeout starts again with every read: a peer that sends one byte every nine seconds never trips it.
Here every operation gets what is left of the whole.
"""

import io
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

CONNECT = 3.0
READ = 10.0
TOTAL = 15.0
ENOUGH = 1.0  # with less than this left, no further call is begun


class NotSent(Exception):
    """Nothing that could become a message has reached the provider."""


class Doubtful(Exception):
    """The request may have reached the provider, and its answer did not reach us."""


class Handover:
    """One hand-over: its deadline, whether bytes of the present request have left, and what came back last."""

    def __init__(self, total: float = TOTAL) -> None:
        self._end = time.monotonic() + total
        self.sent = False
        self.answer: Any = None  # for a library whose exceptions drop it

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def allowance(self, most: float = READ) -> float:
        """The seconds one operation may take now. Raises TimeoutError when the deadline has passed."""
        if self.left <= 0:
            raise TimeoutError("the deadline of the hand-over has passed")
        return min(most, self.left)


_present: ContextVar[Handover] = ContextVar("handover")


@contextmanager
def handover(total: float = TOTAL) -> Iterator[Handover]:
    """Everything in the body belongs to one hand-over; one inside another ends with it."""
    outer = _present.get(None)
    token = _present.set(Handover(total if outer is None else min(total, outer.left)))
    try:
        yield _present.get()
    finally:
        _present.reset(token)


def present() -> Handover:
    """The hand-over this code runs in."""
    return _present.get()


class TimedSocket:
    """A connected socket on which no operation outlives the hand-over it serves."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def sendall(self, data: Any) -> None:
        self._socket.settimeout(present().allowance())
        present().sent = True
        self._socket.sendall(data)

    def encrypted(self, context: ssl.SSLContext, host: str) -> "TimedSocket":
        """The same connection under TLS."""
        self._socket.settimeout(present().allowance(CONNECT))
        return TimedSocket(context.wrap_socket(self._socket, server_hostname=host))

    def makefile(self, *args: Any, **kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket))


class _TimedReader(io.RawIOBase):
    """Reads from a socket, each time with what is left. The socket's own file object counts who still needs it."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._file = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(present().allowance())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
