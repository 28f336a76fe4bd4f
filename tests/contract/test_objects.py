"""One suite for every object store: complete or absent, never half there. On disk, and on a real S3 server."""

import asyncio
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rushes.artifacts.objects import CHUNK, ObjectMissing, Objects, StorageUnavailable
from support.s3 import BUCKET, S3

DATA = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    server = S3(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    if request.param == "disk":
        return Objects("", tmp_path / "objects")
    server: S3 = request.getfixturevalue("s3")
    for name, value in server.settings.items():
        monkeypatch.setenv(name, value)
    return Objects(f"s3://{BUCKET}", tmp_path / "unused")


@pytest.fixture
def source(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes a local file to store."""

    def make(data: bytes = DATA) -> Path:
        path = tmp_path / f"source-{len(data)}"
        path.write_bytes(data)
        return path

    return make


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A path that no other test of the module uses."""
    return f"artifacts/{abs(hash(request.node.nodeid))}/1/video.mp4"


async def content(objects: Objects, path: str, *span: int) -> bytes:
    return b"".join([part async for part in objects.read(path, *span)])


async def test_what_was_put_is_read_back_whole(objects: Objects, source: Callable[..., Path], name: str) -> None:
    stored = await objects.put(name, source())
    assert (stored.path, stored.size_bytes, stored.sha256) == (name, len(DATA), hashlib.sha256(DATA).hexdigest())
    assert await objects.size(name) == len(DATA)
    assert await content(objects, name) == DATA


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 12 * CHUNK])
async def test_objects_of_any_size(objects: Objects, source: Callable[..., Path], name: str, size: int) -> None:
    data = os.urandom(size)
    stored = await objects.put(name, source(data))
    assert (stored.size_bytes, stored.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert await content(objects, name) == data


async def test_a_part_is_read_without_the_rest(objects: Objects, source: Callable[..., Path], name: str) -> None:
    await objects.put(name, source())
    assert await content(objects, name, 10, 20) == DATA[10:20]
    assert await content(objects, name, len(DATA) - 3) == DATA[-3:]
    assert await content(objects, name, 5, 5) == b""


async def test_a_second_put_replaces_the_first(objects: Objects, source: Callable[..., Path], name: str) -> None:
    await objects.put(name, source())
    await objects.put(name, source(b"another"))
    assert await content(objects, name) == b"another"


async def test_what_is_not_there_says_so(objects: Objects, name: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        await objects.size(name)
    with pytest.raises(ObjectMissing):
        await content(objects, name, 0, 10)
    with pytest.raises(ObjectMissing):
        await objects.fetch(name, tmp_path / "copy")
    await objects.delete(name)


async def test_a_deleted_object_is_gone(objects: Objects, source: Callable[..., Path], name: str) -> None:
    await objects.put(name, source())
    await objects.delete(name)
    with pytest.raises(ObjectMissing):
        await objects.size(name)


async def test_a_copy_is_the_same(objects: Objects, source: Callable[..., Path], name: str, tmp_path: Path) -> None:
    await objects.put(name, source())
    await objects.fetch(name, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


async def test_a_list_names_everything_below_a_prefix_with_its_age(
    objects: Objects, source: Callable[..., Path], name: str
) -> None:
    prefix = name.removesuffix("/1/video.mp4")
    names = {f"{prefix}/{number}/video.mp4" for number in range(5)}
    for one in names:
        await objects.put(one, source(b"x"))
    await objects.put(f"{prefix}-other/video.mp4", source(b"x"))
    listed = {path: written async for path, written in objects.paths(prefix)}
    assert set(listed) == names
    assert all(abs(time.time() - written) < 60 for written in listed.values())


async def test_puts_at_the_same_time_do_not_mix(objects: Objects, source: Callable[..., Path], name: str) -> None:
    files = {size: source(bytes([size % 256]) * (200_000 + size)) for size in range(8)}
    await asyncio.gather(*(objects.put(f"{name}-{size}", file) for size, file in files.items()))
    for size, file in files.items():
        assert await content(objects, f"{name}-{size}") == file.read_bytes()


@pytest.mark.parametrize("path", ["../outside", "artifacts/../../outside", "artifacts//x"])
async def test_no_path_leads_out(objects: Objects, source: Callable[..., Path], path: str, tmp_path: Path) -> None:
    with pytest.raises((StorageUnavailable, ValueError)):
        await objects.put(path, source())
    assert not (tmp_path / "outside").exists()


# -- what differs -----------------------------------------------------------------------------------------------------


async def test_an_s3_server_that_is_gone_is_unavailable(
    tmp_path: Path, source: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = S3(tmp_path / "s3")
    for setting, value in server.settings.items():
        monkeypatch.setenv(setting, value)
    objects = Objects(f"s3://{BUCKET}", tmp_path / "unused")
    await objects.put("artifacts/x", source())
    server.stop()
    with pytest.raises(StorageUnavailable):
        async with asyncio.timeout(50):
            await objects.size("artifacts/x")


PUT = """
import asyncio, sys
from pathlib import Path
from rushes.artifacts.objects import Objects
objects = Objects("", Path(sys.argv[1]))
print("ready", flush=True)
while True:
    asyncio.run(objects.put("artifacts/1/video.mp4", Path(sys.argv[2])))
"""


async def test_a_put_that_is_killed_leaves_nothing_that_can_be_read_but_a_whole_object(
    tmp_path: Path, source: Callable[..., Path]
) -> None:
    """Crash row 7; what is left half-written is swept later."""
    file = source(os.urandom(30 * CHUNK))
    objects = Objects("", tmp_path / "objects")
    for _ in range(5):
        command = [sys.executable, "-c", PUT, tmp_path / "objects", file]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as putting:
            assert putting.stdout is not None
            putting.stdout.readline()
            wait_for_any_file(tmp_path / "objects")
            putting.send_signal(signal.SIGKILL)
        listed = [path async for path, _ in objects.paths("artifacts")]
        assert listed in ([], ["artifacts/1/video.mp4"])
        for path in listed:
            assert await content(objects, path) == file.read_bytes()
            await objects.delete(path)
        await objects.sweep_half_written(time.time() + 1)
        assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def wait_for_any_file(folder: Path) -> None:
    while not any(path.is_file() for path in folder.rglob("*")):
        os.sched_yield()


async def test_a_full_disk_is_unavailable_and_leaves_nothing(tmp_path: Path, source: Callable[..., Path]) -> None:
    """The limit on file sizes fails writes in the way a full disk does."""
    file = source(os.urandom(2 * CHUNK))
    objects = Objects("", tmp_path / "objects")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, before[1]))
    try:
        with pytest.raises(StorageUnavailable):
            await objects.put("artifacts/1/video.mp4", file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path async for path, _ in objects.paths("artifacts")] == []
