"""Files on their way up and down: what a local file is, uploading it, replacing it in a payload, saving artifacts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit
from uuid import uuid4

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._body import FileBody
from gmicloud._internal._core import Core
from gmicloud._internal._media import CONTENT_TYPES, MEDIA_TYPES, file_type, kind_of
from gmicloud._internal._models import GetModelResponse, GetRequestResponse, UploadedFile
from gmicloud._internal._step import Call, Close, Flow, Pause, Stream, chunk
from gmicloud.errors import (
    BadAnswerError,
    DownloadError,
    GmiError,
    InvalidRequestError,
)
from gmicloud.wait import RequestLike, finished

Source = str | Path | bytes | bytearray | BinaryIO


def is_local(value: object) -> bool:
    """Whether a payload value is a file of this machine: bytes, an open file, a Path, or text that names a media file.

    Text counts only with a known media ending, so no other file can leave the machine through a payload.
    """
    if isinstance(value, (bytes, bytearray, os.PathLike)) or hasattr(value, "read"):
        return True
    if not isinstance(value, str) or len(value) > 4096 or "://" in value or value.startswith("data:"):
        return False
    return Path(value).suffix.lower().lstrip(".") in CONTENT_TYPES


def upload(core: Core, source: Source, *, param: str | None = None) -> Flow[UploadedFile]:
    """Send a file to the server and return where it is kept.

    Raises InvalidRequestError when it cannot be read or is not a picture, sound or video the API knows.
    """
    body = _body(source, param)
    if (yield from core.identify()):
        call = requests.post_file(core.routes, body.as_form("file"), key=str(uuid4()))
        return answers.read((yield from core.ask(call)), UploadedFile)
    ending = file_type(body.content_type)
    answer = yield from core.ask(requests.upload_url(core.routes, ending, kind_of(body.content_type)))
    # Upstream signs image/jpg for jpg and insists on it (WIRE 2.7); asking for jpeg avoids the odd name.
    yield from core.ask_openly(requests.put_file(_web_address(answers.read_text(answer, "upload_url")), body))
    public_url = _web_address(answers.read_text(answer, "public_url"))
    return UploadedFile(public_url=public_url, content_type=body.content_type, size_bytes=body.size)


def with_uploads(core: Core, model: str, payload: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """The payload with every local file uploaded and replaced by its URL, where the model's parameter is media.

    Raises InvalidRequestError when a file is missing, is not media, or stands where the model takes none.
    """
    done = dict(payload)
    names = [name for name, value in payload.items() if any(is_local(one) for one in _each(value))]
    if not names:
        return done
    card = yield from card_of(core, model)
    for name in names:
        media = _takes_media(card, name)
        if media is False and all(isinstance(one, str) for one in _each(payload[name])):
            continue  # a prompt may well end in ".mp4"
        if media is False:
            raise InvalidRequestError(f"{name} takes no file", code="invalid_payload", param=name)
        done[name] = yield from _replaced(core, name, payload[name])
    return done


def card_of(core: Core, model: str) -> Flow[GetModelResponse]:
    """The model card, kept for the client's life. Raises NotFoundError with suggestions."""
    if model not in core.cards:
        answer = yield from core.ask(requests.get_model(core.routes, model))
        core.cards[model] = answers.read(answer, GetModelResponse)
    return core.cards[model]


def _replaced(core: Core, name: str, value: Any) -> Flow[Any]:
    if not isinstance(value, (list, tuple)):
        return (yield from upload(core, value, param=name)).public_url
    new: list[Any] = []
    for one in cast("Iterable[Any]", value):
        new.append((yield from upload(core, one, param=name)).public_url if is_local(one) else one)
    return new


def _each(value: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", value) if isinstance(value, (list, tuple)) else (value,)


def _takes_media(card: GetModelResponse, name: str) -> bool | None:
    """Whether a parameter takes media; None when the card does not know it (servers map such names by role)."""
    for parameter in card.parameters:
        if name in (parameter.key, parameter.name):
            return parameter.type in MEDIA_TYPES
    return None


def _body(source: Source, param: str | None) -> FileBody:
    where = param or "file"
    try:
        if isinstance(source, (bytes, bytearray)):
            return _checked(FileBody(bytes(source), "upload"), where)
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            return _checked(FileBody(path, path.name), where)
        name = getattr(source, "name", None)
        return _checked(FileBody(source, Path(name).name if isinstance(name, str) else "upload"), where)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise InvalidRequestError(f"{where}: {source}: {reason}", code="invalid_payload", param=param) from None
    except (TypeError, AttributeError):
        raise InvalidRequestError(
            f"{where} must be a path, bytes or a file opened in binary mode", code="invalid_payload", param=param
        ) from None


def _checked(body: FileBody, where: str) -> FileBody:
    if not body.recognise():
        known = ", ".join(CONTENT_TYPES)
        raise InvalidRequestError(f"{where}: {body.name} is none of {known}", code="invalid_payload", param=where)
    return body


def download(
    core: Core, source: RequestLike, target: str | os.PathLike[str] | None, *, thumbnail: bool, overwrite: bool
) -> Flow[Path]:
    """Save an artifact and return its path; complete or not at all.

    `source` is a request's id or record, or a URL. `target` is a file or a folder; default: the current folder, under
    the request's id. Raises RequestFailedError or RequestCancelledError for a request that made nothing,
    DownloadError for a damaged file, FileExistsError when `overwrite` is false and the target is there.
    """
    if isinstance(source, str) and "://" in source:
        file = _target(target, Path(urlsplit(source).path).name or "download", overwrite)
        return (yield from _fetch(core, _web_address(source), file, {}))
    fresh = not isinstance(source, GetRequestResponse) or not source.is_final
    record = (yield from _record(core, source)) if fresh else cast("GetRequestResponse", source)
    link, facts = _artifact(record, thumbnail)
    file = _target(target, f"{record.request_id}{_ending(link, thumbnail)}", overwrite)
    try:
        return (yield from _fetch(core, link, file, facts))
    except GmiError as error:
        # Links are signed for a while; a record read long ago is read again, once, for a new one.
        if fresh or error.status_code not in (401, 403, 404, 410):
            raise
    link, facts = _artifact((yield from _record(core, record)), thumbnail)
    return (yield from _fetch(core, link, file, facts))


def _record(core: Core, source: RequestLike) -> Flow[GetRequestResponse]:
    request_id = source if isinstance(source, str) else source.request_id
    return answers.read((yield from core.ask(requests.get_request(core.routes, request_id))), GetRequestResponse)


def _artifact(record: GetRequestResponse, thumbnail: bool) -> tuple[str, Mapping[str, Any]]:
    if not record.is_final:
        raise InvalidRequestError(
            f"request {record.request_id} is {record.status}; wait for it first",
            code="not_finished",
            request_id=record.request_id,
        )
    finished(record)
    link = record.thumbnail_url if thumbnail else record.video_url
    if not link:
        what = "thumbnail" if thumbnail else "video"
        raise DownloadError(f"request {record.request_id} has no {what}", request_id=record.request_id)
    facts = [one for one in record.media if one["url"] == link]
    return _web_address(link), facts[0] if facts else {}


def _fetch(core: Core, link: str, file: Path, facts: Mapping[str, Any]) -> Flow[Path]:
    """Stream a link into a temporary file beside the target, check it and rename it."""
    tried = 0
    while True:
        try:
            return (yield from _fetch_once(core, link, file, facts))
        except GmiError as error:
            delay = core.retries.delay(error, tried)
            if delay is None:
                raise
            tried += 1
            yield Pause(delay)


def _fetch_once(core: Core, link: str, file: Path, facts: Mapping[str, Any]) -> Flow[Path]:
    _make_folder(file.parent)
    stream = yield from core.open(Call("GET", link, follow=True, patience=30.0), authorised=False)
    part = file.with_name(f".{file.name[:100]}.{uuid4().hex[:12]}.part")
    try:
        with part.open("xb") as out:
            size, digest = yield from _pour(stream, out)
        _check(stream, size, digest, facts)
        part.replace(file)
    except OSError as error:
        if isinstance(error, GmiError):
            raise
        raise DownloadError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    yield Close(stream)
    return file


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"the folder {folder} cannot be made: {error.strerror}") from None


def _pour(stream: Stream, out: BinaryIO) -> Flow[tuple[int, str]]:
    size, sha = 0, hashlib.sha256()
    while (data := (yield from chunk(stream))) is not None:
        out.write(data)
        sha.update(data)
        size += len(data)
    return size, sha.hexdigest()


def _check(stream: Stream, size: int, digest: str, facts: Mapping[str, Any]) -> None:
    headers = stream.answer.headers
    announced = headers.get("content-length", "") if "content-encoding" not in headers else ""
    sizes = {int(announced)} if announced.isdigit() else set[int]()
    sizes |= {facts["size_bytes"]} if isinstance(facts.get("size_bytes"), int) else set()
    wrong = any(size != one for one in sizes)
    if wrong or (isinstance(facts.get("sha256"), str) and facts["sha256"].lower() != digest):
        raise DownloadError(f"the file from {stream.answer.call.place} arrived damaged", code="damaged", retryable=True)


def _target(target: str | os.PathLike[str] | None, name: str, overwrite: bool) -> Path:
    path = Path(target) if target is not None else Path.cwd()
    if path.is_dir() or (target is not None and str(target).endswith(("/", os.sep))):
        path = path / name
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists already")
    return path


def _ending(link: str, thumbnail: bool) -> str:
    suffix = Path(urlsplit(link).path).suffix.lower()
    return suffix if suffix.lstrip(".") in CONTENT_TYPES else ".jpg" if thumbnail else ".mp4"


def _web_address(link: str) -> str:
    try:
        usable = link.startswith(("http://", "https://")) and bool(urlsplit(link).hostname)
    except ValueError:
        usable = False
    if not usable:
        raise BadAnswerError("a link is not a usable http or https address", code="bad_answer")
    return link
