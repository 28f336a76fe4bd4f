"""The one LISTEN connection: it hears, it comes back by itself, and it says when it may have missed something."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from rushes.store.listen import Listener
from support.postgres import MortalPostgres
from support.postgres_proxy import postgres_proxy


class Ear:
    """What was heard, and how often we may have missed something."""

    def __init__(self, listener: Listener) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.losses: asyncio.Queue[None] = asyncio.Queue()
        listener.on("news", self.heard.put_nowait)
        listener.on_lost(lambda: self.losses.put_nowait(None))

    async def next(self) -> str:
        return await asyncio.wait_for(self.heard.get(), 10)


async def tell(dsn: str, text: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("SELECT pg_notify('news', $1)", text)
    await connection.close()


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    listener = Listener(database_url)
    yield listener
    await listener.stop()


async def connected(listener: Listener) -> None:
    await asyncio.wait_for(listener.connected.wait(), 15)


async def test_what_is_notified_is_heard_by_every_handler(listener: Listener, database_url: str) -> None:
    ear, other = Ear(listener), Ear(listener)
    await listener.start()
    await connected(listener)
    await tell(database_url, "one")
    assert (await ear.next(), await other.next()) == ("one", "one")


async def test_a_cut_connection_is_replaced_and_its_loss_is_told(database_url: str) -> None:
    async with postgres_proxy(database_url) as proxy:
        listener = Listener(proxy.dsn)
        ear = Ear(listener)
        await listener.start()
        await connected(listener)
        while not ear.losses.empty():
            ear.losses.get_nowait()
        proxy.cut()
        await asyncio.wait_for(ear.losses.get(), 10)
        await connected(listener)
        await tell(database_url, "after")
        assert await ear.next() == "after"
        await listener.stop()


async def test_a_connection_that_swallows_everything_is_replaced_too(database_url: str) -> None:
    async with postgres_proxy(database_url) as proxy:
        listener = Listener(proxy.dsn, ask_seconds=0.1, answer_seconds=0.1)
        ear = Ear(listener)
        await listener.start()
        await connected(listener)
        while not ear.losses.empty():
            ear.losses.get_nowait()
        proxy.open.clear()
        await asyncio.wait_for(ear.losses.get(), 10)
        assert not listener.connected.is_set()
        proxy.open.set()
        await connected(listener)
        await tell(database_url, "after")
        assert await ear.next() == "after"
        await listener.stop()


async def test_a_silent_connection_that_lives_is_kept(database_url: str) -> None:
    listener = Listener(database_url, ask_seconds=0.02)
    ear = Ear(listener)
    await listener.start()
    await connected(listener)
    first = ear.losses.qsize()
    for number in range(20):
        await tell(database_url, str(number))
        assert await ear.next() == str(number)
    assert ear.losses.qsize() == first
    await listener.stop()


async def test_it_comes_back_with_a_killed_postgresql(mortal: MortalPostgres) -> None:
    listener = Listener(mortal.dsn)
    ear = Ear(listener)
    await listener.start()
    for number in range(2):
        await connected(listener)
        await tell(mortal.dsn, str(number))
        assert await ear.next() == str(number)
        mortal.kill()
        while listener.connected.is_set():
            await asyncio.wait_for(ear.losses.get(), 10)
        await asyncio.to_thread(mortal.start)
    await listener.stop()


async def test_a_listener_started_before_its_database_hears_it_later(mortal: MortalPostgres) -> None:
    dsn = mortal.dsn
    mortal.kill()
    listener = Listener(dsn)
    ear = Ear(listener)
    await listener.start()
    await asyncio.to_thread(mortal.start)
    await connected(listener)
    await tell(dsn, "up")
    assert await ear.next() == "up"
    await listener.stop()


async def test_start_and_stop_may_come_in_any_order_and_twice(listener: Listener) -> None:
    await listener.stop()
    await listener.start()
    await listener.start()
    assert listener.started
    await connected(listener)
    await listener.stop()
    await listener.stop()
    assert not listener.started
    assert not listener.connected.is_set()
