"""How the qworkers of a process are put together and taken apart."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from rushes.artifacts.objects import Objects
from rushes.catalog.loader import Catalog, UnknownModel, load_catalog
from rushes.config import Settings
from rushes.egress import Egress, EgressSettings
from rushes.engines.engine import GPUS_VARIABLE, Abandons
from rushes.engines.engines_file import EnginesError
from rushes.engines.options import RemoteOptions
from rushes.engines.route import Route
from rushes.engines.routing import Routing, check_packages, offered, read_routing
from rushes.store.database import Database
from rushes.store.files import Files
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.migrate import migrate
from rushes.store.platform_instance import platform_instance
from rushes.store.requests import Requests
from rushes.store.work_elsewhere import WorkElsewhere
from rushes.store.workers import Workers
from rushes.worker.abandoning import Abandoning
from rushes.worker.crew import Crew
from rushes.worker.fetch import Fetch
from rushes.worker.policy import Policy
from rushes.worker.qworker import QWorker, Shape


@dataclass(frozen=True, slots=True)
class Weights:
    """A model card, and the folder that holds its weights."""

    model: str
    folder: Path


@asynccontextmanager
async def assembled(
    settings: Settings, exit_idle: float | None, *, sole: bool, weights: Weights | None = None
) -> AsyncGenerator[Crew]:
    """Qworkers ready to run. `sole`: no other one lives, so what a dead one held is taken over at once.

    With `weights` it serves that one model. Raises EnginesError, CatalogError and whatever the database raises.
    """
    catalog = load_catalog(settings.catalog_dir, test_models=settings.test_models)
    egress = Egress(EgressSettings.of([int(port) for port in settings.egress_ports], settings.allow_private))
    routing = read_routing(settings.engines_file, os.environ, catalog.cards, egress.settings)
    if weights is None:
        routes = offered(routing, catalog.cards, settings.engines)
    else:
        routing = _with_weights(routing, catalog, weights)
        routes = list(routing.routes)
    check_packages(routes)
    shapes = _shapes(settings, exit_idle, routes)
    gpus = routing.gpus(catalog.cards, [route.name for route in routes])
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, size=sum(shape.slots for shape in shapes) + 4, plan_once=True)
        await database.start()
        stack.push_async_callback(database.stop)
        async with database.connection() as connection:
            await migrate(connection)
        routing.instance = str(await platform_instance(database))
        requests = Requests(database, keep_seconds=settings.artifact_seconds)
        if sole:
            await requests.expire_all_leases()
            await requests.rescue(settings.max_tries)
        listener = Listener(database.dsn)
        objects = Objects(settings.objects_url, settings.data / "objects")
        logs = settings.data / "logs"
        crew = Crew(
            [
                QWorker(
                    shape,
                    requests=requests,
                    lanes=Lanes(database),
                    workers=Workers(database),
                    listener=listener,
                    objects=objects,
                    fetch=Fetch(Files(database), objects, egress),
                    catalog=catalog,
                    routing=routing,
                    dsn=settings.database_url,
                    environment=_child_environment(settings, gpus),
                    logs=logs if logs.is_dir() else None,
                )
                for shape in shapes
            ]
        )
        abandoning = _abandoning(routing, routes, WorkElsewhere(database), listener)
        stack.push_async_callback(listener.stop)
        await listener.start()
        for one in abandoning:
            stack.push_async_callback(one.stop)
            await one.start()
        yield crew


def _abandoning(
    routing: Routing, routes: Sequence[Route], elsewhere: WorkElsewhere, listener: Listener
) -> list[Abandoning]:
    """One for each engine that begins work elsewhere: a server that does not answer holds up its own work alone."""
    engines = {route.label: routing.engine(route.label) for route in routes}
    return [
        Abandoning(elsewhere, label, engine, listener)
        for label, engine in engines.items()
        if isinstance(engine, Abandons)
    ]


def _with_weights(routing: Routing, catalog: Catalog, weights: Weights) -> Routing:
    try:
        return routing.with_weights(catalog.find(weights.model), weights.folder)
    except UnknownModel as error:
        near = f", did you mean {' or '.join(error.suggestions)}" if error.suggestions else ""
        raise EnginesError([f"No model card is called {weights.model}{near}"]) from error


def _shapes(settings: Settings, exit_idle: float | None, routes: Sequence[Route]) -> list[Shape]:
    """One for all that renders here, one for each server elsewhere, with the slots it has there."""
    here = tuple(route.name for route in routes if not isinstance(route.options, RemoteOptions))
    shapes = [_shape(settings, exit_idle, here, settings.slots)] if here else []
    for route in routes:
        if isinstance(route.options, RemoteOptions):
            shapes.append(_shape(settings, exit_idle, (route.name,), route.options.slots))
    return shapes


def _shape(settings: Settings, exit_idle: float | None, engines: tuple[str, ...], slots: int) -> Shape:
    return Shape(
        slots=slots,
        engines=engines,
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


def _child_environment(settings: Settings, gpus: int) -> dict[str, str]:
    """What an engine child sees: the same catalogue, as many GPUs as each slot has, no way into the database, no model
    hub."""
    environment = {name: value for name, value in os.environ.items() if name != "RUSHES_DATABASE_URL"}
    environment |= {
        GPUS_VARIABLE: str(gpus),
        "RUSHES_TEST_MODELS": str(int(settings.test_models)),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    if settings.catalog_dir:
        environment["RUSHES_CATALOG_DIR"] = str(settings.catalog_dir.absolute())
    return environment
