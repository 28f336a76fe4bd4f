"""A small server of the OpenAI video shape, in the dialect of vLLM-Omni or of SGLang, with their faults to order.

It renders nothing: a video is complete after so many questions for it, or when a test says so.
"""

import email.parser
import email.policy
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.tiny_video import tiny_video

MODEL = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"


@dataclass
class Video:
    """One record of the server."""

    video_id: str
    fields: dict[str, str]
    files: dict[str, tuple[str, bytes]]
    polls: int = 0
    status: str = "queued"
    error: tuple[int, str] | None = None
    cancelling: int = 0
    created_at: int = field(default_factory=lambda: int(time.time()))


@dataclass
class VideoServer:
    """Its state, and the faults a test orders."""

    dialect: str
    url: str = ""
    questions: int = 2
    """After so many of them a video is complete; a negative number means never by itself."""
    key: str | None = None
    videos: dict[str, Video] = field(default_factory=dict[str, Video])
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    fail_with: tuple[int, str] | None = None
    answers: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """Given to the next questions for a video, in place of it."""
    lost_submits: int = 0
    """Submits that are accepted, and whose answer never comes."""
    half_files: int = 0
    """Downloads that break off in the middle."""
    refused_deletes: int = 1
    several_processes: bool = False
    sick: bool = False
    file: bytes = field(default_factory=tiny_video)
    content_redirect: str = ""
    odd_id: str = ""
    """Named in answers in place of the id."""
    link: str = ""
    """Where the file was uploaded to; the server has no copy then."""
    working: int = 0
    """Videos whose GPU work goes on, deleted or not."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def restart(self) -> None:
        """All videos are forgotten."""
        with self.changed:
            self.videos.clear()

    def count(self, method: str, path: str = "/v1/videos") -> int:
        return sum(1 for called, where in self.calls if called == method and where.startswith(path))

    def wait_for(self, method: str, path: str, times: int = 1) -> None:
        """Returns when it has been called so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.count(method, path) >= times, 20), (method, path, self.calls)

    def finish(self) -> None:
        """Complete every video."""
        with self.changed:
            self.questions = 0

    # -- what both dialects share -----------------------------------------------------------------------------------

    def advance(self, video: Video) -> None:
        video.polls += 1
        if video.status in ("completed", "failed"):
            return
        video.status = "in_progress" if video.polls > 1 or self.dialect == "vllm_omni" else "queued"
        if 0 <= self.questions <= video.polls:
            self.working -= 1
            video.status, video.error = ("failed", self.fail_with) if self.fail_with else ("completed", None)

    def shown(self, video: Video) -> dict[str, Any]:
        size = video.fields.get("size")
        common = {
            "id": self.odd_id or video.video_id,
            "object": "video",
            "model": MODEL,
            "status": video.status,
            "progress": 0,
            "created_at": video.created_at,
            "prompt": video.fields.get("prompt"),
            "size": size,
            "seconds": "4",
            "error": {"code": video.error[0], "message": video.error[1]} if video.error else None,
            "peak_memory_mb": 512.0 if video.status == "completed" else 0.0,
        }
        if video.status == "completed":
            common["progress"] = 100
        elif self.dialect == "sglang" and video.status == "in_progress":
            common["progress"] = min(99, 20 * video.polls)
        if self.dialect == "sglang":
            common["url"] = self.link or None
        return common


class _Handler(BaseHTTPRequestHandler):
    """Speaks for the server of its subclass."""

    state: VideoServer
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        path = urlsplit(self.path)
        with self.state.changed:
            self.state.calls.append((self.command, path.path))
            self.state.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.state.changed.notify_all()
            self.route(path.path, parse_qs(path.query), body)

    do_GET = do_POST = do_DELETE = handle_any

    def route(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
        if path == "/health":
            return self.say(503 if self.state.sick else 200, {})
        if self.state.key and self.headers.get("authorization") != f"Bearer {self.state.key}":
            return self.say(401, {"error": "Unauthorized"})
        if path == "/v1/models":
            return self.say(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        if path.startswith("/v1/videos") and self.state.several_processes:
            return self.say(409, {"detail": "Video routes need a single API server process."})
        if path == "/v1/videos":
            return self.create(body) if self.command == "POST" else self.listed(query)
        video_id, _, rest = path.removeprefix("/v1/videos/").partition("/")
        video = self.state.videos.get(video_id)
        if video is None:
            return self.say(404, {"detail": "Video not found"})
        if rest == "content":
            return self.content(video)
        return self.delete(video) if self.command == "DELETE" else self.retrieve(video)

    def create(self, body: bytes) -> None:
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return self.say(422, {"detail": "a form is needed"})
        fields, files = _form(kind, body)
        if not fields.get("prompt", "").strip():
            return self.say(422 if self.state.dialect == "vllm_omni" else 400, {"detail": "prompt is required"})
        if self.state.dialect == "vllm_omni" and fields.get("model", MODEL) != MODEL:
            return self.say(400, {"detail": "model mismatch"})
        video_id = f"video_gen_{uuid.uuid4().hex}" if self.state.dialect == "vllm_omni" else str(uuid.uuid4())
        video = self.state.videos[video_id] = Video(video_id, fields, files)
        self.state.working += 1
        if self.state.lost_submits:
            self.state.lost_submits -= 1
            self.close_connection = True
            return None
        return self.say(200, self.state.shown(video))

    def listed(self, query: dict[str, list[str]]) -> None:
        found = sorted(self.state.videos.values(), key=lambda video: -video.created_at)
        limit = int(query.get("limit", ["20"])[0])
        data = [self.state.shown(video) for video in found[:limit]]
        self.say(200, {"object": "list", "data": data, "has_more": False, "first_id": None, "last_id": None})

    def retrieve(self, video: Video) -> None:
        if self.state.answers:
            return self.raw(*self.state.answers.pop(0))
        self.state.advance(video)
        failed_here = video.status == "failed" and self.state.dialect == "vllm_omni" and video.error
        return self.say(video.error[0] if failed_here and video.error else 200, self.state.shown(video))

    def content(self, video: Video) -> None:
        if video.status != "completed":
            failed = video.status == "failed" and self.state.dialect == "vllm_omni"
            return self.say(422 if failed else 404, {"detail": "not there"})
        if self.state.link:
            return self.say(400, {"detail": f"Video has been uploaded to cloud storage: {self.state.link}"})
        if self.state.content_redirect:
            self.send_response(302)
            self.send_header("Location", self.state.content_redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        half = self.state.half_files > 0
        self.state.half_files -= half
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(self.state.file)))
        self.end_headers()
        self.wfile.write(self.state.file[: len(self.state.file) // 2] if half else self.state.file)
        self.close_connection = half
        return None

    def delete(self, video: Video) -> None:
        running = video.status not in ("completed", "failed")
        if self.state.dialect == "vllm_omni" and running and video.cancelling < self.state.refused_deletes:
            video.cancelling += 1
            return self.say(409, {"detail": "Video generation is being cancelled"})
        del self.state.videos[video.video_id]
        if self.state.dialect == "vllm_omni":
            self.state.working -= running
            return self.say(200, {"id": video.video_id, "object": "video.deleted", "deleted": True})
        return self.say(200, {**self.state.shown(video), "status": "deleted"})

    def say(self, status: int, value: dict[str, Any]) -> None:
        self.raw(status, json.dumps(value).encode())

    def raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `calls`."""


def _form(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + body
    )
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename():
            files[name] = (part.get_content_type(), data)
        else:
            fields[name] = data.decode()
    return fields, files


@contextmanager
def video_server(dialect: str, **given: Any) -> Iterator[VideoServer]:
    """A running server."""
    server = VideoServer(dialect, **given)
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
