"""Row 6 of the crash matrix and its relatives: a worker sleeps, or is cut off, and another takes its request over.

The loser may have worked in vain; it publishes nothing, bills nothing, and deletes what it stored.
"""

import asyncio
from pathlib import Path

import httpx2
import pytest
from support.postgres_proxy import postgres_proxy
from support.stage import BRIEF, STEADY, Stage, final, submitted


def films(stage: Stage) -> list[Path]:
    """The stored videos, one folder an attempt."""
    return sorted(path for path in (stage.objects / "artifacts").rglob("video.mp4"))


async def alone(stage: Stage, attempt: int) -> None:
    """Wait until the loser has deleted what it stored, so that only the winner's film is left."""
    async with asyncio.timeout(60):
        while [path.parent.name for path in films(stage)] != [str(attempt)]:
            await asyncio.sleep(0.01)


async def attempt_of(client: httpx2.AsyncClient, request_id: str) -> int:
    """Who has it now: the first, unless the machine was too busy for its short lease."""
    return (await client.get(f"/requests/{request_id}")).json()["attempt"]


@pytest.mark.parametrize("moment", ["engine running", "stored", pytest.param("ending written", marks=pytest.mark.long)])
async def test_a_worker_that_slept_through_its_lease_changes_nothing(stage: Stage, moment: str) -> None:
    """`ending written`: it sleeps inside its transaction, whose locks PostgreSQL takes from it in the end."""
    stage.serve(**BRIEF)
    sleeper = stage.worker(moment, **BRIEF)
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(sleeper.reached)
        loser = await attempt_of(client, request_id)
        sleeper.pause()
        stage.worker(**STEADY)
        record = await final(client, request_id)
        sleeper.go()
        sleeper.resume()
        await alone(stage, loser + 1)
        after = (await client.get(f"/requests/{request_id}")).json()
    assert (record["status"], record["attempt"]) == ("success", loser + 1)
    assert after["outcome"]["video_url"].split("?")[0] == record["outcome"]["video_url"].split("?")[0]


async def test_a_worker_cut_off_from_the_database_finishes_when_it_is_back(stage: Stage) -> None:
    """Nobody took its request over meanwhile (no server, so nobody rescues): its work is not thrown away."""
    async with postgres_proxy(stage.database_url) as proxy:
        server = stage.serve()
        worker = stage.worker("stored", database_url=proxy.dsn, **BRIEF)
        async with stage.client() as client:
            request_id = await submitted(client)
            await asyncio.to_thread(worker.reached)
            keeper = await attempt_of(client, request_id)
            server.kill()
            proxy.go_away()
            worker.go()
            refused = proxy.refused
            async with asyncio.timeout(60):
                while proxy.refused < refused + 6:  # several renewals and finishes failed: the lease is over
                    await asyncio.sleep(0.01)
            proxy.come_back()
            stage.serve()
            record = await final(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", keeper)


async def test_a_worker_cut_off_from_the_database_discards_what_another_has_made(stage: Stage) -> None:
    async with postgres_proxy(stage.database_url) as proxy:
        stage.serve(**BRIEF)
        worker = stage.worker("stored", database_url=proxy.dsn, **BRIEF)
        async with stage.client() as client:
            request_id = await submitted(client)
            await asyncio.to_thread(worker.reached)
            loser = await attempt_of(client, request_id)
            proxy.go_away()
            worker.go()
            stage.worker(**STEADY)
            record = await final(client, request_id)
            assert [path.parent.name for path in films(stage)] == [str(loser), str(loser + 1)]
            proxy.come_back()
            await alone(stage, loser + 1)
    assert (record["status"], record["attempt"]) == ("success", loser + 1)


async def test_a_slow_database_costs_no_lease(stage: Stage) -> None:
    """As with 2 s a statement and a lease of 30 s: heartbeats have a thread and a connection of their own."""
    slow = {"lease_seconds": "7.5", "heartbeat_seconds": "1", "rescue_seconds": "0.1"}
    async with postgres_proxy(stage.database_url) as proxy:
        stage.serve(**slow)
        worker = stage.worker("claimed", database_url=proxy.dsn, **slow)
        async with stage.client() as client:
            request_id = await submitted(client, frames=24, seconds=8)
            await asyncio.to_thread(worker.reached)
            proxy.delay = 0.5
            worker.go()
            record = await final(client, request_id)
            proxy.delay = 0
    assert (record["status"], record["attempt"]) == ("success", 1)
