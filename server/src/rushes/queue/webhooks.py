"""Webhooks: events of requests, signed as in Standard Webhooks and sent at least once, in any order.

Every serving process sends. A sender claims due events with a lease (store/outbox.py), so several share the work and
none of them sends what another is sending; after a kill the lease ends and the event goes out again under the same id.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from rushes.artifacts.links import Links
from rushes.domain.request import FINAL, Status
from rushes.egress import Egress, EgressFailed, EgressRefused
from rushes.queue.breaker import Breaker
from rushes.queue.outcome import outcome_of
from rushes.store.database import DatabaseUnavailable
from rushes.store.outbox import Event, InFlight, Outbox
from rushes.store.records import Request
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
MAX_ERROR = 1000
"""Characters of a failure's text in a body, so that the whole stays under 20 kB."""
GONE = 410


def new_secret() -> str:
    """A secret to sign with: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(signing: Iterable[str], event_id: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature: one signature for each secret, separated by spaces (Standard Webhooks 1.0)."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(base64.b64decode(text.removeprefix("whsec_")), signed, hashlib.sha256) for text in signing)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def event_body(event: Event, request: Request, links: Links, expires: int) -> bytes:
    """The body of one event, under 20 kB. What a request carries at its end is told by its final event only."""
    ended = Status(event.status) in FINAL
    return orjson.dumps(
        {
            "type": f"request.{event.status}",
            "timestamp": event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {
                "request_id": str(request.request_id),
                "org_id": str(request.org_id),
                "model": request.model,
                "status": event.status,
                "outcome": _shortened(outcome_of(request, links, expires)) if ended else None,
                "error": request.error[:MAX_ERROR] if ended and request.error else None,
                "error_code": request.error_code if ended else None,
                "metadata": request.metadata,
                "finished_at": int(request.finished_at.timestamp()) if ended and request.finished_at else None,
                "expires_at": int(request.expires_at.timestamp()) if ended and request.expires_at else None,
            },
        }
    )


def _shortened(outcome: dict[str, object] | None) -> dict[str, object] | None:
    error = outcome and outcome.get("error")
    return {**outcome, "error": error[:MAX_ERROR]} if outcome and isinstance(error, str) else outcome


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
        *,
        link_seconds: int,
        patience: Patience | None = None,
    ) -> None:
        self._outbox = outbox
        self._requests = requests
        self._secrets = secrets_of
        self._links = links
        self._egress = egress
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
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
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
        request = await self._requests.get(event.org_id, event.request_id)
        if request is None:
            return  # its record was forgotten, and the event with it
        body = event_body(event, request, self._links, int(time.time()) + self._link_seconds)
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(await self._signing(event.org_id), event.event_id, timestamp, body),
        }
        endpoint = (event.org_id, host)
        again = self._again(event)
        try:
            posted = await self._egress.post(event.url, body, headers, self._patience.seconds)
        except EgressRefused as error:
            await self._outbox.tried(event, delivered=False, again=None, status=None, answer=str(error))
            return
        except EgressFailed as error:
            self._breaker.was_silent(endpoint)
            log.info("webhook_failed", event_id=event.event_id, host=host, tries=event.tries, error=str(error))
            await self._outbox.tried(event, delivered=False, again=again, status=None, answer=str(error))
            return
        self._breaker.answered(endpoint)
        delivered = 200 <= posted.status < 300
        answer = posted.excerpt.decode(errors="replace").replace("\0", "\ufffd")
        again = None if delivered or posted.status == GONE else again
        await self._outbox.tried(event, delivered=delivered, again=again, status=posted.status, answer=answer)

    def _again(self, event: Event) -> timedelta | None:
        later = self._patience.again
        return later[event.tries - 1] if event.tries <= len(later) else None

    async def _signing(self, org_id: UUID) -> list[str]:
        """The organisation's secrets; its first webhook makes one when there is none."""
        rows = await self._secrets.in_force(org_id) or [await self._secrets.add(org_id, new_secret())]
        return [row["secret"] for row in rows]


def host_of(url: str) -> str:
    """What the outbox counts by: host and port as written, in lower case."""
    return urlsplit(url).netloc.lower()
