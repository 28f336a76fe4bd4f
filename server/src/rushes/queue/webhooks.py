"""Webhooks: events of requests, signed as in Standard Webhooks and sent at least once, in any order.

Every serving process sends. A sender claims due events with a lease (store/outbox.py), so several share the work and
none of them sends what another is sending; after a kill the lease ends and the event goes out again under the same id.
"""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from rushes.artifacts.links import Links
from rushes.egress import Egress, EgressFailed, EgressRefused, Posted
from rushes.moments import moment
from rushes.queue.breaker import Breaker
from rushes.queue.catcher import Catcher
from rushes.queue.event_body import event_body, test_body
from rushes.queue.signing import delivery_headers, new_secret
from rushes.store.database import DatabaseUnavailable
from rushes.store.outbox import Event, InFlight, Outbox
from rushes.store.requests import Requests
from rushes.store.webhook_secrets import WebhookSecrets
from rushes.telemetry import logger

log = logger("webhooks")

AGAIN = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""The time from each try to the one after it: ten tries in about 75 hours, as Standard Webhooks proposes."""
PER_HOST, PER_ORG, IN_ALL = 5, 20, 200
POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.1
"""Between two looks at the outbox, however many requests change."""
LEASE = timedelta(seconds=30)
"""How long a try may take, its writing down included, before another sender may take the event."""
GONE = 410


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a receiver may take, and when its failures are tried again."""

    seconds: float = 15
    again: tuple[timedelta, ...] = AGAIN


class Webhooks:
    """The sender. start, started and stop, in any order and any number of times."""

    def __init__(
        self,
        outbox: Outbox,
        requests: Requests,
        secrets_of: WebhookSecrets,
        links: Links,
        egress: Egress,
        catcher: Catcher,
        *,
        link_seconds: int,
        patience: Patience | None = None,
    ) -> None:
        self._outbox = outbox
        self._requests = requests
        self._secrets = secrets_of
        self._links = links
        self._egress = egress
        self._catcher = catcher
        self._link_seconds = link_seconds
        self._patience = patience or Patience()
        self._breaker: Breaker[tuple[UUID, str]] = Breaker(time.monotonic)
        self._hosts: Counter[str] = Counter()
        self._orgs: Counter[UUID] = Counter()
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        return self._task is not None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        """What is on its way gets two seconds to be answered; the rest is sent again by whoever comes next."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        if self._sending:
            await asyncio.wait(self._sending, timeout=2)
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def wake(self, _: str = "") -> None:
        """A request has changed, so there may be something to send."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while await self._look():
                    pass
            except DatabaseUnavailable as error:
                log.warning("look_failed", error=str(error))
            except Exception:  # one bad look must not end all sending
                log.exception("look_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self) -> bool:
        """Claim what may go out now and send it in the background; True if there may be more."""
        room = IN_ALL - len(self._sending)
        if room <= 0:
            return False
        flight = InFlight(PER_HOST, PER_ORG, self._hosts, self._orgs, self._breaker.resting())
        events = await self._outbox.claim(room, LEASE, flight)
        for event in events:
            host = host_of(event.url)
            self._hosts[host] += 1
            self._orgs[event.org_id] += 1
            task = asyncio.create_task(self._send(event, host), name=event.event_id)
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return bool(events)

    async def _send(self, event: Event, host: str) -> None:
        try:
            await self._deliver(event, host)
        except DatabaseUnavailable as error:
            log.warning("delivery_not_noted", event_id=event.event_id, error=str(error))
        except Exception:  # the lease ends, and the event is tried again
            log.exception("delivery_failed", event_id=event.event_id)
        finally:
            self._release(event, host)
            self._wake.set()

    def _release(self, event: Event, host: str) -> None:
        self._hosts[host] -= 1
        self._orgs[event.org_id] -= 1
        self._hosts += Counter()  # forgets the zeros
        self._orgs += Counter()

    async def _deliver(self, event: Event, host: str) -> None:
        """One try: what it sends, and what is written down of the answer."""
        body = await self.body_of(event)
        if body is None:
            return  # its record was forgotten, and the event with it
        endpoint = (event.org_id, host)
        again = self._again(event)
        try:
            posted = await self._post(event, body)
        except EgressRefused as error:
            await self._outbox.tried(event, delivered=False, again=None, status=None, answer=str(error))
            return
        except EgressFailed as error:
            self._breaker.was_silent(endpoint)
            log.info("webhook_failed", event_id=event.event_id, host=host, tries=event.tries, error=str(error))
            await self._outbox.tried(event, delivered=False, again=again, status=None, answer=str(error))
            return
        moment("webhook sent")
        self._breaker.answered(endpoint)
        delivered = 200 <= posted.status < 300
        answer = posted.excerpt.decode(errors="replace").replace("\0", "\ufffd")
        again = None if delivered or posted.status == GONE else again
        await self._outbox.tried(event, delivered=delivered, again=again, status=posted.status, answer=answer)

    async def _post(self, event: Event, body: bytes) -> Posted:
        """Sign and send, to a stranger through egress, to our own catcher by hand. Raises as Egress.post does."""
        headers = await self.headers_of(event, body)
        token = self._catcher.token_in(event.url)
        if token is not None:
            return await self._catcher.receive(token, headers, body)
        return await self._egress.post(event.url, body, headers, self._patience.seconds)

    async def body_of(self, event: Event) -> bytes | None:
        """The body of an event, made anew each time because its links expire; None if its record is gone."""
        if event.request_id is None:
            return test_body(event)
        request = await self._requests.get(event.org_id, event.request_id)
        return request and event_body(event, request, self._links, int(time.time()) + self._link_seconds)

    async def headers_of(self, event: Event, body: bytes) -> dict[str, str]:
        """The headers that go with a body now."""
        return delivery_headers(await self._signing(event.org_id), event.event_id, int(time.time()), body)

    async def test(self, org_id: UUID, url: str, endpoint_id: UUID) -> Event:
        """Send a signed test event to an endpoint, once, and return when what came of it is written down."""
        event = await self._outbox.add_test(org_id, f"evt_test_{uuid4()}", url, endpoint_id)
        await self._deliver(event, host_of(url))
        return event

    def _again(self, event: Event) -> timedelta | None:
        """When to try again; a test is tried once."""
        if event.request_id is None:
            return None
        later = self._patience.again
        return later[event.tries - 1] if event.tries <= len(later) else None

    async def _signing(self, org_id: UUID) -> list[str]:
        """The organisation's secrets; its first webhook makes one when there is none."""
        rows = await self._secrets.in_force(org_id) or [await self._secrets.add(org_id, new_secret())]
        return [row["secret"] for row in rows]


def host_of(url: str) -> str:
    """What the outbox counts by: host and port as written, in lower case."""
    return urlsplit(url).netloc.lower()
