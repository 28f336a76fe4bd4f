"""A small scripted server that speaks the wire on loopback, and a driver that runs flows without any network."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from gmicloud import AsyncClient, Client
from gmicloud._internal._auth import Credentials
from gmicloud._internal._core import Core
from gmicloud._internal._retry import Retries
from gmicloud._internal._settings import Login, Routes
from gmicloud._internal._step import Answer, Call, Flow, Pause, Tell

KEY = "gmi_a-key-that-must-never-be-seen"
PASSWORD = "a-password-that-must-never-be-seen"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
MP4 = b"\x00\x00\x00\x18ftypisom" + b"frames" * 50_000

CARD = {
    "model": "wan2.7-i2v",
    "display_name": "Wan 2.7",
    "brief_description": "image to video",
    "price_info": {"price": 150000, "pricing_type": "flat", "unit": "request"},
    "engine": "animatic",
    "parameters": [
        {"name": "prompt", "key": "prompt", "display_name": "Prompt", "type": "string", "required": False},
        {"name": "first_frame", "key": "first_frame", "display_name": "First frame", "type": "image"},
        {"name": "images", "key": "images", "display_name": "Pictures", "type": "array"},
        {
            "name": "duration",
            "key": "duration",
            "type": "integer",
            "min": 2,
            "max": 15,
            "min_value": 2,
            "max_value": 15,
        },
    ],
}


@dataclass
class Seen:
    """One call as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """One scripted answer; a bytes body is sent as it is."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """The server's memory: what arrived, what is scripted, and requests that move one state per GET."""

    def __init__(self) -> None:
        self.ours = True
        self.url = ""
        self.calls: list[Seen] = []
        self.scripted: list[tuple[str, str, Reply]] = []
        self.states: dict[str, list[dict[str, Any]]] = {}
        self.submitted: dict[str, str] = {}
        self.files: dict[str, bytes] = {"video.mp4": MP4, "thumb.jpg": b"\xff\xd8\xff jpeg"}
        self.streams: list[list[bytes]] = []
        self.token = 0
        self.valid_tokens: set[str] = set()
        self.two_factor = False
        self.lock = threading.RLock()

    def script(self, method: str, path: str, *replies: Reply) -> None:
        """Answer the next calls of a route with these, in order, before anything else."""
        self.scripted += [(method, path, reply) for reply in replies]

    def plan(self, request_id: str, *statuses: str, **fields: Any) -> str:
        """Make a request whose record goes through these statuses, one per GET."""
        self.states[request_id] = [self.record(request_id, status, **fields) for status in statuses]
        return request_id

    def record(self, request_id: str, status: str, **fields: Any) -> dict[str, Any]:
        base = {"request_id": request_id, "model": "wan2.7-i2v", "status": status, "payload": {}, "outcome": None}
        base |= {"created_at": 1, "updated_at": 2, "queued_at": 1, "progress": 50 if status == "processing" else None}
        if status == "success":
            media = {"id": "0", "url": f"{self.url}/artifacts/video.mp4", "size_bytes": len(MP4)}
            media["sha256"] = hashlib.sha256(MP4).hexdigest()
            base["outcome"] = {
                "video_url": media["url"],
                "thumbnail_image_url": f"{self.url}/artifacts/thumb.jpg",
                "media_urls": [media],
            }
        if status == "failed":
            base |= {"outcome": {"error": "out of memory"}, "error": "out of memory", "error_code": "out_of_memory"}
        return base | fields

    def paths(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls]

    def answer(self, call: Seen) -> Reply:
        for number, (method, path, reply) in enumerate(self.scripted):
            if method == call.method and re.search(path, call.path):
                del self.scripted[number]
                return reply
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, call.path)
            if method == call.method and match:
                return handler(self, call, *match.groups())
        return Reply(404, {"error": "not found", "code": "not_found"})


def _models(wire: Wire, call: Seen, prefix: str) -> Reply:
    if not prefix.endswith("apikey"):
        return Reply(200, {"models": [CARD]})
    return Reply(200, {"model_ids": ["wan2.7-i2v"]} | ({"models": [CARD]} if wire.ours else {}))


def _model(wire: Wire, call: Seen, prefix: str, model: str) -> Reply:
    if unquote(model) != CARD["model"]:
        detail = {"suggestions": ["wan2.7-i2v"]}
        return Reply(404, {"error": "Model not found", "code": "model_not_found", "param": "model", "detail": detail})
    return Reply(200, CARD)


def _submit(wire: Wire, call: Seen, prefix: str) -> Reply:
    if "dry_run" in call.query:
        return Reply(200, {"valid": True, "model": "wan2.7-i2v", "quote_micro_usd": 150000, "payload": {}})
    key = call.headers.get("idempotency-key", "")
    request_id = wire.submitted.setdefault(key, f"request-{len(wire.submitted)}")
    if request_id not in wire.states:
        wire.plan(request_id, "queued", "processing", "success")
    return Reply(200, wire.record(request_id, "queued"))


def _get(wire: Wire, call: Seen, prefix: str, request_id: str) -> Reply:
    states = wire.states.get(request_id)
    if not states:
        return Reply(404, {"error": "request not found", "code": "request_not_found"})
    return Reply(200, states.pop(0) if len(states) > 1 else states[0])


def _list(wire: Wire, call: Seen, prefix: str) -> Reply:
    limit, offset = int(call.query["limit"][0]), int(call.query.get("offset", ["0"])[0])
    records = [states[-1] for states in wire.states.values()]
    page = records[offset : offset + limit]
    return Reply(200, {"requests": page, "total": len(records), "has_more": offset + limit < len(records)})


def _cancel(wire: Wire, call: Seen, prefix: str, request_id: str) -> Reply:
    wire.plan(request_id, "cancelled", outcome={"error": "cancelled"})
    return Reply(200, wire.states[request_id][0]) if wire.ours else Reply(200, {"ok": True})


def _files(wire: Wire, call: Seen, prefix: str) -> Reply:
    if not wire.ours:
        return Reply(404, {"error": "not found"})
    content = call.body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
    sha = hashlib.sha256(content).hexdigest()
    wire.files[sha] = content
    return Reply(200, {"file_id": sha, "public_url": f"{wire.url}/artifacts/{sha}", "sha256": sha})


def _upload_url(wire: Wire, call: Seen, prefix: str) -> Reply:
    name = f"kept.{call.json['file_type']}"
    return Reply(200, {"upload_url": f"{wire.url}/put/{name}?signed=1", "public_url": f"{wire.url}/artifacts/{name}"})


def _put(wire: Wire, call: Seen, name: str) -> Reply:
    wire.files[name] = call.body
    return Reply(200, b"", {"Content-Type": "text/plain"})


def _artifact(wire: Wire, call: Seen, name: str) -> Reply:
    if name not in wire.files:
        return Reply(410, {"error": "Artifact expired", "code": "artifact_expired"})
    return Reply(200, wire.files[name], {"Content-Type": "video/mp4"})


def _auth_token(wire: Wire, call: Seen) -> Reply:
    if call.json["password"] != PASSWORD:
        text = f"Invalid e-mail or password {call.json['password']}"  # a careless server echoes it
        return Reply(400, {"error": text, "message": text, "code": "invalid_credentials"})
    return Reply(200, {"authToken": "auth-token", "is2FARequired": wire.two_factor})


def _session(wire: Wire, call: Seen) -> Reply:
    if wire.two_factor and call.json["otpCode"] != "123456":
        return Reply(400, {"message": "Invalid code", "code": "invalid_otp"})
    return _tokens(wire)


def _renew(wire: Wire, call: Seen) -> Reply:
    if call.json["refreshToken"] != f"refresh-token-{wire.token}":
        return Reply(401, {"message": "unknown refresh token", "code": "unauthenticated"})
    return _tokens(wire)


def _tokens(wire: Wire) -> Reply:
    wire.token += 1
    wire.valid_tokens = {f"access-token-{wire.token}"}
    return Reply(200, {"accessToken": f"access-token-{wire.token}", "refreshToken": f"refresh-token-{wire.token}"})


Q = r"(/api/v1/ie/requestqueue/apikey|/api/v1/ie/requestqueue)"
ROUTES: list[tuple[str, str, Callable[..., Reply]]] = [
    ("GET", f"{Q}/models", _models),
    ("GET", f"{Q}/models/(.+)", _model),
    ("POST", f"{Q}/requests", _submit),
    ("GET", f"{Q}/requests", _list),
    ("GET", f"{Q}/requests/([^/]+)", _get),
    ("DELETE", f"{Q}/requests/([^/]+)", _cancel),
    ("POST", f"{Q}/files", _files),
    ("POST", f"{Q}/upload-url", _upload_url),
    ("PUT", "/put/(.+)", _put),
    ("GET", "/artifacts/(.+)", _artifact),
    ("POST", "/api/v1/me/auth-tokens", _auth_token),
    ("POST", "/api/v1/me/sessions", _session),
    ("PATCH", "/api/v1/me/sessions", _renew),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: Wire

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Seen(self.command, parts.path, parse_qs(parts.query), headers, body)
        with self.wire.lock:
            self.wire.calls.append(call)
            refused = parts.path.startswith("/api/v1/ie") and not self._allowed(headers.get("authorization", ""))
            stream, reply = None, Reply(401, {"error": "Invalid or missing API key", "code": "unauthenticated"})
            if not refused and parts.path.endswith("/events") and self.wire.streams:
                stream = self.wire.streams.pop(0)
            elif not refused:
                reply = self.wire.answer(call)
        if stream is not None:
            self._stream(stream)
        else:
            self._send(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def log_message(self, *args: Any) -> None:
        return None

    def _allowed(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        return token == KEY or token in self.wire.valid_tokens

    def _send(self, reply: Reply) -> None:
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))} | reply.headers
        headers |= {"Rushes-Version": "0.1.0"} if self.wire.ours else {}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, parts: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Rushes-Version", "0.1.0")
        self.send_header("Connection", "close")
        self.end_headers()
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()
        self.close_connection = True


class QuietServer(ThreadingHTTPServer):
    """A client that speaks TLS or leaves is part of the tests, not news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return None


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A fresh scripted server."""
    memory = Wire()
    handler = type("Bound", (Handler,), {"wire": memory})
    server = QuietServer(("127.0.0.1", 0), handler)
    memory.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield memory
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(wire: Wire) -> Iterator[Client]:
    with Client(api_key=KEY, base_url=wire.url, timeout=30) as made:
        yield made


@pytest.fixture
async def async_client(wire: Wire) -> Any:
    async with AsyncClient(api_key=KEY, base_url=wire.url, timeout=30) as made:
        yield made


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start a socket server that treats every connection with a function; gives its address."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(treat: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    treat(connection)

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now


class Driver:
    """Performs flows without a network: calls are answered by a function, pauses move the clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.calls: list[Call] = []
        self.core = make_core(self.clock)

    def run(self, flow: Flow[Any], answer: Callable[[Call], Answer]) -> Any:
        result: Any = None
        failure: Exception | None = None
        while True:
            try:
                step = flow.throw(failure) if failure else flow.send(result)
            except StopIteration as end:
                return end.value
            result, failure = None, None
            try:
                match step:
                    case Call():
                        self.calls.append(step)
                        result = answer(step)
                    case Pause(seconds):
                        self.clock.now += seconds
                        self.clock.pauses.append(seconds)
                    case Tell(function, value):
                        result = function(value)
                    case _:
                        raise AssertionError(step)
            except Exception as error:
                failure = error


def make_core(clock: Callable[[], float], **login: str) -> Core:
    known = Login(**(login or {"api_key": KEY}))
    routes = Routes("https://example.test", known.by_key)
    return Core(routes, Credentials(known, routes, otp=None, token_file=None), Retries(4), clock)


@pytest.fixture
def driver() -> Driver:
    return Driver()
