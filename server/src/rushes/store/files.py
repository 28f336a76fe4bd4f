"""Uploaded files, and the artifacts that links lead to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries
from rushes.store.records import dump, parse

_sql = load_queries("files")


@dataclass(frozen=True, slots=True)
class File:
    """One uploaded file. `stored` is False for a place whose bytes have not come."""

    file_id: UUID
    org_id: UUID
    token: str
    kind: str
    content_type: str
    path: str
    size_bytes: int | None
    sha256: str | None
    facts: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime | None
    stored: bool

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            file_id=row["file_id"],
            org_id=row["org_id"],
            token=row["token"],
            kind=row["kind"],
            content_type=row["content_type"],
            path=row["path"],
            size_bytes=row["size_bytes"],
            sha256=row["sha256"],
            facts=parse(row["facts"]),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            stored=row["stored_at"] is not None,
        )


class Files:
    """Everything the store knows about files. Methods that take an organisation see its files only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: File, keep: timedelta) -> File:
        """Keep a file row; the one that is there if the organisation has the same bytes already."""
        async with self._database.connection() as connection:
            row = await _sql.add_file(
                connection,
                file_id=file.file_id,
                org_id=file.org_id,
                token=file.token,
                kind=file.kind,
                content_type=file.content_type,
                path=file.path,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                facts=dump(file.facts),
                stored=file.stored,
                keep=keep,
            )
        return File.of(row)

    async def same_bytes(self, org_id: UUID, sha256: str) -> File | None:
        return await self._one("same_bytes", org_id=org_id, sha256=sha256)

    async def fill(
        self, file_id: UUID, *, kind: str, content_type: str, path: str, size_bytes: int, facts: Mapping[str, Any]
    ) -> File | None:
        """The bytes of a place have come; None if it was filled before."""
        return await self._one(
            "fill_file",
            file_id=file_id,
            kind=kind,
            content_type=content_type,
            path=path,
            size_bytes=size_bytes,
            facts=dump(facts),
        )

    async def place(self, file_id: UUID) -> File | None:
        """A file or a place for one, of any organisation: for signed uploads only."""
        return await self._one("file_place", file_id=file_id)

    async def get(self, org_id: UUID, file_id: UUID) -> File | None:
        return await self._one("file_of", org_id=org_id, file_id=file_id)

    async def by_token(self, token: str) -> File | None:
        """The file behind a public URL, of any organisation: whoever knows the URL may read."""
        return await self._one("file_by_token", token=token)

    async def listed(
        self, org_id: UUID, limit: int, offset: int, before: tuple[datetime, UUID] | None = None
    ) -> tuple[list[File], int]:
        """A page of files, newest first, and how many there are."""
        at, file_id = before or (None, None)
        async with self._database.connection() as connection:
            rows = await collect(
                _sql.files_of(connection, org_id=org_id, limit=limit, offset=offset, before_at=at, before_id=file_id)
            )
            total = await _sql.count_files(connection, org_id=org_id)
        return [File.of(row) for row in rows], total

    async def delete(self, org_id: UUID, file_id: UUID) -> File | None:
        """Forget a file; None if there is none of that organisation."""
        return await self._one("delete_file", org_id=org_id, file_id=file_id)

    async def remember(self, org_id: UUID, key: str, body_hash: bytes, file_id: UUID, answer: str) -> bool:
        """Keep the first answer of an idempotency key; False when the key has one already."""
        async with self._database.connection() as connection:
            kept = await _sql.remember_upload(
                connection, org_id=org_id, key=key, body_hash=body_hash, file_id=file_id, answer=answer
            )
        return kept is not None

    async def uploaded_today(self, org_id: UUID) -> tuple[int, float]:
        """Bytes an organisation has sent in the last 24 hours, and the seconds until the first of them do not count."""
        async with self._database.connection() as connection:
            row = await _sql.uploaded_today(connection, org_id=org_id)
        return row["bytes"], row["seconds"]

    async def artifact(self, artifact_id: UUID) -> Row | None:
        """An artifact of any organisation, with `readable`: for signed links only."""
        async with self._database.connection() as connection:
            return await _sql.artifact(connection, artifact_id=artifact_id)

    async def artifact_of(self, org_id: UUID, artifact_id: UUID) -> Row | None:
        """A readable artifact of one organisation."""
        async with self._database.connection() as connection:
            return await _sql.artifact_of(connection, artifact_id=artifact_id, org_id=org_id)

    async def expire(self) -> list[str]:
        """Mark artifacts and files whose time has come; the object paths that may go."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.expire_artifacts(connection))
            rows += await collect(_sql.expire_files(connection))
        return [row["path"] for row in rows]

    async def known(self, paths: Sequence[str]) -> set[str]:
        """Of some object paths, those that a living artifact or file names."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.known_paths(connection, paths=list(paths)))
        return {row["path"] for row in rows}

    async def _one(self, statement: str, **values: Any) -> File | None:
        async with self._database.connection() as connection:
            row = await getattr(_sql, statement)(connection, **values)
        return File.of(row) if row else None
