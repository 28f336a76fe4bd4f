"""How a serving process is put together and taken apart."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from rushes.accounts.assembly import logins
from rushes.accounts.bootstrap import signing_keys
from rushes.accounts.keyring import Keyring
from rushes.accounts.rates import Rates
from rushes.api.final_answers import FinalAnswers
from rushes.api.forecast import Forecast
from rushes.api.lines import Lines
from rushes.api.live import Live
from rushes.api.services import Services
from rushes.artifacts.links import Links, SigningKey
from rushes.artifacts.objects import Objects
from rushes.artifacts.space import Space
from rushes.catalog.loader import load_catalog
from rushes.config import Settings
from rushes.egress import Egress, EgressSettings
from rushes.engines.routing import read_routing
from rushes.queue.batch import Batch
from rushes.queue.catcher import Catcher
from rushes.queue.live_lanes import LiveLanes
from rushes.queue.maintain import Clocks, Maintenance
from rushes.queue.sources import Sources
from rushes.queue.submit import Submit
from rushes.queue.uploads import Uploads
from rushes.queue.webhooks import Webhooks
from rushes.store.accounts import Accounts
from rushes.store.catchers import Catchers
from rushes.store.database import Database
from rushes.store.event_log import EventLog
from rushes.store.files import Files
from rushes.store.groups import Groups
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.migrate import migrate
from rushes.store.operate import Operate
from rushes.store.org_pulse import OrgPulse
from rushes.store.outbox import Outbox
from rushes.store.platform_instance import platform_instance
from rushes.store.request_lists import RequestLists
from rushes.store.requests import Requests
from rushes.store.submit_batch import SubmitBatch
from rushes.store.usage import Usage
from rushes.store.watch import Watch
from rushes.store.webhook_endpoints import WebhookEndpoints
from rushes.store.webhook_secrets import WebhookSecrets
from rushes.store.work_elsewhere import WorkElsewhere
from rushes.store.workers import Workers


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Services]:
    """The parts of one serving process, started, and stopped in reverse order."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        await database.start()
        stack.push_async_callback(database.stop)
        async with database.connection() as connection:
            await migrate(connection)
        if not settings.allow_unsafe_database:
            await database.refuse_if_unsafe()
        services = await _services(settings, database)
        stack.push_async_callback(services.listener.stop)
        stack.push_async_callback(services.maintenance.stop)
        stack.push_async_callback(services.webhooks.stop)
        await services.listener.start()
        await services.maintenance.start()
        await services.webhooks.start()
        try:
            yield services
        finally:
            services.end_waits()


def _kept_here(settings: Settings) -> bool:
    """Whether the data folder holds what grows: the objects, or the embedded database."""
    return not settings.objects_url or (settings.data / "pg").is_dir()


async def _services(settings: Settings, database: Database) -> Services:
    accounts, files = Accounts(database), Files(database)
    keys = await signing_keys(accounts)
    links = Links(
        [SigningKey(kid, secret) for kid, secret in keys],
        settings.public_url or f"http://{settings.host}:{settings.port}",
    )
    listener = Listener(database.dsn)
    requests = Requests(database, keep_seconds=settings.artifact_seconds)
    event_log, lists = EventLog(database), RequestLists(database)
    await event_log.settle_restored()
    workers, lanes, operate = Workers(database), Lanes(database), Operate(database)
    objects = Objects(settings.objects_url, settings.data / "objects")
    egress = Egress(EgressSettings.of([int(port) for port in settings.egress_ports], settings.allow_private))
    scratch = settings.data / "scratch" / "serve"
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    uploads = Uploads(files, objects, links, scratch=scratch, keep=timedelta(days=settings.file_days), now=time.time)
    catalog = load_catalog(settings.catalog_dir, test_models=settings.test_models, price_overrides=settings.price_file)
    routing = read_routing(settings.engines_file, os.environ, catalog.cards, egress.settings)
    keyring = Keyring(accounts)
    people = logins(settings, database, listener, keys, keyring)
    outbox, webhook_secrets = Outbox(database), WebhookSecrets(database)
    catchers = Catchers(database)
    catcher = Catcher(catchers, webhook_secrets, links)
    webhooks = Webhooks(outbox, requests, webhook_secrets, links, egress, catcher, link_seconds=settings.link_seconds)
    listener.on("rushes_request", webhooks.wake)
    listener.on("rushes_key", keyring.forget)
    listener.on_lost(keyring.forget_all)
    clocks = Clocks(
        every=settings.rescue_seconds,
        lease=settings.lease_seconds,
        max_tries=settings.max_tries,
        record_age=timedelta(days=settings.record_days),
    )
    submit = Submit(
        catalog,
        routing,
        LiveLanes(workers),
        SubmitBatch(database, requests),
        Sources(files, uploads, egress, links),
        Space(settings.data) if _kept_here(settings) else None,
        ordered_faults=settings.ordered_faults,
    )
    return Services(
        settings=settings,
        instance=await platform_instance(database),
        database=database,
        listener=listener,
        requests=requests,
        lists=lists,
        watch=Watch(requests, listener),
        event_log=event_log,
        pulse=OrgPulse(event_log, listener),
        accounts=accounts,
        keys=keyring,
        login=people.login,
        sessions=people.sessions,
        session_cache=people.cache,
        page=people.page,
        usage=Usage(database),
        webhook_secrets=webhook_secrets,
        webhook_endpoints=WebhookEndpoints(database),
        catchers=catchers,
        catcher=catcher,
        workers=workers,
        lanes=lanes,
        operate=operate,
        live=Live(operate, lanes, listener),
        files=files,
        uploads=uploads,
        objects=objects,
        links=links,
        catalog=catalog,
        routing=routing,
        egress=egress,
        submit=submit,
        batch=Batch(submit, Groups(database), requests),
        forecast=Forecast(requests, workers, Lines(requests, listener), [card.id for card in catalog.cards]),
        final_answers=FinalAnswers(),
        rates=Rates(),
        maintenance=Maintenance(
            database,
            requests,
            workers,
            files,
            objects,
            clocks,
            also=(
                operate.roll_up,
                partial(operate.forget_old, timedelta(days=settings.record_days)),
                lists.index,
                keyring.write_uses,
                people.forget_old,
                catchers.forget_old,
                outbox.forget_old_tests,
                WorkElsewhere(database).give_up,
            ),
        ),
        outbox=outbox,
        webhooks=webhooks,
        scratch=scratch,
        stopping=asyncio.Event(),
    )
