"""Files a customer gives us: checked before they are kept, kept once per organisation, found by URL or id."""

import asyncio
import hashlib
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from rushes.artifacts.links import Links
from rushes.artifacts.objects import Objects
from rushes.domain.errors import ApiError, InvalidPayload
from rushes.domain.model_card import MediaLimits, MediaType
from rushes.media.inputs import MediaFacts, MediaRefused, check_media, decode_base64, looks_like_base64, max_bytes
from rushes.media.inputs import parse_data_uri as read_data_uri
from rushes.media.limits import judge_facts, judge_format, refuse
from rushes.media.sniff import FORMATS, HEAD_BYTES, named, sniff
from rushes.store.files import File, Files

_ENDINGS = {kind.content_type: kind.name for kind in FORMATS.values()}

DECODERS = 2
"""Confined children that may look into customers' files at once."""
UPLOAD_SECONDS = 899
"""How long a place for an upload waits for its bytes (the documented figure)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to PUT a file, and where it can be read afterwards."""

    upload_url: str
    public_url: str
    expires_at: int


class Uploads:
    """The use cases of customers' files. `now` is a clock in unix seconds."""

    def __init__(
        self,
        files: Files,
        objects: Objects,
        links: Links,
        *,
        scratch: Path,
        keep: timedelta,
        now: Callable[[], float],
    ) -> None:
        self._files = files
        self._objects = objects
        self._links = links
        self._scratch = scratch
        self._keep = keep
        self._now = now
        self._decoding = asyncio.Semaphore(DECODERS)

    def public_url(self, file: File) -> str:
        """The stable address of a file: no credential, not guessable."""
        return f"{self._links.public_url}/files/{file.token}/{file.kind}.{_ENDINGS.get(file.content_type, 'bin')}"

    async def place(self, org_id: UUID, file_type: str) -> Place:
        """A place for one upload by signed PUT. Raises ApiError 400 for a type we do not take."""
        kind = named(file_type)
        if kind is None:
            raise ApiError(
                "invalid_request", f"Invalid file_type {file_type[:20]!r}, such files are not taken", param="file_type"
            )
        file = await self._files.add(self._row(org_id, kind.kind, kind.content_type), self._keep)
        expires = int(self._now()) + UPLOAD_SECONDS
        upload_url = self._links.sign(f"/uploads/{file.file_id}", method="PUT", expires=expires)
        return Place(upload_url, self.public_url(file), expires)

    async def fill(self, file: File, body: Path) -> File:
        """The bytes of a place have come. Raises MediaRefused for what is no media file of ours."""
        facts = await self._judged(body)
        stored = await self._objects.put(file.path, body)
        filled = await self._files.fill(
            file.file_id,
            kind=facts.kind,
            content_type=facts.content_type,
            path=stored.path,
            size_bytes=stored.size_bytes,
            facts=asdict(facts),
        )
        return filled or file

    async def store(self, org_id: UUID, body: Path) -> File:
        """Keep a file; the one that is there if this organisation has the same bytes. Raises MediaRefused."""
        facts = await self._judged(body)
        return await self._kept(org_id, body, facts)

    async def store_inline(
        self, org_id: UUID, text: str, *, kind: MediaType, limits: MediaLimits | None, field: str, dry_run: bool
    ) -> File | None:
        """Keep the media inside a payload (data URI or raw base64); a dry run checks it and keeps nothing.

        Raises InvalidPayload.
        """
        try:
            most = max_bytes(kind, limits)
            if text[:5].lower() == "data:":
                data = read_data_uri(text, max_bytes=most, field=field)
            elif looks_like_base64(text):
                data = decode_base64(text, max_bytes=most, field=field)
            else:
                raise refuse(field, "Must be a URL, a data URI or an uploaded file", given=text[:60])
            with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
                body = Path(folder) / "input"
                await asyncio.to_thread(body.write_bytes, data)
                async with self._decoding:
                    facts = await check_media(body, kind, limits, field)
                return None if dry_run else await self._kept(org_id, body, facts)
        except MediaRefused as error:
            raise InvalidPayload([error.fault]) from error

    def judge(self, file: File, kind: MediaType, limits: MediaLimits | None, field: str) -> None:
        """Whether a stored file keeps to a parameter's limits. Raises InvalidPayload."""
        facts = MediaFacts(**file.facts)
        try:
            judge_format(named(facts.format), kind, limits, field)
            judge_facts(facts, limits, field)
        except MediaRefused as error:
            raise InvalidPayload([error.fault]) from error

    async def delete(self, org_id: UUID, file_id: UUID) -> File | None:
        """Forget a file and its bytes; None if that organisation has no such file."""
        file = await self._files.delete(org_id, file_id)
        if file is not None:
            await self._objects.delete(file.path)
        return file

    async def _judged(self, body: Path) -> MediaFacts:
        found = sniff(await asyncio.to_thread(_head, body))
        async with self._decoding:
            return await check_media(body, found.kind if found else "image", None, "file")

    async def _kept(self, org_id: UUID, body: Path, facts: MediaFacts) -> File:
        digest = await asyncio.to_thread(_digest, body)
        known = await self._files.same_bytes(org_id, digest)
        if known is not None:
            return known
        row = self._row(org_id, facts.kind, facts.content_type)
        stored = await self._objects.put(row.path, body)
        return await self._files.add(
            replace(row, stored=True, facts=asdict(facts), size_bytes=stored.size_bytes, sha256=stored.sha256),
            self._keep,
        )

    def _row(self, org_id: UUID, kind: str, content_type: str) -> File:
        file_id = uuid4()
        return File(
            file_id=file_id,
            org_id=org_id,
            token=secrets.token_urlsafe(24),
            kind=kind,
            content_type=content_type,
            path=f"files/{org_id}/{file_id}",
            size_bytes=None,
            sha256=None,
            facts={},
            created_at=datetime.fromtimestamp(self._now(), UTC),
            expires_at=None,
            stored=False,
        )


def _digest(body: Path) -> str:
    with body.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _head(body: Path) -> bytes:
    with body.open("rb") as opened:
        return opened.read(HEAD_BYTES)
