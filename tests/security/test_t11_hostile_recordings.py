"""T11: sound and video are read by one named demuxer, from one file, in a child that can do nothing else."""

import asyncio
import errno
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from rushes.media.confined import confined
from rushes.media.inputs import MediaRefused, check_media, prepare_audio, prepare_clip
from rushes.media.pictures import Unreadable
from support.cpu import cpu_seconds


def movie(path: Path, container: str = "mp4", codec: str = "libx264", size: tuple[int, int] = (64, 48)) -> Path:
    """A second of grey; the tests know it by its sides."""
    with av.open(str(path), "w", format=container) as file:
        video = file.add_stream(codec, rate=24)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        for _ in range(24):
            frame = av.VideoFrame.from_ndarray(np.full((size[1] * 3 // 2, size[0]), 90, np.uint8), format="yuv420p")
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    return path


MEASURED = """
import sys
import rushes.media.decoder as decoder
decoder.main()
with open("/proc/self/status") as status:
    sys.stderr.write(next(line for line in status if line.startswith("VmHWM:")))
"""


def run_child(order: dict[str, Any]) -> tuple[dict[str, Any], float, int]:
    """The child's answer to one order, its CPU seconds, and the most memory it held, in bytes."""
    began = cpu_seconds()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], input=json.dumps(order), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout), cpu_seconds() - began, int(done.stderr.split()[1]) * 1024


LISTS = {
    "concat": b"ffconcat version 1.0\nfile canary.mp4\n",
    "concat by path": b"ffconcat version 1.0\nfile '%s'\n",
    "HLS": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n%s\n#EXT-X-ENDLIST\n",
    "DASH": b"<?xml version='1.0'?><MPD><BaseURL>%s</BaseURL></MPD>",
    "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='%s'/></svg>",
    "subtitles": b"1\n00:00:00,000 --> 00:00:01,000\n{\\an8}<font face='%s'>x</font>\n",
    "image sequence": b"%s-%%03d.png",
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_that_names_another_file_is_refused_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    canary = movie(tmp_path / "canary.mp4", size=(128, 96))
    body = LISTS[name].replace(b"%s", str(canary).encode())
    (tmp_path / "x.mp4").write_bytes(body)
    for kind in ("video", "audio"):
        with pytest.raises(MediaRefused, match=r"Must be .*, got something else"):
            await check_media(tmp_path / "x.mp4", kind, None, "clip")
    if "concat" in name:  # and were it not for the first bytes, the named demuxer would still not follow it
        answer, _, _ = run_child({"do": "check video", "path": str(tmp_path / "x.mp4"), "reader": "mp4"})
        assert set(answer) == {"refused", "why"}


async def test_a_list_behind_the_first_bytes_of_a_video_is_still_refused(tmp_path: Path) -> None:
    canary = movie(tmp_path / "canary.mp4")
    for head in (b"\0\0\0\x18ftypisom", b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", b"ID3\x04\0\0\0\0\0\0", b"OggS\0"):
        (tmp_path / "x").write_bytes(head + b"\nffconcat version 1.0\nfile " + str(canary).encode())
        kind = "audio" if head[:3] in (b"ID3", b"Ogg") else "video"
        with pytest.raises(MediaRefused, match=r"damaged|holds no"):
            await check_media(tmp_path / "x", kind, None, "clip")


async def test_an_attachment_is_neither_read_nor_written(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x"), "w", format="matroska") as file:
        video = file.add_stream("libvpx", rate=24)
        video.width, video.height = 64, 48
        video.pix_fmt = "yuv420p"
        file.add_attachment("../../evil.py", "application/octet-stream", b"import os" * 1000)
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), format="yuv420p")
        file.mux(video.encode(frame))
        file.mux(video.encode(None))
    with pytest.raises(MediaRefused, match="got something else"):
        await check_media(tmp_path / "x", "video", None, "clip")
    body = (tmp_path / "x").read_bytes()
    disguised = body.replace(b"\x42\x82\x88matroska", b"\x42\x82\x84webm\xec\x82\0\0")
    assert disguised != body
    (tmp_path / "x").write_bytes(disguised)
    (tmp_path / "clip").mkdir()
    await prepare_clip(tmp_path / "x", tmp_path / "clip")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["000000.png", "clip", "last.png", "x"]


async def test_a_hundred_and_fifty_thousand_frames_are_too_many(tmp_path: Path) -> None:
    small = movie(tmp_path / "small.mp4", size=(16, 16))
    with av.open(str(small), format="mp4") as given, av.open(str(tmp_path / "x.mp4"), "w", format="mp4") as file:
        video = file.add_stream_from_template(given.streams.video[0])
        bodies = [bytes(packet) for packet in given.demux(video=0) if packet.size]
        for number in range(150_000):
            packet = av.Packet(bodies[0 if number == 0 else 5])
            packet.stream, packet.pts, packet.dts = video, number, number
            packet.duration, packet.time_base, packet.is_keyframe = 1, Fraction(1, 1000), number == 0
            file.mux(packet)
    began = cpu_seconds()
    with pytest.raises(MediaRefused, match="at most 100,000 frames"):
        await check_media(tmp_path / "x.mp4", "video", None, "clip")
    assert cpu_seconds() - began < 5


async def test_hours_of_sound_are_too_long_whatever_the_header_says(tmp_path: Path) -> None:
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x10\0\0\0"
    for claimed in (b"\x10\0\0\0", b"\xff\xff\xff\xff"):
        (tmp_path / "x.wav").write_bytes(head[:-4] + claimed + bytes(14_000_000))
        answer, seconds, memory = run_child({"do": "check audio", "path": str(tmp_path / "x.wav"), "reader": "wav"})
        assert seconds < 5
        assert memory < 300_000_000
        length = answer.get("facts", {}).get("seconds", 0)
        assert length < 1 or "Must last at most 600 s" in answer.get("refused", ""), answer


@pytest.mark.parametrize("rate", [1, 50, 4_000_000_000])
async def test_a_sampling_rate_that_nobody_uses_is_refused(tmp_path: Path, rate: int) -> None:
    fmt = b"\x01\0\x01\0" + rate.to_bytes(4, "little") * 2 + b"\x01\0\x08\0"
    (tmp_path / "x.wav").write_bytes(b"RIFF\0\x10\0\0WAVEfmt \x10\0\0\0" + fmt + b"data\0\x10\0\0" + bytes(4096))
    for reading in (
        check_media(tmp_path / "x.wav", "audio", None, "a"),
        prepare_audio(tmp_path / "x.wav", tmp_path / "o"),
    ):
        with pytest.raises(MediaRefused, match=r"samples a second|damaged"):
            await reading


async def test_sides_beyond_4096_are_refused(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mp4", size=(8192, 16))
    answer, seconds, memory = run_child({"do": "check video", "path": str(path), "reader": "mp4"})
    assert "Must be at most 4096 px a side, got 8192x16" in answer["refused"]
    assert seconds < 5
    assert memory < 300_000_000


async def test_a_frame_that_claims_16383_px_a_side_is_refused(tmp_path: Path) -> None:
    body = bytearray(movie(tmp_path / "x", "webm", "libvpx").read_bytes())
    start = body.index(b"\x9d\x01\x2a") + 3
    body[start : start + 4] = b"\xff\x3f\xff\x3f"
    (tmp_path / "x").write_bytes(body)
    answer, seconds, memory = run_child({"do": "check video", "path": str(tmp_path / "x"), "reader": "webm"})
    assert "refused" in answer
    assert seconds < 5
    assert memory < 300_000_000


async def test_a_codec_outside_the_list_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x.mov"), "w", format="mov") as file:
        video = file.add_stream("qtrle", rate=24)
        video.width, video.height = 64, 48
        video.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        file.mux(video.encode(frame))
        file.mux(video.encode(None))
    with pytest.raises(MediaRefused, match=r"codec \(qtrle\) is not one"):
        await check_media(tmp_path / "x.mov", "video", None, "clip")


async def test_damage_anywhere_never_harms_the_parent(tmp_path: Path) -> None:
    """Every outcome is fine but an exception of another kind."""
    whole = movie(tmp_path / "whole.mp4").read_bytes()
    random = np.random.default_rng(11)
    for number in range(6):
        body = bytearray(whole[: len(whole) - number * 37])
        for place in random.integers(24, len(body), 12):
            body[place] = int(random.integers(256))
        (tmp_path / "x.mp4").write_bytes(body)
        try:
            facts = await check_media(tmp_path / "x.mp4", "video", None, "clip")
            assert 0 < facts.seconds <= 600
        except MediaRefused as refusal:
            assert refusal.fault.param == "clip"


SPY = """
import json, sys
import rushes.media.decoder as decoder
opened = []
watched = ("open", "socket.connect", "subprocess.Popen", "os.exec")
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event in watched else None)
order = json.loads(sys.argv[1])
decoder.confine(order["do"])
opened.clear()
answer = decoder.answer(order)
print(json.dumps([opened, answer]))
"""


@pytest.mark.parametrize("do", ["check video", "write video"])
def test_a_confined_child_opens_what_it_was_given_and_nothing_else(tmp_path: Path, do: str) -> None:
    path = movie(tmp_path / "x.mp4")
    (tmp_path / "clip").mkdir()
    order = {"do": do, "path": str(path), "reader": "mp4", "out": str(tmp_path / "clip")}
    said = subprocess.run([sys.executable, "-c", SPY, json.dumps(order)], capture_output=True, check=True, text=True)
    opened, answer = json.loads(said.stdout)
    assert "facts" in answer
    assert {Path(name).parent for name in opened} <= {tmp_path / "clip"}
    assert len(opened) == (7 if do == "write video" else 0)  # what FFmpeg opens itself is counted in the next test


LIMITED = """
import sys, os
import rushes.media.decoder as decoder
decoder.confine(sys.argv[1])
kept = [open(sys.argv[2], "rb")]
try:
    while len(kept) < 10:
        kept.append(open(sys.argv[2], "rb"))
except OSError as error:
    print(len(kept), error.errno)
kept.clear()
try:
    with open(sys.argv[3], "wb") as file:
        file.write(bytes(1 << 20))
    print("written")
except OSError as error:
    print(error.errno)
try:
    bytearray(2 << 30)
    print("plenty")
except MemoryError:
    print("no memory")
"""


@pytest.mark.parametrize(
    ("mode", "said"), [("check video", ["1 24", str(errno.EFBIG)]), ("write image", ["2 24", "written"])]
)
def test_the_limits_of_the_child_hold(tmp_path: Path, mode: str, said: list[str]) -> None:
    (tmp_path / "x").write_bytes(b"x")
    command = [sys.executable, "-c", LIMITED, mode, str(tmp_path / "x"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout.splitlines() == [*said, "no memory"]


OFFLINE = """
import shutil, socket, subprocess, sys
tool = shutil.which("unshare")
allowed = tool is not None and subprocess.run([tool, "--net", "true"], stderr=subprocess.DEVNULL).returncode == 0
import rushes.media.decoder as decoder
decoder.confine("check video")
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
    print("connected", allowed)
except OSError as error:
    print("unreachable", allowed)
"""


async def test_a_confined_child_has_no_network_where_the_system_allows_it(serve: Any, answer: Any) -> None:
    site = await serve(answer(b"hello"))
    command = [sys.executable, "-c", OFFLINE, str(site.port)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert done.stdout.split() in (["unreachable", "True"], ["unreachable", "False"], ["connected", "False"])
    assert site.connections == (1 if "connected" in done.stdout else 0)


def stuck_order(folder: Path) -> dict[str, Any]:
    """An order that hangs: nobody writes into the pipe that it is told to read."""
    os.mkfifo(folder / "pipe")
    return {"do": "check video", "path": str(folder / "pipe"), "reader": "mp4"}


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "rushes.media.decoder" in child.cmdline()]


async def test_a_child_that_hangs_is_ended_by_the_deadline(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="too long"):
        await confined(stuck_order(tmp_path), deadline=0.3)
    assert children() == []


async def until_started() -> psutil.Process:
    while not (found := children()):
        await asyncio.sleep(0)
    return found[0]


async def test_a_child_that_dies_is_the_fault_of_the_file(tmp_path: Path) -> None:
    reading = asyncio.create_task(confined(stuck_order(tmp_path)))
    child = await until_started()
    child.kill()
    with pytest.raises(Unreadable, match="too much to read"):
        await reading


async def test_a_cancelled_check_leaves_no_child_behind(tmp_path: Path) -> None:
    reading = asyncio.create_task(confined(stuck_order(tmp_path)))
    await until_started()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == []


async def test_the_child_knows_nothing_of_the_server_s_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSHES_DATABASE_URL", "postgresql://secret")
    reading = asyncio.create_task(confined(stuck_order(tmp_path)))
    child = await until_started()
    assert not any(name.startswith("RUSHES") for name in child.environ())
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
