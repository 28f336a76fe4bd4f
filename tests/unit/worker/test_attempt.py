"""One attempt with a real queue, a real engine process, a real encoder and a real object store."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest
from rushes.artifacts.objects import Objects, Stored
from rushes.catalog.loader import Catalog
from rushes.domain.request import Status
from rushes.egress import Egress, EgressSettings
from rushes.engines.engine import Busy
from rushes.engines.faults import FaultsEngine
from rushes.media.probe import probe
from rushes.store.database import Database
from rushes.store.files import Files
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.work_elsewhere import WorkElsewhere
from rushes.worker.attempt import Attempt
from rushes.worker.child import EngineChild, Order
from rushes.worker.fetch import Fetch
from rushes.worker.parts import Parts
from rushes.worker.policy import Policy
from rushes.worker.turns import Turn, Turns
from support.postgres_proxy import postgres_proxy
from support.queueing import claim_one

from .conftest import ordered_request


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[Database]:
    database = Database(dsn, size=4)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


async def never_busy(lane: str, error: Busy) -> None:
    raise AssertionError(f"{lane} is no server: {error}")


POLICY = Policy(max_tries=3, attempt_seconds=20, cancel_grace_seconds=5, retry_delays=(0.0,))
Attempts = Callable[..., Attempt]
PUBLISHED = ["first_frame.jpg", "last_frame.jpg", "manifest.json", "preview.webp", "thumbnail.jpg", "video.mp4"]


@pytest.fixture(scope="module")
def faults(environment: dict[str, str]) -> Iterator[EngineChild]:
    child = EngineChild("faults", environment)
    yield child
    child.kill()


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects("", tmp_path / "objects")


@pytest.fixture
async def attempt_of(
    requests: Requests, database: Database, objects: Objects, faults: EngineChild, catalog: Catalog, tmp_path: Path
) -> Attempts:
    """Makes the attempt of a claimed request; `queue`, `child` and the policy's figures may be given."""
    egress = Egress(EgressSettings.of([80], []))

    def make(
        request: Request,
        queue: Requests | None = None,
        child: EngineChild = faults,
        turn: Turn | None = None,
        **figures: Any,
    ) -> Attempt:
        parts = Parts(
            queue=queue or requests,
            objects=objects,
            fetch=Fetch(Files(database), objects, egress),
            engine=FaultsEngine(),
            child=child,
            policy=replace(POLICY, **figures),
            turn=turn or Turns(lambda: None).turn(),
            on_busy=never_busy,
        )
        scratch = tmp_path / "scratch" / str(request.attempt)
        return Attempt(request, catalog.find("rushes-test"), parts, scratch)

    return make


@pytest.fixture
def claimed(requests: Requests, org_id: UUID, catalog: Catalog) -> Callable[..., Any]:
    """Submits and claims one request that behaves as told."""

    async def submit_and_claim(plan: Mapping[str, Any] | None = None, **params: Any) -> Request:
        new = ordered_request(org_id, catalog, **params)
        await requests.submit(new if plan is None else replace(new, plan=plan))
        return await claim_one(requests)

    return submit_and_claim


def stored(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "objects").rglob("*") if path.is_file())


async def now(requests: Requests, request: Request) -> Request:
    """The request as it is now."""
    found = await requests.get(request.org_id, request.request_id)
    assert found is not None
    return found


async def test_a_good_attempt_leaves_a_film_a_bill_and_no_scratch(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    request = await claimed(frames=12, seconds=0.4, progress_steps=12)
    await attempt_of(request).run()
    done = await now(requests, request)
    assert (done.status, done.progress, done.charge_micro) == (Status.SUCCESS, 100, 1_000)
    assert stored(tmp_path) == PUBLISHED
    assert list((tmp_path / "scratch").iterdir()) == []
    video = next((tmp_path / "objects").rglob("video.mp4"))
    with av.open(str(video)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 12
    (row,) = await requests.attempts(request.request_id)
    assert [stage["stage"] for stage in json.loads(row["stages"])] == ["loading", "generating", "encoding", "uploading"]
    assert done.outcome is not None
    assert done.outcome["video"]["size_bytes"] == video.stat().st_size
    assert "path" not in done.outcome["video"], "where it lies is nobody's business"


async def test_the_manifest_says_how_it_was_made_and_what_every_file_weighs(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    request = await claimed(frames=12, prompt="a quiet harbour")
    await attempt_of(request).run()
    folder = next((tmp_path / "objects").rglob("manifest.json")).parent
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["request_id"], manifest["attempt"]) == (str(request.request_id), 1)
    assert (manifest["model"], manifest["engine"], manifest["fingerprint"]) == ("rushes-test", "faults", "faults 1")
    assert (manifest["prompt"], manifest["seed"]) == ("a quiet harbour", 7)
    assert (manifest["plan"]["width"], manifest["plan"]["keep_frames"], manifest["plan"]["fps"]) == (32, 12, 24)
    assert list(manifest["seconds"]["stages"]) == ["loading", "generating", "encoding", "uploading"]
    assert set(manifest["artifacts"]) == {"video", "thumbnail", "first_frame", "last_frame", "preview"}
    for entry in manifest["artifacts"].values():
        data = (folder / entry["file"]).read_bytes()
        assert (entry["size_bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    done = await now(requests, request)
    assert done.outcome is not None
    assert done.outcome["manifest"]["content_type"] == "application/json"
    kept = {row["kind"]: row["sha256"] for row in await requests.artifacts([request.request_id])}
    assert kept.pop("manifest") == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert kept == {kind: entry["sha256"] for kind, entry in manifest["artifacts"].items()}


async def test_a_file_from_elsewhere_becomes_ours(
    requests: Requests,
    attempt_of: Attempts,
    claimed: Any,
    child: EngineChild,
    order: Callable[..., Order],
    tmp_path: Path,
) -> None:
    request = await claimed(plan=order(way="movie", frames=48).plan)
    await attempt_of(request, child=child).run()
    done = await now(requests, request)
    assert done.status is Status.SUCCESS, done.error
    assert stored(tmp_path) == PUBLISHED
    facts = probe(next((tmp_path / "objects").rglob("video.mp4")))
    assert (facts.frames, facts.moov_first) == (48, True)
    assert facts.comment.endswith("engine faults, model rushes-test")
    assert done.outcome is not None
    assert (done.outcome["seed"], done.outcome["last_frame"]["width"]) == (5, 32)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"way": "file"}, "it is something else, not a video"),
        ({"way": "movie", "frames": 480, "given": 96}, "it lasts 4.0 s, not 20.0 s"),
        ({"way": "movie", "shape": (16, 32)}, "size is 16x32, not 32x16"),
    ],
)
async def test_a_file_from_elsewhere_is_held_against_the_plan(
    requests: Requests,
    attempt_of: Attempts,
    claimed: Any,
    child: EngineChild,
    order: Callable[..., Order],
    given: dict[str, Any],
    said: str,
) -> None:
    request = await claimed(plan=order(**{"frames": 48, **given}).plan)
    await attempt_of(request, child=child, max_tries=1).run()
    done = await now(requests, request)
    assert (done.error_code, done.charge_micro) == ("engine_lost", 0)
    assert done.error == f"The video is not what was planned: {said}"


async def run_to_the_end(requests: Requests, request: Request, attempt: Callable[[Request], Attempt]) -> Request:
    """The request once it is final, whatever number of attempts that takes."""
    while True:
        await attempt(request).run()
        left = await now(requests, request)
        if left.final:
            return left
        request = await claim_one(requests)


@pytest.mark.parametrize(
    ("way", "code", "attempts"),
    [
        ("invalid", "invalid_input", 1),
        ("memory", "out_of_memory", 2),
        ("raise", "engine_lost", 3),
        ("exit", "engine_lost", 3),
        ("too few", "engine_lost", 3),
        ("one pixel", "engine_lost", 3),
    ],
)
async def test_each_failure_is_tried_as_often_as_it_may_help(
    requests: Requests,
    attempt_of: Attempts,
    claimed: Any,
    child: EngineChild,
    order: Callable[..., Order],
    tmp_path: Path,
    way: str,
    code: str,
    attempts: int,
) -> None:
    request = await claimed(plan=order(way=way).plan)
    done = await run_to_the_end(requests, request, lambda request: attempt_of(request, child=child))
    assert (done.status, done.error_code, done.attempt, done.charge_micro) == (Status.FAILED, code, attempts, 0)
    assert stored(tmp_path) == []
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_an_ordered_failure_is_not_tried_again(requests: Requests, attempt_of: Attempts, claimed: Any) -> None:
    request = await claimed(fault={"fail": "upstream_error", "at": 10})
    done = await run_to_the_end(requests, request, attempt_of)
    assert (done.error_code, done.attempt) == ("upstream_error", 1)


async def test_an_engine_that_hangs_fails_at_the_deadline(
    requests: Requests, attempt_of: Attempts, claimed: Any
) -> None:
    request = await claimed(hang=True)
    await attempt_of(request, attempt_seconds=0.5).run()
    assert (await now(requests, request)).error_code == "timeout"


async def until_processing(requests: Requests, request: Request) -> None:
    async with asyncio.timeout(60):
        while (await now(requests, request)).status is not Status.PROCESSING:
            await asyncio.sleep(0)


async def test_a_cancelled_attempt_stops_and_leaves_the_request_as_it_is(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    request = await claimed(frames=200, seconds=30, progress_steps=200)
    attempt = attempt_of(request)
    running = asyncio.create_task(attempt.run())
    await until_processing(requests, request)
    await requests.cancel(request.org_id, request.request_id)
    attempt.stop(superseded=True)
    async with asyncio.timeout(60):
        await running
    assert (await now(requests, request)).status is Status.CANCELLED
    assert stored(tmp_path) == []


class CancelledFirst(Requests):
    """The customer cancels while an engine is about to begin something elsewhere."""

    async def remember(self, request_id: UUID, attempt: int, ref: str) -> bool:
        await self.cancel(self.org_id, request_id)
        return await super().remember(request_id, attempt, ref)

    org_id: UUID


async def test_an_attempt_that_was_cancelled_begins_nothing_elsewhere(
    requests: Requests,
    database: Database,
    attempt_of: Attempts,
    claimed: Any,
    child: EngineChild,
    order: Callable[..., Order],
    tmp_path: Path,
) -> None:
    """It has not heard of the cancel yet when it asks to remember what it is going to do."""
    request = await claimed(plan=order(way="remember", after=str(tmp_path / "after")).plan)
    queue = CancelledFirst(database, keep_seconds=3600)
    queue.org_id = request.org_id
    await attempt_of(request, queue, child=child).run()
    assert (await now(requests, request)).status is Status.CANCELLED
    assert not (tmp_path / "after").exists() and not child.started
    assert await WorkElsewhere(database).next_due(request.lane) is None


async def test_a_draining_attempt_gives_its_request_and_its_try_back(
    requests: Requests, attempt_of: Attempts, claimed: Any
) -> None:
    request = await claimed(frames=200, seconds=30, progress_steps=200)
    attempt = attempt_of(request)
    running = asyncio.create_task(attempt.run())
    await until_processing(requests, request)
    attempt.stop(draining=True)
    async with asyncio.timeout(60):
        await running
    left = await now(requests, request)
    assert (left.status, left.tries, left.attempt) == (Status.QUEUED, 0, 1)


async def test_a_superseded_attempt_deletes_what_it_stored(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    """Crash row 6: it slept while another took over, and wakes up in the middle of its work."""
    request = await claimed()
    await requests.begin(request.request_id, request.attempt, "loading")
    attempt = attempt_of(request)

    class Taken(Requests):
        """Loses the request to another qworker just before the finish."""

        async def finish(self, *given: Any) -> bool:
            assert stored(tmp_path) == PUBLISHED
            await requests.expire_all_leases()
            await requests.rescue(max_tries=3)
            await claim_one(requests)
            return await super().finish(*given)

    attempt.parts.queue = Taken(requests._database, keep_seconds=60)
    await attempt.run()
    left = await now(requests, request)
    assert (left.status, left.attempt) == (Status.DISPATCHED, 2)
    assert stored(tmp_path) == []


async def test_a_finish_whose_reply_was_lost_is_a_success(
    requests: Requests, attempt_of: Attempts, claimed: Any, database_url: str, tmp_path: Path
) -> None:
    """Crash row 10, with everything around it."""
    request = await claimed()
    async with postgres_proxy(database_url) as proxy, connected(proxy.dsn) as cut_off:
        await requests.begin(request.request_id, request.attempt, "loading")

        class Unlucky(Requests):
            async def finish(self, *given: Any) -> bool:
                if not proxy.swallowed.is_set():
                    proxy.lose_reply("COMMIT")
                return await super().finish(*given)

        await attempt_of(request, Unlucky(cut_off, keep_seconds=60)).run()
        assert proxy.swallowed.is_set()
    done = await now(requests, request)
    assert (done.status, done.attempt) == (Status.SUCCESS, 1)
    assert stored(tmp_path) == PUBLISHED


async def test_a_finish_that_was_never_heard_of_keeps_the_files_it_may_have_published(
    requests: Requests, attempt_of: Attempts, claimed: Any, database_url: str, tmp_path: Path
) -> None:
    """The commit went through, its reply was lost, and PostgreSQL stayed away for longer than we are patient."""
    request = await claimed()
    async with postgres_proxy(database_url) as proxy, connected(proxy.dsn) as cut_off:

        class Unlucky(Requests):
            async def finish(self, *given: Any) -> bool:
                proxy.lose_reply("COMMIT", then_gone=True)
                return await super().finish(*given)

        with pytest.raises(Exception, match="connection"):
            await attempt_of(request, Unlucky(cut_off, keep_seconds=60), outage_grace_seconds=0.2).run()
        assert proxy.swallowed.is_set()
    assert (await now(requests, request)).status is Status.SUCCESS
    assert stored(tmp_path) == PUBLISHED


async def test_work_is_not_thrown_away_because_a_row_is_locked(
    requests: Requests, database: Database, attempt_of: Attempts, claimed: Any, database_url: str
) -> None:
    request = await claimed(frames=4)
    impatient = Database(database_url, size=4)
    await impatient.start()
    refused = asyncio.Event()

    class Blocked(Requests):
        """Its first finish meets a lock that is not let go in time."""

        async def finish(self, *given: Any) -> bool:
            if refused.is_set():
                return await super().finish(*given)
            async with database.transaction() as holder:
                await holder.execute("SELECT FROM organisations FOR UPDATE")
                async with impatient.connection() as connection:
                    await connection.execute("SET lock_timeout = 20")
                    refused.set()
                    await connection.execute("UPDATE organisations SET name = name")
            raise AssertionError("the lock was not in the way")

    await attempt_of(request, Blocked(impatient, keep_seconds=60)).run()
    await impatient.stop()
    assert (await now(requests, request)).attempt == 1
    assert (await now(requests, request)).status is Status.SUCCESS


async def test_a_store_that_takes_nothing_costs_a_try_after_its_grace(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    (tmp_path / "objects" / "artifacts").write_bytes(b"a file where a folder has to be")
    request = await claimed()
    await attempt_of(request, storage_grace_seconds=0.2).run()
    left = await now(requests, request)
    assert (left.status, left.tries) == (Status.QUEUED, 1)
    (row,) = await requests.attempts(request.request_id)
    assert (row["result"], row["error"]) == ("retried", "the result could not be stored")


async def test_a_request_cancelled_before_the_engine_started_never_starts_it(
    requests: Requests, attempt_of: Attempts, claimed: Any, faults: EngineChild
) -> None:
    faults.kill()
    request = await claimed()
    await requests.cancel(request.org_id, request.request_id)
    await attempt_of(request).run()
    assert not faults.started
    assert (await now(requests, request)).status is Status.CANCELLED


class HeldObjects(Objects):
    """Stores nothing before it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__("", folder)
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def put(self, path: str, file: Path) -> Stored:
        self.asked.set()
        await self.let.wait()
        return await super().put(path, file)


async def test_the_engine_makes_the_next_request_while_the_last_is_uploaded(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    """They may finish in any order."""
    turns, slow = Turns(lambda: None), await claimed(frames=12)
    first, held = attempt_of(slow, turn=turns.turn()), HeldObjects(tmp_path / "objects")
    first.parts.objects = held
    running = asyncio.create_task(first.run())
    await held.asked.wait()
    quick = await claimed(frames=12)
    second = attempt_of(quick, turn=turns.turn())
    second.scratch = tmp_path / "scratch" / "second"
    await second.run()
    assert (await now(requests, quick)).status is Status.SUCCESS
    assert (await now(requests, slow)).status is Status.PROCESSING
    held.let.set()
    await running
    assert (await now(requests, slow)).status is Status.SUCCESS
    assert turns.idle
    assert turns.room


async def test_a_drain_lets_an_attempt_that_has_its_frames_come_to_its_end(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    request = await claimed(frames=12)
    attempt, held = attempt_of(request), HeldObjects(tmp_path / "objects")
    attempt.parts.objects = held
    running = asyncio.create_task(attempt.run())
    await held.asked.wait()
    attempt.stop(draining=True)
    held.let.set()
    await running
    assert (await now(requests, request)).status is Status.SUCCESS


async def test_a_cancel_behind_the_engine_leaves_nothing(
    requests: Requests, attempt_of: Attempts, claimed: Any, tmp_path: Path
) -> None:
    request = await claimed(frames=12)
    attempt, held = attempt_of(request), HeldObjects(tmp_path / "objects")
    attempt.parts.objects = held
    running = asyncio.create_task(attempt.run())
    await held.asked.wait()
    await requests.cancel(request.org_id, request.request_id)
    attempt.stop(superseded=True)
    held.let.set()
    await running
    assert (await now(requests, request)).status is Status.CANCELLED
    assert stored(tmp_path) == []


async def test_a_request_claimed_ahead_goes_back_uncounted_when_the_engine_stays_busy(
    requests: Requests, attempt_of: Attempts, claimed: Any, faults: EngineChild
) -> None:
    turns = Turns(lambda: None, patience=0.05)
    await turns.turn().take()
    request = await claimed()
    await attempt_of(request, turn=turns.turn()).run()
    left = await now(requests, request)
    assert (left.status, left.tries, left.attempt) == (Status.QUEUED, 0, 1)


@pytest.mark.parametrize(("order", "status"), [("superseded", Status.CANCELLED), ("draining", Status.QUEUED)])
async def test_a_request_claimed_ahead_that_is_stopped_waits_no_longer(
    requests: Requests, attempt_of: Attempts, claimed: Any, order: str, status: Status
) -> None:
    turns = Turns(lambda: None)
    await turns.turn().take()
    request = await claimed()
    attempt = attempt_of(request, turn=turns.turn())
    running = asyncio.create_task(attempt.run())
    await asyncio.sleep(0)
    if order == "superseded":
        await requests.cancel(request.org_id, request.request_id)
    attempt.stop(**{order: True})
    async with asyncio.timeout(60):
        await running
    assert (await now(requests, request)).status is status


async def test_an_encoder_that_fails_stops_the_engine_and_says_why(
    requests: Requests, attempt_of: Attempts, claimed: Any, faults: EngineChild
) -> None:
    """Odd sides: found out with the first frame, with minutes of rendering still to come."""
    request = await claimed(frames=2000, seconds=60, progress_steps=2000, width=33)
    await attempt_of(request, max_tries=1).run()
    done = await now(requests, request)
    assert (done.error_code, done.error) == ("engine_lost", "Sides must be even, got 33x32")
    assert faults.started, "it stopped in good order"
