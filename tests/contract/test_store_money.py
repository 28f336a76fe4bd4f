"""Quotes are held, successes are charged, everything else is given back, and nobody spends what is not there."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from rushes.store.database import Database
from rushes.store.requests import Requests
from rushes.store.submits import RefusedSubmit
from support.queueing import (
    LANE,
    LEASE,
    claim_one,
    failure,
    make_key,
    make_org,
    make_request,
    started,
    success,
)


async def money(database: Database, org_id: UUID) -> tuple[int | None, int]:
    """(balance, held) of an organisation, in micro-dollars."""
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT balance_micro, held_micro FROM organisations WHERE org_id = $1", org_id)
    assert row is not None
    return row["balance_micro"], row["held_micro"]


async def key_money(database: Database, key_id: str) -> tuple[int, int]:
    """(spent, held) of a key, in micro-dollars."""
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT spent_micro, held_micro FROM api_keys WHERE key_id = $1", key_id)
    assert row is not None
    return row["spent_micro"], row["held_micro"]


async def test_a_success_turns_its_quote_into_a_charge(requests: Requests, database: Database) -> None:
    org_id = await make_org(database, balance_micro=5_000)
    await requests.submit(make_request(org_id, quote_micro=1_500))
    assert await money(database, org_id) == (5_000, 1_500)
    request = await started(requests)
    assert await money(database, org_id) == (5_000, 1_500)
    await requests.finish(request.request_id, request.attempt, success())
    assert await money(database, org_id) == (3_500, 0)


@pytest.mark.parametrize("ending", ["failed", "cancelled while queued", "cancelled while running", "lost"])
async def test_whatever_does_not_succeed_is_not_charged(requests: Requests, database: Database, ending: str) -> None:
    org_id = await make_org(database, balance_micro=5_000)
    key_id = await make_key(database, org_id)
    request_id = (await requests.submit(make_request(org_id, key_id=key_id))).request_id
    match ending:
        case "cancelled while queued":
            await requests.cancel(org_id, request_id)
        case "cancelled while running":
            await started(requests)
            await requests.cancel(org_id, request_id)
        case "lost":
            await claim_one(requests, lease=timedelta(seconds=-1))
            await requests.rescue(max_tries=1)
        case _:
            await requests.finish(request_id, (await started(requests)).attempt, failure())
    done = await requests.get(org_id, request_id)
    assert done is not None
    assert (done.final, done.charge_micro) == (True, 0)
    assert await money(database, org_id) == (5_000, 0)
    assert await key_money(database, key_id) == (0, 0)


async def test_attempts_are_not_charged_requests_are(requests: Requests, database: Database) -> None:
    org_id = await make_org(database, balance_micro=5_000)
    await requests.submit(make_request(org_id))
    for _ in range(3):
        request = await started(requests)
        await requests.hand_back(request.request_id, request.attempt)
    request = await started(requests)
    await requests.finish(request.request_id, request.attempt, success())
    assert await money(database, org_id) == (4_000, 0)


async def test_racing_submits_never_overspend(requests: Requests, database: Database) -> None:
    org_id = await make_org(database, balance_micro=10_000)
    answers = await asyncio.gather(*(requests.submit(make_request(org_id)) for _ in range(50)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RefusedSubmit)]
    assert (len(answers) - len(refused), len(refused)) == (10, 40)
    assert {refusal.code for refusal in refused} == {"insufficient_credits"}
    assert await money(database, org_id) == (10_000, 10_000)


async def test_a_refusal_says_what_it_costs_and_what_is_free(requests: Requests, database: Database) -> None:
    org_id = await make_org(database, balance_micro=1_500_000)
    await requests.submit(make_request(org_id, quote_micro=1_000_000))
    with pytest.raises(RefusedSubmit, match=r"costs \$1\.000 and \$0\.500 is free"):
        await requests.submit(make_request(org_id, quote_micro=1_000_000))


async def test_money_that_came_back_can_be_spent(requests: Requests, database: Database) -> None:
    org_id = await make_org(database, balance_micro=1_000)
    first = await requests.submit(make_request(org_id))
    with pytest.raises(RefusedSubmit):
        await requests.submit(make_request(org_id))
    await requests.cancel(org_id, first.request_id)
    await requests.submit(make_request(org_id))


async def test_a_key_stops_at_its_spending_limit_and_others_go_on(requests: Requests, database: Database) -> None:
    org_id = await make_org(database)
    limited = await make_key(database, org_id, spend_limit_micro=2_500)
    other = await make_key(database, org_id)
    answers = await asyncio.gather(
        *(requests.submit(make_request(org_id, key_id=limited)) for _ in range(10)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, RefusedSubmit)]
    assert len(refused) == 8
    assert {refusal.code for refusal in refused} == {"insufficient_credits"}
    await requests.submit(make_request(org_id, key_id=other))
    first, second = await requests.claim(uuid4(), [LANE], 2, LEASE)
    await requests.begin(first.request_id, first.attempt, "loading")
    await requests.finish(first.request_id, first.attempt, success())
    await requests.cancel(org_id, second.request_id)
    assert await key_money(database, limited) == (1_000, 0)
    await requests.submit(make_request(org_id, key_id=limited))
    with pytest.raises(RefusedSubmit):
        await requests.submit(make_request(org_id, key_id=limited))


async def test_an_organisation_stops_at_its_limit_of_unfinished_requests(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    answers = await asyncio.gather(
        *(requests.submit(make_request(org_id, max_queued=3)) for _ in range(9)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, RefusedSubmit)]
    assert [refusal.code for refusal in refused] == ["too_many_queued"] * 6
    request = await started(requests)
    await requests.finish(request.request_id, request.attempt, success())
    await requests.submit(make_request(org_id, max_queued=3))


async def test_artifacts_live_as_long_as_the_customer_asked_but_no_longer_than_we_keep(
    requests: Requests, org_id: UUID
) -> None:
    for asked, expected in ((60, 60), (None, 7 * 86_400), (365 * 86_400, 7 * 86_400)):
        await requests.submit(make_request(org_id, expires_after=asked))
        request = await started(requests)
        await requests.finish(request.request_id, request.attempt, success())
        done = await requests.get(org_id, request.request_id)
        assert done is not None
        assert done.expires_at is not None
        assert done.finished_at is not None
        assert done.expires_at - done.finished_at == timedelta(seconds=expected)
        assert {row["expires_at"] for row in await requests.artifacts([request.request_id])} == {done.expires_at}
