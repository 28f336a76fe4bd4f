"""Organisations of a running platform, made beside its API: each with a key, a client and a browser's cookie."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx2
from rushes.accounts.bootstrap import create_key
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from support.platform import QUEUE, RunningPlatform

T = TypeVar("T")

COPIES = """
INSERT INTO requests
SELECT copy.* FROM requests original, generate_series(1, $2) number,
  LATERAL (SELECT clock_timestamp() - make_interval(secs => 3600 + number) AS at) moment,
  LATERAL (SELECT 'Copy ' || number || $3 AS prompt) words,
  LATERAL jsonb_populate_record(original, jsonb_build_object('request_id', gen_random_uuid(), 'created_at', moment.at,
    'org_id', $4::uuid, 'key_id', null, 'payload', jsonb_build_object('prompt', words.prompt),
    'plan', jsonb_build_object('prompt', words.prompt))) copy
 WHERE original.request_id = $1
"""
TERMS = """
INSERT INTO request_terms (org_id, created_at, request_id, terms)
SELECT org_id, created_at, request_id, terms_of(plan->>'prompt', metadata) FROM requests WHERE org_id = $1
    ON CONFLICT DO NOTHING
"""


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
        connection = await asyncpg.connect(platform.database_url)
        try:
            return await connection.fetch(statement, *values, timeout=120)
        finally:
            await connection.close()

    return apart(work)


def copies(platform: RunningPlatform, request_id: str, count: int, org_id: UUID, words: str = "") -> None:
    """So many copies of a request in an organisation, a second apart, an hour old and older, in the search index.

    Their prompts are "Copy N" and `words`, 1 the newest; they share the artifacts of the request they are copied from.
    """
    sql(platform, COPIES, UUID(request_id), count, f" {words}", org_id)
    sql(platform, TERMS, org_id)


def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to its end, whether or not this thread has a running loop (Playwright leaves one)."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()
