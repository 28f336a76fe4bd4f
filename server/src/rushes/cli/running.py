"""Find the platform that runs on a data folder."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rushes.cli.failure import CommandFailed
from rushes.store.database import Database, DatabaseUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a running platform is. `database_url` is secret."""

    address: str
    database_url: str
    api_key: str | None
    authority: Path | None
    """The development certificate authority, where the platform serves https."""

    def __repr__(self) -> str:
        return f"Platform({self.address!r})"


def running(data: Path) -> Platform:
    """Raises CommandFailed when none runs there."""
    try:
        facts = json.loads((data / "platform.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise CommandFailed(f"No platform runs on {data}. Start one: rushes up --data {data}") from error
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{data / 'platform.json'} cannot be read: {error}") from error
    key_file = data / "api-key"
    key = key_file.read_text("utf-8").strip() if key_file.exists() else None
    authority = data / "tls" / "ca.pem"
    return Platform(facts["address"], facts["database_url"], key, authority if authority.exists() else None)


def address_of(data: Path) -> str:
    """Where browsers find the platform: the one that runs on `data`, else what the settings say."""
    if (data / "platform.json").exists():
        return running(data).address
    from rushes.cli.processes import settings_with

    settings = settings_with()
    return settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def with_database(data: Path, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run `work` on the database of the platform that runs there, else on RUSHES_DATABASE_URL where that is set."""
    named = os.environ.get("RUSHES_DATABASE_URL")
    url = named if named and not (data / "platform.json").exists() else running(data).database_url

    async def run() -> T:
        database = Database(url, size=2)
        try:
            await database.start()
            return await work(database)
        finally:
            await database.stop()

    try:
        return asyncio.run(run())
    except DatabaseUnavailable as error:
        raise CommandFailed(
            f"The platform on {data} does not answer: {error}. Start it: rushes up --data {data}"
        ) from error
