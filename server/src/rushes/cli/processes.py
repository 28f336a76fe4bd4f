"""The long-lived processes behind `rushes serve` and `rushes worker`, and the short one behind `rushes bootstrap`."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from rushes.catalog.yaml_tree import CatalogError
from rushes.cli.failure import CommandFailed
from rushes.config import Settings
from rushes.engines.engines_file import EnginesError
from rushes.store.database import DatabaseUnavailable, UnsafeDatabase
from rushes.store.migrate import SchemaTooNew
from rushes.telemetry import configure

SERVE_DRAIN_SECONDS = 10


def settings_with(**given: Any) -> Settings:
    """Settings with what the command line says on top. Raises CommandFailed for a wrong one."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "RUSHES_" + "_".join(str(part) for part in first["loc"]).upper()
        raise CommandFailed(f"The setting {name} is wrong: {first['msg']}") from error


def needs_database(settings: Settings) -> None:
    if not settings.database_url:
        raise CommandFailed("RUSHES_DATABASE_URL is not set. On one machine, `rushes up` brings a database of its own")


@contextlib.contextmanager
def explained() -> Any:
    """Turn what an operator can mend into one sentence."""
    try:
        yield
    except (DatabaseUnavailable, UnsafeDatabase, SchemaTooNew, CatalogError, EnginesError) as error:
        text = str(error)
        raise CommandFailed(
            f"The database does not answer: {text}" if isinstance(error, DatabaseUnavailable) else text
        ) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename or 'The system'}: {error.strerror or error}") from error


def run_serve(
    data: Path,
    host: str | None,
    port: int | None,
    test_models: bool | None,
    fd: int | None,
    parent_fd: int | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Serve until SIGTERM, Ctrl-C or the end of the parent."""
    settings = settings_with(data=data, host=host, port=port, test_models=test_models)
    needs_database(settings)
    configure(settings.log_level)
    import uvicorn

    from rushes.api.app import build
    from rushes.api.pace import TimelyProtocol
    from rushes.api.wiring import opened
    from rushes.catalog.loader import load_catalog
    from rushes.egress import EgressSettings
    from rushes.engines.routing import read_routing
    from rushes.playground.app import Site

    with explained():
        cards = load_catalog(
            settings.catalog_dir, test_models=settings.test_models, price_overrides=settings.price_file
        )
        read_routing(settings.engines_file, os.environ, cards.cards, EgressSettings())
        sock = socket.socket(fileno=fd) if fd is not None else _bound(settings.host, settings.port)
    api = build(settings, opened)
    config = uvicorn.Config(
        Site(api, settings),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SERVE_DRAIN_SECONDS,
        timeout_keep_alive=65,
        h11_max_incomplete_event_size=65_536,
        http=TimelyProtocol,
        ssl_certfile=str(certificate) if certificate else None,
        ssl_keyfile=str(key) if key else None,
        proxy_headers=False,
        lifespan="on",
    )

    class Draining(uvicorn.Server):
        """Ends streams and waits before it waits for calls to end."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            api.end_waits()
            await super().shutdown(sockets)

    server = Draining(config)

    def stop() -> None:
        server.should_exit = True

    with explained():
        _with_parent(parent_fd, stop)
        server.run(sockets=[sock])
    if not server.started:
        raise CommandFailed("The API did not start; the lines above say why")


def run_worker(
    data: Path,
    slots: int | None,
    exit_idle: float | None,
    sole: bool,
    test_models: bool | None,
    parent_fd: int | None,
    model: str | None,
    weights: Path | None,
) -> None:
    """Work until SIGTERM, Ctrl-C or the end of the parent; then drain."""
    settings = settings_with(data=data, slots=slots, test_models=test_models)
    if (model is None) != (weights is None):
        raise CommandFailed("--model and --weights belong together: a model card, and the folder of its weights")
    needs_database(settings)
    configure(settings.log_level)
    with explained():
        asyncio.run(_work(settings, exit_idle, sole, parent_fd, None if weights is None else (model or "", weights)))


async def _work(
    settings: Settings, exit_idle: float | None, sole: bool, parent_fd: int | None, weights: tuple[str, Path] | None
) -> None:
    from rushes.worker.assembly import Weights, assembled

    given = Weights(*weights) if weights else None
    async with assembled(settings, exit_idle, sole=sole, weights=given) as crew:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, crew.drain)
        _with_parent(parent_fd, lambda: loop.call_soon_threadsafe(crew.drain))
        await crew.run()


def run_bootstrap(data: Path) -> None:
    """Print what first start made, as JSON."""
    settings = settings_with(data=data)
    needs_database(settings)
    from rushes.accounts.bootstrap import bootstrap

    with explained():
        start = asyncio.run(bootstrap(settings.database_url))
    made = {
        "created": start.key is not None,
        "key": start.key.key if start.key else None,
        "key_id": start.key.key_id if start.key else None,
        "link": start.link,
    }
    typer.echo(json.dumps(made))


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        raise CommandFailed(f"Port {port} on {host} cannot be used: {error.strerror}; try another --port") from error
    return sock


def _with_parent(parent_fd: int | None, stop: Callable[[], object]) -> None:
    """Call `stop` when the pipe that the supervisor holds comes to its end, even by a kill."""
    if parent_fd is None:
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(parent_fd, 1):
                pass
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()
