"""The line between a qworker and its engine child: JSON messages on a socket, frames in a shared ring.

Messages to the child: load-and-generate ("run"), "free" (a slot of that run's ring may be written again), "cancel",
"remembered" (a reference is durable).
From the child: "ready", "open" (frames begin; the ring's memory comes with it), "frame", "progress", "remember",
"done", "error".
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
WHOLE_BYTES = 1 << 30
MIN_SLOTS, MAX_SLOTS = 4, 64


class ChannelClosed(Exception):
    """The other side is gone."""


class Channel:
    """Messages on a connected Unix socket, one JSON object a line. Sending is safe from several threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._descriptors: list[int] = []
        self._sending = threading.Lock()

    def send(self, kind: str, *, descriptor: int | None = None, **fields: Any) -> None:
        """Send a message, and with it an open file where one is given. Raises ChannelClosed."""
        line = orjson.dumps({"kind": kind, **fields}) + b"\n"
        try:
            with self._sending:
                sent = 0 if descriptor is None else socket.send_fds(self._sock, [line], [descriptor])
                self._sock.sendall(line[sent:])
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self, timeout: float | None = None) -> dict[str, Any] | None:
        """The next message, or None if none came in time. Raises ChannelClosed."""
        while b"\n" not in self._buffer:
            self._sock.settimeout(timeout)
            try:
                part, descriptors, _, _ = socket.recv_fds(self._sock, 65536, 1)
            except TimeoutError:
                return None
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            self._descriptors += descriptors
            if not part or len(self._buffer) > MAX_MESSAGE:
                raise ChannelClosed("end of messages")
            self._buffer += part
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return orjson.loads(line)

    def descriptor(self) -> int:
        """The file that came with the last message, the caller's from now on. Raises ChannelClosed without one."""
        if not self._descriptors:
            raise ChannelClosed("a file was announced and did not come")
        return self._descriptors.pop(0)

    def close(self) -> None:
        self._sock.close()
        while self._descriptors:
            os.close(self._descriptors.pop())


class Ring:
    """Frame slots in memory that two processes map. One ring for each run: it lasts as long as anybody reads it."""

    def __init__(self, descriptor: int, slot_bytes: int, slots: int) -> None:
        """Map a file that `make` has made. Raises ValueError for one that is smaller than announced."""
        self._map = mmap.mmap(descriptor, slot_bytes * slots)
        self._slot_bytes = slot_bytes

    @classmethod
    def make(cls, slot_bytes: int, slots: int) -> tuple[Self, int]:
        """A ring, and the descriptor of its memory for the other process; the caller closes that."""
        descriptor = _memory()
        os.ftruncate(descriptor, slot_bytes * slots)
        return cls(descriptor, slot_bytes, slots), descriptor

    @classmethod
    def of(cls, descriptor: int, slot_bytes: int, slots: int) -> Self:
        """The ring that the other process has made. Closes the descriptor. Raises ChannelClosed for a lie about it."""
        try:
            return cls(descriptor, slot_bytes, slots)
        except (ValueError, OSError) as error:
            raise ChannelClosed(f"no ring of {slots} x {slot_bytes} bytes") from error
        finally:
            os.close(descriptor)

    def slot(self, number: int) -> memoryview:
        """The bytes of one slot. They stay readable as long as the view is held, whatever becomes of the ring."""
        start = number * self._slot_bytes
        return memoryview(self._map)[start : start + self._slot_bytes]


def _memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("rushes-frames")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def ring_slots(frame_bytes: int, count: int, *, whole: bool) -> int:
    """How many slots a clip gets: all of it when that is small, at least four.

    `whole` is for an engine that holds a device: up to a gigabyte, so that it never waits for the encoder. One that
    renders on the processors which also encode would gain nothing by it.
    """
    if whole:
        return max(1, min(count, max(MIN_SLOTS, WHOLE_BYTES // frame_bytes)))
    return max(1, min(count, max(MIN_SLOTS, min(MAX_SLOTS, RING_BYTES // frame_bytes))))
