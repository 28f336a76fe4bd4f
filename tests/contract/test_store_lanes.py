"""Lanes: fair for each by itself, held when their engine fails in a row, claimed by what is loaded."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.lanes import Lanes
from rushes.store.operate import Operate
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from support.queueing import LANE, LEASE, failure, make_org, make_request, started, success

NOW = timedelta(0)
HERE, THERE = "diffusers/here", "diffusers/there"


@pytest.fixture
def lanes(database: Database) -> Lanes:
    return Lanes(database)


async def submit(requests: Requests, org_id: UUID, count: int = 1, **changes: object) -> list[UUID]:
    return [(await requests.submit(make_request(org_id, **changes))).request_id for _ in range(count)]


async def claim(requests: Requests, slots: int, *lanes: str, **more: object) -> list[Request]:
    return await requests.claim(more.pop("qworker_id", None) or uuid4(), lanes or [LANE], slots, LEASE, **more)  # type: ignore[arg-type]


async def enrol(database: Database, *lanes: str) -> UUID:
    """A qworker that has just been heard of."""
    qworker_id = uuid4()
    await Workers(database).enrol(qworker_id, host="h", pid=1, version="1", lanes=lanes, slots=1)
    return qworker_id


# -- fairness ---------------------------------------------------------------------------------------------------------


async def test_behind_ten_thousand_of_another_organisation_a_first_request_starts_within_two_claims(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    other = await make_org(database, "late")
    await submit(requests, org_id, 20, webhook_events=[])
    async with database.connection() as connection:  # the rest of the ten thousand as submits would have left them
        await connection.execute(
            "INSERT INTO requests (request_id, org_id, model, engine, lane, status, waiting, start_tag, payload,"
            " params, plan, event_n)"
            " SELECT gen_random_uuid(), org_id, model, engine, lane, 'queued', true, n, '{}', '{}', '{}', 1"
            " FROM generate_series(20, 9999) n, (SELECT * FROM requests LIMIT 1) one"
        )
        await connection.execute("UPDATE fair_tags SET start_tag = 9999, finish_tag = 10000")
        await connection.execute(
            "INSERT INTO events (request_id, n, org_id, status, attempt) SELECT request_id, 1, org_id, 'queued', 0"
            " FROM requests ON CONFLICT DO NOTHING"
        )
        await connection.execute("UPDATE organisations SET unfinished = 10000 WHERE org_id = $1", org_id)
    assert len(await claim(requests, 16)) == 16
    (mine,) = await submit(requests, other)
    taken = [request.request_id for _ in range(2) for request in await claim(requests, 1)]
    assert mine in taken


async def test_an_organisation_of_twice_the_weight_gets_twice_the_work(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    heavy = await make_org(database, "heavy")
    await Accounts(database).set_weight(heavy, 2.0)
    await submit(requests, org_id, 20)
    await submit(requests, heavy, 20)
    orgs = [request.org_id for request in await claim(requests, 15)]
    assert (orgs.count(heavy), orgs.count(org_id)) == (10, 5)


async def test_urgent_work_of_one_organisation_does_not_push_others_back_among_the_rest(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    other = await make_org(database, "other")
    await submit(requests, org_id, 30)
    await submit(requests, org_id, 3, priority=5, cost=100.0)
    assert {request.priority for request in await claim(requests, 3)} == {5}
    (mine,) = await submit(requests, other)
    assert mine in [request.request_id for request in await claim(requests, 2)]


async def test_submits_at_the_same_time_share_no_place(requests: Requests, org_id: UUID) -> None:
    """Each waits for its organisation's row and has to see the tag that the one before it wrote."""
    made = await asyncio.gather(*(requests.submit(make_request(org_id)) for _ in range(12)))
    assert sorted(request.start_tag for request in made) == [float(n) for n in range(12)]


# -- limits of a lane -------------------------------------------------------------------------------------------------


async def test_a_limit_for_one_lane_leaves_the_others_alone(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    await Accounts(database).set_lane_limit(org_id, HERE, 2)
    await submit(requests, org_id, 4, lane=HERE)
    await submit(requests, org_id, 4, lane=THERE)
    lanes = [request.lane for request in await claim(requests, 16, HERE, THERE)]
    assert (lanes.count(HERE), lanes.count(THERE)) == (2, 4)
    assert await claim(requests, 16, HERE) == []


async def test_every_end_of_an_attempt_makes_room_in_its_lane(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    await Accounts(database).set_lane_limit(org_id, LANE, 1)
    await submit(requests, org_id, 6)
    for end in ("success", "failure", "cancel", "hand back", "retry"):
        request = await started(requests)
        assert await claim(requests, 4) == []
        match end:
            case "success":
                await requests.finish(request.request_id, request.attempt, success())
            case "failure":
                await requests.finish(request.request_id, request.attempt, failure())
            case "cancel":
                await requests.cancel(org_id, request.request_id)
            case "hand back":
                await requests.hand_back(request.request_id, request.attempt)
            case _:
                await requests.retry(request.request_id, request.attempt, NOW, "it broke")
    await started(requests)


async def test_claims_at_the_same_time_cannot_pass_a_limit_of_a_lane_together(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    accounts, other = Accounts(database), await make_org(database, "other")
    await accounts.set_lane_limit(org_id, LANE, 3)
    await accounts.set_lane_limit(other, LANE, 4)
    await accounts.set_limits(other, {}, 2)
    for _ in range(10):
        await submit(requests, org_id)
        await submit(requests, other)
    taken: list[Request] = []
    for _ in range(2):
        for batch in await asyncio.gather(*(claim(requests, 3) for _ in range(8))):
            taken += batch
    orgs = [request.org_id for request in taken]
    assert (orgs.count(org_id), orgs.count(other)) == (3, 2)


async def test_a_limit_set_while_requests_wait_and_run_counts_them_and_can_be_taken_away(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    accounts = Accounts(database)
    await submit(requests, org_id, 5)
    assert len(await claim(requests, 2)) == 2
    await accounts.set_lane_limit(org_id, LANE, 3)
    assert len(await claim(requests, 4)) == 1
    await accounts.set_lane_limit(org_id, LANE, None)
    assert len(await claim(requests, 4)) == 2, "what was set aside for the limit is found without it"


async def test_a_line_of_an_organisation_at_its_limit_is_not_read_by_claims(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    accounts, other = Accounts(database), await make_org(database, "other")
    await submit(requests, org_id, 30)
    await accounts.set_limits(org_id, {}, 1)
    await submit(requests, org_id, 30)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM requests WHERE waiting AND NOT limited") == 0
    assert len(await claim(requests, 4)) == 1
    (mine,) = await submit(requests, other)
    assert [request.request_id for request in await claim(requests, 4)] == [mine]


async def test_places_in_the_line_count_limited_organisations_too(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    other = await make_org(database, "other")
    await Accounts(database).set_limits(org_id, {}, 1)
    limited = await submit(requests, org_id, 2) + await submit(requests, org_id, 1, priority=3)
    free = await submit(requests, other, 2)
    line = [request_id for _, _, request_id in await requests.line(LANE, 10)]
    assert line[0] == limited[2]
    assert sorted(line) == sorted(limited + free)
    assert [await requests.position(request_id) for request_id in line] == [0, 1, 2, 3, 4]


# -- held lanes -------------------------------------------------------------------------------------------------------


async def fail(requests: Requests, cause: str | None, lane: str = LANE) -> None:
    (request,) = await claim(requests, 1, lane)
    await requests.begin(request.request_id, request.attempt, "loading")
    code = cause or "engine_lost"
    await requests.finish(request.request_id, request.attempt, failure(code, cause=cause))


async def test_three_requests_in_a_row_that_fail_for_one_cause_hold_the_lane(
    requests: Requests, database: Database, lanes: Lanes, org_id: UUID
) -> None:
    await submit(requests, org_id, 5)
    for _ in range(3):
        assert await lanes.held() == []
        await fail(requests, "engine_lost")
    (held,) = await lanes.held()
    assert (held["lane"], held["cause"], held["said"]) == (LANE, "engine_lost", "It broke")
    assert await claim(requests, 4) == []
    await submit(requests, org_id)
    assert len(await requests.line(LANE, 10)) == 3, "its queue is kept and grows"
    (event,) = await Operate(database).events(limit=10)
    assert (event["kind"], event["subject"], event["actor"]) == ("lane.held", LANE, "system")


async def test_a_held_lane_does_not_hold_another(requests: Requests, lanes: Lanes, org_id: UUID) -> None:
    await submit(requests, org_id, 2, lane=HERE)
    (mine,) = await submit(requests, org_id, lane=THERE)
    assert await lanes.hold(HERE, actor="someone")
    assert [request.request_id for request in await claim(requests, 4, HERE, THERE)] == [mine]


@pytest.mark.parametrize("between", ["another cause", "a success"])
async def test_the_count_starts_again_after(requests: Requests, lanes: Lanes, org_id: UUID, between: str) -> None:
    await submit(requests, org_id, 8)
    for _ in range(2):
        await fail(requests, "engine_lost")
    if between == "a success":
        request = await started(requests)
        await requests.finish(request.request_id, request.attempt, success())
    else:
        await fail(requests, "out_of_memory")
    for _ in range(2):
        await fail(requests, "engine_lost")
    assert await lanes.held() == []
    await fail(requests, "engine_lost")
    assert len(await lanes.held()) == 1


async def test_failures_that_are_not_the_engine_s_never_hold_a_lane(
    requests: Requests, lanes: Lanes, org_id: UUID
) -> None:
    await submit(requests, org_id, 6)
    for _ in range(5):
        await fail(requests, None)
    assert await lanes.held() == []


async def test_one_request_that_no_engine_survives_does_not_hold_the_lane(
    requests: Requests, lanes: Lanes, org_id: UUID
) -> None:
    await submit(requests, org_id)
    for _ in range(2):
        request = await started(requests)
        await requests.retry(request.request_id, request.attempt, NOW, "It broke", cause="engine_lost")
    await fail(requests, "engine_lost")
    (row,) = await lanes.all()
    assert (row["held"], row["failures"]) == (False, 1)


async def test_a_resumed_lane_is_claimed_from_and_its_failures_are_forgotten(
    requests: Requests, database: Database, lanes: Lanes, org_id: UUID
) -> None:
    await submit(requests, org_id, 6)
    for _ in range(3):
        await fail(requests, "out_of_memory")
    assert await lanes.resume(LANE, actor="key abcd1234")
    await fail(requests, "out_of_memory")
    assert await lanes.held() == []
    assert len(await claim(requests, 4)) == 2
    latest = (await Operate(database).events(limit=1))[0]
    assert (latest["kind"], latest["actor"]) == ("lane.resumed", "key abcd1234")


async def test_a_lane_that_nobody_knows_cannot_be_held_or_resumed(database: Database, lanes: Lanes) -> None:
    assert not await lanes.hold("no such lane", actor="someone")
    assert not await lanes.resume("no such lane", actor="someone")
    await enrol(database, HERE)
    assert await lanes.hold(HERE, actor="someone", said="the card burns")
    assert [(row["lane"], row["held"], row["said"]) for row in await lanes.all()] == [(HERE, True, "the card burns")]


async def test_a_model_that_a_qworker_does_not_support_is_handed_back_uncounted(
    requests: Requests, database: Database, lanes: Lanes, org_id: UUID
) -> None:
    """Three of them in a row hold the lane, but only where nobody else serves it."""
    await submit(requests, org_id, 2)
    other = await enrol(database, LANE)

    async def refuse() -> Request:
        (request,) = await claim(requests, 1)
        assert await requests.hand_back(request.request_id, request.attempt, unsupported="no weights")
        return request

    for _ in range(3):
        await refuse()
    assert await lanes.held() == []
    await Workers(database).left(other)
    for _ in range(2):
        await refuse()
    last = await refuse()
    (held,) = await lanes.held()
    assert (held["cause"], held["said"]) == ("unsupported", "no weights")
    assert (await requests.get(org_id, last.request_id)).tries == 0  # type: ignore[union-attr]


# -- elsewhere --------------------------------------------------------------------------------------------------------


async def test_what_did_not_fit_is_tried_elsewhere_where_somebody_else_serves_the_lane(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    first, second = await enrol(database, LANE), await enrol(database, LANE)
    (mine,) = await submit(requests, org_id)
    (request,) = await claim(requests, 1, qworker_id=first)
    await requests.retry(mine, request.attempt, NOW, "It did not fit", cause="out_of_memory")
    assert await claim(requests, 1, qworker_id=first) == []
    (again,) = await claim(requests, 1, qworker_id=second)
    assert (again.request_id, again.attempt) == (mine, 2)


async def test_what_did_not_fit_is_tried_at_home_where_nobody_else_is(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    first, second = await enrol(database, LANE), await enrol(database, LANE)
    (mine,) = await submit(requests, org_id)
    (request,) = await claim(requests, 1, qworker_id=first)
    await requests.retry(mine, request.attempt, NOW, "It did not fit", cause="out_of_memory")
    await Workers(database).left(second)
    assert len(await claim(requests, 1, qworker_id=first)) == 1


async def test_a_model_that_a_qworker_refuses_is_left_to_others(requests: Requests, org_id: UUID) -> None:
    await submit(requests, org_id, 2)
    (other,) = await submit(requests, org_id, model="another")
    assert [r.request_id for r in await claim(requests, 4, refused=["rushes-test"])] == [other]
    assert len(await claim(requests, 4)) == 2


# -- a qworker that is told what to do --------------------------------------------------------------------------------


async def test_a_paused_qworker_gets_nothing_until_it_may_run_again(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    workers, qworker_id = Workers(database), await enrol(database, LANE)
    await submit(requests, org_id)
    told = await workers.order(qworker_id, "pause", actor="someone")
    assert told is not None
    assert await workers.seen(qworker_id, busy=0, draining=False) == "pause"
    assert await claim(requests, 1, qworker_id=qworker_id) == []
    await workers.order(qworker_id, "run", actor="someone")
    assert len(await claim(requests, 1, qworker_id=qworker_id)) == 1
    assert await workers.order(uuid4(), "pause", actor="someone") is None


async def test_who_was_told_to_drain_does_not_come_back(database: Database) -> None:
    workers, qworker_id = Workers(database), await enrol(database, LANE)
    await workers.order(qworker_id, "drain", actor="someone")
    await workers.order(qworker_id, "run", actor="someone")
    assert await workers.seen(qworker_id, busy=0, draining=False) == "drain"
    kinds = [row["kind"] for row in await Operate(database).events(limit=5)]
    assert kinds == ["qworker.drained", "qworker.joined"], "what was not done is no event"


# -- what is loaded ---------------------------------------------------------------------------------------------------


async def waiting_for(database: Database, lane: str, seconds: float) -> None:
    """Let a lane's requests have waited so long, and its last claim lie as far back."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE requests SET queued_at = clock_timestamp() - $2::interval WHERE lane = $1",
            lane,
            timedelta(seconds=seconds),
        )
        await connection.execute(
            "UPDATE lane_clocks SET served_at = clock_timestamp() - $2::interval WHERE lane = $1",
            lane,
            timedelta(seconds=seconds),
        )


async def test_what_is_loaded_goes_first(requests: Requests, database: Database, org_id: UUID) -> None:
    await submit(requests, org_id, 2, lane=THERE)
    await submit(requests, org_id, 2, lane=HERE)
    lanes = [r.lane for _ in range(2) for r in await claim(requests, 1, HERE, THERE, ready=[HERE])]
    assert lanes == [HERE, HERE]


async def test_what_is_not_loaded_comes_when_nothing_else_waits(requests: Requests, org_id: UUID) -> None:
    await submit(requests, org_id, lane=THERE)
    (request,) = await claim(requests, 1, HERE, THERE, ready=[HERE])
    assert request.lane == THERE


async def test_a_lane_neglected_for_twice_its_loading_time_is_swapped_to(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    await submit(requests, org_id, 4, lane=HERE)
    await submit(requests, org_id, 4, lane=THERE)
    await Workers(database).loaded(THERE, 50.0)
    await waiting_for(database, THERE, 99.0)
    (request,) = await claim(requests, 1, HERE, THERE, ready=[HERE])
    assert request.lane == HERE
    await waiting_for(database, THERE, 101.0)
    (request,) = await claim(requests, 1, HERE, THERE, ready=[HERE])
    assert request.lane == THERE


async def test_two_full_lanes_do_not_make_a_qworker_swap_every_time(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    """Their requests have waited for an hour, but the other lane was served just now."""
    await submit(requests, org_id, 4, lane=HERE)
    await submit(requests, org_id, 4, lane=THERE)
    for lane in (HERE, THERE):
        await waiting_for(database, lane, 3600.0)
    (first,) = await claim(requests, 1, HERE, THERE, ready=[HERE])
    (second,) = await claim(requests, 1, HERE, THERE, ready=[first.lane])
    (third,) = await claim(requests, 1, HERE, THERE, ready=[second.lane])
    assert [second.lane, third.lane] == [second.lane] * 2


async def test_priority_goes_before_turns_among_what_costs_no_swap(requests: Requests, org_id: UUID) -> None:
    await submit(requests, org_id, 2, lane=HERE)
    (urgent,) = await submit(requests, org_id, lane=THERE, priority=9)
    assert [r.request_id for r in await claim(requests, 1, HERE, THERE)] == [urgent]


async def test_a_long_line_in_one_lane_does_not_keep_the_other_waiting(requests: Requests, org_id: UUID) -> None:
    """Tags of two lanes come from two clocks and cannot be compared."""
    await submit(requests, org_id, 30, lane=HERE)
    await claim(requests, 10, HERE)
    (mine,) = await submit(requests, org_id, lane=THERE)
    assert mine in [r.request_id for _ in range(2) for r in await claim(requests, 1, HERE, THERE)]


async def test_the_loading_time_follows_what_is_measured(database: Database, lanes: Lanes) -> None:
    for seconds in (40.0, 20.0, 30.0):
        await Workers(database).loaded(HERE, seconds)
    (row,) = await lanes.all()
    assert row["load_seconds"] == 30.0
