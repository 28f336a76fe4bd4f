"""Standing endpoints, the log of deliveries, the secrets and the built-in receiver, on a real platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from gmicloud.local import LocalServer
from standardwebhooks import Webhook

from .conftest import Site
from .test_webhooks import secret, submit


@pytest.fixture
def organisation(gmicloud_server: LocalServer, queue: httpx2.Client) -> Iterator[httpx2.Client]:
    """A client of the organisation's own routes, which leaves no endpoint and no catcher behind."""
    org_id = queue.get(f"/requests/{submit_quietly(queue)}").json()["org_id"]
    with httpx2.Client(
        base_url=f"{gmicloud_server.base_url}/api/v1/organizations/{org_id}",
        headers={"Authorization": f"Bearer {gmicloud_server.api_key}"},
        timeout=60,
    ) as client:
        yield client
        for endpoint in client.get("/webhook-endpoints").json()["endpoints"]:
            client.delete(f"/webhook-endpoints/{endpoint['endpoint_id']}")
        client.delete("/webhook-catcher")


def submit_quietly(queue: httpx2.Client) -> str:
    body = {"model": "rushes-test", "payload": {"prompt": "x", "seconds": 0.1, "frames": 2}}
    return queue.post("/requests?wait=30", json=body).json()["request_id"]


def test_an_endpoint_and_the_requests_own_address_are_told_under_one_id(
    organisation: httpx2.Client, queue: httpx2.Client, site: Site
) -> None:
    standing, own = f"/hooks/{uuid4()}", f"/hooks/{uuid4()}"
    endpoint = organisation.post("/webhook-endpoints", json={"url": site.url + standing}).json()
    assert (endpoint["enabled"], endpoint["events"]) == (
        True,
        ["request.success", "request.failed", "request.cancelled"],
    )
    request_id = submit(queue, site.url + own)
    first, second = site.deliveries(standing, 1)[0], site.deliveries(own, 1)[0]
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"evt_{request_id}_4"
    submit_quietly(queue)
    assert len(site.deliveries(standing, 2)) == 2
    listed = organisation.get("/deliveries", params={"request_id": request_id}).json()["deliveries"]
    assert {row["endpoint_id"] for row in listed} == {None, endpoint["endpoint_id"]}
    assert len({row["delivery_id"] for row in listed}) == 2


def test_pages_and_filters_of_the_log_show_every_delivery_once(
    organisation: httpx2.Client, queue: httpx2.Client, site: Site
) -> None:
    path = f"/hooks/{uuid4()}"
    endpoint = organisation.post(
        "/webhook-endpoints", json={"url": site.url + path, "events": ["request.queued", "request.success"]}
    ).json()
    wanted = {submit_quietly(queue) for _ in range(2)}
    site.deliveries(path, 4)
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = organisation.get(
            "/deliveries",
            params={"endpoint_id": endpoint["endpoint_id"], "limit": 3, **({"cursor": cursor} if cursor else {})},
        ).json()
        found += page["deliveries"]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
        if cursor is None:
            break
    assert len({row["delivery_id"] for row in found}) == len(found) == 4
    assert {row["request_id"] for row in found} == wanted
    assert organisation.get("/deliveries", params={"state": "lost"}).json()["param"] == "state"
    assert organisation.get("/deliveries", params={"cursor": "!"}).json()["param"] == "cursor"


async def test_a_test_event_is_sent_at_once_and_its_answer_shown(
    organisation: httpx2.Client, gmicloud_server: LocalServer, site: Site
) -> None:
    path = f"/hooks/{uuid4()}"
    endpoint_id = organisation.post("/webhook-endpoints", json={"url": site.url + path}).json()["endpoint_id"]
    result = organisation.post(f"/webhook-endpoints/{endpoint_id}/test").json()
    assert (result["state"], result["last_status"], result["type"]) == ("delivered", 200, "webhook.test")
    told = site.deliveries(path, 1)[0]
    body = Webhook(await secret(gmicloud_server)).verify(told.body, told.headers)
    assert body["data"]["endpoint_id"] == endpoint_id
    site.statuses[path] = [500]
    result = organisation.post(f"/webhook-endpoints/{endpoint_id}/test").json()
    assert (result["state"], result["last_status"], result["next_try_at"]) == ("given_up", 500, None)
    assert organisation.get("/webhook-endpoints").json()["endpoints"][0]["enabled"], "a failed test disables nothing"


def test_an_endpoint_that_is_gone_is_disabled_says_why_and_can_be_enabled_again(
    organisation: httpx2.Client, queue: httpx2.Client, site: Site
) -> None:
    path = f"/hooks/{uuid4()}"
    site.statuses[path] = [410]
    endpoint_id = organisation.post("/webhook-endpoints", json={"url": site.url + path}).json()["endpoint_id"]
    request_id = submit_quietly(queue)
    site.deliveries(path, 1)
    shown = until(organisation, endpoint_id, enabled=False)
    assert "410" in shown["disabled_why"]
    submit_quietly(queue)
    again = organisation.patch(f"/webhook-endpoints/{endpoint_id}", json={"enabled": True}).json()
    assert (again["enabled"], again["disabled_why"]) == (True, None)
    (lost,) = organisation.get("/deliveries", params={"request_id": request_id}).json()["deliveries"]
    assert lost["state"] == "given_up"
    assert organisation.post(f"/deliveries/{lost['delivery_id']}/resend").json()["state"] == "waiting"
    resent = site.deliveries(path, 2)[1]
    assert json.loads(resent.body)["data"]["request_id"] == request_id, "what came meanwhile was not kept for it"


def until(organisation: httpx2.Client, endpoint_id: str, **wanted: Any) -> dict[str, Any]:
    """An endpoint as soon as it is as wanted: what came of a try is written down after the receiver has heard it."""
    shown: dict[str, Any] = {}
    for _ in range(500):
        rows = organisation.get("/webhook-endpoints").json()["endpoints"]
        shown = next(row for row in rows if row["endpoint_id"] == endpoint_id)
        if all(shown[name] == value for name, value in wanted.items()):
            return shown
    raise AssertionError(shown)


def test_the_catcher_shows_what_was_sent_byte_for_byte(
    organisation: httpx2.Client, gmicloud_server: LocalServer, queue: httpx2.Client
) -> None:
    catcher = organisation.post("/webhook-catcher").json()
    assert organisation.post("/webhook-catcher").json()["url"] == catcher["url"]
    endpoint = organisation.post("/webhook-endpoints", json={"url": catcher["url"]}).json()
    assert organisation.post(f"/webhook-endpoints/{endpoint['endpoint_id']}/test").json()["last_status"] == 204
    request_id = submit(queue, catcher["url"], webhook_events=["request.queued"])
    queue.get(f"/requests/{request_id}?wait=30")
    caught = caught_of(organisation, 4)
    types = [json.loads(one["body"])["type"] for one in caught]
    assert sorted(types) == ["request.queued", "request.success", "request.success", "webhook.test"]
    assert organisation.get("/webhook-catcher", params={"newer_than": caught[0]["n"]}).json()["caught"] == []
    detail = organisation.get("/deliveries").json()["deliveries"][0]
    full = organisation.get(f"/deliveries/{detail['delivery_id']}").json()
    assert full["headers"]["webhook-id"] == detail["event_id"]
    assert json.loads(full["body"])["type"] == detail["type"]


def caught_of(organisation: httpx2.Client, count: int) -> list[dict[str, Any]]:
    caught: list[dict[str, Any]] = []
    for _ in range(500):
        caught = organisation.get("/webhook-catcher").json()["caught"]
        if len(caught) >= count:
            return caught
    raise AssertionError(caught)


async def test_the_catcher_keeps_nothing_that_we_did_not_sign(
    organisation: httpx2.Client, gmicloud_server: LocalServer
) -> None:
    first = organisation.post("/webhook-catcher").json()
    endpoint = organisation.post("/webhook-endpoints", json={"url": first["url"]}).json()
    organisation.post(f"/webhook-endpoints/{endpoint['endpoint_id']}/test")  # the first delivery makes the secret
    organisation.delete(f"/webhook-endpoints/{endpoint['endpoint_id']}")
    organisation.delete("/webhook-catcher")
    catcher = organisation.post("/webhook-catcher").json()
    assert catcher["url"] != first["url"], "an address that was removed is gone for good"
    signed_with = await secret(gmicloud_server)
    now = datetime.now(UTC)
    good = Webhook(signed_with)

    def headers(body: str, at: datetime, signer: Webhook, event_id: str = "evt_1") -> dict[str, str]:
        stamp = str(int(at.timestamp()))
        return {
            "webhook-id": event_id,
            "webhook-timestamp": stamp,
            "webhook-signature": signer.sign(event_id, at, body),
        }

    stranger = Webhook("whsec_" + "A" * 44)
    refused = [
        {},
        {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": ""},
        headers("{}", now, stranger),
        headers("{}", now - timedelta(hours=1), good),
        headers("other", now, good),
        headers("{}", now, good, "evt 1"),
    ]
    for sent in refused:
        answer = httpx2.post(catcher["url"], content=b"{}", headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), sent
    assert httpx2.post(catcher["url"], content=b"x" * 30_000).status_code == 413
    assert httpx2.post(catcher["url"][:-1] + "!", content=b"{}").status_code == 404
    shown = organisation.get("/webhook-catcher").json()
    assert (shown["caught"], shown["refused"]) == ([], len(refused))
    assert httpx2.post(catcher["url"], content=b"{}", headers=headers("{}", now, good)).status_code == 204
    assert [one["verified"] for one in organisation.get("/webhook-catcher").json()["caught"]] == [True]


def test_bad_endpoints_are_refused_by_name(organisation: httpx2.Client) -> None:
    for body, param in (
        ({}, "url"),
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": "http://example.org", "events": []}, "events"),
        ({"url": "http://example.org", "events": ["request.lost"]}, "events"),
        ({"url": "http://example.org", "events": "request.success"}, "events"),
    ):
        answer = organisation.post("/webhook-endpoints", json=body)
        assert (answer.status_code, answer.json()["param"]) == (400, param), body
    for _ in range(10):
        assert organisation.post("/webhook-endpoints", json={"url": "http://example.org"}).status_code == 200
    full = organisation.post("/webhook-endpoints", json={"url": "http://example.org"})
    assert full.status_code == 400
    assert "delete one first" in full.json()["error"]
