"""The figures an attempt obeys, and what follows from them after a failure."""

import random
from dataclasses import dataclass
from datetime import timedelta

from rushes.domain.errors import FAILURES
from rushes.engines.engine import EngineError
from rushes.worker.child import DeadlinePassed
from rushes.worker.failure import OrderedFailure


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, how long and how patiently."""

    max_tries: int
    attempt_seconds: float
    cancel_grace_seconds: float
    retry_delays: tuple[float, ...] = (5.0, 60.0)
    outage_grace_seconds: float = 300.0
    storage_grace_seconds: float = 600.0

    def may_retry(self, error: Exception, code: str, tries: int) -> bool:
        """Whether another try of a request that failed so, after `tries` of them, may help."""
        if isinstance(error, OrderedFailure | DeadlinePassed) or not FAILURES[code].retryable:
            return False
        if isinstance(error, EngineError) and error.final:
            return False
        return tries < (min(2, self.max_tries) if code == "out_of_memory" else self.max_tries)

    def delay(self, tries: int) -> timedelta:
        """How long a request waits after its try number `tries` has failed."""
        wanted = self.retry_delays[min(tries, len(self.retry_delays)) - 1]
        return timedelta(seconds=wanted * random.uniform(0.8, 1.2))
