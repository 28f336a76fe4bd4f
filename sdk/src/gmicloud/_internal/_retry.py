"""When to try again and after how long. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from gmicloud.errors import GmiError

FIRST = 0.5
LONGEST = 8.0
LONGEST_ASKED = 120.0


@dataclass(frozen=True)
class Retries:
    """Exponential back-off with jitter; what the server asks for in Retry-After is obeyed and never undercut."""

    most: int = 4
    draw: random.Random = field(default_factory=random.Random, repr=False)

    def delay(self, error: GmiError, tried: int) -> float | None:
        """Seconds until the next try, or None when the error is to be raised. `tried` counts the retries so far."""
        if not error.retryable or tried >= self.most:
            return None
        asked = error.retry_after
        if asked is not None and asked > LONGEST_ASKED:
            return None
        # Between half and all of 0.5, 1, 2, 4, 8 s, so clients that failed together do not come back together.
        own = min(LONGEST, FIRST * 2**tried) * self.draw.uniform(0.5, 1.0)
        return own if asked is None else max(own, asked + self.draw.uniform(0.0, 0.25))
