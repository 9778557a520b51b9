"""Posts one signed message to somebody else's endpoint, and to no address inside. Knows no queue and shows no body.

The endpoint's name is looked up once; every address found is judged, and the connection goes to a judged address,
whatever the name says by then. No redirect is followed and no proxy of the environment used.
"""

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from surveyapp.channels.calls import Answer, post_at, seconds_to_wait
from surveyapp.channels.deadlines import Doubtful, NotSent, handover, present
from surveyapp.domain.webhooks import AddressRefused, Target, read_target, refusal_of, signatures

TOTAL = 5.0  # seconds for a call in all, the look-up of the name included
MOST_ADDRESSES = 3
AGENT = "surveyapp-webhooks/1"
Resolve = Callable[[str, int], Sequence[str]]


class Fate(StrEnum):
    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Posting:
    """A message to send: its id, the endpoint, the body's bytes, and the secrets that count, the newest first."""

    uid: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it. `error` is a sentence of ours; nothing of the receiver's answer but its status is kept."""

    fate: Fate
    status: int | None = None
    error: str | None = None
    retry_after: float | None = None  # seconds


def look_up(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def is_own(address: str) -> bool:
    """Whether this machine has the address itself: what would leave for it would come from it. Nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
            return str(probe.getsockname()[0]) == address
        except OSError:
            return False


class Poster:
    """Posts messages, from any number of threads. With `loopback` this machine may be called, by plain http too."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolve: Resolve = look_up,
        own: Callable[[str], bool] = is_own,
        authorities: str | None = None,
    ) -> None:
        self._loopback, self._resolve, self._own = loopback, resolve, own
        self._trust = ssl.create_default_context(cafile=authorities)

    def post(self, posting: Posting, timestamp: int) -> Posted:
        """Send it, signed as of `timestamp` (Unix seconds); never raises for what the other side does."""
        try:
            target = read_target(posting.url, loopback=self._loopback)
        except AddressRefused as why:
            return Posted(Fate.REFUSED, error=f"not sent: the address {why}")
        headers = {
            "Host": target.named,
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "webhook-id": posting.uid,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(posting.secrets, posting.uid, timestamp, posting.body),
        }
        with handover(TOTAL):
            try:
                addresses = self._vetted(target)
                answer = self._call(addresses, target, headers, posting.body)
            except AddressRefused as why:
                return Posted(Fate.REFUSED, error=f"not sent: the address {why}")
            except NotSent as problem:
                return Posted(Fate.LATER, error=f"no connection ({problem})")
            except Doubtful as problem:
                return Posted(Fate.LATER, error=f"no answer ({problem})")
        return _read(answer)

    def _vetted(self, target: Target) -> list[str]:
        """The addresses of the endpoint. One that may not be called refuses them all."""
        addresses = _in_time(self._resolve, target)
        for address in addresses:
            if why := refusal_of(address, loopback=self._loopback):
                raise AddressRefused(why)
            if not self._loopback and self._own(address):
                raise AddressRefused("leads to this machine itself")
        return addresses[:MOST_ADDRESSES]

    def _call(self, addresses: Sequence[str], target: Target, headers: dict[str, str], body: bytes) -> Answer:
        tls = (self._trust, target.host) if target.scheme == "https" else None
        for address in addresses[:-1]:
            try:
                return post_at(address, target.port, target.path, headers, body, tls)
            except NotSent:
                continue
        return post_at(addresses[-1], target.port, target.path, headers, body, tls)


def _in_time(resolve: Resolve, target: Target) -> list[str]:
    """What the look-up finds before the deadline. A name server that hangs keeps a thread, not the call."""
    found: queue.Queue[list[str] | Exception] = queue.Queue()

    def ask() -> None:
        try:
            found.put(list(resolve(target.host, target.port)))
        except Exception as problem:
            found.put(problem)

    threading.Thread(target=ask, daemon=True).start()
    try:
        addresses = found.get(timeout=present().left)
    except queue.Empty:
        raise NotSent("the name was not found in time") from None
    if isinstance(addresses, OSError | UnicodeError) or not addresses:
        raise NotSent("the name is not known")
    if isinstance(addresses, Exception):
        raise addresses
    return addresses


def _read(answer: Answer) -> Posted:
    status = answer.status
    if 200 <= status < 300:
        return Posted(Fate.TAKEN, status)
    if status == 410:
        return Posted(Fate.GONE, status, "answered 410: it is gone for good")
    if status == 429 or status >= 500:
        return Posted(Fate.LATER, status, f"answered {status}", seconds_to_wait(answer.headers))
    if 300 <= status < 400:
        return Posted(Fate.REFUSED, status, f"answered {status}: redirects are not followed")
    return Posted(Fate.REFUSED, status, f"answered {status}")
