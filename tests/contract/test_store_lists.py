"""Lists of requests: filters, pages, and a cursor that neither skips nor repeats while new requests come in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from rushes.store.database import Database
from rushes.store.records import Filters
from rushes.store.request_lists import RequestLists
from rushes.store.requests import Requests
from support.queueing import LANE, LEASE, failure, make_org, make_request, success


@pytest.fixture
def lists(database: Database) -> RequestLists:
    return RequestLists(database)


@pytest.fixture
async def ids(requests: Requests, database: Database, org_id: UUID) -> list[UUID]:
    """Twelve requests a minute apart, oldest first: success, failed, processing and queued; every third of another
    model; and one of another organisation."""
    ids: list[UUID] = []
    for number in range(12):
        model = "Wan-2.2" if number % 3 == 2 else "rushes-test"
        prompt = {"prompt": f"Harbour number {number}", "seed": number // 4}
        metadata = {"take": number, "note": "it's \\ : & 'x'", "more": {"deep": [1]}, "none": None}
        request = await requests.submit(
            make_request(org_id, model=model, plan=prompt, priority=-number, metadata=metadata)
        )
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


async def listed(lists: RequestLists, org_id: UUID, limit: int = 50, **filters: object) -> list[UUID]:
    page = await lists.listed(org_id, Filters(**filters), limit=limit)  # type: ignore[arg-type]
    assert (page.total, page.capped) == (len(page.requests), False)
    return [request.request_id for request in page.requests]


async def test_a_list_is_newest_first_and_shows_one_organisation(
    lists: RequestLists, org_id: UUID, ids: list[UUID]
) -> None:
    assert await listed(lists, org_id) == ids[::-1]


@pytest.mark.parametrize("indexed", [False, True])
async def test_each_filter_narrows_and_all_of_them_together(
    lists: RequestLists, org_id: UUID, ids: list[UUID], indexed: bool
) -> None:
    if indexed:
        await lists.index()

    def minute(number: int) -> datetime:
        return datetime.fromisoformat("2026-01-01T12:00Z") + timedelta(minutes=number)

    async def found(**filters: object) -> list[int]:
        return [ids.index(request_id) for request_id in await listed(lists, org_id, **filters)]

    assert await found(model="Wan-2.2") == [11, 8, 5, 2]
    assert await found(statuses=("success",)) == [2, 1, 0]
    assert await found(statuses=("failed", "queued")) == [11, 10, 9, 5, 4, 3]
    assert await found(statuses=("failed", "cancelled")) == [5, 4, 3]
    assert await found(statuses=("queued",)) == [11, 10, 9]
    assert await found(statuses=("processing", "dispatched")) == [8, 7, 6]
    assert await found(statuses=("dispatched",)) == []
    assert await found(since=minute(10)) == [11, 10]
    assert await found(until=minute(2)) == [1, 0]
    assert await found(since=minute(3), until=minute(5)) == [4, 3]
    assert await found(words="HARBOUR NUMBER 7") == [7]
    assert await found(words="harb num 7") == [7]
    assert await found(words="arbour") == []
    assert await found(words="%") == []
    assert await found(words="it's \\ 'quoted' & | ! <-> :* (") == []
    assert await found(words=ids[5].hex[:8], named=(ids[5], ids[5])) == [5]
    assert await found(metadata={"take": "3"}) == [3]
    assert await found(metadata={"take": "3", "note": "it's \\ : & 'x'"}, words="harbour") == [3]
    assert await found(metadata={"take": "3", "note": "other"}) == []
    assert await found(sha256="0" * 64) == [2, 1, 0]
    assert await found(sha256="1" * 64) == []
    assert await found(seed=1) == [7, 6, 5, 4]
    assert await found(seed=2, words="harbour") == [11, 10, 9, 8]
    assert await found(seed=2, since=minute(11)) == [11]
    assert await found(seed=3) == []
    begin = ids[4].hex[:12]
    assert await found(id_from=UUID(hex=begin.ljust(32, "0")), id_to=UUID(hex=begin.ljust(32, "f"))) == [4]
    assert await found(id_from=ids[7], id_to=ids[7]) == [7]
    assert await found(model="Wan-2.2", statuses=("queued",), words="harbour") == [11]


async def test_pages_by_offset_cover_everything_and_count_everything(
    lists: RequestLists, org_id: UUID, ids: list[UUID]
) -> None:
    pages = [await lists.listed(org_id, Filters(), limit=5, offset=offset) for offset in (0, 5, 10, 15)]
    assert [len(page.requests) for page in pages] == [5, 5, 2, 0]
    assert [request.request_id for page in pages for request in page.requests] == ids[::-1]
    assert {page.total for page in pages} == {12}


async def test_a_cursor_neither_skips_nor_repeats_while_requests_come_in(
    requests: Requests, lists: RequestLists, database: Database, org_id: UUID, ids: list[UUID]
) -> None:
    async with database.connection() as connection:
        # Some of the same instant, as a batch of submits has them: the id decides.
        await connection.execute(
            "UPDATE requests SET created_at = '2026-01-01 12:03Z' WHERE request_id = ANY($1)", ids[3:9]
        )
    seen: list[UUID] = []
    cursor: tuple[datetime, UUID] | None = None
    while True:
        page = (await lists.listed(org_id, Filters(), limit=4, before=cursor)).requests
        if not page:
            break
        seen += [request.request_id for request in page]
        cursor = (page[-1].created_at, page[-1].request_id)
        await requests.submit(make_request(org_id))
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(ids)


async def test_search_finds_what_is_indexed_and_what_is_too_young_to_be(
    requests: Requests, lists: RequestLists, database: Database, org_id: UUID
) -> None:
    old, young = [
        (await requests.submit(make_request(org_id, plan={"prompt": prompt}))).request_id
        for prompt in ("An eagle", "Two eagles")
    ]
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE requests SET created_at = created_at - interval '1 minute' WHERE request_id = $1", old
        )
    await lists.index()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT array_agg(request_id) FROM request_terms") == [old]
    assert await listed(lists, org_id, words="eagle") == [young, old]
    await lists.index()
    assert await listed(lists, org_id, words="eagle", until=datetime.now(UTC) - timedelta(seconds=30)) == [old]


async def test_signs_of_scripts_without_blanks_are_words(requests: Requests, lists: RequestLists, org_id: UUID) -> None:
    request = await requests.submit(make_request(org_id, plan={"prompt": "港の静かな朝, 雄鹰在天空"}))
    for words in ("静かな朝", "天空", "雄鹰 港"):
        assert await listed(lists, org_id, words=words) == [request.request_id], words
    assert await listed(lists, org_id, words="海") == []


async def test_what_was_purged_is_not_found_by_its_words(
    requests: Requests, lists: RequestLists, database: Database, org_id: UUID
) -> None:
    request = await requests.submit(make_request(org_id, plan={"prompt": "A secret harbour"}, metadata={"a": "b"}))
    async with database.connection() as connection:
        await connection.execute("UPDATE requests SET created_at = created_at - interval '1 minute'")
    await lists.index()
    await requests.cancel(org_id, request.request_id)
    await requests.purge(org_id, request.request_id)
    assert await listed(lists, org_id, words="secret") == []
    assert await listed(lists, org_id, metadata={"a": "b"}) == []
    async with database.connection() as connection:
        await connection.execute("INSERT INTO request_terms VALUES ($1, now(), gen_random_uuid(), '')", org_id)
        await lists.index()
        assert await connection.fetchval("SELECT count(*) FROM request_terms") == 0


async def test_a_long_list_is_counted_up_to_ten_thousand(lists: RequestLists, database: Database, org_id: UUID) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO requests (request_id, org_id, model, engine, lane, status, waiting, start_tag, payload,"
            " params, plan, created_at, error_code, finished_at) SELECT gen_random_uuid(), $1, 'm', 'faults', 'faults',"
            " 'failed', false, 0, '{}', '{}', json_build_object('prompt', 'an eagle ' || i),"
            " now() - i * interval '1 minute', 'engine_lost', now() FROM generate_series(1, 10050) i",
            org_id,
        )
    for filters in (Filters(), Filters(statuses=("failed",)), Filters(words="eagle")):
        page = await lists.listed(org_id, filters, limit=3)
        assert (len(page.requests), page.total, page.capped) == (3, 10_000, True)
    await lists.index()
    page = await lists.listed(org_id, Filters(words="eagle"), limit=3)
    assert (len(page.requests), page.total, page.capped) == (3, 10_000, True)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM requests")
