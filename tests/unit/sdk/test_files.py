"""Files up and down, against a scripted server."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from gmicloud import AsyncClient, Client
from gmicloud._internal._body import FileBody
from gmicloud._internal._media import CONTENT_TYPES, content_type_of, file_type, kind_of
from gmicloud.errors import (
    ArtifactExpiredError,
    BadAnswerError,
    DownloadError,
    InvalidRequestError,
    RequestFailedError,
)

from tests.unit.sdk.conftest import KEY, MP4, PNG, Reply, Wire


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / 'a "photo".png'
    file.write_bytes(PNG)
    return file


SOURCES: dict[str, Callable[[Path], Any]] = {
    "path": lambda picture: picture,
    "text": str,
    "bytes": lambda _: PNG,
    "bytearray": lambda _: bytearray(PNG),
    "memory": lambda _: io.BytesIO(PNG),
    "open file": lambda picture: picture.open("rb"),
    "pipe": lambda _: Pipe(PNG),
}


class Pipe(io.RawIOBase):
    """A file that cannot seek."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        taken, self._left = self._left, b""
        return taken


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("ours", [True, False])
def test_every_kind_of_local_file_arrives_whole(
    wire: Wire, client: Client, picture: Path, kind: str, ours: bool
) -> None:
    wire.ours = ours
    source = SOURCES[kind](picture)
    kept = client.upload(source)
    assert wire.files[kept.public_url.rpartition("/")[2]] == PNG
    if hasattr(source, "close"):
        source.close()


async def test_the_async_client_uploads_too(wire: Wire, async_client: AsyncClient, picture: Path) -> None:
    assert (await async_client.upload(picture)).public_url.startswith(wire.url)
    wire.ours = False
    async with AsyncClient(api_key=KEY, base_url=wire.url) as other:
        assert (await other.upload(PNG)).content_type == "image/png"


def test_an_upload_that_fails_is_repeated_from_the_start(wire: Wire, client: Client, picture: Path) -> None:
    wire.script("POST", "/files$", Reply(503, {"error": "Temporarily unavailable"}, {"Retry-After": "0"}))
    with picture.open("rb") as file:
        kept = client.upload(file)
    assert wire.files[str(kept.sha256)] == PNG


def test_the_signed_address_gets_no_credential(wire: Wire, client: Client) -> None:
    wire.ours = False
    client.upload(PNG)
    put = wire.calls[-1]
    assert (put.method, put.headers["content-type"]) == ("PUT", "image/png")
    assert "authorization" not in put.headers


def test_a_large_file_is_sent_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(MP4)
    body = FileBody(file, "video.mp4")
    assert max(len(part) for part in body) <= 64 * 1024
    assert b"".join(body) == MP4
    assert body.headers()["Content-Length"] == str(len(MP4))


@pytest.mark.parametrize("name", ["nothing.png", "folder.png"])
def test_a_file_that_cannot_be_read_names_the_parameter(wire: Wire, client: Client, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InvalidRequestError, match=f"first_frame: .*{name}") as caught:
        client.submit("wan2.7-i2v", prompt="x", first_frame=tmp_path / name)
    assert caught.value.param == "first_frame"
    assert wire.submitted == {}


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh", b"-----BEGIN OPENSSH PRIVATE KEY-----"])
def test_what_is_no_picture_sound_or_video_never_leaves_the_machine(
    wire: Wire, client: Client, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "key.png"
    file.write_bytes(content)
    with pytest.raises(InvalidRequestError, match="none of jpg"):
        client.upload(file)
    assert wire.calls == []


@pytest.mark.parametrize("source", [io.StringIO("text"), 7, None, {"a": 1}])
def test_a_source_of_another_kind_is_refused(client: Client, source: Any) -> None:
    with pytest.raises(InvalidRequestError, match="path, bytes or a file opened in binary mode"):
        client.upload(source)


def sent(wire: Wire) -> dict[str, Any]:
    return json.loads(next(call.body for call in wire.calls if call.path.endswith("/requests")))["payload"]


def test_local_files_in_a_payload_are_replaced_where_the_model_takes_media(
    wire: Wire, client: Client, picture: Path
) -> None:
    url = "https://example.test/other.png"
    client.submit("wan2.7-i2v", prompt="look at this.png", first_frame=str(picture), images=[PNG, url, picture])
    payload = sent(wire)
    assert payload["prompt"] == "look at this.png"
    assert payload["first_frame"].startswith(f"{wire.url}/artifacts/")
    assert payload["images"] == [payload["first_frame"], url, payload["first_frame"]]


def test_a_role_the_card_does_not_name_still_takes_a_file(wire: Wire, client: Client, picture: Path) -> None:
    client.submit("wan2.7-i2v", prompt="x", image=picture)
    assert sent(wire)["image"].startswith(wire.url)


def test_links_and_encoded_pictures_are_left_alone(wire: Wire, client: Client) -> None:
    values = {"first_frame": "https://example.test/a.png", "last_frame": "data:image/png;base64,AAAA.png"}
    values["driving_audio"] = "iVBORw0KGgo" * 1000
    client.submit("wan2.7-i2v", prompt="x", **values)
    assert sent(wire) == {"prompt": "x", **values}
    assert wire.paths() == ["POST /api/v1/ie/requestqueue/apikey/requests"]


def test_text_without_a_media_ending_is_never_a_path(wire: Wire, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(PNG)
    client.submit("wan2.7-i2v", first_frame=str(file))
    assert sent(wire) == {"first_frame": str(file)}


def test_a_file_where_the_model_takes_none_is_refused(wire: Wire, client: Client, picture: Path) -> None:
    with pytest.raises(InvalidRequestError, match="prompt takes no file") as caught:
        client.submit("wan2.7-i2v", prompt=picture)
    assert caught.value.param == "prompt"
    assert "files" not in str(wire.paths())


@pytest.mark.parametrize("thumbnail", [False, True])
def test_a_finished_request_is_saved(wire: Wire, client: Client, tmp_path: Path, thumbnail: bool) -> None:
    wire.plan("r", "success")
    saved = client.download("r", tmp_path / "new" / "file.bin", thumbnail=thumbnail)
    assert saved.read_bytes() == wire.files["thumb.jpg" if thumbnail else "video.mp4"]
    assert [one.name for one in saved.parent.iterdir()] == ["file.bin"]


def test_a_folder_or_nothing_as_target_gets_a_name(
    wire: Wire, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record = client.wait(wire.plan("r", "success"))
    assert client.download(record).name == "r.mp4"
    assert client.download(record, tmp_path, thumbnail=True) == tmp_path / "r.jpg"
    assert client.download(f"{wire.url}/artifacts/video.mp4", f"{tmp_path}/sub/") == tmp_path / "sub" / "video.mp4"


def test_an_artifact_is_fetched_without_a_credential(wire: Wire, client: Client, tmp_path: Path) -> None:
    client.download(wire.plan("r", "success"), tmp_path)
    assert "authorization" not in wire.calls[-1].headers


def test_overwriting_is_refused_only_when_asked(wire: Wire, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(b"old")
    wire.plan("r", "success")
    with pytest.raises(FileExistsError, match=r"video\.mp4"):
        client.download("r", file, overwrite=False)
    assert file.read_bytes() == b"old"
    assert client.download("r", file).read_bytes() == MP4


@pytest.mark.parametrize("damaged", [MP4[:-1], MP4[:-1] + b"!", MP4 + b"more", b""])
def test_a_damaged_file_is_never_left_behind(wire: Wire, tmp_path: Path, damaged: bytes) -> None:
    wire.plan("r", "success")
    wire.files["video.mp4"] = damaged
    file = tmp_path / "video.mp4"
    file.write_bytes(b"old")
    with Client(api_key=KEY, base_url=wire.url, max_retries=0) as client, pytest.raises(DownloadError, match="damaged"):
        client.download("r", file)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"video.mp4": b"old"}


@pytest.mark.parametrize("facts", [{"size_bytes": len(MP4)}, {"size_bytes": len(MP4), "sha256": None}])
def test_a_size_alone_is_checked_too(wire: Wire, tmp_path: Path, facts: dict[str, Any]) -> None:
    link = f"{wire.url}/artifacts/video.mp4"
    wire.plan("r", "success", outcome={"video_url": link, "media_urls": [{"id": "0", "url": link, **facts}]})
    with Client(api_key=KEY, base_url=wire.url, max_retries=0) as client:
        assert client.download("r", tmp_path / "whole.mp4").read_bytes() == MP4
        wire.files["video.mp4"] = MP4[:-1]
        with pytest.raises(DownloadError, match="damaged"):
            client.download("r", tmp_path / "short.mp4")


def test_a_file_damaged_once_is_fetched_again(wire: Wire, client: Client, tmp_path: Path) -> None:
    wire.plan("r", "success")
    wire.script("GET", "video.mp4", Reply(200, MP4[:100]))
    assert client.download("r", tmp_path / "v.mp4").read_bytes() == MP4


def test_a_link_that_expired_is_asked_for_again_once(wire: Wire, client: Client, tmp_path: Path) -> None:
    record = client.wait(wire.plan("r", "success"))
    wire.script("GET", "video.mp4", Reply(403, {"error": "link expired"}))
    assert client.download(record, tmp_path / "v.mp4").read_bytes() == MP4
    gone = Reply(410, {"error": "Artifact expired", "code": "artifact_expired"})
    wire.script("GET", "video.mp4", gone, gone)
    with pytest.raises(ArtifactExpiredError):
        client.download(record, tmp_path / "v.mp4")


def test_a_request_without_a_result_says_why(wire: Wire, client: Client, tmp_path: Path) -> None:
    wire.plan("running", "processing")
    with pytest.raises(InvalidRequestError, match="wait for it first"):
        client.download("running", tmp_path)
    wire.plan("failed", "failed")
    with pytest.raises(RequestFailedError, match="out of memory"):
        client.download("failed", tmp_path)
    wire.plan("bare", "success", outcome={"video_url": "https://example.test/v.mp4"})
    with pytest.raises(DownloadError, match="no thumbnail"):
        client.download("bare", tmp_path, thumbnail=True)


def test_a_link_that_is_no_web_address_is_not_followed(wire: Wire, client: Client, tmp_path: Path) -> None:
    wire.plan("r", "success", outcome={"video_url": "file:///etc/passwd"})
    with pytest.raises(BadAnswerError, match="not a usable http"):
        client.download("r", tmp_path)


def test_a_target_that_cannot_be_written_is_a_typed_error(wire: Wire, client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="cannot be made"):
        client.download(wire.plan("r", "success"), tmp_path / "file" / "video.mp4")


async def test_the_async_client_saves_too(wire: Wire, async_client: AsyncClient, tmp_path: Path) -> None:
    saved = await async_client.download(wire.plan("r", "success"), tmp_path / "v.mp4")
    assert saved.read_bytes() == MP4


HEADS = {
    "jpeg": b"\xff\xd8\xff\xe0",
    "png": PNG,
    "gif": b"GIF89a",
    "bmp": b"BM1234",
    "webp": b"RIFF1234WEBPVP8 ",
    "wav": b"RIFF1234WAVEfmt ",
    "mp4": MP4,
    "mov": b"\0\0\0\x14ftypqt  ",
    "m4a": b"\0\0\0\x14ftypM4A ",
    "webm": b"\x1aE\xdf\xa3",
    "mp3": b"ID3\x04",
    "ogg": b"OggS",
    "flac": b"fLaC",
}


@pytest.mark.parametrize("ending", HEADS)
def test_each_kind_is_told_by_its_first_bytes(ending: str) -> None:
    assert content_type_of(HEADS[ending][:16]) == CONTENT_TYPES[ending]
    assert file_type(CONTENT_TYPES[ending]) == ending
    assert kind_of(CONTENT_TYPES[ending]) in ("image", "audio", "video")


@pytest.mark.parametrize("head", [b"", b"R", b"\xff", b"RIFF", b"<svg xmlns", b"%PDF-1.7", b"PK\x03\x04", b"\xff\xfe"])
def test_other_files_are_none_of_them(head: bytes) -> None:
    assert content_type_of(head) == ""


def test_a_bare_mp3_frame_is_sound() -> None:
    assert content_type_of(b"\xff\xfb\x90\x00") == "audio/mpeg"


def test_an_open_file_is_read_from_where_it_stands() -> None:
    file: BinaryIO = io.BytesIO(b"skip" + PNG)
    file.seek(4)
    body = FileBody(file, "x")
    assert body.recognise()
    assert b"".join(body) == PNG
    assert b"".join(body) == PNG
