"""How a qworker is put together and taken apart."""

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from rushes.artifacts.objects import Objects
from rushes.catalog.loader import load_catalog
from rushes.config import Settings
from rushes.egress import Egress, EgressSettings
from rushes.engines.registry import Engines
from rushes.store.database import Database
from rushes.store.files import Files
from rushes.store.listen import Listener
from rushes.store.migrate import migrate
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.worker.fetch import Fetch
from rushes.worker.policy import Policy
from rushes.worker.qworker import QWorker, Shape


@asynccontextmanager
async def assembled(settings: Settings, exit_idle: float | None, *, sole: bool) -> AsyncGenerator[QWorker]:
    """A qworker ready to run. `sole`: no other one lives, so what a dead one held is taken over at once."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, size=settings.slots + 4)
        await database.start()
        stack.push_async_callback(database.stop)
        async with database.connection() as connection:
            await migrate(connection)
        requests = Requests(database, keep_seconds=settings.artifact_seconds)
        if sole:
            await requests.expire_all_leases()
            await requests.rescue(settings.max_tries)
        listener = Listener(database.dsn)
        objects = Objects(settings.objects_url, settings.data / "objects")
        egress = Egress(EgressSettings.of([int(port) for port in settings.egress_ports], settings.allow_private))
        logs = settings.data / "logs"
        qworker = QWorker(
            _shape(settings, exit_idle),
            requests=requests,
            workers=Workers(database),
            listener=listener,
            objects=objects,
            fetch=Fetch(Files(database), objects, egress),
            catalog=load_catalog(settings.catalog_dir, test_models=settings.test_models),
            engines=Engines(),
            dsn=settings.database_url,
            environment=_child_environment(settings),
            logs=logs if logs.is_dir() else None,
        )
        stack.push_async_callback(listener.stop)
        await listener.start()
        yield qworker


def _shape(settings: Settings, exit_idle: float | None) -> Shape:
    return Shape(
        slots=settings.slots,
        engines=tuple(settings.engines),
        lease=timedelta(seconds=settings.lease_seconds),
        heartbeat_seconds=settings.heartbeat_seconds,
        drain_seconds=settings.drain_seconds,
        exit_idle_seconds=exit_idle,
        scratch=settings.data / "scratch" / f"worker-{uuid4().hex[:8]}",
        policy=Policy(
            max_tries=settings.max_tries,
            attempt_seconds=settings.attempt_seconds,
            cancel_grace_seconds=settings.cancel_grace_seconds,
            retry_delays=tuple(settings.retry_delays),
        ),
    )


def _child_environment(settings: Settings) -> dict[str, str]:
    """What an engine child sees: the same catalogue, no way into the database, no model hub."""
    environment = {name: value for name, value in os.environ.items() if name != "RUSHES_DATABASE_URL"}
    environment |= {
        "RUSHES_TEST_MODELS": str(int(settings.test_models)),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    if settings.catalog_dir:
        environment["RUSHES_CATALOG_DIR"] = str(settings.catalog_dir.absolute())
    return environment
