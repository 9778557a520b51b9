"""Links that carry their own authority: an id and a signature bound to one purpose. Must not know what the id opens."""

import hmac
import re
import secrets
import string
from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256

SIGNATURE = 16
SHORT = 10
_BASE62 = string.digits + string.ascii_letters
_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,80}")


def mint(purpose: str, uid: str, keys: Sequence[str]) -> str:
    """The token for `uid` under `purpose`, signed with the first key; URL-safe, 16 characters longer than the id.

    It ends in a letter or a digit, so that mail readers which turn text into links keep its last character.
    """
    return uid + _signature(purpose, uid, keys[0])


def read(purpose: str, token: str, keys: Sequence[str]) -> str | None:
    """The id a token of `purpose` carries, or None when it was altered, cut, minted for another purpose or unknown.

    Every key is tried whatever the outcome, each in constant time, so that the time taken tells nothing.
    """
    if not _SHAPE.fullmatch(token) or len(token) <= SIGNATURE:
        return None
    uid, given = token[:-SIGNATURE], token[-SIGNATURE:].encode()
    valid = False
    for key in keys:
        valid |= hmac.compare_digest(_signature(purpose, uid, key).encode(), given)
    return uid if valid else None


def short_slug() -> str:
    """The random end of a short link: 10 of 62 characters, so that a link cannot be found by trying (2^59)."""
    return "".join(secrets.choice(_BASE62) for _ in range(SHORT))


def _signature(purpose: str, uid: str, key: str) -> str:
    digest = hmac.new(key.encode(), f"surveyapp\0{purpose}\0{uid}".encode(), sha256).digest()
    return b32encode(digest[:10]).decode().lower()
