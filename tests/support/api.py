"""The real ASGI application on a real database, in this process; and people, organisations and keys to call it with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from rushes.accounts.bootstrap import create_key
from rushes.accounts.passwords import Passwords
from rushes.api.app import build
from rushes.api.services import Services
from rushes.api.wiring import opened
from rushes.config import Settings
from rushes.store.users import Users

Q = "/api/v1/ie/requestqueue/apikey"
S = "/api/v1/ie/requestqueue"
ME = "/api/v1/me"
PASSWORD = "a long enough password"


@dataclass
class Api:
    """A running application: its parts, and a client that calls it as 203.0.113.7."""

    services: Services
    client: httpx2.AsyncClient
    app: Any

    async def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)

    def calling_from(self, address: str) -> httpx2.AsyncClient:
        """A client whose connections come from another address."""
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, client=(address, 4711)), base_url="http://rushes.test"
        )

    async def key(self, org_id: UUID, **more: Any) -> str:
        return (await create_key(self.services.accounts, org_id, "test", **more)).key

    async def organisation(self, name: str, balance_micro: int | None = None, *, operator: bool = False) -> UUID:
        return await self.services.accounts.add_organisation(name, balance_micro=balance_micro, operator=operator)

    async def person(self, email: str, org_id: UUID, role: str = "owner") -> UUID:
        """Somebody who logs in with PASSWORD."""
        return await Users(self.services.database).add(email, await _hash(), org_id, role)

    async def log_in(self, email: str, password: str = PASSWORD, client: str = "page", code: str | None = None) -> Any:
        """The tokens of a new session, as the server answers them."""
        first = await self.call("POST", f"{ME}/auth-tokens", json={"email": email, "password": password})
        assert first.status_code == 200, first.text
        body = {"type": "native", "authToken": first.json()["authToken"], "otpCode": code}
        second = await self.call("POST", f"{ME}/sessions", json=body, headers={"CE-ClientId": client})
        assert second.status_code == 200, second.text
        return second.json()


_hashes: list[str] = []


async def _hash() -> str:
    """The hash of PASSWORD, computed once: it takes a tenth of a second."""
    if not _hashes:
        _hashes.append(await Passwords().hash(PASSWORD))
    return _hashes[0]


@asynccontextmanager
async def running_api(database_url: str, data: Path, **settings: Any) -> AsyncGenerator[Api]:
    """Start the application as a server does, by its lifespan, and stop it again."""
    kept: list[Services] = []

    @asynccontextmanager
    async def keeping(given: Settings) -> AsyncGenerator[Services]:
        async with opened(given) as services:
            kept.append(services)
            yield services

    chosen = Settings(
        database_url=database_url, data=data, test_models=True, public_url="http://rushes.test", **settings
    )
    app = build(chosen, keeping)
    async with _lifespan(app):
        transport = httpx2.ASGITransport(app, client=("203.0.113.7", 4711))
        async with httpx2.AsyncClient(transport=transport, base_url="http://rushes.test") as client:
            yield Api(kept[0], client, app)


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncGenerator[None]:
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(app(scope, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    started = await from_app.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await from_app.get()
        await running
