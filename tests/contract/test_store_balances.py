"""Money: held at submit, charged at success, given back otherwise; nothing is ever spent twice."""

import asyncio
from uuid import UUID

import pytest
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.requests import Requests
from rushes.store.submits import RefusedSubmit, Replay
from support.queueing import failure, make_key, make_org, make_request, started, success

PRICE = 1_000


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


async def balance(accounts: Accounts, org_id: UUID) -> tuple[int | None, int]:
    row = await accounts.organisation(org_id)
    assert row is not None
    return row["balance_micro"], row["held_micro"]


async def key_money(accounts: Accounts, org_id: UUID) -> tuple[int, int]:
    """Spent and held by the organisation's only key."""
    (row,) = await accounts.keys(org_id)
    async with accounts._database.connection() as connection:
        held = await connection.fetchval("SELECT held_micro FROM api_keys WHERE key_id = $1", row["key_id"])
    return row["spent_micro"], held


async def accepted(*submits: object) -> tuple[int, set[str]]:
    """How many of some submits at the same time were accepted, and the codes of the others."""
    results = await asyncio.gather(*submits, return_exceptions=True)  # type: ignore[call-overload]
    refused = [result for result in results if isinstance(result, RefusedSubmit)]
    strange = [result for result in results if isinstance(result, BaseException) and result not in refused]
    assert not strange
    return len(results) - len(refused), {refusal.code for refusal in refused}


async def test_fifty_parallel_submits_with_money_for_ten_accept_exactly_ten(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=10 * PRICE + PRICE - 1)
    new = [make_request(org_id, quote_micro=PRICE) for _ in range(50)]
    assert await accepted(*(requests.submit(one) for one in new)) == (10, {"insufficient_credits"})
    assert await balance(accounts, org_id) == (10 * PRICE + PRICE - 1, 10 * PRICE)


async def test_fifty_parallel_submits_of_a_key_with_room_for_ten_accept_exactly_ten(
    database: Database, requests: Requests, accounts: Accounts, org_id: UUID
) -> None:
    key_id = await make_key(database, org_id, spend_limit_micro=10 * PRICE)
    new = [make_request(org_id, key_id=key_id, quote_micro=PRICE) for _ in range(50)]
    assert await accepted(*(requests.submit(one) for one in new)) == (10, {"insufficient_credits"})
    assert await key_money(accounts, org_id) == (0, 10 * PRICE)
    # What the key was refused did not touch its organisation either.
    assert (await balance(accounts, org_id))[1] == 10 * PRICE


async def test_fifty_parallel_submits_into_a_queue_of_ten_accept_exactly_ten(requests: Requests, org_id: UUID) -> None:
    new = [make_request(org_id, max_queued=10) for _ in range(50)]
    assert await accepted(*(requests.submit(one) for one in new)) == (10, {"too_many_queued"})


async def test_a_success_is_charged_and_what_was_held_is_free(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=5 * PRICE)
    key_id = await make_key(database, org_id, spend_limit_micro=5 * PRICE)
    await requests.submit(make_request(org_id, key_id=key_id, quote_micro=2 * PRICE))
    assert await balance(accounts, org_id) == (5 * PRICE, 2 * PRICE)
    request = await started(requests)
    assert await requests.finish(request.request_id, request.attempt, success())
    assert await balance(accounts, org_id) == (3 * PRICE, 0)
    assert await key_money(accounts, org_id) == (2 * PRICE, 0)


async def test_a_failure_costs_nothing_and_its_money_can_be_spent_again(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=PRICE)
    key_id = await make_key(database, org_id, spend_limit_micro=PRICE)
    for _ in range(3):
        await requests.submit(make_request(org_id, key_id=key_id, quote_micro=PRICE))
        with pytest.raises(RefusedSubmit, match=r"costs \$0.001 and \$0.000 is free"):
            await requests.submit(make_request(org_id, key_id=key_id, quote_micro=PRICE))
        request = await started(requests)
        assert await requests.finish(request.request_id, request.attempt, failure())
        assert await balance(accounts, org_id) == (PRICE, 0)
        assert await key_money(accounts, org_id) == (0, 0)


async def test_a_cancel_gives_the_money_back_once_however_often_it_is_asked_for(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=10 * PRICE)
    queued = await requests.submit(make_request(org_id, quote_micro=PRICE))
    await asyncio.gather(*(requests.cancel(org_id, queued.request_id) for _ in range(20)))
    assert await balance(accounts, org_id) == (10 * PRICE, 0)


async def test_a_cancel_against_a_finish_charges_or_gives_back_but_never_both(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=100 * PRICE)
    charged = 0
    for _ in range(20):
        await requests.submit(make_request(org_id, quote_micro=PRICE))
        request = await started(requests)
        finished, cancelled = await asyncio.gather(
            requests.finish(request.request_id, request.attempt, success()),
            requests.cancel(org_id, request.request_id),
        )
        assert cancelled is not None
        assert finished == (cancelled.status == "success")
        charged += PRICE if finished else 0
    assert await balance(accounts, org_id) == (100 * PRICE - charged, 0)


async def test_a_rescue_keeps_the_money_held_and_a_second_finish_charges_nothing(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=PRICE)
    await requests.submit(make_request(org_id, quote_micro=PRICE))
    first = await started(requests)
    await requests.expire_all_leases()
    assert await requests.rescue(max_tries=3) == (1, 0)
    assert await balance(accounts, org_id) == (PRICE, PRICE)
    second = await started(requests)
    assert await requests.finish(second.request_id, second.attempt, success())
    assert not await requests.finish(first.request_id, first.attempt, success())
    assert await balance(accounts, org_id) == (0, 0)


async def test_an_empty_balance_still_takes_what_is_free_of_charge(database: Database, requests: Requests) -> None:
    org_id = await make_org(database, balance_micro=0)
    await requests.submit(make_request(org_id, quote_micro=0))
    with pytest.raises(RefusedSubmit):
        await requests.submit(make_request(org_id, quote_micro=1))


async def test_an_empty_balance_under_an_idempotency_key_does_not_use_the_key_up(
    database: Database, requests: Requests, accounts: Accounts
) -> None:
    org_id = await make_org(database, balance_micro=0)
    new = make_request(org_id, quote_micro=PRICE)
    with pytest.raises(RefusedSubmit):
        await requests.submit_once(new, "key", b"body", lambda _: "answer")
    await accounts.set_balance(org_id, PRICE)
    await requests.submit_once(new, "key", b"body", lambda _: "answer")
    with pytest.raises(Replay):
        await requests.submit_once(new, "key", b"body", lambda _: "answer")
    assert await balance(accounts, org_id) == (PRICE, PRICE)


async def test_a_key_of_another_organisation_is_neither_held_nor_charged(
    database: Database, requests: Requests, accounts: Accounts, org_id: UUID
) -> None:
    stranger = await make_org(database, "stranger")
    await make_key(database, stranger, spend_limit_micro=0)
    (row,) = await accounts.keys(stranger)
    request = await requests.submit(make_request(org_id, quote_micro=PRICE))
    assert request.key_id is None
    assert await key_money(accounts, stranger) == (0, 0)
    assert row["spent_micro"] == 0
