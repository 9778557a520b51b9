"""What outgoing webhooks may be told, where they may lead, how they are signed and when they are tried again.

Standard Webhooks, https://www.standardwebhooks.com. Opens no connection and asks no name server.
"""

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

URL_LIMIT = 1_000
DESCRIPTION_LIMIT = 200
PORTS = (443, 8443)
PREFIX = "whsec_"
JITTER = 0.1
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)  # after each failure; about three days in all
LONGEST = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=5)
GIVE_UP_FAILURES = 5  # an endpoint that hears little is not judged by one bad day

_EMBEDDING = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "100::/64"))


class Told(StrEnum):
    """What an endpoint may be told of."""

    RESPONSE_CONFIRMED = "response.confirmed"
    CASE_OPENED = "case.opened"
    CUSTOMER_OPTED_OUT = "customer.opted_out"


TEST = "webhook.test"  # told to one endpoint when somebody asks for it


class DeliveryState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"  # the receiver does not want it
    DEAD = "dead"  # given up


class Target(NamedTuple):
    """An endpoint's address in its parts; `path` holds the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def named(self) -> str:
        """The host as it stands in a header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


class AddressRefused(Exception):
    """A webhook may not lead there; the message says why and what would do."""


def read_target(url: str, *, loopback: bool = False) -> Target:
    """The parts of an endpoint's address. Raises AddressRefused.

    Names are looked up and judged (`refusal_of`) when something is sent. With `loopback`, this machine may be named, by
    plain http and on any port.
    """
    if len(url) > URL_LIMIT or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(f"must be one address of at most {URL_LIMIT} plain characters, without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("is no address; write it as https://example.org/hook") from None
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.scheme not in ("https", "http"):
        raise AddressRefused("is no address; write it as https://example.org/hook")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("must hold no user, password or #; put what the receiver needs into path or query")
    here = loopback and is_loopback(host)
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if not here and parts.scheme != "https":
        raise AddressRefused("must begin with https://")
    if not here and port not in PORTS:
        raise AddressRefused(f"must use port {' or '.join(map(str, PORTS))}")
    literal = _literal(host)
    if literal is not None and (why := refusal_of(str(literal), loopback=loopback)):
        raise AddressRefused(f"{why}; name a host that the internet can reach")
    if literal is None and not here and ("." not in host or host.endswith((".localhost", ".local", ".internal"))):
        raise AddressRefused("names a host of an inner network; name one that the internet can reach")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def is_loopback(host: str) -> bool:
    """Whether the host as written is this machine."""
    literal = _literal(host)
    return host == "localhost" if literal is None else literal.is_loopback


def refusal_of(address: str, *, loopback: bool = False) -> str | None:
    """Why nothing is sent to this numeric address; None when it is one of the public internet."""
    literal = _literal(address.partition("%")[0])
    if literal is None:
        return "is no numeric address"
    if loopback and literal.is_loopback:
        return None
    if isinstance(literal, ipaddress.IPv6Address):
        embeds = literal.ipv4_mapped or literal.sixtofour or literal.teredo
        if embeds or any(literal in net for net in _EMBEDDING):
            return "leads to an address inside another one"
        if literal.is_site_local:
            return "leads to a private or reserved network"
    if literal.is_multicast or literal.is_reserved or literal.is_unspecified or not literal.is_global:
        return "leads to a private or reserved network"
    return None


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def key_of(secret: str) -> bytes:
    """The bytes that sign, from a secret as it is shown (`whsec_` and base64)."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def secret_of(key: bytes) -> str:
    """The secret as it is shown."""
    return PREFIX + base64.b64encode(key).decode()


def signatures(secrets: Sequence[str], message: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each secret that counts, with a space between.

    Each is `v1,` and the base64 of HMAC-SHA256 over `message.timestamp.body`; `timestamp` is in Unix seconds.
    """
    signed = f"{message}.{timestamp}.".encode() + body
    made = [base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode() for secret in secrets]
    return " ".join(f"v1,{one}" for one in made)


def wait_after(failures: int, key: str) -> timedelta | None:
    """How long to wait after this many failures in a row (1 or more); None when it is to be given up.

    Up to a tenth shorter or longer, by a hash of `key`, so that what failed together does not come back together.
    """
    if failures > len(WAITS):
        return None
    digest = hashlib.sha256(f"{key}:{failures}".encode()).digest()
    return WAITS[failures - 1] * (1 - JITTER + 2 * JITTER * int.from_bytes(digest[:4]) / 2**32)
