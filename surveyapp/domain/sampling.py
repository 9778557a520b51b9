"""Chance without dice: a keyed hash of stable ids decides who is drawn; the same draw always gives the same result."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

SPAN = 2**64


def coin(key: str, message: str) -> float:
    """A number in [0, 1): the first 8 bytes, big-endian, of HMAC-SHA256(key, message), over 2⁶⁴."""
    digest = hmac.digest(key.encode(), message.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") / SPAN


def period_number(now: datetime, per: timedelta) -> int:
    """Which period of length `per`, counted from 1970 in UTC, `now` falls into."""
    return int(now.astimezone(UTC).timestamp() // per.total_seconds())


def sticky_message(customer: str, survey: str, period: int) -> str:
    """The draw of a person for a survey and a period: in or out for all of it."""
    return f"contact:{customer}|survey:{survey}|period:{period}"


def event_message(customer: str, step: str, event: str) -> str:
    """The draw of one event, for triggers that aim at a half-width."""
    return f"contact:{customer}|step:{step}|event:{event}"
