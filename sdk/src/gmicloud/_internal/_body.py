"""A file on its way to the server: a path, bytes or an open file, sent as often as a retry needs it."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from httpx2 import AsyncByteStream, SyncByteStream

from gmicloud._internal._media import HEAD, content_type_of

CHUNK = 64 * 1024


class FileBody(SyncByteStream, AsyncByteStream):
    """The bytes of one file, bare or as the only part of a multipart form.

    A path is opened for each try. An open file is read from where it stood and left open; one that cannot seek is read
    into memory first.
    """

    def __init__(self, source: Path | bytes | BinaryIO, name: str) -> None:
        self.name = name
        self.content_type = ""
        self._source: Path | BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source
        self._start = 0
        if not isinstance(self._source, Path):
            if not self._source.seekable():
                self._source = io.BytesIO(self._source.read())
            self._start = self._source.tell()
        self.size = self._measure()
        self._before, self._after, self._form = b"", b"", ""

    def recognise(self) -> bool:
        """Set the content type from the first bytes; whether they are those of a known kind of media.

        Raises TypeError for a file opened as text.
        """
        if isinstance(self._source, Path):
            with self._source.open("rb") as file:
                head = file.read(HEAD)
        else:
            head = self._source.read(HEAD)
            self._source.seek(self._start)
        if not isinstance(head, bytes):
            raise TypeError("the file was opened as text")
        self.content_type = content_type_of(head)
        return bool(self.content_type)

    def as_form(self, field: str) -> FileBody:
        """The same file as a multipart form with one field; returns itself."""
        boundary = uuid4().hex
        name = self.name.encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
        self._before = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            f"Content-Type: {self.content_type}\r\n\r\n"
        ).encode()
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self._form = f"multipart/form-data; boundary={boundary}"
        return self

    def headers(self) -> dict[str, str]:
        """Content type and length of what will be sent."""
        length = len(self._before) + self.size + len(self._after)
        return {"Content-Type": self._form or self.content_type, "Content-Length": str(length)}

    def __iter__(self) -> Iterator[bytes]:
        if self._before:
            yield self._before
        if isinstance(self._source, Path):
            with self._source.open("rb") as file:
                yield from iter(lambda: file.read(CHUNK), b"")
        else:
            source = self._source
            source.seek(self._start)
            yield from iter(lambda: source.read(CHUNK), b"")
        if self._after:
            yield self._after

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self:
            yield data

    def _measure(self) -> int:
        if isinstance(self._source, Path):
            return self._source.stat().st_size
        end = self._source.seek(0, os.SEEK_END)
        self._source.seek(self._start)
        return end - self._start
