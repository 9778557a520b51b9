"""When a message that has definitely not left is tried again: later each time, never all at once, not for ever."""

import hashlib
from datetime import timedelta

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=2)
MOST = 12  # failures, over about eight hours
JITTER = 0.25


def wait_after(failures: int, key: str) -> timedelta | None:
    """How long to wait after this many failures in a row (1 or more); None when it is to be given up.

    Doubles from half a minute to two hours, each time up to a quarter shorter or longer, by a hash of `key`.
    """
    if failures >= MOST:
        return None
    usual = min(FIRST * float(1 << (failures - 1)), LONGEST)
    digest = hashlib.sha256(f"{key}:{failures}".encode()).digest()
    return usual * (1 - JITTER + 2 * JITTER * int.from_bytes(digest[:4]) / 2**32)
