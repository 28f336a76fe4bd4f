"""The qworkers of one process: one for what renders here, one for each server elsewhere.

A request that waits for another server for minutes must not hold a place that a local engine could use, and each
server has slots of its own; so each has a qworker of its own, with its own line of claims.
"""

import asyncio
from collections.abc import Sequence

from rushes.worker.qworker import QWorker


class Crew:
    """`run` returns after a drain of all; one that fails ends the others."""

    def __init__(self, qworkers: Sequence[QWorker]) -> None:
        self.qworkers = tuple(qworkers)

    async def run(self) -> None:
        """Claim and run until `drain` is called, or until all have been idle for long enough, where that is asked."""
        running = [
            asyncio.create_task(qworker.run(), name=f"qworker {qworker.qworker_id}") for qworker in self.qworkers
        ]
        try:
            await asyncio.gather(*running)
        finally:
            self.drain()
            await asyncio.gather(*running, return_exceptions=True)

    def drain(self) -> None:
        """Stop claiming; finish or hand back what runs. Safe to call twice."""
        for qworker in self.qworkers:
            qworker.drain()
