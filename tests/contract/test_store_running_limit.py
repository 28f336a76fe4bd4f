"""An organisation's limit of running requests, kept at claim; without one a claim stays one index scan."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rushes.store.accounts import Accounts
from rushes.store.database import Database, load_queries
from rushes.store.records import Request
from rushes.store.requests import Requests
from support.queueing import LANE, LEASE, failure, make_org, make_request, success

NOW = timedelta(0)


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


async def limit(accounts: Accounts, org_id: UUID, running: int | None) -> None:
    await accounts.set_limits(org_id, {}, running)


async def claim(requests: Requests, slots: int) -> list[Request]:
    return await requests.claim(uuid4(), [LANE], slots, LEASE)


async def submit(requests: Requests, org_id: UUID, count: int) -> None:
    for _ in range(count):
        await requests.submit(make_request(org_id))


async def test_one_claim_takes_no_more_than_the_limit(requests: Requests, accounts: Accounts, org_id: UUID) -> None:
    await limit(accounts, org_id, 2)
    await submit(requests, org_id, 5)
    assert len(await claim(requests, 16)) == 2
    assert await claim(requests, 16) == []


async def test_others_are_claimed_past_an_organisation_at_its_limit(
    database: Database, requests: Requests, accounts: Accounts, org_id: UUID
) -> None:
    other = await make_org(database, "other")
    await limit(accounts, org_id, 1)
    await submit(requests, org_id, 20)
    await submit(requests, other, 2)
    claimed = [*await claim(requests, 4), *await claim(requests, 4)]
    assert sorted(request.org_id for request in claimed) == sorted([org_id, other, other])


async def test_claims_at_the_same_time_cannot_pass_the_limit_together(
    database: Database, requests: Requests, accounts: Accounts, org_id: UUID
) -> None:
    other = await make_org(database, "other")
    await limit(accounts, org_id, 3)
    await limit(accounts, other, 5)
    for _ in range(20):
        await submit(requests, org_id, 1)
        await submit(requests, other, 1)
    taken: list[Request] = []
    for _ in range(3):
        for batch in await asyncio.gather(*(claim(requests, 3) for _ in range(10))):
            taken += batch
    orgs = [request.org_id for request in taken]
    assert (orgs.count(org_id), orgs.count(other)) == (3, 5)


async def test_every_way_an_attempt_can_end_makes_room(requests: Requests, accounts: Accounts, org_id: UUID) -> None:
    await limit(accounts, org_id, 1)
    await submit(requests, org_id, 6)

    async def one() -> Request:
        (request,) = await claim(requests, 4)
        assert await claim(requests, 4) == []
        await requests.begin(request.request_id, request.attempt, "loading")
        return request

    request = await one()
    await requests.finish(request.request_id, request.attempt, success())
    request = await one()
    await requests.finish(request.request_id, request.attempt, failure())
    request = await one()
    await requests.cancel(org_id, request.request_id)
    request = await one()
    await requests.hand_back(request.request_id, request.attempt)
    request = await one()
    await requests.retry(request.request_id, request.attempt, NOW, "it broke")
    request = await one()
    await requests.expire_all_leases()
    assert await requests.rescue(max_tries=9) == (1, 0)
    request = await one()
    await requests.expire_all_leases()
    assert await requests.rescue(max_tries=1) == (0, 1)
    await one()


async def test_cancelling_what_does_not_run_makes_no_room(requests: Requests, accounts: Accounts, org_id: UUID) -> None:
    await limit(accounts, org_id, 1)
    await submit(requests, org_id, 2)
    waiting = await requests.submit(make_request(org_id))
    assert len(await claim(requests, 4)) == 1
    await requests.cancel(org_id, waiting.request_id)
    assert await claim(requests, 4) == []


async def test_a_limit_set_while_requests_run_counts_them(requests: Requests, accounts: Accounts, org_id: UUID) -> None:
    await submit(requests, org_id, 5)
    first, _ = await claim(requests, 2)
    await limit(accounts, org_id, 2)
    assert await claim(requests, 4) == []
    await requests.finish(first.request_id, first.attempt, failure())
    assert len(await claim(requests, 4)) == 1
    await limit(accounts, org_id, None)
    assert len(await claim(requests, 4)) == 2


async def test_limits_set_in_the_middle_of_many_claims_are_exact(
    requests: Requests, accounts: Accounts, org_id: UUID
) -> None:
    await submit(requests, org_id, 30)

    async def switch() -> None:
        for running in (4, None, 7, None, 5):
            await limit(accounts, org_id, running)

    await asyncio.gather(switch(), *(claim(requests, 1) for _ in range(12)))
    # The count is exact, or the invariants that are checked after each test say so.


async def test_a_limit_of_nought_stops_an_organisation(requests: Requests, accounts: Accounts, org_id: UUID) -> None:
    await limit(accounts, org_id, 0)
    await submit(requests, org_id, 1)
    assert await claim(requests, 4) == []


@pytest.mark.parametrize("planned_once", [False, True])
async def test_without_a_limit_a_claim_is_one_scan_of_the_claim_index_for_each_lane(
    database: Database, org_id: UUID, planned_once: bool
) -> None:
    """Also for a plan that does not know how many requests are wanted, as qworkers use it."""
    claim_statement = load_queries("claims").claim.sql
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO requests (request_id, org_id, model, engine, lane, status, waiting, start_tag, payload,"
            " params, plan) SELECT gen_random_uuid(), $1, 'm', 'faults', lane, 'queued', true, n, '{}', '{}', '{}'"
            " FROM generate_series(1, 5000) AS n, unnest($2::text[]) AS lane",
            org_id,
            [LANE, "other lane"],
        )
        await connection.execute("ANALYZE requests")
        if planned_once:
            await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE claim AS {claim_statement}")
            lines = await connection.fetch(
                f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE claim"
                f" (NULL, ARRAY['{LANE}', 'other lane'], '{uuid4()}', 4, '{{}}', 30.0, '{LEASE.seconds} seconds')"
            )
            await connection.execute("DEALLOCATE claim; RESET plan_cache_mode")
        else:
            lines = await connection.fetch(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {claim_statement}",
                None, [LANE, "other lane"], uuid4(), 4, [], 30.0, LEASE,
            )  # fmt: skip
        await connection.execute("DELETE FROM requests")
    looking = nodes_of(json.loads(lines[0][0])[0]["Plan"], "CTE heads")
    scan, never = [node for node in looking if node.get("Relation Name") == "requests"]
    assert (scan["Index Name"], scan["Actual Loops"], scan["Actual Rows"]) == ("requests_claim", 2, 128)
    assert (never["Index Name"], never["Actual Loops"]) == ("requests_claim_limited", 0)
    assert "Sort" not in [node["Node Type"] for node in looking]


def nodes_of(plan: dict[str, Any], name: str, inside: bool = False) -> list[dict[str, Any]]:
    """The nodes of one named part of a plan."""
    inside = inside or plan.get("Subplan Name") == name
    below = [node for child in plan.get("Plans", []) for node in nodes_of(child, name, inside)]
    return [plan, *below] if inside else below
