"""A small upstream of the same API, as people describe it: no idempotency, no cancel (unless a test gives it one),
answers in several shapes.

It renders nothing: a request is final after so many questions for it.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from support.tiny_video import tiny_video

Q = "/api/v1/ie/requestqueue/apikey"


@dataclass
class Sent:
    """One request as it was created, and paid for."""

    request_id: str
    model: str
    payload: dict[str, Any]
    polls: int = 0
    cancelled: bool = False
    created_at: int = field(default_factory=lambda: int(time.time()))


@dataclass
class UpstreamServer:
    """Its state, and what a test orders."""

    key: str = "upstream-key"
    url: str = ""
    questions: int = 2
    models: list[str] = field(default_factory=lambda: ["Luma-Ray2", "wan2.7-i2v", "Veo3", "upstream-name"])
    sent: list[Sent] = field(default_factory=list[Sent])
    calls: list[tuple[str, str, dict[str, str]]] = field(default_factory=list[tuple[str, str, dict[str, str]]])
    uploads: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    refusals: list[tuple[int, dict[str, Any], dict[str, str]]] = field(
        default_factory=list[tuple[int, dict[str, Any], dict[str, str]]]
    )
    """Given to the next submits."""
    strange: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """Given to the next questions for a request."""
    cancels: bool = False
    """Whether it takes cancels; what they are answered with else is 405."""
    cancel_answers: list[int] = field(default_factory=list[int])
    """Given to the next cancels, which change nothing."""
    lost_submits: int = 0
    """Submits that are accepted, and whose answer never comes."""
    echo: bool = True
    ending: dict[str, Any] = field(default_factory=lambda: {"status": "success"})
    file: bytes = field(default_factory=tiny_video)
    redirect: str = ""
    """Where a download is sent to."""
    link: str = ""
    """Named in place of its own link."""
    claimed: int = 0
    """What a download says its length is, if not the truth."""
    says: dict[str, str] = field(default_factory=dict[str, str])
    """Headers of every answer."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def count(self, method: str, path: str) -> int:
        return sum(1 for called, where, _ in self.calls if called == method and where.startswith(path))

    def wait_for(self, method: str, path: str, times: int = 1) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count(method, path) >= times, 60), self.calls

    def record(self, sent: Sent) -> dict[str, Any]:
        final = 0 <= self.questions <= sent.polls
        link = self.link or f"{self.url}/artifacts/{sent.request_id}.mp4"
        shown: dict[str, Any] = {
            "request_id": sent.request_id,
            "model": sent.model,
            "status": "processing" if sent.polls else "queued",
            "created_at": sent.created_at,
            "payload": sent.payload if self.echo else {},
            "outcome": None,
        }
        if sent.cancelled:
            return shown | {"status": "cancelled"}
        if final:
            shown |= {"outcome": {"video_url": link}} if self.ending == {"status": "success"} else {}
            shown |= json.loads(json.dumps(self.ending).replace("LINK", link))
        return shown


class _Handler(BaseHTTPRequestHandler):
    """Speaks for the server of its subclass."""

    protocol_version = "HTTP/1.1"
    state: UpstreamServer

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        path = urlsplit(self.path).path
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.state.changed:
            self.state.calls.append((self.command, path, headers))
            self.state.changed.notify_all()
            self.route(path, body, headers)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def route(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        if path.startswith("/artifacts/"):
            return self.artifact()
        if path.startswith("/put/"):
            self.state.uploads[path] = (headers["content-type"], body)
            return self.raw(200, b"")
        if headers.get("authorization") != f"Bearer {self.state.key}":
            return self.say(401, {"error": "Invalid or missing API key"})
        match self.command, path.removeprefix(Q):
            case "GET", "/models":
                return self.say(200, {"model_ids": self.state.models})
            case "POST", "/upload-url":
                place = f"/put/{uuid.uuid4()}.{json.loads(body)['file_type']}"
                return self.say(200, {"upload_url": self.state.url + place, "public_url": f"https://cdn.test{place}"})
            case "POST", "/requests":
                return self.submit(json.loads(body))
            case "GET", "/requests":
                return self.say(200, {"requests": [self.state.record(sent) for sent in self.state.sent]})
            case _, rest:
                return self.one(rest.removeprefix("/requests/"))

    def submit(self, body: dict[str, Any]) -> None:
        if self.state.refusals:
            status, answer, headers = self.state.refusals.pop(0)
            return self.raw(status, json.dumps(answer).encode(), headers)
        sent = Sent(str(uuid.uuid4()), body["model"], body["payload"])
        self.state.sent.append(sent)
        if self.state.lost_submits:
            self.state.lost_submits -= 1
            self.close_connection = True
            return None
        return self.say(200, self.state.record(sent))

    def one(self, request_id: str) -> None:
        found = next((sent for sent in self.state.sent if sent.request_id == request_id), None)
        if self.command == "DELETE":
            return self.cancel(found)
        if self.state.strange:
            return self.raw(*self.state.strange.pop(0))
        if found is None:
            return self.say(404, {"error": "request not found"})
        found.polls += 1
        return self.say(200, self.state.record(found))

    def cancel(self, found: Sent | None) -> None:
        if self.state.cancel_answers:
            return self.say(self.state.cancel_answers.pop(0), {"error": "not now"})
        if not self.state.cancels:
            return self.say(405, {"error": "Method not allowed"})
        if found is None:
            return self.say(404, {"error": "request not found"})
        found.cancelled = True
        return self.say(200, self.state.record(found))

    def artifact(self) -> None:
        if self.state.redirect:
            return self.raw(302, b"", {"Location": self.state.redirect})
        if self.state.claimed:
            self.send_response(200)
            self.send_header("Content-Length", str(self.state.claimed))
            self.end_headers()
            self.close_connection = True
            return None
        return self.raw(200, self.state.file, {"Content-Type": "video/mp4"})

    def say(self, status: int, value: dict[str, Any]) -> None:
        self.raw(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**self.state.says, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `calls`."""


@contextmanager
def upstream_server(**given: Any) -> Iterator[UpstreamServer]:
    """A running upstream."""
    server = UpstreamServer(**given)
    web = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": server}))
    web.daemon_threads = True
    server.url = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join(60)
