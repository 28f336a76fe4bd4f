"""Webhooks of a real platform to a real receiver: signed, repeated after a refusal, listed, sent once more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from gmicloud.local import LocalServer
from gmicloud.webhooks import unwrap
from standardwebhooks import Webhook
from support.locked_environment import ROOT, locked_python

from .conftest import Site

QUICK = {"prompt": "grey", "seconds": 0.1, "frames": 2}


async def secret(server: LocalServer) -> str:
    """The organisation's secret, which its first webhook has made."""
    url = json.loads((server.data / "platform.json").read_text())["database_url"]
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT secret FROM webhook_secrets ORDER BY created_at DESC LIMIT 1")
    finally:
        await connection.close()


def submit(queue: httpx2.Client, url: str, payload: dict[str, Any] | None = None, **more: Any) -> str:
    body = {"model": "rushes-test", "payload": payload or QUICK, "webhook_url": url, **more}
    answer = queue.post("/requests", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["request_id"]


def deliveries(queue: httpx2.Client, request_id: str) -> list[dict[str, Any]]:
    return queue.get(f"/requests/{request_id}/deliveries").json()["deliveries"]


async def test_a_finished_request_is_told_and_every_verifier_accepts_it(
    gmicloud_server: LocalServer, queue: httpx2.Client, site: Site
) -> None:
    path = f"/hooks/{uuid4()}"
    request_id = submit(queue, site.url + path, metadata={"order": 7})
    told = site.deliveries(path, 1)[0]
    body = json.loads(told.body)
    record = queue.get(f"/requests/{request_id}").json()
    assert body["type"] == "request.success"
    assert body["data"]["request_id"] == request_id
    assert body["data"]["metadata"] == {"order": 7}
    assert body["data"]["finished_at"] == record["finished_at"]
    assert body["data"]["error"] is None
    assert set(body["data"]["outcome"]) == set(record["outcome"])
    assert httpx2.get(body["data"]["outcome"]["video_url"]).status_code == 200
    assert told.headers["webhook-id"] == f"evt_{request_id}_4"
    signed_with = await secret(gmicloud_server)
    assert Webhook(signed_with).verify(told.body, told.headers) == body
    assert unwrap(told.body, told.headers, signed_with).data.request_id == request_id


async def test_every_status_can_be_told_each_under_its_own_id(queue: httpx2.Client, site: Site) -> None:
    path = f"/hooks/{uuid4()}"
    events = ["request.queued", "request.dispatched", "request.processing"]
    request_id = submit(queue, site.url + path, webhook_events=events)
    told = site.deliveries(path, 4)
    found = {delivery.headers["webhook-id"]: json.loads(delivery.body) for delivery in told}
    types = [found[f"evt_{request_id}_{n}"]["type"] for n in range(1, 5)]
    assert types == [*events, "request.success"]
    assert found[f"evt_{request_id}_3"]["data"]["outcome"] is None
    assert found[f"evt_{request_id}_3"]["data"]["status"] == "processing"
    listed = queue.get(f"/requests/{request_id}/events").json()["events"]
    assert [event["event_id"] for event in listed] == sorted(found)


async def test_a_failure_and_a_cancel_are_told(queue: httpx2.Client, site: Site) -> None:
    path = f"/hooks/{uuid4()}"
    submit(queue, site.url + path, {**QUICK, "fail_at": 0, "fail_code": "unsupported"})
    failed = json.loads(site.deliveries(path, 1)[0].body)
    assert (failed["type"], failed["data"]["error_code"]) == ("request.failed", "unsupported")
    assert failed["data"]["outcome"]["error"] == failed["data"]["error"]
    cancelled_id = submit(queue, site.url + path, {"prompt": "long", "seconds": 60})
    queue.delete(f"/requests/{cancelled_id}")
    assert json.loads(site.deliveries(path, 2)[1].body)["type"] == "request.cancelled"


@pytest.mark.timeout(40)
async def test_a_refusal_is_tried_again_after_five_seconds_under_the_same_id(queue: httpx2.Client, site: Site) -> None:
    path = f"/hooks/{uuid4()}"
    site.statuses[path] = [500]
    request_id = submit(queue, site.url + path)
    first, second = site.deliveries(path, 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert 4 <= int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) <= 9
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert [json.loads(one.body)["data"]["request_id"] for one in (first, second)] == [request_id] * 2
    shown = settled(queue, request_id)
    assert (shown["state"], shown["tries"], shown["last_status"]) == ("delivered", 2, 200)


async def test_gone_and_a_redirect_are_failures_and_gone_ends_the_tries(queue: httpx2.Client, site: Site) -> None:
    path = f"/hooks/{uuid4()}"
    site.statuses[path] = [410]
    request_id = submit(queue, site.url + path)
    site.deliveries(path, 1)
    shown = settled(queue, request_id)
    assert (shown["state"], shown["tries"], shown["last_status"]) == ("given_up", 1, 410)
    assert len(shown["last_answer"].encode()) <= 1024
    moved = f"/hooks/{uuid4()}"
    site.statuses[moved] = [302]
    request_id = submit(queue, site.url + moved)
    site.deliveries(moved, 1)
    shown = settled(queue, request_id)
    assert (shown["state"], shown["last_status"]) == ("waiting", 302)
    assert 0 < shown["next_try_at"] - shown["last_try_at"] <= 6


async def test_a_delivery_can_be_sent_once_more(queue: httpx2.Client, site: Site) -> None:
    path = f"/hooks/{uuid4()}"
    request_id = submit(queue, site.url + path)
    first = site.deliveries(path, 1)[0]
    settled(queue, request_id)
    again = queue.post(f"/requests/{request_id}/deliveries/evt_{request_id}_4/resend")
    assert (again.status_code, again.json()["tries"]) == (200, 0)
    second = site.deliveries(path, 2)[1]
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    for unknown in (f"evt_{request_id}_9", "evt_", "x%00y", "..%2f"):
        answer = queue.post(f"/requests/{request_id}/deliveries/{unknown}/resend")
        assert answer.status_code == 404, unknown
    assert queue.get(f"/requests/{uuid4()}/deliveries").json()["code"] == "request_not_found"


def settled(queue: httpx2.Client, request_id: str) -> dict[str, Any]:
    """The one delivery of a request, once its latest try has been written down."""
    for _ in range(200):
        shown = deliveries(queue, request_id)[0]
        if shown["last_status"] is not None and shown["state"] != "waiting":
            return shown
        if shown["state"] == "waiting" and shown["last_status"] == 302:
            return shown
    raise AssertionError(shown)


def test_a_webhook_address_is_judged_at_submit(queue: httpx2.Client) -> None:
    for url in ("ftp://example.org/x", "http://169.254.169.254/x", "http://user:word@example.org/", "not a url", 7):
        answer = queue.post("/requests", json={"model": "rushes-test", "payload": QUICK, "webhook_url": url})
        assert (answer.status_code, answer.json()["param"]) == (400, "webhook_url"), url


@pytest.mark.timeout(180)  # the first run downloads the two packages
async def test_the_published_verifiers_of_openai_and_replicate_take_it_and_nothing_altered(
    gmicloud_server: LocalServer, queue: httpx2.Client, site: Site
) -> None:
    python = locked_python(ROOT / "requirements" / "compat-webhooks.txt")
    path = f"/hooks/{uuid4()}"
    submit(queue, site.url + path)
    told = site.deliveries(path, 1)[0]
    given = {"body": told.body.decode(), "headers": told.headers, "secret": await secret(gmicloud_server)}
    done = subprocess.run(
        [python, Path(__file__).with_name("published_webhook_verifiers.py")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"openai": [True, False], "replicate": [True, False]}
