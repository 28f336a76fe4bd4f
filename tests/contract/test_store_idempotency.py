"""One Idempotency-Key is one request and one answer, whoever asks how often and at the same time."""

import asyncio
from uuid import UUID

import pytest
from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.submits import KeyReused, RefusedSubmit, Replay
from support.postgres_proxy import postgres_proxy
from support.queueing import make_org, make_request

BODY, OTHER_BODY = b"hash of a body", b"hash of another"


def answer(request: Request) -> str:
    return f'{{"request_id": "{request.request_id}"}}'


async def submitted_once(requests: Requests, org_id: UUID, key: str, body: bytes = BODY, **changes: object) -> str:
    """The answer a customer gets, first or replayed."""
    try:
        return answer(await requests.submit_once(make_request(org_id, **changes), key, body, answer))
    except Replay as replay:
        return replay.answer


async def count(database: Database) -> int:
    async with database.connection() as connection:
        return await connection.fetchval("SELECT count(*) FROM requests")


async def test_sixteen_racing_submits_with_one_key_make_one_request(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    for number in range(20):
        answers = await asyncio.gather(*(submitted_once(requests, org_id, f"key {number}") for _ in range(16)))
        assert len(set(answers)) == 1
        assert await count(database) == number + 1


async def test_another_body_under_the_same_key_is_refused(requests: Requests, database: Database, org_id: UUID) -> None:
    first = await submitted_once(requests, org_id, "key")
    with pytest.raises(KeyReused):
        await submitted_once(requests, org_id, "key", OTHER_BODY)
    with pytest.raises(KeyReused):
        await requests.replayed(org_id, "key", OTHER_BODY)
    assert await requests.replayed(org_id, "key", BODY) == first
    assert await requests.replayed(org_id, "another key", BODY) is None
    assert await count(database) == 1


async def test_racing_submits_with_two_bodies_make_one_request(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    for number in range(10):
        bodies = [BODY, OTHER_BODY] * 4
        answers = await asyncio.gather(
            *(submitted_once(requests, org_id, f"key {number}", body) for body in bodies), return_exceptions=True
        )
        refused = [isinstance(given, KeyReused) for given in answers]
        assert refused in ([False, True] * 4, [True, False] * 4)
        assert await count(database) == number + 1


async def test_a_key_belongs_to_its_organisation(requests: Requests, database: Database, org_id: UUID) -> None:
    other = await make_org(database, "other")
    assert await submitted_once(requests, org_id, "key") != await submitted_once(requests, other, "key")


async def test_a_refusal_does_not_use_the_key_up(requests: Requests, database: Database) -> None:
    org_id = await make_org(database, balance_micro=1_000)
    for _ in range(2):
        with pytest.raises(RefusedSubmit):
            await submitted_once(requests, org_id, "key", quote_micro=2_000)
    assert await requests.replayed(org_id, "key", BODY) is None
    await submitted_once(requests, org_id, "key", quote_micro=1_000)
    assert await count(database) == 1


async def test_a_submit_whose_commit_went_through_without_a_reply_is_found_again_by_its_key(
    requests: Requests, database: Database, database_url: str, org_id: UUID
) -> None:
    """Crash row 2."""
    async with postgres_proxy(database_url) as proxy:
        cut_off = Database(proxy.dsn, size=1)
        await cut_off.start()
        serving = Requests(cut_off, keep_seconds=60)
        proxy.lose_reply("COMMIT")
        with pytest.raises(DatabaseUnavailable):
            await submitted_once(serving, org_id, "key")
        again = await submitted_once(serving, org_id, "key")
        await cut_off.stop()
    assert again == await requests.replayed(org_id, "key", BODY)
    assert await count(database) == 1


async def test_keys_are_forgotten_after_two_days_and_not_before(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    await submitted_once(requests, org_id, "old")
    await submitted_once(requests, org_id, "young")
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE idempotency SET created_at = created_at - CASE key WHEN 'old' THEN interval '49 hours'"
            " ELSE interval '47 hours' END"
        )
    await requests.forget_old_keys()
    assert await requests.replayed(org_id, "old", BODY) is None
    assert await requests.replayed(org_id, "young", BODY) is not None
