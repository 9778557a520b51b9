"""One HTTP call to a provider: a kept connection, a deadline, a size cap, and whether the request may have left."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from surveyapp.channels.deadlines import CONNECT, READ, Doubtful, NotSent, TimedSocket, present

KEPT = 16
IDLE = 20.0  # a connection unused for longer may be closed at the other end just as we write: take a fresh one
LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is empty when it could not be read whole: the status has decided by then."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Timed(HTTPConnection):
    """A connection whose every operation ends with the hand-over."""

    last_used = 0.0

    def connect(self) -> None:
        super().connect()
        if present().left <= 0:
            self.close()
            raise ConnectTimeoutError(self, "connecting took all the time there was")
        self.sock = TimedSocket(self.sock)


class _TimedTls(_Timed, HTTPSConnection):
    """The same over TLS."""


class _Fresh(HTTPConnectionPool):
    """A pool that does not hand out what lay idle for long."""

    ConnectionCls = _Timed

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        if connection.sock is not None and time.monotonic() - connection.last_used > IDLE:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.last_used = time.monotonic()
        super()._put_conn(conn)


class _FreshTls(_Fresh, HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _TimedTls


class Caller:
    """Keeps connections to a provider and makes single calls on them, from any number of threads."""

    def __init__(self) -> None:
        self._pools = urllib3.PoolManager(maxsize=KEPT, block=True, retries=False)
        self._pools.pool_classes_by_scheme = {"http": _Fresh, "https": _FreshTls}

    def call(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """The provider's answer, whatever its status; redirects are not followed.

        Raises NotSent when nothing of the request left, Doubtful when it may have. Needs a `handover` around it.
        """
        present().sent = False
        if present().left <= 0:
            raise NotSent("no time left")
        try:
            response = self._pools.request(
                method,
                address,
                body=body,
                headers=dict(headers),
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT, present().left), read=min(READ, present().left)),
                pool_timeout=CONNECT,
            )
        except (HTTPError, OSError) as problem:
            raise (Doubtful if present().sent else NotSent)(type(problem).__name__) from problem
        answer = Answer(response.status, dict(response.headers), _whole(response))
        present().answer = answer
        return answer


def post_at(
    address: str, port: int, path: str, headers: Mapping[str, str], body: bytes, tls: tuple[ssl.SSLContext, str] | None
) -> Answer:
    """The answer to a POST to this numeric address, over a connection of its own; no name is looked up.

    `tls` is the context and the name that the certificate must have. Raises as `Caller.call`.
    """
    present().sent = False
    wait = min(CONNECT, present().left)
    if wait <= 0:
        raise NotSent("no time left")
    connection: Any = _Timed(address, port, timeout=wait)
    if tls is not None:
        connection = _TimedTls(address, port, timeout=wait, ssl_context=tls[0], server_hostname=tls[1])
    try:
        connection.request("POST", path, body=body, headers=dict(headers), preload_content=False, decode_content=False)
        response = connection.getresponse()
        return Answer(response.status, dict(response.headers), _whole(response))
    except (HTTPError, HTTPException, OSError) as problem:
        raise (Doubtful if present().sent else NotSent)(type(problem).__name__) from problem
    finally:
        connection.close()


def _whole(response: urllib3.BaseHTTPResponse) -> bytes:
    """The body, or nothing when it is too large, too slow or cut off; then the connection is given up."""
    body = b""
    try:
        while part := response.read(LARGEST_ANSWER + 1 - len(body)):
            body += part
            if len(body) > LARGEST_ANSWER:
                break
        else:
            response.release_conn()
            return body
    except (HTTPError, OSError):
        pass
    response.close()
    response.release_conn()  # closed, but its place in the pool is free again
    return b""


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks us to wait: `Retry-After` in seconds or as a date, else `X-RateLimit-Reset`.

    Dates are read against the answer's own `Date`, so that the two machines' clocks need not agree. None when it
    says nothing usable; never negative.
    """
    known = {name.lower(): value.strip() for name, value in headers.items()}
    after, reset = known.get("retry-after", ""), known.get("x-ratelimit-reset", "")
    if _whole_number(after):
        return float(after)
    try:
        answered = parsedate_to_datetime(known.get("date", ""))
        if after and not after.lstrip("-").isdigit():
            return max(0.0, (parsedate_to_datetime(after) - answered).total_seconds())
        if _whole_number(reset):
            return max(0.0, int(reset) - answered.timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
    return None


def _whole_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12
