"""Organisations of a running platform, made beside its API: each with a key, a client and a browser's cookie."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx2
from rushes.accounts.bootstrap import create_key
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from support.platform import QUEUE, RunningPlatform

from bench.history import copy_request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation and its key."""

    org_id: UUID
    key: str
    address: str

    def client(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=self.address + QUEUE, headers=headers, trust_env=False, timeout=60)

    def cookies(self) -> list[dict[str, str]]:
        """What a browser holds that has signed in with the key, once more for each call."""
        return cookies(self.address, {"key": self.key})


def cookies(address: str, said: Mapping[str, str]) -> list[dict[str, str]]:
    """The cookie that signing in on the page gives."""
    answer = httpx2.post(f"{address}/sign-in", data=dict(said), trust_env=False)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    return [{"name": name, "value": rest.partition(";")[0], "url": address}]


def tenant(
    platform: RunningPlatform,
    name: str,
    *,
    balance_micro: int | None = None,
    limits: Mapping[str, int] | None = None,
) -> Tenant:
    """A new organisation of this platform; `limits` by the names of `rushes orgs set-limits`."""

    async def make(accounts: Accounts) -> Tenant:
        org_id = await accounts.add_organisation(name, balance_micro=balance_micro)
        if limits:
            await accounts.set_limits(org_id, limits, None)
        return Tenant(org_id, (await create_key(accounts, org_id, "test")).key, platform.address)

    async def work() -> Tenant:
        database = Database(platform.database_url, size=1)
        await database.start()
        try:
            return await make(Accounts(database))
        finally:
            await database.stop()

    return apart(work)


def sql(platform: RunningPlatform, statement: str, *values: Any) -> list[asyncpg.Record]:
    """The rows of one statement on the platform's database."""

    async def work() -> list[asyncpg.Record]:
        async with _connected(platform) as connection:
            return await connection.fetch(statement, *values)

    return apart(work)


def copies(platform: RunningPlatform, request_id: str, count: int, org_id: UUID, words: str = "") -> None:
    """See `copy_request`."""

    async def work() -> None:
        async with _connected(platform) as connection:
            await copy_request(connection, UUID(request_id), count, org_id, words)

    apart(work)


@asynccontextmanager
async def _connected(platform: RunningPlatform) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(platform.database_url)
    try:
        yield connection
    finally:
        await connection.close()


def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to its end, whether or not this thread has a running loop (Playwright leaves one)."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()
