"""R11: a receiver that fails one call in twenty hears of everything, and of nearly nothing twice."""

import asyncio
import random
from collections import Counter

import pytest
from support.stage import BRIEF, PAYLOAD, Stage


@pytest.mark.long
@pytest.mark.timeout(700)
async def test_a_receiver_that_fails_now_and_then_misses_nothing(stage: Stage) -> None:
    """All within ten minutes: who fails twice in a row is called again after five."""
    count = 300
    dice, taken, failed, complete = random.Random(11), Counter[str](), Counter[str](), asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        await reader.readexactly(int(fields["content-length"]))
        fails = dice.random() < 0.05
        (failed if fails else taken)[fields["webhook-id"]] += 1
        writer.write(
            b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (b"500 No" if fails else b"200 OK")
        )
        await writer.drain()
        writer.close()
        if len(taken) == count:
            complete.set()

    receiver = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = receiver.sockets[0].getsockname()[1]
    stage.serve(allow_private="127.0.0.0/8", egress_ports=str(port), **BRIEF)
    body = {"model": "rushes-test", "payload": PAYLOAD, "webhook_url": f"http://127.0.0.1:{port}/hook"}
    async with stage.client() as client:

        async def one() -> None:
            request_id = (await client.post("/requests", json=body)).json()["request_id"]
            assert (await client.delete(f"/requests/{request_id}")).status_code == 200

        for _ in range(count // 10):
            await asyncio.gather(*(one() for _ in range(10)))
        async with asyncio.timeout(600):
            await complete.wait()
    receiver.close()
    await receiver.wait_closed()
    repeats = sum(taken.values()) - len(taken)
    print(f"\n{len(taken)} of {count} events taken, {sum(failed.values())} calls failed, {repeats} repeated")
    assert failed, "nothing failed, so nothing was proved"
    assert repeats <= count / 100
