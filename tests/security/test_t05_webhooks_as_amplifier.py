"""T5: webhooks do no harm. A hanging receiver delays nobody else, little is sent, and little of an answer is kept."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from rushes.artifacts.links import Links, SigningKey
from rushes.domain.request import Status
from rushes.egress import Egress
from rushes.queue.catcher import Catcher
from rushes.queue.webhooks import PER_HOST, Patience, Webhooks
from rushes.store.catchers import Catchers
from rushes.store.database import Database
from rushes.store.outbox import Event, InFlight, Outbox
from rushes.store.records import Ending
from rushes.store.requests import Requests
from rushes.store.webhook_secrets import WebhookSecrets
from support.queueing import make_org, make_request

Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Any]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.stop()


class NotedOutbox(Outbox):
    """Tells when tries have been written down."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.noted = 0
        self._news = asyncio.Condition()

    async def tried(self, event: Event, **result: Any) -> None:
        await super().tried(event, **result)
        async with self._news:
            self.noted += 1
            self._news.notify_all()

    async def after(self, tries: int) -> None:
        """Returns once that many tries have been written down."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: self.noted >= tries)


class Sender:
    """A sender of one test, and what it needs to have something to send."""

    def __init__(self, database: Database, egress: Egress, patience: Patience) -> None:
        self.database = database
        self.outbox = NotedOutbox(database)
        self.requests = Requests(database, keep_seconds=3600)
        links = Links([SigningKey("k", b"s" * 32)], "http://127.0.0.1")
        self.webhooks = Webhooks(
            self.outbox,
            self.requests,
            WebhookSecrets(database),
            links,
            egress,
            Catcher(Catchers(database), WebhookSecrets(database), links),
            link_seconds=60,
            patience=patience,
        )

    async def ended(self, org_id: UUID, url: str, error: str = "It broke", **changes: Any) -> UUID:
        """A failed request of an organisation, with one event to send."""
        new = make_request(org_id, webhook_url=url, webhook_events=["request.cancelled"], **changes)
        request = await self.requests.submit(new)
        ending = Ending(Status.CANCELLED, error=error, error_code="cancelled", retryable=False)
        assert await self.requests._conclude(request.request_id, ending, org_id=org_id, from_statuses=list(Status))
        return request.request_id

    async def multiply(self, request_id: UUID, count: int) -> None:
        """As many copies of a request's event, all due."""
        async with self.database.connection() as connection:
            await connection.execute(
                "INSERT INTO outbox (event_id, request_id, org_id, status, url) SELECT 'copy_' || n, request_id,"
                " org_id, status, url FROM outbox, generate_series(1, $2::integer) n WHERE request_id = $1",
                request_id,
                count,
            )

    async def settled(self, org_id: UUID, request_id: UUID, tries: int = 1) -> Any:
        """The event's row once so many tries have been written down."""
        await self.outbox.after(tries)
        return next(row for row in await self.outbox.deliveries(org_id, request_id) if row["last_answer"] is not None)


@contextlib.asynccontextmanager
async def sending(database: Database, egress: Egress, **patience: Any) -> AsyncIterator[Sender]:
    sender = Sender(database, egress, Patience(**patience))
    try:
        yield sender
    finally:
        await sender.webhooks.stop()


async def hang(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the sender has had enough


async def test_a_thousand_events_to_a_hanging_host_delay_another_organisation_by_under_a_second(
    database: Database, serve: Any
) -> None:
    arrived, full = asyncio.Event(), asyncio.Event()
    most = now = 0

    async def hangs(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        if now == PER_HOST:
            full.set()
        await reader.read()  # until the sender has had enough
        now -= 1

    async def fine(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    bad, good = await serve(hangs), await serve(fine)
    async with sending(database, bad.egress(ports=(bad.port, good.port)), seconds=3) as sender:
        noisy, quiet = await make_org(database, "noisy"), await make_org(database, "quiet")
        await sender.multiply(await sender.ended(noisy, bad.url()), 999)
        await sender.webhooks.start()
        await asyncio.wait_for(full.wait(), 5)
        request_id = await sender.ended(quiet, good.url())
        begun = time.monotonic()
        sender.webhooks.wake()  # as the notification of the change does
        await asyncio.wait_for(arrived.wait(), 5)
        assert time.monotonic() - begun < 1
        assert (await sender.settled(quiet, request_id))["last_status"] == 204
        assert most == PER_HOST


async def test_an_endpoint_that_never_answers_rests(database: Database, serve: Any) -> None:
    site = await serve(hang)
    async with sending(database, site.egress(), seconds=0.1, again=(timedelta(0),) * 9) as sender:
        org_id = await make_org(database)
        request_id = await sender.ended(org_id, site.url())
        await sender.multiply(request_id, 99)
        await sender.webhooks.start()
        row = await sender.settled(org_id, request_id)
        assert "longer than 0.1 s" in row["last_answer"]
        await sender.outbox.after(5)
        assert sender.webhooks._breaker.resting()
        await asyncio.gather(*sender.webhooks._sending)
        before = site.connections
        assert before <= 2 * PER_HOST
        assert not await sender.webhooks._look()
        assert site.connections == before


async def test_only_the_start_of_an_answer_is_kept_for_its_owner_alone(
    database: Database, serve: Any, answer: Any
) -> None:
    site = await serve(answer(b"secret \0 " * 100_000))
    async with sending(database, site.egress()) as sender:
        org_id, other = await make_org(database), await make_org(database, "other")
        request_id = await sender.ended(org_id, site.url())
        await sender.webhooks.start()
        row = await sender.settled(org_id, request_id)
        assert row["delivered_at"] is not None
        assert 0 < len(row["last_answer"]) <= 1024
        assert await sender.outbox.deliveries(other, request_id) == []
        assert await sender.outbox.resend(other, request_id, row["event_id"]) == []


async def test_a_body_stays_under_20_kb(database: Database, serve: Any) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def hear(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        heard.set_result(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    site = await serve(hear)
    async with sending(database, site.egress()) as sender:
        org_id = await make_org(database)
        metadata = {"note": "n" * 4000}
        await sender.ended(org_id, site.url(), error="é" * 50_000, metadata=metadata, payload={"prompt": "p" * 50_000})
        await sender.webhooks.start()
        body = await asyncio.wait_for(heard, 5)
    assert len(body) < 20_000
    assert json.loads(body)["data"]["metadata"] == metadata
    assert json.loads(body)["data"]["error"].startswith("é")


@pytest.mark.parametrize(("answered", "again"), [("410 Gone", False), ("302 Found", True), ("503 Busy", True)])
async def test_what_a_receiver_answers_decides_about_the_next_try(
    database: Database, serve: Any, answer: Any, answered: str, again: bool
) -> None:
    site = await serve(answer(b"no", answered, Location="http://media.example/other"))
    async with sending(database, site.egress()) as sender:
        org_id = await make_org(database)
        request_id = await sender.ended(org_id, site.url())
        await sender.webhooks.start()
        row = await sender.settled(org_id, request_id)
    assert (row["due_at"] is not None, row["delivered_at"], row["tries"]) == (again, None, 1)
    assert site.connections == 1


async def test_an_address_that_may_not_be_called_is_given_up_at_once(database: Database, serve: Any) -> None:
    site = await serve(hang)
    async with sending(database, site.egress(allow_private=())) as sender:
        org_id = await make_org(database)
        request_id = await sender.ended(org_id, site.url())
        await sender.webhooks.start()
        row = await sender.settled(org_id, request_id)
    assert (row["due_at"], row["last_answer"]) == (None, "The URL leads to an address that is not allowed")
    assert site.connections == 0


async def test_a_sender_killed_before_it_noted_its_try_sends_again_under_the_same_id(
    database: Database, serve: Any, answer: Any
) -> None:
    site = await serve(answer(b"ok"))
    async with sending(database, site.egress()) as sender:
        org_id = await make_org(database)
        request_id = await sender.ended(org_id, site.url())
        (first,) = await sender.outbox.claim(10, timedelta(seconds=60), InFlight(5, 20))
        assert await sender.outbox.claim(10, timedelta(0), InFlight(5, 20)) == []
        await _end_leases(database)
        (second,) = await sender.outbox.claim(10, timedelta(0), InFlight(5, 20))
        assert (first.event_id, first.tries, second.event_id, second.tries) == (second.event_id, 1, first.event_id, 2)
        await sender.outbox.tried(first, delivered=True, again=None, status=200, answer="late")
        assert (await sender.outbox.deliveries(org_id, request_id))[0]["delivered_at"] is None
        await sender.webhooks.start()
        assert (await sender.settled(org_id, request_id, tries=2))["tries"] == 3


async def test_the_tenth_failure_is_the_last(database: Database, serve: Any, answer: Any) -> None:
    site = await serve(answer(b"no", "500 Broken"))
    async with sending(database, site.egress(), again=(timedelta(0),) * 9) as sender:
        org_id = await make_org(database)
        request_id = await sender.ended(org_id, site.url())
        await sender.webhooks.start()
        row = await sender.settled(org_id, request_id, tries=10)
    assert (row["due_at"], row["tries"], row["delivered_at"], row["last_status"]) == (None, 10, None, 500)
    assert site.connections == 10


async def _end_leases(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE outbox SET due_at = clock_timestamp()")
