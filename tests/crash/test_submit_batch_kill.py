"""Crash row 17: `serve` is killed inside a batch of submits. No row was stored, no reply was sent; retries make one."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from rushes.store.submit_batch import BATCHES
from support.invariants import check_invariants
from support.platform import QUEUE, QUICK, RunningPlatform, running_platform

CLIENTS = 40
BODY = {"model": "rushes-test", "payload": {"frames": 2, "seconds": 0.1}}


@pytest.fixture
def platform(tmp_path: Path):
    with running_platform(tmp_path / "data", environment=QUICK) as running:
        yield running
        check_invariants(running.database_url, running.data / "objects")


async def submitted(client: httpx2.AsyncClient, number: int) -> str | None:
    """The id of a request under a key of its own; None when the server was gone before it answered."""
    try:
        answer = await client.post("/requests", json=BODY, headers={"Idempotency-Key": f"key-{number}"})
    except httpx2.TransportError:
        return None
    assert answer.status_code == 200, answer.text
    return answer.json()["request_id"]


async def count(connection: Any) -> int:
    return await connection.fetchval("SELECT count(*) FROM requests")


async def killed_and_retried(platform: RunningPlatform) -> None:
    holder, watcher = [await asyncpg.connect(platform.database_url) for _ in range(2)]
    client = httpx2.AsyncClient(
        base_url=platform.address + QUEUE,
        headers={"Authorization": f"Bearer {platform.key}"},
        trust_env=False,
        timeout=120,
        limits=httpx2.Limits(max_connections=CLIENTS),
    )
    async with client:
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM organisations FOR UPDATE")
            first = [asyncio.create_task(submitted(client, number)) for number in range(CLIENTS)]
            while (
                await watcher.fetchval(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND application_name = 'rushes'"
                )
                < BATCHES
            ):
                continue
            (serve,) = platform.children("serve")
            serve.send_signal(signal.SIGKILL)
            assert await asyncio.gather(*first) == [None] * CLIENTS
        # What the dead server's connections were about to do is over when they are.
        while await watcher.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            continue
        assert await count(watcher) == 0
        retried = [await again(client, number) for number in range(CLIENTS)]
        assert len(set(retried)) == CLIENTS
        assert await count(watcher) == CLIENTS
        for request_id in retried:
            record = (await client.get(f"/requests/{request_id}", params={"wait": 30})).json()
            assert record["status"] == "success"
    for connection in (holder, watcher):
        await connection.close()


async def again(client: httpx2.AsyncClient, number: int) -> str:
    """Ask until the server is back; its supervisor holds the port, so that calls wait rather than fail."""
    while (request_id := await submitted(client, number)) is None:
        continue
    return request_id


def test_a_server_killed_inside_a_batch_stored_and_answered_nothing(platform: RunningPlatform) -> None:
    asyncio.run(killed_and_retried(platform))
