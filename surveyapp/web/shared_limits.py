"""Token buckets shared by all processes through Redis, as `buckets` has them for one. Keeps no name.

Redis is a convenience: while it is away every process counts alone (in its own buckets, with the same rates), so that
nobody is turned away for our trouble and a flood still meets a limit.
"""

import hashlib
from datetime import datetime, timedelta

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from surveyapp import clock, logs
from surveyapp.web.buckets import Limiter

log = logs.get(__name__)

TIMEOUT = 0.25  # seconds; a call that waits longer for its limit than for its work is worse than no limit
PAUSE = timedelta(seconds=5)
# One step for Redis, so that two processes cannot both take the last one. A bucket that is full again is forgotten.
TAKE = """
local now, rate, size, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(kept[1]) or size, tonumber(kept[2]) or now
left = math.min(size, left + math.max(0, now - at) * rate / 60)
local wanted, wait = math.min(cost, size), 0
if left >= wanted then left = left - cost * tonumber(ARGV[5]) else wait = math.ceil((wanted - left) * 60 / rate) end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.6f', math.max(at, now)))
redis.call('PEXPIRE', KEYS[1], math.ceil((size - left) * 60000 / rate) + 1000)
return wait
"""


class SharedLimiter(Limiter):
    """As `Limiter`, in one Redis for all processes that have the same name and pepper."""

    def __init__(self, url: str, name: str, pepper: str) -> None:
        super().__init__()
        self._name, self._pepper = name, pepper.encode()[:64]
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        self._take = self._redis.register_script(TAKE)
        self._away_until: datetime | None = None

    def wait(self, name: str, per_minute: int, burst: int | None = None, cost: int = 1, take: bool = True) -> int:
        """As `Limiter.wait`."""
        if per_minute <= 0:
            return 0
        now = clock.now()
        if self._away_until is None or self._away_until <= now:
            try:
                taken = self._take(
                    [self._key(name)], [now.timestamp(), per_minute, burst or per_minute, cost, int(take)]
                )
            except (redis.RedisError, OSError) as problem:
                self._away_until = now + PAUSE
                log.warning("limits_not_shared", error=type(problem).__name__)
            else:
                self._away_until = None
                return int(taken)
        return super().wait(name, per_minute, burst, cost, take)

    def _key(self, name: str) -> str:
        """A name may hold an address or a ticket, so that Redis sees its keyed hash only."""
        return f"surveyapp:{self._name}:{hashlib.blake2b(name.encode(), digest_size=16, key=self._pepper).hexdigest()}"
