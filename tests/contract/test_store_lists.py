"""Lists of requests: filters, pages, and a cursor that neither skips nor repeats while new requests come in."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from rushes.store.database import Database
from rushes.store.records import Filters
from rushes.store.requests import Requests
from support.queueing import LANE, LEASE, failure, make_org, make_request, success


@pytest.fixture
async def ids(requests: Requests, database: Database, org_id: UUID) -> list[UUID]:
    """Twelve requests a minute apart, oldest first: success, failed, processing and queued; every third of another
    model; and one of another organisation."""
    ids: list[UUID] = []
    for number in range(12):
        model = "Wan-2.2" if number % 3 == 2 else "rushes-test"
        prompt = {"prompt": f"Harbour number {number}"}
        request = await requests.submit(make_request(org_id, model=model, plan=prompt, priority=-number))
        ids.append(request.request_id)
    await requests.submit(make_request(await make_org(database, "other"), priority=-99))
    for number, request in enumerate(await requests.claim(uuid4(), [LANE], 9, LEASE)):
        await requests.begin(request.request_id, request.attempt, "loading")
        if number < 6:
            await requests.finish(request.request_id, request.attempt, success() if number < 3 else failure())
    async with database.connection() as connection:
        for number, request_id in enumerate(ids):
            await connection.execute(
                "UPDATE requests SET created_at = timestamptz '2026-01-01 12:00Z' + $1 WHERE request_id = $2",
                timedelta(minutes=number),
                request_id,
            )
    return ids


async def listed(requests: Requests, org_id: UUID, limit: int = 50, **filters: object) -> list[UUID]:
    found, total = await requests.listed(org_id, Filters(**filters), limit=limit)  # type: ignore[arg-type]
    assert total == len(found)
    return [request.request_id for request in found]


async def test_a_list_is_newest_first_and_shows_one_organisation(
    requests: Requests, org_id: UUID, ids: list[UUID]
) -> None:
    assert await listed(requests, org_id) == ids[::-1]


async def test_each_filter_narrows_and_all_of_them_together(requests: Requests, org_id: UUID, ids: list[UUID]) -> None:
    def minute(number: int) -> datetime:
        return datetime.fromisoformat("2026-01-01T12:00Z") + timedelta(minutes=number)

    async def found(**filters: object) -> list[int]:
        return [ids.index(request_id) for request_id in await listed(requests, org_id, **filters)]

    assert await found(model="Wan-2.2") == [11, 8, 5, 2]
    assert await found(statuses=("success",)) == [2, 1, 0]
    assert await found(statuses=("failed", "queued")) == [11, 10, 9, 5, 4, 3]
    assert await found(since=minute(10)) == [11, 10]
    assert await found(until=minute(2)) == [1, 0]
    assert await found(since=minute(3), until=minute(5)) == [4, 3]
    assert await found(words="HARBOUR NUMBER 7") == [7]
    assert await found(words="%") == []
    begin = ids[4].hex[:12]
    assert await found(id_from=UUID(hex=begin.ljust(32, "0")), id_to=UUID(hex=begin.ljust(32, "f"))) == [4]
    assert await found(id_from=ids[7], id_to=ids[7]) == [7]
    assert await found(model="Wan-2.2", statuses=("queued",), words="harbour") == [11]


async def test_pages_by_offset_cover_everything_and_count_everything(
    requests: Requests, org_id: UUID, ids: list[UUID]
) -> None:
    pages = [await requests.listed(org_id, Filters(), limit=5, offset=offset) for offset in (0, 5, 10, 15)]
    assert [len(page) for page, _ in pages] == [5, 5, 2, 0]
    assert [request.request_id for page, _ in pages for request in page] == ids[::-1]
    assert {total for _, total in pages} == {12}


async def test_a_cursor_neither_skips_nor_repeats_while_requests_come_in(
    requests: Requests, database: Database, org_id: UUID, ids: list[UUID]
) -> None:
    async with database.connection() as connection:
        # Some of the same instant, as a batch of submits has them: the id decides.
        await connection.execute(
            "UPDATE requests SET created_at = '2026-01-01 12:03Z' WHERE request_id = ANY($1)", ids[3:9]
        )
    seen: list[UUID] = []
    cursor: tuple[datetime, UUID] | None = None
    while True:
        page, _ = await requests.listed(org_id, Filters(), limit=4, before=cursor)
        if not page:
            break
        seen += [request.request_id for request in page]
        cursor = (page[-1].created_at, page[-1].request_id)
        await requests.submit(make_request(org_id))
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(ids)
