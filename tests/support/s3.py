"""A real S3 server for tests: `rclone serve s3`, one folder a bucket."""

import http.client
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BUCKET = "bucket"


class S3:
    """`settings` are the environment variables with which s3://bucket is this server's; `bucket` is its folder.

    While `down` is set every call is answered with 503 and counted in `refused`.
    """

    def __init__(self, folder: Path) -> None:
        self.bucket = folder / BUCKET
        self.bucket.mkdir(parents=True)
        self.down, self.refused = threading.Event(), threading.Semaphore(0)
        port = _free_port()
        command = [Path(sys.executable).parent / "rclone", "serve", "s3", "--auth-key", "accesskey,secretkey"]
        options = ["--addr", f"127.0.0.1:{port}", "--config", "", "--no-cleanup", str(folder)]
        self._process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        assert any("Starting s3 server" in line for line in self._process.stderr), "rclone did not start"
        self._front = ThreadingHTTPServer(("127.0.0.1", 0), _front_of(port, self.down, self.refused))
        self._thread = threading.Thread(target=self._front.serve_forever, name="s3", daemon=True)
        self._thread.start()
        self.settings = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._front.server_port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "accesskey",
            "AWS_SECRET_ACCESS_KEY": "secretkey",
            "AWS_REGION": "us-east-1",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        }

    def stop(self) -> None:
        self._front.shutdown()
        self._front.server_close()
        self._thread.join()
        self._process.kill()
        self._process.communicate()


def _front_of(port: int, down: threading.Event, refused: threading.Semaphore) -> type[BaseHTTPRequestHandler]:
    """Passes everything on, and puts one thing right: rclone 1.75 answers a range with 200, not 206."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if down.is_set():
                refused.release()
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            behind = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                behind.putheader(name, value)
            behind.endheaders(body)
            answer = behind.getresponse()
            data = answer.read()
            behind.close()
            self.send_response(206 if answer.status == 200 and "Range" in self.headers else answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            if not answer.getheader("Content-Length"):
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read no access log."""

    return Front


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
