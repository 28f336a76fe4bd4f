"""The life of a request in the store: claim, fence, finish, cancel, hand-back, rescue."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from rushes.domain.request import FINAL, Status
from rushes.store.accounts import Accounts
from rushes.store.database import Database, DatabaseUnavailable, collect, load_queries
from rushes.store.files import Files
from rushes.store.requests import Requests
from rushes.store.usage import Usage
from support.postgres_proxy import postgres_proxy
from support.queueing import LANE, LEASE, claim_one, failure, make_org, make_request, started, success

NOW = timedelta(0)
EPOCH = datetime.fromtimestamp(0, UTC)
SOON = timedelta(milliseconds=1)


async def submitted(requests: Requests, org_id: UUID, count: int = 1, **changes: object) -> list[UUID]:
    """The ids of new requests, in the order of their submits."""
    return [(await requests.submit(make_request(org_id, **changes))).request_id for _ in range(count)]


async def drain_leases(database: Database) -> None:
    """Make every lease run out now, as if its time had passed."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE requests SET lease_until = clock_timestamp() - interval '1 ms' WHERE lease_until IS NOT NULL"
        )


# -- claiming ---------------------------------------------------------------------------------------------------------


async def test_claims_follow_priority_then_the_order_of_submits(requests: Requests, org_id: UUID) -> None:
    first, second = await submitted(requests, org_id, 2)
    (urgent,) = await submitted(requests, org_id, priority=5)
    (late,) = await submitted(requests, org_id, priority=-1)
    claimed = await requests.claim(uuid4(), [LANE], 3, LEASE)
    assert [request.request_id for request in claimed] == [urgent, first, second]
    assert (await claim_one(requests)).request_id == late


async def test_a_claim_takes_only_its_lanes_and_never_more_than_its_slots(requests: Requests, org_id: UUID) -> None:
    await submitted(requests, org_id, 3)
    (other,) = await submitted(requests, org_id, lane="diffusers/wan")
    assert len(await requests.claim(uuid4(), [LANE], 2, LEASE)) == 2
    claimed = await requests.claim(uuid4(), ["diffusers/wan", "diffusers/ltx"], 4, LEASE)
    assert [request.request_id for request in claimed] == [other]
    assert await requests.claim(uuid4(), ["diffusers/ltx"], 4, LEASE) == []


async def test_a_late_organisation_waits_for_two_claims_at_most(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    other = await make_org(database, "late")
    await submitted(requests, org_id, 1000)
    await requests.claim(uuid4(), [LANE], 100, LEASE)
    (mine,) = await submitted(requests, other)
    next_two = [(await claim_one(requests)).request_id for _ in range(2)]
    assert mine in next_two


async def test_two_busy_organisations_share_by_the_work_they_ask_for(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    other = await make_org(database, "long films")
    await submitted(requests, org_id, 40, cost=1.0)
    await submitted(requests, other, 10, cost=4.0)
    claimed = await requests.claim(uuid4(), [LANE], 25, LEASE)
    assert sum(request.org_id == org_id for request in claimed) == 20


async def test_work_done_while_alone_is_not_held_against_an_organisation(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    """Start-time fair queueing shares what is wanted now; it does not even out the past."""
    other = await make_org(database, "newcomer")
    await submitted(requests, org_id, 30)
    for request in await requests.claim(uuid4(), [LANE], 30, LEASE):
        await requests.finish(request.request_id, request.attempt, failure())
    await submitted(requests, other, 10)
    (mine,) = await submitted(requests, org_id)
    assert mine in [request.request_id for request in await requests.claim(uuid4(), [LANE], 3, LEASE)]


async def test_work_in_one_lane_is_not_held_against_an_organisation_in_another(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    other = await make_org(database, "at home in the other lane")
    await submitted(requests, other, 20, lane="diffusers/wan")
    await submitted(requests, org_id, 30)
    (mine,) = await submitted(requests, org_id, lane="diffusers/wan")
    claimed = await requests.claim(uuid4(), ["diffusers/wan"], 3, LEASE)
    assert mine in [request.request_id for request in claimed]


async def test_racing_claims_never_take_the_same_request(requests: Requests, org_id: UUID) -> None:
    ids = await submitted(requests, org_id, 60)
    workers = [uuid4() for _ in range(8)]
    rounds = await asyncio.gather(*(requests.claim(worker, [LANE], 3, LEASE) for worker in workers for _ in range(4)))
    claimed = [request.request_id for requests_of_one in rounds for request in requests_of_one]
    assert len(claimed) == len(set(claimed))
    rest = await requests.claim(uuid4(), [LANE], 100, LEASE)
    assert sorted(claimed + [request.request_id for request in rest]) == sorted(ids)


async def test_a_request_put_off_is_claimed_when_its_time_has_come(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    await submitted(requests, org_id)
    request = await started(requests)
    assert await requests.retry(request.request_id, request.attempt, timedelta(hours=1), "It broke")
    assert await requests.claim(uuid4(), [LANE], 1, LEASE) == []
    async with database.connection() as connection:
        await connection.execute("UPDATE requests SET not_before = clock_timestamp()")
    assert (await claim_one(requests)).attempt == 2


# -- the fence --------------------------------------------------------------------------------------------------------


async def test_a_superseded_attempt_changes_nothing_by_any_write(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    (request_id,) = await submitted(requests, org_id)
    old = await started(requests)
    await drain_leases(database)
    assert await requests.rescue(max_tries=3) == (1, 0)
    current = await claim_one(requests)
    before = await requests.get(org_id, request_id)
    assert not await requests.begin(request_id, old.attempt, "loading")
    await requests.progress(request_id, old.attempt, 80, "generating")
    await requests.remember(request_id, old.attempt, "stolen")
    assert await requests.renew([(request_id, old.attempt)], LEASE) == set()
    assert not await requests.finish(request_id, old.attempt, success())
    assert not await requests.finish(request_id, old.attempt, failure())
    assert not await requests.retry(request_id, old.attempt, NOW, "It broke")
    assert not await requests.hand_back(request_id, old.attempt)
    assert await requests.get(org_id, request_id) == before
    assert await requests.artifacts([request_id]) == []
    assert await requests.begin(request_id, current.attempt, "loading")


async def test_an_attempt_whose_request_went_back_to_the_queue_cannot_finish_it(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    (request_id,) = await submitted(requests, org_id)
    sleeper = await started(requests)
    await drain_leases(database)
    await requests.rescue(max_tries=3)
    assert not await requests.finish(request_id, sleeper.attempt, success())
    assert (await requests.get(org_id, request_id)).status is Status.QUEUED  # type: ignore[union-attr]


async def test_renewing_says_which_leases_are_still_held(requests: Requests, database: Database, org_id: UUID) -> None:
    lost, kept, gone = await submitted(requests, org_id, 3)
    claimed = {request.request_id: request for request in await requests.claim(uuid4(), [LANE], 3, SOON)}
    await requests.cancel(org_id, gone)
    assert await requests.hand_back(lost, claimed[lost].attempt)
    held = [(request.request_id, request.attempt) for request in claimed.values()]
    assert await requests.renew(held, LEASE) == {(kept, 1)}
    assert await requests.rescue(max_tries=3) == (0, 0)


async def test_renewing_waits_for_nobody_and_counts_what_is_being_written_as_held(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    """One finish that waits for a lock must not cost the leases of its neighbours."""
    for _ in range(2):
        await requests.submit(make_request(org_id))
    written, other = await claim_one(requests), await claim_one(requests)
    held = {(written.request_id, 1), (other.request_id, 1)}
    async with database.transaction() as connection:
        await connection.execute("UPDATE requests SET progress = 1 WHERE request_id = $1", written.request_id)
        assert await requests.renew(sorted(held), timedelta(minutes=5)) == held
    async with database.connection() as connection:
        longer = await connection.fetch(
            "SELECT request_id FROM requests WHERE lease_until > clock_timestamp() + $1", LEASE
        )
    assert [row["request_id"] for row in longer] == [other.request_id]


async def test_progress_never_falls_within_an_attempt_and_starts_again_in_the_next(
    requests: Requests, org_id: UUID
) -> None:
    (request_id,) = await submitted(requests, org_id)
    first = await started(requests)
    for percent in (10, 60, 30):
        await requests.progress(request_id, first.attempt, percent, "generating")
    assert (await requests.get(org_id, request_id)).progress == 60  # type: ignore[union-attr]
    await requests.retry(request_id, first.attempt, NOW, "It broke")
    assert (await claim_one(requests)).progress == 0


# -- the finish -------------------------------------------------------------------------------------------------------


async def test_a_success_writes_everything_at_once(requests: Requests, org_id: UUID) -> None:
    (request_id,) = await submitted(requests, org_id)
    request = await started(requests)
    ending = success(report={"seed": 7})
    assert await requests.finish(request_id, request.attempt, ending)
    done = await requests.get(org_id, request_id)
    assert done is not None
    assert (done.status, done.progress, done.charge_micro, done.outcome) == (Status.SUCCESS, 100, 1_000, {"seed": 7})
    assert done.expires_at - done.finished_at == timedelta(days=7)  # type: ignore[operator]
    assert {row["artifact_id"] for row in await requests.artifacts([request_id])} == {
        artifact.artifact_id for artifact in ending.artifacts
    }
    assert [(row["n"], row["status"]) for row in await requests.events(request_id)] == [
        (1, "queued"),
        (2, "dispatched"),
        (3, "processing"),
        (4, "success"),
    ]


async def test_of_many_finishes_of_one_attempt_only_the_first_ending_stands(requests: Requests, org_id: UUID) -> None:
    for _ in range(10):
        (request_id,) = await submitted(requests, org_id)
        request = await started(requests)
        endings = [success(), failure(), failure("timeout"), success()]
        won = await asyncio.gather(*(requests.finish(request_id, request.attempt, ending) for ending in endings))
        done = await requests.get(org_id, request_id)
        assert done is not None
        assert [ending.status for ending, stands in zip(endings, won, strict=True) if stands] == [done.status] * 2
        assert len(await requests.events(request_id)) == 4


async def test_a_finish_whose_commit_went_through_without_a_reply_still_counts_as_ours(
    requests: Requests, database_url: str, org_id: UUID
) -> None:
    """Crash row 10."""
    async with postgres_proxy(database_url) as proxy:
        cut_off = Database(proxy.dsn, size=1)
        await cut_off.start()
        worker = Requests(cut_off, keep_seconds=60)
        for ending in (success(), failure()):
            (request_id,) = await submitted(requests, org_id)
            request = await started(worker)
            proxy.lose_reply("COMMIT")
            with pytest.raises(DatabaseUnavailable):
                await worker.finish(request_id, request.attempt, ending)
            assert proxy.swallowed.is_set()
            assert (await requests.get(org_id, request_id)).status is ending.status  # type: ignore[union-attr]
            assert await worker.finish(request_id, request.attempt, ending)
            assert len(await requests.events(request_id)) == 4
        await cut_off.stop()


async def test_a_begin_whose_commit_went_through_without_a_reply_still_counts_as_ours(
    requests: Requests, database_url: str, org_id: UUID
) -> None:
    (request_id,) = await submitted(requests, org_id)
    async with postgres_proxy(database_url) as proxy:
        cut_off = Database(proxy.dsn, size=1)
        await cut_off.start()
        worker = Requests(cut_off, keep_seconds=60)
        request = await claim_one(worker)
        proxy.lose_reply(request_id.bytes)
        with pytest.raises(DatabaseUnavailable):
            await worker.begin(request_id, request.attempt, "loading")
        assert await worker.begin(request_id, request.attempt, "loading")
        await cut_off.stop()
    assert [row["status"] for row in await requests.events(request_id)] == ["queued", "dispatched", "processing"]


async def test_a_claim_whose_reply_was_lost_is_rescued_by_its_lease(
    requests: Requests, database: Database, database_url: str, org_id: UUID
) -> None:
    await submitted(requests, org_id)
    async with postgres_proxy(database_url) as proxy:
        cut_off = Database(proxy.dsn, size=1)
        await cut_off.start()
        proxy.lose_reply("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            await Requests(cut_off, keep_seconds=60).claim(uuid4(), [LANE], 1, SOON)
        await cut_off.stop()
    await drain_leases(database)
    assert await requests.rescue(max_tries=3) == (1, 0)
    assert (await claim_one(requests)).attempt == 2


# -- cancel -----------------------------------------------------------------------------------------------------------


async def test_against_a_cancel_a_finish_wins_or_loses_but_never_both(requests: Requests, org_id: UUID) -> None:
    """Crash row 12."""
    endings: set[Status] = set()
    for number in range(40):
        (request_id,) = await submitted(requests, org_id)
        request = await started(requests)
        racers = [requests.finish(request_id, request.attempt, success()), requests.cancel(org_id, request_id)]
        if number % 2:
            finished, cancelled = await asyncio.gather(*racers)
        else:
            cancelled, finished = await asyncio.gather(*reversed(racers))
        assert cancelled is not None
        assert not isinstance(cancelled, bool)
        endings.add(cancelled.status)
        assert cancelled.status is (Status.SUCCESS if finished else Status.CANCELLED)
        assert len(await requests.events(request_id)) == 4
    assert endings == {Status.SUCCESS, Status.CANCELLED}, "the race was never won by both sides; it proves nothing"


async def test_a_cancel_ends_a_request_in_any_status_that_is_not_final(requests: Requests, org_id: UUID) -> None:
    queued, dispatched, processing = await submitted(requests, org_id, 3, priority=1)
    await requests.claim(uuid4(), [LANE], 3, LEASE)
    await requests.hand_back(queued, 1)
    await requests.begin(processing, 1, "loading")
    for request_id in (queued, dispatched, processing):
        request = await requests.cancel(org_id, request_id)
        assert request is not None
        assert (request.status, request.error_code, request.charge_micro) == (Status.CANCELLED, "cancelled", 0)
        assert not await requests.finish(request_id, 1, success())


async def test_a_cancel_that_waited_for_a_claim_closes_the_attempt_it_made(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    """The cancel began before the claim had committed, so its first look at the database shows no attempt."""
    async with database.connection() as connection:
        await connection.execute("UPDATE organisations SET max_running = 1")
    (request_id,) = await submitted(requests, org_id)
    async with database.transaction() as claiming:
        claim = load_queries("claims").claim
        named = {"lanes": [LANE], "slots": 1, "qworker_id": uuid4(), "lease": LEASE}
        await collect(claim(claiming, **named, ready=None, refused=[], swap_seconds=30.0))
        cancelling = asyncio.create_task(requests.cancel(org_id, request_id))
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with asyncio.timeout(60), database.connection() as watching:
            while not await watching.fetchval(waiting):
                await asyncio.sleep(0)
    cancelled = await cancelling
    assert cancelled is not None
    assert (cancelled.status, cancelled.attempt) == (Status.CANCELLED, 1)
    assert [row["result"] for row in await requests.attempts(request_id)] == ["cancelled"]
    await submitted(requests, org_id)
    await claim_one(requests)


async def test_a_cancel_of_a_final_request_shows_it_as_it_is(requests: Requests, org_id: UUID) -> None:
    (request_id,) = await submitted(requests, org_id)
    request = await started(requests)
    await requests.finish(request_id, request.attempt, success())
    again = await requests.cancel(org_id, request_id)
    assert again is not None
    assert again.status is Status.SUCCESS


# -- hand-back, retry, rescue -----------------------------------------------------------------------------------------


async def test_a_hand_back_gives_the_try_back_and_keeps_the_fence_rising(requests: Requests, org_id: UUID) -> None:
    await submitted(requests, org_id)
    for attempt in range(1, 6):
        request = await started(requests)
        assert (request.attempt, request.tries) == (attempt, 1)
        assert await requests.hand_back(request.request_id, attempt)


async def test_a_retry_uses_a_try_up(requests: Requests, org_id: UUID) -> None:
    await submitted(requests, org_id)
    for attempt in range(1, 4):
        request = await started(requests)
        assert (request.attempt, request.tries) == (attempt, attempt)
        assert await requests.retry(request.request_id, attempt, NOW, "It broke")
    results = [(row["result"], row["error"]) for row in await requests.attempts(request.request_id)]
    assert results == [("retried", "It broke")] * 3


async def test_a_request_whose_worker_dies_every_time_fails_in_the_end(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    (request_id,) = await submitted(requests, org_id)
    for _ in range(2):
        await claim_one(requests)
        await drain_leases(database)
        assert await requests.rescue(max_tries=3) == (1, 0)
    await started(requests)
    await drain_leases(database)
    assert await requests.rescue(max_tries=3) == (0, 1)
    done = await requests.get(org_id, request_id)
    assert done is not None
    assert (done.status, done.error_code, done.retryable, done.tries) == (Status.FAILED, "worker_lost", True, 3)


async def test_rescuers_at_the_same_time_are_harmless(requests: Requests, database: Database, org_id: UUID) -> None:
    """Crash row 14."""
    ids = await submitted(requests, org_id, 30)
    await requests.claim(uuid4(), [LANE], 30, LEASE)
    await drain_leases(database)
    rounds = await asyncio.gather(*(requests.rescue(max_tries=3) for _ in range(6)))
    assert sum(requeued for requeued, _ in rounds) == 30
    assert {len(await requests.events(request_id)) for request_id in ids} == {3}


async def test_one_round_rescues_everybody_however_many_there_are(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    await submitted(requests, org_id, 230)
    claimed = [len(await requests.claim(uuid4(), [LANE], 64, LEASE)) for _ in range(4)]
    assert claimed == [64, 64, 64, 38]
    await drain_leases(database)
    assert await requests.rescue(max_tries=3) == (230, 0)


async def test_a_rescue_spares_an_attempt_that_renewed_just_before(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    for _ in range(20):
        await submitted(requests, org_id)
        request = await started(requests)
        await drain_leases(database)
        kept, (requeued, _) = await asyncio.gather(
            requests.renew([(request.request_id, request.attempt)], LEASE), requests.rescue(max_tries=3)
        )
        assert len(kept) + requeued == 1
        await requests.cancel(org_id, request.request_id)


async def test_the_leases_of_dead_qworkers_can_be_ended_at_once(requests: Requests, org_id: UUID) -> None:
    await submitted(requests, org_id, 2)
    await requests.claim(uuid4(), [LANE], 2, timedelta(hours=1))
    assert await requests.rescue(max_tries=3) == (0, 0)
    await requests.expire_all_leases()
    assert await requests.rescue(max_tries=3) == (2, 0)


async def test_only_the_database_tells_the_time(requests: Requests, database: Database, org_id: UUID) -> None:
    """Every time of a record lies between two looks at the database's clock, and no method takes the caller's."""

    async def clock() -> datetime:
        async with database.connection() as connection:
            return await connection.fetchval("SELECT clock_timestamp()")

    before = await clock()
    (request_id,) = await submitted(requests, org_id)
    request = await started(requests)
    async with database.connection() as connection:
        lease_until = await connection.fetchval("SELECT lease_until FROM requests")
    await requests.finish(request_id, request.attempt, success())
    done, after = await requests.get(org_id, request_id), await clock()
    assert done is not None
    times = [before, done.created_at, done.queued_at, done.started_at, done.finished_at, after]
    assert times == sorted(times)  # type: ignore[type-var]
    assert before + LEASE <= lease_until <= after + LEASE
    assert all(time.tzinfo is UTC or time.utcoffset() == NOW for time in (done.created_at, after))


# -- events, organisations, purge -------------------------------------------------------------------------------------


async def test_events_are_numbered_and_can_be_read_from_any_number(requests: Requests, org_id: UUID) -> None:
    (request_id,) = await submitted(requests, org_id)
    request = await started(requests)
    await requests.hand_back(request_id, request.attempt)
    request = await started(requests)
    await requests.finish(request_id, request.attempt, failure())
    events = await requests.events(request_id)
    assert [row["n"] for row in events] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["attempt"] for row in events] == [0, 1, 1, 1, 2, 2, 2]
    assert [row["n"] for row in await requests.events(request_id, after=5)] == [6, 7]


async def test_another_organisation_sees_and_touches_nothing(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    stranger = await make_org(database, "stranger")
    (request_id,) = await submitted(requests, org_id)
    request = await started(requests)
    assert await requests.get(stranger, request_id) is None
    assert await requests.cancel(stranger, request_id) is None
    assert await requests.finish(request_id, request.attempt, success())
    assert await requests.purge(stranger, request_id) is None
    assert (await requests.get(org_id, request_id)).status is Status.SUCCESS  # type: ignore[union-attr]


async def test_a_purge_forgets_what_a_final_request_carried_and_nothing_else(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    (request_id,) = await submitted(requests, org_id, metadata={"film": "north"})
    assert await requests.purge(org_id, request_id) is None, "not final yet"
    request = await started(requests)
    await requests.finish(request_id, request.attempt, success())
    gone = await requests.purge(org_id, request_id)
    assert gone is not None
    assert (gone.payload, gone.params, gone.plan, gone.metadata, gone.outcome) == ({}, {}, {}, None, None)
    assert (gone.status, gone.charge_micro) == (Status.SUCCESS, 1_000)
    artifacts = await requests.artifacts([request_id])
    files = Files(database)
    assert [await files.artifact_of(org_id, row["artifact_id"]) for row in artifacts] == [None, None]
    assert sorted(await files.expire()) == sorted(row["path"] for row in artifacts), "their objects go now"
    async with database.connection() as connection:
        left = await connection.fetchval("SELECT string_agg(r::text, ' ') FROM requests r")
    assert "harbour" not in left


async def aged(database: Database, days: int, *request_ids: UUID) -> None:
    """As if these requests had been made and finished so many days ago."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE requests SET created_at = created_at - $1::interval, finished_at = finished_at - $1::interval"
            " WHERE request_id = ANY($2)",
            timedelta(days=days),
            list(request_ids),
        )


async def test_old_records_go_with_their_clock_but_the_books_stay(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    old_good, old_bad, young, running = await submitted(requests, org_id, 4)
    for request in await requests.claim(uuid4(), [LANE], 3, LEASE):
        await requests.begin(request.request_id, request.attempt, "loading")
        ending = failure() if request.request_id == old_bad else success()
        await requests.finish(request.request_id, request.attempt, ending)
    await aged(database, 91, old_good, old_bad)
    paths = {row["path"] for row in await requests.artifacts([old_good])}
    assert await requests.forget_old(timedelta(days=90)) == 1, "a record waits for its artifacts to go"
    assert await requests.get(org_id, old_bad) is None
    assert set(await Files(database).expire()) == paths
    assert await requests.forget_old(timedelta(days=90)) == 1
    assert await requests.get(org_id, old_good) is None
    for request_id in (young, running):
        assert (await requests.get(org_id, request_id)).payload != {}  # type: ignore[union-attr]
    assert await requests.forget_old(timedelta(days=90)) == 0
    books = await Usage(database).added_up(org_id, (), EPOCH, datetime.now(UTC) + timedelta(days=1))
    assert [(row["requests"], row["charge_micro"]) for row in books] == [(2, 2_000)]


async def test_an_organisation_keeps_things_for_a_shorter_time_than_the_server_and_never_longer(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    stranger = await make_org(database, "stranger")
    accounts = Accounts(database)
    await accounts.set_retention(org_id, artifact_seconds=60, file_seconds=60, record_seconds=86_400)
    await accounts.set_retention(stranger, artifact_seconds=10**9, file_seconds=10**9, record_seconds=10**9)
    ours, theirs = (await submitted(requests, org_id, 1))[0], (await submitted(requests, stranger, 1))[0]
    for request in await requests.claim(uuid4(), [LANE], 2, LEASE):
        await requests.begin(request.request_id, request.attempt, "loading")
        await requests.finish(request.request_id, request.attempt, success())
    for whose, request_id, kept in ((org_id, ours, 60), (stranger, theirs, 7 * 86_400)):
        request = await requests.get(whose, request_id)
        assert request is not None
        assert request.expires_at is not None
        assert request.finished_at is not None
        assert round((request.expires_at - request.finished_at).total_seconds()) == kept
    await aged(database, 2, ours, theirs)
    await requests.forget_old(timedelta(days=90))
    await Files(database).expire()
    assert await requests.forget_old(timedelta(days=90)) == 1
    assert await requests.get(org_id, ours) is None
    assert await requests.get(stranger, theirs) is not None


async def test_the_place_in_the_line_counts_those_who_go_before(requests: Requests, org_id: UUID) -> None:
    first, second, third = await submitted(requests, org_id, 3)
    assert [await requests.position(request_id) for request_id in (first, second, third)] == [0, 1, 2]
    await claim_one(requests)
    assert [await requests.position(request_id) for request_id in (first, second, third)] == [None, 0, 1]


def test_only_three_statuses_are_final() -> None:
    assert {"success", "failed", "cancelled"} == FINAL
