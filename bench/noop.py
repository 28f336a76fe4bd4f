"""`python -m bench.noop`: a qworker without engines. It claims, begins and finishes: the queue's own cost is left."""

import asyncio
import contextlib
import os
import signal
from datetime import timedelta
from uuid import UUID, uuid4

from rushes.store.database import Database
from rushes.store.listen import Listener
from rushes.store.requests import Requests
from rushes.store.workers import Workers

from bench.polls import success_of

LANE = "faults"
SLOTS = 32
LEASE = timedelta(seconds=30)


async def work() -> None:
    database = Database(os.environ["RUSHES_DATABASE_URL"], size=8, plan_once=True)
    await database.start()
    requests, wake, free = Requests(database, keep_seconds=3600), asyncio.Event(), SLOTS
    running: set[asyncio.Task[None]] = set()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    qworker_id = uuid4()
    listener = Listener(database.dsn)
    listener.on("rushes_queue", lambda _: wake.set())
    await listener.start()
    await listener.connected.wait()
    await Workers(database).enrol(qworker_id, host="bench", pid=os.getpid(), version="0", lanes=[LANE], slots=SLOTS)

    async def attempt(request_id: UUID, number: int) -> None:
        nonlocal free
        await requests.begin(request_id, number, "loading")
        await requests.finish(request_id, number, success_of(request_id))
        free += 1
        wake.set()

    stopping = False
    while not stopping:
        wake.clear()
        for request in await requests.claim(qworker_id, [LANE], free, LEASE) if free else []:
            free -= 1
            task = asyncio.create_task(attempt(request.request_id, request.attempt))
            running.add(task)
            task.add_done_callback(running.discard)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await wake.wait()
        stopping = stop.is_set()
    await listener.stop()
    await database.stop()


if __name__ == "__main__":
    asyncio.run(work())
