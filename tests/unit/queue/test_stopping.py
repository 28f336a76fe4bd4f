"""What runs in the background stops when told to, also when it was woken at the same moment."""

import asyncio
from pathlib import Path

import pytest
from support.api import running_api


@pytest.mark.parametrize("turns", range(6))
async def test_a_wake_just_before_the_stop_does_not_lose_the_stop(
    database_url: str, tmp_path: Path, turns: int
) -> None:
    """`turns`: how far the woken wait has come back when it is cancelled. wait_for of Python 3.11 lost one of these."""
    async with running_api(database_url, tmp_path) as api:
        await asyncio.wait_for(api.services.listener.connected.wait(), 10)
        for part in (api.services.webhooks, api.services.maintenance):
            await part.start()
            await _waiting(part)
            part.wake()
            for _ in range(turns):
                await asyncio.sleep(0)
            stopping = asyncio.create_task(part.stop())
            await asyncio.wait({stopping}, timeout=60)
            assert stopping.done()


async def _waiting(part: object) -> None:
    """Until the part's task has looked once and waits for its wake."""
    wake: asyncio.Event = part._wake  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        while not wake._waiters:
            await asyncio.sleep(0.005)
