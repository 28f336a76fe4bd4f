"""R3: `serve` is killed while customers submit with keys. What was answered exists, and one key is one request."""

import asyncio
import contextlib
import itertools
import signal
from pathlib import Path

import httpx2
import pytest
from support.invariants import broken_invariants
from support.platform import QUEUE, QUICK, RunningPlatform, running_platform

CLIENTS = 8
PAYLOAD = {"frames": 1, "seconds": 0, "width": 16, "height": 16}


@pytest.mark.parametrize(
    ("kills", "every"),
    [(2, 1.5), pytest.param(15, 2.0, marks=[pytest.mark.long, pytest.mark.timeout(300)])],
)
async def test_what_was_accepted_survives_a_killed_server(tmp_path: Path, kills: int, every: float) -> None:
    with running_platform(tmp_path / "data", environment=QUICK) as platform:
        answers = await submit_and_kill(platform, kills, every)
        ids = [set(given) for given in answers.values()]
        print(f"\n{len(answers)} keys, each submitted until it was answered twice; {kills} kills")
        assert all(len(given) == 1 for given in ids), "one key became two requests"
        async with client_of(platform) as client:
            listed = (await client.get("/requests", params={"limit": 1})).json()
            assert listed["total"] == len(answers)
            for request_id in itertools.chain.from_iterable(ids):
                record = await client.get(f"/requests/{request_id}", params={"wait": 30})
                assert (record.status_code, record.json()["status"]) == (200, "success")
        assert await broken_invariants(platform.database_url, platform.data / "objects") == {}


async def submit_and_kill(platform: RunningPlatform, kills: int, every: float) -> dict[str, list[str]]:
    """The ids that each key was answered with, while the server dies again and again."""
    numbers = itertools.count()
    answers: dict[str, list[str]] = {}
    done = asyncio.Event()

    async def customer(client: httpx2.AsyncClient) -> None:
        while not done.is_set():
            key = f"key-{next(numbers)}"
            answers[key] = [await answered(client, key) for _ in range(2)]

    async def killer() -> None:
        for _ in range(kills):
            await asyncio.sleep(every)
            for serve in platform.children("serve"):
                serve.send_signal(signal.SIGKILL)
        await asyncio.sleep(every)
        done.set()

    async with client_of(platform) as client, asyncio.TaskGroup() as group:
        group.create_task(killer())
        for _ in range(CLIENTS):
            group.create_task(customer(client))
    return answers


async def answered(client: httpx2.AsyncClient, key: str) -> str:
    """The id that a submit with this key gets in the end, as a patient client sees it."""
    body = {"model": "rushes-test", "payload": PAYLOAD}
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx2.TransportError):
                answer = await client.post("/requests", json=body, headers={"Idempotency-Key": key})
                if answer.status_code == 200:
                    return answer.json()["request_id"]
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.05)


def client_of(platform: RunningPlatform) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {platform.key}"}
    return httpx2.AsyncClient(base_url=platform.address + QUEUE, headers=headers, trust_env=False, timeout=120)
