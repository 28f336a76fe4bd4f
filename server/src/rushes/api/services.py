"""Everything a handler needs, wired once per process. A table of parts, no logic."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID

from starlette.requests import Request

from rushes.accounts.keyring import Keyring
from rushes.accounts.login import Login
from rushes.accounts.page_session import PageSession
from rushes.accounts.rates import Rates
from rushes.accounts.session_cache import SessionCache
from rushes.api.final_answers import FinalAnswers
from rushes.api.forecast import Forecast
from rushes.api.live import Live
from rushes.artifacts.links import Links
from rushes.artifacts.objects import Objects
from rushes.catalog.loader import Catalog
from rushes.config import Settings
from rushes.egress import Egress
from rushes.engines.routing import Routing
from rushes.queue.batch import Batch
from rushes.queue.catcher import Catcher
from rushes.queue.maintain import Maintenance
from rushes.queue.submit import Submit
from rushes.queue.uploads import Uploads
from rushes.queue.webhooks import Webhooks
from rushes.store.accounts import Accounts
from rushes.store.catchers import Catchers
from rushes.store.database import Database
from rushes.store.event_log import EventLog
from rushes.store.files import Files
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.operate import Operate
from rushes.store.org_pulse import OrgPulse
from rushes.store.outbox import Outbox
from rushes.store.request_lists import RequestLists
from rushes.store.requests import Requests
from rushes.store.sessions import Sessions
from rushes.store.usage import Usage
from rushes.store.watch import Watch
from rushes.store.webhook_endpoints import WebhookEndpoints
from rushes.store.webhook_secrets import WebhookSecrets
from rushes.store.workers import Workers


@dataclass(slots=True)
class Services:
    """The parts of one serving process."""

    settings: Settings
    instance: UUID
    database: Database
    listener: Listener
    requests: Requests
    lists: RequestLists
    watch: Watch
    event_log: EventLog
    pulse: OrgPulse
    accounts: Accounts
    keys: Keyring
    login: Login
    sessions: Sessions
    session_cache: SessionCache
    page: PageSession
    usage: Usage
    webhook_secrets: WebhookSecrets
    webhook_endpoints: WebhookEndpoints
    catchers: Catchers
    catcher: Catcher
    workers: Workers
    lanes: Lanes
    operate: Operate
    live: Live
    files: Files
    uploads: Uploads
    objects: Objects
    links: Links
    catalog: Catalog
    routing: Routing
    egress: Egress
    submit: Submit
    batch: Batch
    forecast: Forecast
    final_answers: FinalAnswers
    rates: Rates
    maintenance: Maintenance
    outbox: Outbox
    webhooks: Webhooks
    scratch: Path
    stopping: asyncio.Event

    def end_waits(self) -> None:
        """The process is about to stop: streams end, and who waits for a request is told how it stands."""
        self.stopping.set()
        self.watch.close()
        self.pulse.stop()


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)
