"""Two real platforms, one upstream of the other; the outer one's worker is killed where an account could pay twice."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from support.platform import QUEUE
from support.postgres import Databases
from support.stage import BRIEF, PAYLOAD, STEADY, Actor, Stage, final, submitted
from support.upstream_server import UpstreamServer, upstream_server

from .conftest import staged

LEASE = BRIEF


@pytest.fixture
def inner(nursery: Any, tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """The platform that renders."""
    with staged(nursery, tmp_path / "inner", database_url) as stage:
        stage.serve(**LEASE, public_url=stage.address)
        stage.worker(**LEASE)
        yield stage


@pytest.fixture
def full(nursery: Any, tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """A platform that accepts and has nobody to render: what it was sent waits."""
    with staged(nursery, tmp_path / "inner", database_url) as stage:
        stage.serve(**LEASE, public_url=stage.address)
        yield stage


@pytest.fixture
def outer(nursery: Any, tmp_path: Path, postgres: Databases) -> Iterator[Stage]:
    """The platform that customers of this test call."""
    url = postgres.make()
    asyncio.run(renamed(url))
    with staged(nursery, tmp_path / "outer", url) as stage:
        yield stage
    postgres.drop(url)


async def renamed(database_url: str) -> None:
    """Test databases are copies of one; two platforms are not."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE platform SET instance = gen_random_uuid()")
    await connection.close()


def federated(inner: Stage, outer: Stage) -> dict[str, str]:
    """The settings of an outer platform that passes the test model on."""
    assert inner.first is not None
    return passing_on(outer, inner.address, inner.first.key)


def passing_on(outer: Stage, address: str, secret: str) -> dict[str, str]:
    """The same for any upstream."""
    key = outer.data / "upstream-key"
    key.write_text(secret)
    table = {"base_url": address, "key_file": str(key), "models": "rushes-test", "slots": "1"}
    return {**LEASE, "engines": "gmi", **{f"engine__gmi__{name}": value for name, value in table.items()}}


async def listed(stage: Stage) -> list[dict[str, Any]]:
    async with stage.client() as client:
        return (await client.get("/requests")).json()["requests"]


async def due(stage: Stage) -> None:
    """Work elsewhere that an attempt may stop itself, or that another has taken, is free, as after some minutes."""
    connection = await asyncpg.connect(stage.database_url)
    await connection.execute("UPDATE work_elsewhere SET due_at = clock_timestamp()")
    await connection.close()


async def settled(stage: Stage) -> None:
    """Wait until nothing is left to be stopped elsewhere."""
    connection = await asyncpg.connect(stage.database_url)
    while await connection.fetchval("SELECT count(*) FROM work_elsewhere"):
        await asyncio.sleep(0.05)
    await connection.close()


def test_one_server_renders_for_another_and_the_record_says_so(inner: Stage, outer: Stage) -> None:
    async def through() -> tuple[dict[str, Any], bytes]:
        async with outer.client() as client:
            record = await final(client, await submitted(client, seconds=0.3, frames=12))
            assert record["status"] == "success", record["error"]
            path = httpx2.URL(record["outcome"]["video_url"]).raw_path.decode()
            video = await client.get(outer.address + path)
            detail = (await client.get("/models/rushes-test")).json()
            assert (detail["engine"], detail["available"]) == ("gmi", True)
            return record, video.content

    settings = federated(inner, outer)
    outer.serve(**settings)
    outer.worker(**settings)
    record, video = asyncio.run(through())
    (rendered,) = asyncio.run(listed(inner))
    assert (record["status"], record["engine"], record["rendered_by"]) == ("success", "gmi", "faults"), record
    assert (rendered["status"], rendered["engine"], rendered["rendered_by"]) == ("success", "faults", "faults")
    assert record["seed"] == rendered["seed"]
    assert video[4:8] == b"ftyp"


@pytest.mark.parametrize("moment", ["remembering 1", "remembering 2"])
def test_a_worker_killed_around_the_submit_makes_one_request_upstream(inner: Stage, outer: Stage, moment: str) -> None:
    """Before the submit, and between its answer and the moment at which its id is durable."""
    settings = federated(inner, outer)

    async def killed() -> tuple[int, dict[str, Any]]:
        outer.serve(**settings)
        worker = outer.worker(moment, **settings)
        async with outer.client() as client:
            request_id = await submitted(client)
            await asyncio.to_thread(worker.reached)
            lost = (await client.get(f"/requests/{request_id}")).json()["attempt"]
            assert len(await listed(inner)) == (0 if moment == "remembering 1" else 1)
            worker.kill()
            outer.worker(**{**settings, **STEADY})
            return lost, await final(client, request_id)

    lost, record = asyncio.run(killed())
    assert (record["status"], record["attempt"]) == ("success", lost + 1), record
    assert [request["status"] for request in asyncio.run(listed(inner))] == ["success"]


def test_a_cancel_reaches_the_engine_behind_the_upstream(inner: Stage, outer: Stage) -> None:
    settings = federated(inner, outer)
    outer.serve(**settings)
    outer.worker(**settings)

    async def cancelled() -> None:
        async with outer.client() as client, inner.client() as behind:
            request_id = await submitted(client, seconds=25, frames=250, progress_steps=250)
            while not (running := (await behind.get("/requests", params={"status": "processing"})).json()["requests"]):
                await asyncio.sleep(0.05)
            assert (await client.delete(f"/requests/{request_id}")).json()["status"] == "cancelled"
            assert (await final(behind, running[0]["request_id"]))["status"] == "cancelled"

    asyncio.run(cancelled())


@pytest.mark.long
def test_a_worker_that_goes_away_leaves_the_request_upstream_to_the_next(inner: Stage, outer: Stage) -> None:
    settings = {**federated(inner, outer), "drain_seconds": "0"}
    outer.serve(**settings)
    worker = outer.worker(**settings)

    async def moved(next_one: Callable[[], Actor]) -> dict[str, Any]:
        async with outer.client() as client, inner.client() as behind:
            request_id = await submitted(client, seconds=3, frames=72, progress_steps=72)
            while not (await behind.get("/requests", params={"status": "processing"})).json()["requests"]:
                await asyncio.sleep(0.05)
            assert await asyncio.to_thread(worker.terminate) == 0
            next_one()
            return await final(client, request_id)

    record = asyncio.run(moved(lambda: outer.worker(**settings)))
    assert (record["status"], record["attempt"]) == ("success", 2), record["error"]
    assert len(asyncio.run(listed(inner))) == 1


def test_a_ring_of_servers_ends(inner: Stage) -> None:
    async def passed_on(hops: str) -> httpx2.Response:
        async with inner.client() as client:
            body = {"model": "rushes-test", "payload": PAYLOAD}
            return await client.post(f"{inner.address}{QUEUE}/requests", json=body, headers={"Rushes-Hops": hops})

    assert asyncio.run(passed_on("3")).status_code == 200
    for hops in ("4", "-1", "many", "9" * 50):
        refused = asyncio.run(passed_on(hops))
        assert (refused.status_code, refused.json()["param"]) == (400, "Rushes-Hops"), hops


@pytest.mark.long
def test_what_a_killed_worker_sent_upstream_is_cancelled_there_when_its_customer_cancels(
    full: Stage, outer: Stage
) -> None:
    """It was accepted, its id never came back, and nobody runs the request: the next worker finds and cancels it."""
    settings = {**federated(full, outer), **STEADY}

    async def cancelled() -> str:
        outer.serve(**settings)
        worker = outer.worker("remembering 2", **settings)
        async with outer.client() as client, full.client() as behind:
            request_id = await submitted(client)
            await asyncio.to_thread(worker.reached)
            worker.kill()
            assert (await client.delete(f"/requests/{request_id}")).json()["status"] == "cancelled"
            await due(outer)
            (sent,) = await listed(full)
            assert sent["status"] == "queued", "there is nobody who could have cancelled it"
            outer.worker(**settings)
            record = await final(behind, sent["request_id"])
        await settled(outer)
        return record["status"]

    assert asyncio.run(cancelled()) == "cancelled"
    assert len(asyncio.run(listed(full))) == 1


def test_work_upstream_is_cancelled_once_also_when_the_one_who_did_it_is_killed(outer: Stage) -> None:
    """After the upstream's answer, and before it was written down here that nothing is left to do."""

    async def cancelled(upstream: UpstreamServer) -> None:
        settings = {**passing_on(outer, upstream.url, upstream.key), **STEADY}
        outer.serve(**settings)
        worker = outer.worker(**settings)
        async with outer.client() as client:
            request_id = await submitted(client)
            await asyncio.to_thread(upstream.wait_for, "GET", f"{QUEUE}/requests/")
            worker.kill()
            assert (await client.delete(f"/requests/{request_id}")).json()["status"] == "cancelled"
            await due(outer)
            assert upstream.count("DELETE", QUEUE) == 0
            second = outer.worker("stopped elsewhere", **settings)
            await asyncio.to_thread(second.reached)
            second.kill()
            await due(outer)
            outer.worker(**settings)
            await settled(outer)

    with upstream_server(models=["rushes-test"], questions=-1, cancels=True) as upstream:
        asyncio.run(cancelled(upstream))
        assert ([sent.cancelled for sent in upstream.sent], upstream.count("DELETE", QUEUE)) == ([True], 1)
