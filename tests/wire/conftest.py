"""One real platform for all wire tests, and a loopback site that serves media and receives webhooks."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from gmicloud.local import LocalServer, Platform
from PIL import Image, ImageDraw

QUEUE = "/api/v1/ie/requestqueue/apikey"


@dataclass
class Delivery:
    """One POST that the site received, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """A loopback site: files by path, and a status to answer POSTs with by path (200 unless told otherwise)."""

    url: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    statuses: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    received: list[Delivery] = field(default_factory=list[Delivery])
    news: threading.Condition = field(default_factory=threading.Condition)

    def deliveries(self, path: str, count: int, seconds: float = 20) -> list[Delivery]:
        """The POSTs to one path, as soon as there are `count` of them."""

        def mine() -> list[Delivery]:
            return [delivery for delivery in self.received if delivery.path == path]

        with self.news:
            assert self.news.wait_for(lambda: len(mine()) >= count, seconds), f"{len(mine())} of {count} came"
            return mine()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = site.files.get(self.path, ("text/plain", b"not here"))
            self._answer(200 if self.path in site.files else 404, kind, body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            with site.news:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.received.append(Delivery(self.path, headers, body))
                waiting = site.statuses.get(self.path, [])
                status = waiting.pop(0) if waiting else 200
                site.news.notify_all()
            self._answer(status, "text/plain", b"thank you, " * 400)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # a reader may stop when it has read enough

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _picture(colour: str, size: tuple[int, int]) -> tuple[str, bytes]:
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill="orange")
    out = io.BytesIO()
    image.save(out, "JPEG")
    return "image/jpeg", out.getvalue()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    site.files = {
        "/start-frame.jpg": _picture("navy", (640, 400)),
        "/end-frame.jpg": _picture("teal", (640, 400)),
        "/cat-photo.jpg": _picture("maroon", (640, 480)),
    }
    thread = threading.Thread(target=server.serve_forever, name="site", daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def gmicloud_server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """The platform of every wire test; it may fetch from the site and deliver to it."""
    platform = Platform(tmp_path_factory.mktemp("wire"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RUSHES_ALLOW_PRIVATE", "127.0.0.0/8")
        environment.setenv("RUSHES_EGRESS_PORTS", f"80,443,{site.url.rpartition(':')[2]}")
        server = platform.start()
    yield server
    platform.stop()


@pytest.fixture(scope="session")
def queue(gmicloud_server: LocalServer) -> Iterator[httpx2.Client]:
    """A plain HTTP client of the request queue."""
    with httpx2.Client(
        base_url=gmicloud_server.base_url + QUEUE,
        headers={"Authorization": f"Bearer {gmicloud_server.api_key}"},
        timeout=90,
    ) as client:
        yield client
