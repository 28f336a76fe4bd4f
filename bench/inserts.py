"""The least that durable can cost: a loop of INSERTs, each with its own COMMIT, on the database of the benchmark."""

import asyncio
import time

import asyncpg

from bench.ground import Ground
from bench.load import Result

ROW = '{"prompt": "A calm ocean at dawn", "frames": 2, "seconds": 0.1}'


def inserts(at: Ground, connections: int, seconds: float) -> Result:
    """Rows of a request's payload, as fast as `connections` can."""
    return asyncio.run(_inserts(at, connections, seconds))


async def _inserts(at: Ground, connections: int, seconds: float) -> Result:
    pool = [await asyncpg.connect(at.database_url) for _ in range(connections)]
    await pool[0].execute("CREATE TABLE IF NOT EXISTS bench_rows (n bigserial PRIMARY KEY, payload json NOT NULL)")
    result, begun = Result(), time.perf_counter()

    async def loop(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        statement = await connection.prepare("INSERT INTO bench_rows (payload) VALUES ($1)")
        while time.perf_counter() - begun < seconds:
            sent = time.perf_counter()
            await statement.fetch(ROW)
            result.latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(loop(connection) for connection in pool))
    result.seconds = time.perf_counter() - begun
    for connection in pool:
        await connection.close()
    return result
