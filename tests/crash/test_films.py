"""R4: films of animatic while workers, or the engines under them, are killed; every film decodes whole."""

import asyncio
import io
import os
import random
import signal
from typing import Any

import av
import httpx2
import psutil
import pytest
from support.stage import Actor, Stage, final

SETTINGS = {"lease_seconds": "3", "heartbeat_seconds": "0.5", "rescue_seconds": "0.5", "engines": "animatic"}
SETTINGS |= {"max_tries": "10"}
MODEL = "Wan-AI_Wan2.1-T2V-1.3B"
FILMS = 200
WORKERS = 2
KILL_EVERY = 3.0


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_films_made_while_workers_die_are_whole_and_billed_once(stage: Stage) -> None:
    dice = random.Random(4)
    stage.serve(**SETTINGS)
    workers = [stage.worker(**SETTINGS) for _ in range(WORKERS)]
    over, kills = asyncio.Event(), 0

    async def kill() -> None:
        """A worker with its engine, or the engine alone."""
        nonlocal kills
        while not over.is_set():
            try:
                async with asyncio.timeout(KILL_EVERY):
                    await over.wait()
            except TimeoutError:
                number = dice.randrange(WORKERS)
                if dice.random() > 0.5 or not _engine_killed(workers[number]):
                    await asyncio.to_thread(workers[number].kill)
                    workers[number] = stage.worker(**SETTINGS)
                kills += 1

    async with stage.client() as client, asyncio.TaskGroup() as group:
        group.create_task(kill())
        ids = [await _submitted(client, dice, number) for number in range(FILMS)]
        records = [await final(client, request_id) for request_id in ids]
        over.set()
    worst = max(record["attempt"] for record in records)
    assert {record["status"] for record in records} == {"success"}, records
    async with httpx2.AsyncClient(trust_env=False) as browser:
        for record in records:
            await _whole(browser, record)
    print(f"\n{FILMS} films, {kills} kills, worst attempt {worst}")
    assert kills > 0, "nothing was killed, so nothing was proved"


async def _submitted(client: httpx2.AsyncClient, dice: random.Random, number: int) -> str:
    prompts = ("a lighthouse in a storm", "wild geese over a lake at dawn", "a train in the snow", "a street at night")
    payload = {"prompt": dice.choice(prompts), "seed": number}
    answer = await client.post("/requests", json={"model": MODEL, "payload": payload})
    assert answer.status_code == 200, answer.text
    return answer.json()["request_id"]


def _engine_killed(worker: Actor) -> bool:
    """SIGKILL for the engine child of a worker, if it has one now."""
    for child in psutil.Process(worker.process.pid).children(recursive=True):
        if "rushes.worker.child_main" in child.cmdline():
            os.kill(child.pid, signal.SIGKILL)
            return True
    return False


async def _whole(browser: httpx2.AsyncClient, record: dict[str, Any]) -> None:
    """Every frame of the film decodes, and there are as many as five seconds have."""
    answer = await browser.get(record["outcome"]["video_url"])
    assert answer.status_code == 200
    with av.open(io.BytesIO(answer.content)) as film:
        video = film.streams.video[0]
        frames = sum(1 for _ in film.decode(video))
        assert frames == video.frames == 120
