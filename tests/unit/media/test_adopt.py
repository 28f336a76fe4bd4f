"""adopt: a remote engine's video is remade by us, or refused."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from rushes.media import remux
from rushes.media.adopt import adopt_video
from rushes.media.probe import NotAsPlanned, probe


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libx264", "mov"), ("libvpx-vp9", "webm")])
async def test_a_video_is_remade_with_the_same_frames(tmp_path: Path, a_movie: Any, codec: str, container: str) -> None:
    given = a_movie(tmp_path / "given", codec=codec, container=container, count=48, sound=container == "mp4")
    out = tmp_path / "video.mp4"
    facts, glimpses = await adopt_video(given, out, comment="rushes, engine gmi\nmodel x")
    assert facts == probe(out)
    assert (facts.frames, facts.width, facts.height, facts.moov_first) == (48, 64, 48, True)
    assert facts.seconds == pytest.approx(2.0, abs=0.02)
    assert (facts.audio is not None) == (container == "mp4")
    assert facts.comment == "rushes, engine gmi model x"
    assert [(glimpse.kind, glimpse.width, glimpse.height) for glimpse in glimpses] == [
        (kind, 64, 48) for kind in ("thumbnail", "first_frame", "last_frame", "preview")
    ]
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
    await adopt_video(tmp_path / "tagged.mp4", tmp_path / "out.mp4", comment="ours")
    assert b"secret" not in (tmp_path / "out.mp4").read_bytes()


def indexed_first(path: Path) -> bytes:
    """The first half of a video whose index is whole: it says that the other half is there, too."""
    out = path.with_name("indexed")
    with av.open(str(path)) as source, av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                file.mux(packet)
    data = out.read_bytes()
    media = data.index(b"mdat")
    return data[: media + (len(data) - media) // 2]


async def test_the_pictures_are_those_of_the_frames(tmp_path: Path, a_movie: Any) -> None:
    """Frame i of 48 is grey of level 20 + 4 i."""
    await adopt_video(a_movie(tmp_path / "given", count=48), tmp_path / "video.mp4", comment="")
    for name, number in (("first_frame.jpg", 0), ("thumbnail.jpg", 19), ("last_frame.jpg", 47)):
        with Image.open(tmp_path / name, formats=["JPEG"]) as picture:
            grey = np.array(picture)[40, 40].astype(int)
        assert np.abs(grey - (20 + 4 * number - 16) * 255 / 219).max() <= 6, name
    with Image.open(tmp_path / "preview.webp", formats=["WEBP"]) as preview:
        assert preview.n_frames == 16


async def test_of_a_very_long_video_only_three_frames_are_decoded(
    tmp_path: Path, a_movie: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, for the limit lies in the child's."""
    monkeypatch.setattr(remux, "LOOKED_AT", 64 * 48 * 47)
    given = a_movie(tmp_path / "given", count=48)
    _, glimpses = remux.remade(given, tmp_path / "video.mp4", demuxer="mp4", comment="")
    assert [glimpse.kind for glimpse in glimpses] == ["thumbnail", "first_frame", "last_frame"]
    with Image.open(tmp_path / "last_frame.jpg", formats=["JPEG"]) as picture:
        assert np.abs(np.array(picture)[40, 40].astype(int) - (20 + 4 * 47 - 16) * 255 / 219).max() <= 6


async def test_what_is_no_video_is_refused_and_leaves_nothing(tmp_path: Path, a_movie: Any, a_recording: Any) -> None:
    whole = a_movie(tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "html").write_bytes(b"<html>Bad gateway</html>")
    a_recording(tmp_path / "sound", "aac", "mp4")
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "half").write_bytes(indexed_first(a_movie(tmp_path / "long", count=96)))
    for name, said in (("cut", "damaged"), ("half", "damaged"), ("html", "not a video"), ("sound", "holds no video")):
        with pytest.raises(NotAsPlanned, match=said):
            await adopt_video(tmp_path / name, out / "video.mp4", comment="")
        assert list(out.iterdir()) == []


async def test_a_disk_that_refuses_is_an_os_error(tmp_path: Path, a_movie: Any) -> None:
    with pytest.raises(OSError, match="No such file"):
        await adopt_video(a_movie(tmp_path / "x"), tmp_path / "none" / "v.mp4", comment="")
