"""Token buckets of this process. They count only; who calls is told to them."""

from dataclasses import dataclass
from math import ceil
from threading import Lock

from surveyapp import clock

KEPT = 20_000


@dataclass
class _Bucket:
    left: float
    at: float


class Limiter:
    """Any number of named buckets, each refilled evenly over a minute and never fuller than `burst`."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def wait(self, name: str, per_minute: int, burst: int | None = None, cost: int = 1, take: bool = True) -> int:
        """Take `cost` from the bucket; 0 when it had that much, else the whole seconds after which it will.

        Without `take` it only looks.
        """
        if per_minute <= 0:
            return 0
        size = burst or per_minute
        now = clock.now().timestamp()
        with self._lock:
            if len(self._buckets) > KEPT:
                self._forget(now)
            bucket = self._buckets.setdefault(name, _Bucket(size, now))
            bucket.left = min(size, bucket.left + max(0.0, now - bucket.at) * per_minute / 60)
            bucket.at = now
            if bucket.left >= min(cost, size):
                bucket.left -= cost if take else 0
                return 0
            return ceil((min(cost, size) - bucket.left) * 60 / per_minute)

    def _forget(self, now: float) -> None:
        """Drop what has been full again for long, then the oldest, so that a flood of names cannot eat the memory."""
        self._buckets = {n: b for n, b in self._buckets.items() if now - b.at < 60}
        for name in sorted(self._buckets, key=lambda n: self._buckets[n].at)[: -KEPT // 2]:
            del self._buckets[name]
