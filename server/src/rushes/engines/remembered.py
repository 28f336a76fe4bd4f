"""What an attempt leaves behind for the next one of its request: where it had sent the request, and under which id.

Written before a call that makes work elsewhere, and again when its answer has named the work: a process that dies at
any moment leaves a trace of what it may have begun.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, cast

import orjson

from rushes.engines.engine import Alive, Control, EngineLost

SEARCHED_SECONDS = 600.0
"""How long after a call its work may still come into a server's list."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of work at one server."""

    server: str
    id: str | None = None
    """What the server calls the work."""
    sent_at: float | None = None
    """When a call was about to be made whose answer may never have come; unix seconds."""
    session: str | None = None
    """The key under which the call was made, the same for each repetition."""
    model: str = ""
    """The server's name of the model, where that is needed to find the work again."""
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What was sent, as far as it is needed for that; nothing once there is an id."""

    @classmethod
    def read(cls, text: str | None, server: str) -> Self | None:
        """The trace in a remembered text, an empty one in an empty text; None where it leads to another server."""
        found = _read(text)
        if found.get("server", server) != server:
            return None
        return cls(
            server,
            found.get("id"),
            found.get("sent_at"),
            found.get("session"),
            found.get("model") or "",
            found.get("payload") or {},
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was begun at this server."""
        return self.id is None and self.sent_at is None


class Remembered:
    """The trace of earlier attempts, as far as it leads to this server."""

    def __init__(self, control: Control, server: str) -> None:
        self._control = control
        self._server = server
        self.trace = Trace.read(control.remembered, server) or Trace(server)

    def sending(self, session: str | None = None, model: str = "", payload: Mapping[str, Any] | None = None) -> None:
        """Durable on return: a call that makes work is about to be made."""
        self._keep(Trace(self._server, None, time.time(), session, model, payload or {}))

    def made(self, remote_id: str) -> None:
        """Durable on return: the work has this id."""
        self._keep(Trace(self._server, remote_id, self.trace.sent_at, self.trace.session))

    def nothing(self) -> None:
        """Durable on return: nothing is left there, or the call made no work."""
        self._keep(Trace(self._server))

    def _keep(self, trace: Trace) -> None:
        self.trace = trace
        self._control.remember("" if trace.is_empty else orjson.dumps(asdict(trace)).decode())


async def searched(trace: Trace, search: Callable[[], Awaitable[str | None]], alive: Alive) -> str | None:
    """The id of work that was begun without one, as `search` finds it at the server; None where that stays unknown.

    What a request that goes on means, or may be about to mean, is not found: such a request has left its trace before
    its work could come into any list, so those `alive` are asked for after the search.

    Raises EngineLost while the work may still appear, and whatever the search raises.
    """
    found = await search()
    if found is not None and not _may_mean(await alive(), found, trace):
        return found
    if time.time() < (trace.sent_at or 0.0) + SEARCHED_SECONDS:
        raise EngineLost("What was begun is not in the server's list, or cannot be told from what others have begun")
    return None


def _may_mean(refs: Iterable[str], found: str, trace: Trace) -> bool:
    others = [other for ref in refs if (other := Trace.read(ref, trace.server)) and not other.is_empty]
    return any(other.id == found if other.id is not None else other.payload in ({}, trace.payload) for other in others)


def _read(text: str | None) -> dict[str, Any]:
    try:
        value: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
