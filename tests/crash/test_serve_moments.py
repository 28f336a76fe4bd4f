"""Rows 1, 2 and 12 to 15 of the crash matrix: `rushes serve`, or PostgreSQL under it, is killed at a named moment."""

import asyncio
import signal
from pathlib import Path

import asyncpg
import httpx2
import pytest
from support.postgres import Databases, MortalPostgres
from support.stage import BRIEF, PAYLOAD, STEADY, Stage, final, submitted

BODY = {"model": "rushes-test", "payload": PAYLOAD}
AROUND_THE_COMMIT = [("submit written", 0), ("submit committed", 1)]


async def ids(stage: Stage) -> list[str]:
    connection = await asyncpg.connect(stage.database_url)
    try:
        return [str(row["request_id"]) for row in await connection.fetch("SELECT request_id FROM requests")]
    finally:
        await connection.close()


async def somebody_waits_for_a_lock(stage: Stage) -> None:
    connection = await asyncpg.connect(stage.database_url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(60):
        while not await connection.fetchval(waiting):
            await asyncio.sleep(0.005)
    await connection.close()


# -- rows 1 and 2: around the commit of a submit ----------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "a-key"])
@pytest.mark.parametrize(("moment", "stored"), AROUND_THE_COMMIT)
async def test_a_server_killed_around_the_commit_is_made_up_for(
    stage: Stage, moment: str, stored: int, key: str | None
) -> None:
    """No reply was sent. A row exists or does not; under a key, asking again makes one request in all."""
    serve = stage.serve(moment)
    async with stage.client() as client:
        headers = {"Idempotency-Key": key} if key else {}
        first = asyncio.create_task(client.post("/requests", json=BODY, headers=headers))
        await asyncio.to_thread(serve.reached)
        serve.kill()
        with pytest.raises(httpx2.TransportError):
            await first
        before = await ids(stage)
        assert len(before) == stored
        stage.serve()
        again = await submitted(client, key)
    after = await ids(stage)
    assert again in after
    assert len(after) == (1 if key else stored + 1)


@pytest.mark.parametrize(("moment", "status"), [("submit written", 503), ("submit committed", 200)])
async def test_postgresql_killed_around_the_commit_is_answered_truly(
    mortal_stage: Stage, mortal: MortalPostgres, moment: str, status: int
) -> None:
    """503: nothing was stored. 200: it was, also where what else the answer tells cannot be had."""
    serve = mortal_stage.serve(moment)
    async with mortal_stage.client() as client:
        first = asyncio.create_task(client.post("/requests", json=BODY))
        await asyncio.to_thread(serve.reached)
        mortal.kill()
        serve.go()
        answer = await first
        mortal.start()
        assert answer.status_code == status, answer.text
        assert len(await ids(mortal_stage)) == (status == 200)
        if status == 200:
            mortal_stage.worker()
            assert (await final(client, answer.json()["request_id"]))["status"] == "success"


# -- row 12: cancel against finish ------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", ["nobody", "worker", "serve"])
async def test_of_a_cancel_and_a_finish_one_wins_whoever_dies(stage: Stage, killed: str) -> None:
    serve, worker = stage.serve(**BRIEF), stage.worker("ending written", **STEADY)
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        cancel = asyncio.create_task(client.delete(f"/requests/{request_id}"))
        await somebody_waits_for_a_lock(stage)
        if killed == "worker":
            worker.kill()
        elif killed == "serve":
            serve.kill()
            with pytest.raises(httpx2.TransportError):
                await cancel
            stage.serve(**BRIEF)
        if killed != "worker":
            worker.go()
        record = await final(client, request_id)
        if killed != "serve":
            assert (await cancel).json()["status"] == record["status"]
    # The dead server's cancel may have been on its way to PostgreSQL, which does not know that nobody waits for it.
    assert record["status"] == ("cancelled" if killed == "worker" else "success")
    assert record["charge_micro_usd"] == (0 if killed == "worker" else record["quote_micro_usd"])


# -- row 13: migrations -----------------------------------------------------------------------------------------------


async def test_a_server_killed_half_way_through_migrations_is_made_up_for_by_the_next(
    nursery: object, postgres: Databases, tmp_path: Path
) -> None:
    url = postgres.make(template="template0")
    stage = Stage(nursery, url, tmp_path, None)
    try:
        first = stage.serve("migration written")
        await asyncio.to_thread(first.reached)
        first.kill()
        stage.serve()
        async with stage.client() as client:
            assert (await client.get("/models", headers={"Authorization": ""})).status_code == 401
        assert await ids(stage) == []
    finally:
        stage.close()
        postgres.drop(url)


async def test_a_newer_schema_is_refused_by_server_and_worker(stage: Stage) -> None:
    connection = await asyncpg.connect(stage.database_url)
    await connection.execute("INSERT INTO schema_migrations (number, name, digest) VALUES (9999, 'later.sql', 'x')")
    await connection.close()
    for actor in (stage.serve(), stage.worker()):
        await asyncio.to_thread(actor.process.join, 30)
        assert actor.process.exitcode in (1, 3), "1: our own word, 3: uvicorn's"


# -- row 14: rescuers -------------------------------------------------------------------------------------------------


async def test_a_rescuer_killed_in_the_middle_is_made_up_for_by_another(stage: Stage) -> None:
    """Its transaction never was; nothing is returned to the queue twice."""
    rescuer, worker = stage.serve("return written", **BRIEF), stage.worker("engine running", **BRIEF)
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        worker.kill()
        await asyncio.to_thread(rescuer.reached)
        rescuer.kill()
        for _ in range(2):
            stage.serve(**BRIEF)
        stage.worker(**STEADY)
        record = await final(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", 2)


# -- row 15: SIGTERM --------------------------------------------------------------------------------------------------


async def test_a_server_told_to_stop_answers_what_it_has_accepted(stage: Stage) -> None:
    """A submit gets its answer, a long-poll what there is; then it ends by itself, and the next one takes over."""
    serve = stage.serve("submit committed")
    async with stage.client() as client:
        held = asyncio.create_task(submitted(client))
        await asyncio.to_thread(serve.reached)
        serve.process.terminate()
        serve.go()
        request_id = await held
        await asyncio.to_thread(serve.process.join, 30)
        assert serve.process.exitcode == -signal.SIGTERM, "by the signal, when all was answered"
        second = stage.serve()
        waiting = asyncio.create_task(client.get(f"/requests/{request_id}", params={"wait": 60}))
        await until_served(stage, client)
        second.process.terminate()
        answer = await waiting
        assert (answer.status_code, answer.json()["status"]) == (200, "queued")
        await asyncio.to_thread(second.process.join, 30)
        assert second.process.exitcode == -signal.SIGTERM


async def until_served(stage: Stage, client: httpx2.AsyncClient) -> None:
    """Some call made later than another, on a connection of its own, has been answered."""
    async with stage.client() as other:
        assert (await other.get("/requests")).status_code == 200


async def test_a_worker_told_to_stop_ends_what_it_runs(stage: Stage) -> None:
    stage.serve()
    worker = stage.worker("engine running")
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        worker.process.terminate()
        worker.go()
        record = await final(client, request_id)
        await asyncio.to_thread(worker.process.join, 30)
    assert (record["status"], record["attempt"], worker.process.exitcode) == ("success", 1, 0)


async def test_a_worker_told_to_stop_hands_back_what_takes_too_long(stage: Stage) -> None:
    """R10: the try is given back, and another worker goes on."""
    stage.serve()
    worker = stage.worker("engine running", drain_seconds="0.1")
    async with stage.client() as client:
        request_id = await submitted(client, frames=48, seconds=2, progress_steps=48)
        await asyncio.to_thread(worker.reached)
        worker.process.terminate()
        worker.go()
        await asyncio.to_thread(worker.process.join, 30)
        stage.worker()
        record = await final(client, request_id)
        attempts = (await client.get(f"/requests/{request_id}", params={"attempts": 1})).json()["attempts"]
    assert (record["status"], worker.process.exitcode) == ("success", 0)
    assert [attempt["result"] for attempt in attempts] == ["handed_back", "success"]
