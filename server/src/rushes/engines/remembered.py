"""What an attempt leaves behind for the next one of its request: where it had sent the request, and under which id.

Written before a call that makes work elsewhere, and again when its answer has named the work: a process that dies at
any moment leaves a trace of what it may have begun.
"""

import time
from typing import Any, cast

import orjson

from rushes.engines.engine import Control


class Remembered:
    """The trace of earlier attempts, as far as it leads to this server."""

    def __init__(self, control: Control, server: str) -> None:
        self._control = control
        self._server = server
        found = _read(control.remembered)
        found = found if found.get("server") == server else {}
        self.id: str | None = found.get("id")
        """What the server calls the work."""
        self.sent_at: float | None = found.get("sent_at")
        """When a call was about to be made whose answer may never have come; unix seconds."""
        self.session: str | None = found.get("session")
        """The key under which the call was made, the same for each repetition."""
        self.payload: dict[str, Any] = found.get("payload") or {}
        """What was sent, where that is needed to find it again."""

    def sending(self, session: str | None = None, payload: dict[str, Any] | None = None) -> None:
        """Durable on return: a call that makes work is about to be made."""
        self.id, self.sent_at, self.session, self.payload = None, time.time(), session, payload or {}
        self._write()

    def made(self, remote_id: str) -> None:
        """Durable on return: the work has this id."""
        self.id = remote_id
        self._write()

    def nothing(self) -> None:
        """Durable on return: the call made no work."""
        self.id, self.sent_at, self.session, self.payload = None, None, None, {}
        self._write()

    def _write(self) -> None:
        kept = {
            "server": self._server,
            "id": self.id,
            "sent_at": self.sent_at,
            "session": self.session,
            "payload": self.payload,
        }
        self._control.remember(orjson.dumps(kept).decode())


def _read(text: str | None) -> dict[str, Any]:
    try:
        value: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
