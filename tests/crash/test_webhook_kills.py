"""Row 11 of the crash matrix: a webhook was sent, and its sender killed before it could note the answer."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from support.invariants import check_invariants
from support.platform import QUICK, running_platform, submitted


@pytest.mark.long  # the lease of a try is half a minute
@pytest.mark.timeout(180)
async def test_a_webhook_whose_sender_was_killed_is_sent_again_under_the_same_id(tmp_path: Path) -> None:
    heard: asyncio.Queue[tuple[str, bytes, asyncio.StreamWriter]] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields["content-length"]))
        await heard.put((fields["webhook-id"], body, writer))

    receiver = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = receiver.sockets[0].getsockname()[1]
    environment = {**QUICK, "RUSHES_ALLOW_PRIVATE": "127.0.0.0/8", "RUSHES_EGRESS_PORTS": str(port)}
    with running_platform(tmp_path / "data", environment=environment) as platform:
        with platform.client() as client:
            url = f"http://127.0.0.1:{port}/hook"
            payload = {"prompt": "grey", "seconds": 0.1, "frames": 2}
            request_id = await asyncio.to_thread(submitted, client, "rushes-test", payload, webhook_url=url)
        first_id, first_body, first = await asyncio.wait_for(heard.get(), 30)
        for serve in platform.children("serve"):
            serve.send_signal(signal.SIGKILL)
        again_id, again_body, again = await asyncio.wait_for(heard.get(), 60)
        again.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await again.drain()
        assert again_id == first_id == f"evt_{request_id}_4"
        assert (
            json.loads(again_body)["data"]["request_id"] == json.loads(first_body)["data"]["request_id"] == request_id
        )
        with platform.client() as client:
            shown = await asyncio.to_thread(client.get, f"/requests/{request_id}/deliveries")
        assert shown.json()["deliveries"][0]["tries"] == 2
        await asyncio.to_thread(check_invariants, platform.database_url, platform.data / "objects")
        for writer in (first, again):
            writer.close()
    receiver.close()
    await receiver.wait_closed()
