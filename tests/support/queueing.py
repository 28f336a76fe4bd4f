"""Organisations, requests and endings for tests of the queue."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from rushes.domain.request import Status
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.records import Ending, NewArtifact, NewRequest, Request
from rushes.store.requests import Requests

LEASE = timedelta(seconds=30)
LANE = "faults"
EVENTS = [f"request.{status}" for status in ("queued", "dispatched", "processing", "success", "failed", "cancelled")]


async def make_org(database: Database, name: str = "studio", *, balance_micro: int | None = None) -> UUID:
    """A new organisation."""
    return await Accounts(database).add_organisation(name, balance_micro=balance_micro)


async def make_key(database: Database, org_id: UUID, *, spend_limit_micro: int | None = None) -> str:
    """A new API key of an organisation: its public part."""
    key_id = uuid4().hex[:8]
    await Accounts(database).add_key(
        org_id,
        key_id=key_id,
        secret_hash=b"",
        last4="0000",
        name="test",
        scopes=["all"],
        spend_limit_micro=spend_limit_micro,
    )
    return key_id


def make_request(org_id: UUID, **changes: Any) -> NewRequest:
    """A request of the test model, with a prompt and a webhook for every event."""
    return replace(
        NewRequest(
            request_id=uuid4(),
            org_id=org_id,
            user_id=None,
            key_id=None,
            model="rushes-test",
            engine="faults",
            lane=LANE,
            payload={"prompt": "a quiet harbour"},
            params={"prompt": "a quiet harbour"},
            plan={"prompt": "a quiet harbour"},
            quote_micro=1_000,
            webhook_url="http://127.0.0.1:9/hook",
            webhook_events=list(EVENTS),
        ),
        **changes,
    )


def success(**changes: Any) -> Ending:
    """The ending of a good attempt, with a video and a thumbnail nobody stored."""
    ending = Ending(
        Status.SUCCESS,
        outcome={"seed": 7},
        artifacts=(make_artifact("video"), make_artifact("thumbnail")),
        seconds=2.0,
    )
    return replace(ending, **changes)


def make_artifact(kind: str, **changes: Any) -> NewArtifact:
    content_type, suffix = ("video/mp4", "mp4") if kind == "video" else ("image/jpeg", "jpg")
    artifact_id = uuid4()
    artifact = NewArtifact(artifact_id, kind, f"artifacts/{artifact_id}.{suffix}", content_type, 3, "0" * 64)
    return replace(artifact, **changes)


def failure(code: str = "engine_lost", *, cause: str | None = None) -> Ending:
    """The ending of a bad attempt; `cause` is what counts against the lane."""
    return Ending(Status.FAILED, error="It broke", error_code=code, retryable=True, cause=cause)


async def claim_one(requests: Requests, *, lease: timedelta = LEASE, qworker_id: UUID | None = None) -> Request:
    """The next request of the lane, claimed."""
    (request,) = await requests.claim(qworker_id or uuid4(), [LANE], 1, lease)
    return request


async def started(requests: Requests, *, lease: timedelta = LEASE) -> Request:
    """The next request of the lane, claimed and processing."""
    request = await claim_one(requests, lease=lease)
    assert await requests.begin(request.request_id, request.attempt, "loading")
    return request
