"""Rates per caller: moving windows in memory, one set per process."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rates:
    """Counts calls by policy and caller."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, policy: str, subject: str, per_minute: int) -> tuple[bool, int, int]:
        """Count one call: (allowed, calls left, seconds until one more is)."""
        item = RateLimitItemPerMinute(per_minute)
        allowed = self._limiter.hit(item, policy, subject)
        window = self._limiter.get_window_stats(item, policy, subject)
        return allowed, window.remaining, max(1, math.ceil(window.reset_time - time.time()))
