"""`python -m bench.variant NAME FD`: a serving process with one part changed, to be compared with the real one.

real: nothing is changed. uncached: every GET reads the record from PostgreSQL. one_by_one: every submit is a
transaction of its own. Each has the bare endpoint of bench/bare.py beside its routes.
"""

import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import uvicorn
from rushes.api.app import build
from rushes.api.pace import TimelyProtocol
from rushes.api.services import Services
from rushes.api.wiring import opened
from rushes.config import Settings
from rushes.store.records import Request
from rushes.telemetry import configure

from bench.bare import beside


class _Reading:
    """A Watch without its cache."""

    def __init__(self, services: Services) -> None:
        self._watch, self._requests = services.watch, services.requests

    async def get(self, org_id: UUID, request_id: UUID) -> Request | None:
        return await self._requests.get(org_id, request_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._watch, name)


@asynccontextmanager
async def changed(settings: Settings) -> AsyncGenerator[Services]:
    async with opened(settings) as services:
        match VARIANT:
            case "real":
                pass
            case "uncached":
                services.watch = _Reading(services)  # type: ignore[assignment]
            case "one_by_one":
                services.submit._admission = services.requests  # type: ignore[assignment]
            case _:
                raise ValueError(f"there is no variant {VARIANT}")
        yield services


VARIANT, descriptor = sys.argv[1], int(sys.argv[2])
configure("warning")
config = uvicorn.Config(
    beside(build(Settings(test_models=True), changed)),
    log_config=None,
    access_log=False,
    lifespan="on",
    http=TimelyProtocol,
)
uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])
