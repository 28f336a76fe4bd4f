"""The line between a qworker and its engine child: JSON messages on a socket, frames in a shared ring.

Messages to the child: load-and-generate ("run"), "free" (a slot of the ring may be written again), "cancel",
"remembered" (a reference is durable).
From the child: "ready", "open" (frames begin), "frame", "progress", "remember", "done", "error".
"""

import mmap
import os
import socket
import tempfile
import threading
from typing import Any, Self

import orjson

MAX_MESSAGE = 4 << 20
RING_BYTES = 64 << 20
MIN_SLOTS, MAX_SLOTS = 4, 64


class ChannelClosed(Exception):
    """The other side is gone."""


class Channel:
    """Messages on a connected stream socket, one JSON object a line. Sending is safe from several threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._sending = threading.Lock()

    def send(self, kind: str, **fields: Any) -> None:
        """Raises ChannelClosed."""
        line = orjson.dumps({"kind": kind, **fields}) + b"\n"
        try:
            with self._sending:
                self._sock.sendall(line)
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self, timeout: float | None = None) -> dict[str, Any] | None:
        """The next message, or None if none came in time. Raises ChannelClosed."""
        while b"\n" not in self._buffer:
            self._sock.settimeout(timeout)
            try:
                part = self._sock.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            if not part or len(self._buffer) > MAX_MESSAGE:
                raise ChannelClosed("end of messages")
            self._buffer += part
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return orjson.loads(line)

    def close(self) -> None:
        self._sock.close()


class Ring:
    """A ring of frame slots in memory that both processes map; the child gets the parent's by descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._map: mmap.mmap | None = None
        self._slot_bytes = 0

    @classmethod
    def make(cls) -> Self:
        if hasattr(os, "memfd_create"):
            return cls(os.memfd_create("rushes-frames"))
        with tempfile.TemporaryFile() as file:
            return cls(os.dup(file.fileno()))

    def resize(self, slot_bytes: int, slots: int) -> None:
        """Parent and child call this before the first frame, with the same numbers; the parent first."""
        self.unmap()
        total = slot_bytes * slots
        if os.fstat(self.descriptor).st_size < total:
            os.ftruncate(self.descriptor, total)
        self._map = mmap.mmap(self.descriptor, total)
        self._slot_bytes = slot_bytes

    def slot(self, number: int) -> memoryview:
        """The bytes of one slot."""
        if self._map is None:
            raise ChannelClosed("the ring has no size yet")
        start = number * self._slot_bytes
        return memoryview(self._map)[start : start + self._slot_bytes]

    def unmap(self) -> None:
        """Let go of the memory. Views that are still held keep it alive."""
        self._map = None

    def close(self) -> None:
        self.unmap()
        os.close(self.descriptor)


def ring_slots(frame_bytes: int, count: int) -> int:
    """How many slots a clip gets: all of it when that is small, at least four."""
    return max(1, min(count, max(MIN_SLOTS, min(MAX_SLOTS, RING_BYTES // frame_bytes))))
