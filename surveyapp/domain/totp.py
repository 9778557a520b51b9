"""Six-digit codes of an authenticator app (RFC 6238: SHA-1, 30 s). Keeps no secrets and no memory of used codes."""

import base64
import hashlib
import hmac
import struct
from datetime import datetime
from urllib.parse import quote

PERIOD = 30
DIGITS = 6
DRIFT = 1


def step_at(now: datetime) -> int:
    """The number of the 30-second step that `now` (aware) falls into."""
    return int(now.timestamp()) // PERIOD


def code(secret: str, step: int) -> str:
    """The six digits of one step; `secret` is base32 as authenticator apps take it. RFC 4226 §5.3."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: str, given: str, now: datetime, last_used: int | None) -> int | None:
    """The step whose code was given, one step early or late included; None when none fits or it was used before.

    The caller keeps the returned step as `last_used`, which makes every code single-use (ASVS 5.0, 6.5.1).
    """
    given = "".join(given.split())
    found = None
    for step in range(step_at(now) - DRIFT, step_at(now) + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "replace")):
            found = step
    return found if found is not None and (last_used is None or found > last_used) else None


def secret_from(random: bytes) -> str:
    """The base32 secret of 20 random bytes."""
    return base64.b32encode(random).decode()


def address(secret: str, email: str, issuer: str) -> str:
    """The `otpauth://` address that authenticator apps read."""
    label = quote(f"{issuer}:{email}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}&period={PERIOD}&digits={DIGITS}"
