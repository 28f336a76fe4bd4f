"""When a request will be done: from the history of its model, size and length, the requests ahead and the slots."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rushes.api.lines import Lines
from rushes.store.records import History, Request
from rushes.store.requests import Requests
from rushes.store.workers import Workers

REFRESH_SECONDS = 5.0
FEWEST_RUNS = 3
"""Fewer films than these say nothing of how much their times differ."""


class Forecast:
    """Positions and remaining seconds. History and workers are read again every five seconds at most."""

    def __init__(
        self,
        requests: Requests,
        workers: Workers,
        lines: Lines,
        models: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = requests
        self._lines = lines
        self._workers = workers
        self._clock = clock
        self._read_at = float("-inf")
        self._models = models
        self._histories: dict[str, History] = {}
        self._slots: dict[str, int] = {}
        self._hosts: dict[str, list[str]] = {}

    async def position(self, request: Request) -> int | None:
        """Requests ahead in claim order; None unless queued."""
        return await self._lines.position(request)

    def joined(self, request: Request) -> None:
        """This process has just put a request into the queue."""
        self._lines.joined(request)

    async def eta(self, request: Request, position: int | None, age: float) -> int | None:
        """Whole seconds until the request is final, None when there is no history. `age`: seconds since it started."""
        await self.refresh()
        needed = self.expected(request.model, request.plan)
        if needed is None or request.final:
            return None
        if position is None:
            return max(1, round(needed - age)) if request.started_at else max(1, round(needed))
        # Whoever is ahead in the lane is taken to need what this model usually does.
        rounds = position // max(1, self._slots.get(request.lane, 1))
        return max(1, round(rounds * self._histories[request.model].run_seconds + needed))

    def expected(self, model: str, plan: Mapping[str, Any]) -> float | None:
        """Seconds from start to finish that a plan will take, as of the last `refresh`; None without history."""
        history = self._histories.get(model)
        if history is None:
            return None
        if history.pace is None or not plan.get("width") or not plan.get("height"):
            return history.run_seconds
        return history.pace * plan["width"] * plan["height"] * plan["seconds"] / 1e6

    def spread(self, model: str, seconds: float | None) -> dict[str, int] | None:
        """Between what eight of ten of a model's latest films lie around a forecast; None where too few were made."""
        history = self._histories.get(model)
        if history is None or seconds is None or history.runs < FEWEST_RUNS:
            return None
        return {
            "low_seconds": max(1, math.floor(seconds * history.low)),
            "high_seconds": max(1, math.ceil(seconds * history.high)),
            "runs": history.runs,
        }

    async def refresh(self) -> None:
        if self._clock() - self._read_at < REFRESH_SECONDS:
            return
        self._read_at = self._clock()
        self._histories = await self._requests.histories(self._models)
        self._slots, self._hosts = {}, {}
        for worker in await self._workers.alive():
            for lane in worker["lanes"]:
                self._slots[lane] = self._slots.get(lane, 0) + worker["slots"]
                self._hosts.setdefault(lane, []).append(worker["host"])

    def median(self, model: str) -> float | None:
        """Median seconds from start to finish of a model, as of the last `refresh`."""
        history = self._histories.get(model)
        return None if history is None else history.run_seconds

    def slots(self, lane: str) -> int:
        """Slots of the qworkers alive that serve a lane."""
        return self._slots.get(lane, 0)

    def waiting_for(self, lane: str) -> str | None:
        """Why a request of this lane cannot begin, as of the last `refresh`; None if somebody serves it."""
        return None if self.slots(lane) else f"no worker serves {lane} at present; the request stays queued"

    def hosts(self, lane: str) -> list[str]:
        """Where a lane is served."""
        return sorted(set(self._hosts.get(lane, ())))
