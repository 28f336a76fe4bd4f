"""The fault table: what is full, slow, away or wrong around a platform whose processes all live."""

import asyncio
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest
from rushes.accounts.bootstrap import bootstrap
from support.invariants import broken_invariants
from support.postgres import Databases, MortalPostgres
from support.s3 import BUCKET, S3
from support.stage import BRIEF, PAYLOAD, STEADY, Stage, final, submitted

OUTAGE = {"lease_seconds": "1.2", "heartbeat_seconds": "0.2", "rescue_seconds": "0.1"}
BODY = {"model": "rushes-test", "payload": PAYLOAD}
FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk();
"""


async def execute(stage: Stage, statement: str) -> None:
    connection = await asyncpg.connect(stage.database_url)
    await connection.execute(statement)
    await connection.close()


# -- databases --------------------------------------------------------------------------------------------------------


async def test_a_full_database_disk_is_a_503_and_running_work_waits_for_room(stage: Stage) -> None:
    stage.serve(**BRIEF)
    worker = stage.worker("stored", **STEADY)
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        await execute(stage, FULL.format(table="events"))
        worker.go()
        refused = await client.post("/requests", json=BODY)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert (await client.get(f"/requests/{request_id}")).json()["status"] == "processing"
        await execute(stage, "DROP FUNCTION full_disk CASCADE")
        record = await final(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", 1)


async def test_a_database_away_for_many_leases_costs_no_generation(mortal_stage: Stage, mortal: MortalPostgres) -> None:
    """A failover of 60 s, to scale: two leases long; what ran goes on, and what was finished is not lost or rescued."""
    stage = mortal_stage
    stage.serve(**OUTAGE)
    workers = [stage.worker(moment, **OUTAGE) for moment in ("engine running", "stored", "ending written")]
    async with stage.client() as client:
        ids = [await submitted(client) for _ in range(3)]
        for worker in workers:
            await asyncio.to_thread(worker.reached)
        mortal.kill()
        for worker in workers:
            worker.go()
        await asyncio.sleep(2 * float(OUTAGE["lease_seconds"]))  # the outage itself
        assert (await client.post("/requests", json=BODY)).status_code == 503
        await asyncio.to_thread(mortal.start)
        records = [await final(client, request_id) for request_id in ids]
    assert [(record["status"], record["attempt"]) for record in records] == [("success", 1)] * 3


async def test_terminated_back_ends_are_replaced_and_nothing_is_half_done(stage: Stage) -> None:
    stage.serve(**BRIEF)
    stage.worker(**STEADY)
    ours = "datname = current_database() AND pid <> pg_backend_pid()"
    async with stage.client() as client:
        ids: list[str] = []
        for _ in range(6):
            ids.append(await submitted(client))
            await execute(stage, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
        records = [await final(client, request_id) for request_id in ids]
    assert {record["status"] for record in records} == {"success"}


async def test_an_older_backup_goes_on_where_it_was_and_bills_nothing_twice(stage: Stage, postgres: Databases) -> None:
    """Restored while a request ran that has ended since: its lease is over, it is done again, and billed once."""
    server, worker = stage.serve(**BRIEF), stage.worker("engine running", **{**BRIEF, "lease_seconds": "2"})
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        for actor in (worker, server):
            actor.pause()
        backup = await asyncio.to_thread(postgres.copy, stage.database_url)
        for actor in (worker, server):
            actor.resume()
        worker.go()
        assert (await final(client, request_id))["status"] == "success"
        for actor in (worker, server):
            actor.kill()
        original, stage.database_url = stage.database_url, backup
        stage.serve(**BRIEF)
        stage.worker(**STEADY)
        record = await final(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", 2)
    stage.close()
    assert await broken_invariants(original, stage.objects) == {}
    assert await broken_invariants(backup, stage.objects) == {}
    stage.database_url = original
    postgres.drop(backup)


# -- files ------------------------------------------------------------------------------------------------------------


async def test_a_full_artifact_disk_is_tried_again_and_never_a_success(stage: Stage) -> None:
    """The limit on the size of files fails writes as a full disk does, in the worker alone."""
    stage.serve(**BRIEF)
    worker = stage.worker("encoding", **STEADY)
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        worker.limit_files(10)
        worker.go()
        record = await final(client, request_id)
    assert (record["status"], record["error_code"], record["attempt"]) == ("failed", "storage_unavailable", 3)
    assert record["charge_micro_usd"] == 0
    assert [path for path in stage.objects.rglob("*") if path.is_file()] == []


async def test_an_object_store_that_is_down_delays_and_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    store = S3(tmp_path / "s3")
    try:
        stage.serve(environment=store.settings, objects_url=f"s3://{BUCKET}", **STEADY)
        worker = stage.worker("encoding", environment=store.settings, objects_url=f"s3://{BUCKET}", **STEADY)
        async with stage.client() as client:
            request_id = await submitted(client)
            await asyncio.to_thread(worker.reached)
            store.down.set()
            worker.go()
            assert await asyncio.to_thread(store.refused.acquire, timeout=60)
            shown = (await client.get(f"/requests/{request_id}")).json()
            assert (shown["status"], shown["attempt"]) == ("processing", 1)
            store.down.clear()
            record = await final(client, request_id)
            assert (record["status"], record["attempt"]) == ("success", 1)
            link = record["outcome"]["video_url"]
            async with httpx2.AsyncClient(trust_env=False) as browser:
                assert (await browser.get(link)).status_code == 200
                store.down.set()
                assert (await browser.get(link)).status_code == 503
        shutil.copytree(store.bucket, stage.objects, dirs_exist_ok=True)  # the invariants look there
    finally:
        store.stop()


# -- clocks -----------------------------------------------------------------------------------------------------------

SHIFTED = """
CREATE SCHEMA shifted;
CREATE TABLE shifted.by (amount interval NOT NULL);
INSERT INTO shifted.by VALUES ('0');
CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
  AS 'SELECT pg_catalog.clock_timestamp() + amount FROM shifted.by';
ALTER DATABASE {name} SET search_path = shifted, pg_catalog, public;
"""


@pytest.mark.parametrize(
    ("jump", "attempt"), [("10 minutes", 2), pytest.param("-10 minutes", 1, marks=pytest.mark.long)]
)
async def test_a_database_clock_that_jumps_wastes_an_attempt_at_most(stage: Stage, jump: str, attempt: int) -> None:
    """Forward: a rescue too early, and the fence refuses the first attempt. Back: leases are longer, nothing else."""
    await execute(stage, SHIFTED.format(name=urlsplit(stage.database_url).path[1:]))
    stage.serve(**BRIEF)
    worker = stage.worker("stored", **{**STEADY, "lease_seconds": "60", "heartbeat_seconds": "20"})
    async with stage.client() as client:
        request_id = await submitted(client)
        await asyncio.to_thread(worker.reached)
        await execute(stage, f"UPDATE shifted.by SET amount = '{jump}'")
        if attempt == 2:
            stage.worker(**STEADY)
            record = await final(client, request_id)
            worker.go()
        else:
            worker.go()
            record = await final(client, request_id)
        again = await final(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", attempt)
    assert again["attempt"] == attempt


@pytest.mark.parametrize("seconds", [600, pytest.param(-600, marks=pytest.mark.long)])
async def test_a_worker_whose_clock_is_wrong_is_as_good_as_any(stage: Stage, seconds: int) -> None:
    """Leases and ages are durations, and the database tells the time."""
    stage.serve(**BRIEF)
    stage.worker(clock_shift=seconds, **STEADY)
    async with stage.client() as client:
        record = await final(client, await submitted(client, frames=24, seconds=1))
    assert (record["status"], record["attempt"]) == ("success", 1)


# -- crowds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(180)])])
async def test_workers_that_start_at_once_migrate_once_and_share_the_work(
    nursery: object, postgres: Databases, tmp_path: Path, count: int
) -> None:
    url = postgres.make(template="template0")
    stage = Stage(nursery, url, tmp_path, None)
    try:
        workers = [stage.worker("claimed", **STEADY) for _ in range(count)]
        stage.serve(**BRIEF)
        stage.first = (await bootstrap(url)).key
        async with stage.client() as client:
            ids = [await submitted(client) for _ in range(count)]
            for worker in workers:
                await asyncio.to_thread(worker.reached)
            for worker in workers:
                worker.go()
            records = [await final(client, request_id) for request_id in ids]
        assert {(record["status"], record["attempt"]) for record in records} == {("success", 1)}
        assert len({record["qworker_id"] for record in records}) == count
    finally:
        stage.close()
        assert await broken_invariants(url, stage.objects) == {}
        postgres.drop(url)
