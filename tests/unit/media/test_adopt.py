"""adopt: a remote engine's video is remade by us, or refused."""

from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image
from rushes.media.adopt import adopt_video
from rushes.media.probe import NotAsPlanned, probe


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libx264", "mov"), ("libvpx-vp9", "webm")])
async def test_a_video_is_remade_with_the_same_frames(tmp_path: Path, a_movie: Any, codec: str, container: str) -> None:
    given = a_movie(tmp_path / "given", codec=codec, container=container, count=48, sound=container == "mp4")
    out, thumbnail = tmp_path / "video.mp4", tmp_path / "thumbnail.jpg"
    facts = await adopt_video(given, out, thumbnail, comment="rushes, engine gmi\nmodel x")
    assert facts == probe(out)
    assert (facts.frames, facts.width, facts.height, facts.moov_first) == (48, 64, 48, True)
    assert facts.seconds == pytest.approx(2.0, abs=0.02)
    assert (facts.audio is not None) == (container == "mp4")
    assert facts.comment == "rushes, engine gmi model x"
    with Image.open(thumbnail, formats=["JPEG"]) as picture:
        assert picture.size == (64, 48)
    with av.open(str(given)) as first, av.open(str(out)) as second:
        for before, after in zip(first.decode(video=0), second.decode(video=0), strict=True):
            assert (before.to_ndarray() == after.to_ndarray()).all()


async def test_tags_of_the_sender_do_not_survive(tmp_path: Path, a_movie: Any) -> None:
    given = a_movie(tmp_path / "given")
    with av.open(str(given)) as source, av.open(str(tmp_path / "tagged.mp4"), "w") as file:
        file.metadata.update({"title": "secret title", "comment": "secret comment", "artist": "secret artist"})
        stream = file.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                file.mux(packet)
    assert b"secret" in (tmp_path / "tagged.mp4").read_bytes()
    await adopt_video(tmp_path / "tagged.mp4", tmp_path / "out.mp4", tmp_path / "t.jpg", comment="ours")
    assert b"secret" not in (tmp_path / "out.mp4").read_bytes()


async def test_what_is_no_video_is_refused_and_leaves_nothing(tmp_path: Path, a_movie: Any, a_recording: Any) -> None:
    whole = a_movie(tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "html").write_bytes(b"<html>Bad gateway</html>")
    a_recording(tmp_path / "sound", "aac", "mp4")
    out = tmp_path / "out"
    out.mkdir()
    for name, said in (("cut", "damaged"), ("html", "not a video"), ("sound", "holds no video")):
        with pytest.raises(NotAsPlanned, match=said):
            await adopt_video(tmp_path / name, out / "video.mp4", out / "t.jpg", comment="")
        assert list(out.iterdir()) == []


async def test_a_disk_that_refuses_is_an_os_error(tmp_path: Path, a_movie: Any) -> None:
    with pytest.raises(OSError, match="No such file"):
        await adopt_video(a_movie(tmp_path / "x"), tmp_path / "none" / "v.mp4", tmp_path / "t.jpg", comment="")
