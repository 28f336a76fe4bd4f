"""Rows 3 to 10 of the crash matrix: the worker, or PostgreSQL, is killed at every step of an attempt.

Always: the request succeeds, its outcome can be read whole, and one usage row bills it. What differs is whether the
work was done twice.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support.postgres import MortalPostgres
from support.stage import BRIEF, STEADY, Actor, Stage, final, submitted

STEPS = ["claimed", "fetching", "engine running", "encoding", "stored", "ending written", "finish committed"]
ALIKE = ["fetching", "encoding", "stored"]
"""For PostgreSQL a moment like the one before it."""


def long(step: str) -> Any:
    return pytest.param(step, marks=pytest.mark.long)


async def finished(
    stage: Stage, moment: str, lease: Mapping[str, str], then: Callable[[Actor], None]
) -> dict[str, object]:
    """The record of a request whose worker stood at `moment` when `then` was done to it."""
    stage.serve(**BRIEF)
    worker = stage.worker(moment, **lease)
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        await asyncio.to_thread(then, worker)
        return await final(client, request_id)


@pytest.mark.parametrize("moment", STEPS)
def test_a_killed_worker_is_made_up_for(stage: Stage, moment: str) -> None:
    def kill(worker: Actor) -> None:
        worker.kill()
        stage.worker(**STEADY)

    record = asyncio.run(finished(stage, moment, BRIEF, kill))
    assert (record["status"], record["attempt"]) == ("success", 1 if moment == "finish committed" else 2)


@pytest.mark.parametrize("moment", [*(step for step in STEPS if step not in ALIKE), *(long(step) for step in ALIKE)])
def test_killed_postgresql_costs_no_attempt(mortal_stage: Stage, mortal: MortalPostgres, moment: str) -> None:
    """What is done is not done again: a claim stands or its lease decides, a finish is repeated until it is heard."""

    def kill(worker: Actor) -> None:
        mortal.kill()
        worker.go()
        mortal.start()

    record = asyncio.run(finished(mortal_stage, moment, STEADY, kill))
    assert (record["status"], record["attempt"]) == ("success", 1)
