"""Files we keep, on local disk or in an object store, through one interface: complete or absent, never half there."""

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

CHUNK = 1 << 20
_HALF_WRITTEN = re.compile(r".*#\d+")
"""How obstore names a file on local disk until it is complete; its own list does not show them."""


class StorageUnavailable(Exception):
    """The object store does not take or give files now: down, full or not permitted."""


class ObjectMissing(Exception):
    """No object of that name."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a put has made durable."""

    path: str
    size_bytes: int
    sha256: str


class Objects:
    """The object store. `url` empty means a folder on local disk, made if it is not there."""

    def __init__(self, url: str, folder: Path) -> None:
        self._root: Path | None = None
        if url:
            self._store: ObjectStore = from_url(url)
        else:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._root = folder.resolve()
            self._store = LocalStore(self._root, automatic_cleanup=True)

    async def put(self, path: str, file: Path) -> Stored:
        """Store a file under `path`; durable and complete on return. Raises StorageUnavailable."""
        digest, size = await asyncio.to_thread(_digest, file)
        try:
            await obstore.put_async(self._store, path, file)
            if self._root is not None:
                await asyncio.to_thread(_sync, self._root, path)
            else:
                head = await obstore.head_async(self._store, path)
                if head["size"] != size:
                    raise StorageUnavailable(f"the store kept {head['size']} of {size} bytes")
        except (OSError, obstore.exceptions.BaseError) as error:
            raise StorageUnavailable(str(error)) from error
        return Stored(path, size, digest)

    async def size(self, path: str) -> int:
        """Bytes of an object. Raises ObjectMissing, StorageUnavailable."""
        try:
            return (await obstore.head_async(self._store, path))["size"]
        except FileNotFoundError as error:
            raise ObjectMissing(path) from error
        except (OSError, obstore.exceptions.BaseError) as error:
            raise StorageUnavailable(str(error)) from error

    async def read(self, path: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `end`, in chunks. Raises ObjectMissing, StorageUnavailable."""
        stop = await self.size(path) if end is None else end
        while start < stop:
            until = min(start + CHUNK, stop)
            try:
                part = await obstore.get_range_async(self._store, path, start=start, end=until)
            except FileNotFoundError as error:
                raise ObjectMissing(path) from error
            except (OSError, obstore.exceptions.BaseError) as error:
                raise StorageUnavailable(str(error)) from error
            yield bytes(part)
            start = until

    async def fetch(self, path: str, to: Path) -> None:
        """Copy an object to a local file."""
        with to.open("wb") as out:
            async for part in self.read(path):
                out.write(part)

    async def delete(self, path: str) -> None:
        """Remove an object; it may be gone already. Raises StorageUnavailable."""
        try:
            await obstore.delete_async(self._store, path)
        except FileNotFoundError:
            return
        except (OSError, obstore.exceptions.BaseError) as error:
            raise StorageUnavailable(str(error)) from error

    async def paths(self, prefix: str) -> AsyncIterator[tuple[str, float]]:
        """Every object below a prefix: its path and the unix time it was last written. Raises StorageUnavailable."""
        try:
            async for batch in obstore.list(self._store, prefix):
                for entry in batch:
                    yield entry["path"], entry["last_modified"].timestamp()
        except (OSError, obstore.exceptions.BaseError) as error:
            raise StorageUnavailable(str(error)) from error

    async def sweep_half_written(self, before: float) -> int:
        """Remove from local disk what puts that were killed before that unix time left; how many files that were.

        An object store shows nothing of an upload that did not end.
        """
        return 0 if self._root is None else await asyncio.to_thread(_sweep, self._root, before)


def _digest(file: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as source:
        while part := source.read(CHUNK):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def _sweep(root: Path, before: float) -> int:
    count = 0
    for folder, _, names in os.walk(root):
        for name in filter(_HALF_WRITTEN.fullmatch, names):
            path = Path(folder, name)
            with contextlib.suppress(FileNotFoundError):  # its put may end right now
                if path.stat().st_mtime < before:
                    path.unlink()
                    count += 1
    return count


def _sync(root: Path, path: str) -> None:
    """obstore writes a temporary name and renames it, but never calls fsync: do so for the file and its new folders."""
    target = root / path
    for entry in (target, *target.relative_to(root).parents):
        opened = os.open(root / entry, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
