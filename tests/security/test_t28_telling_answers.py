"""T28: answers do not tell what exists elsewhere, nor where a URL leads."""

import uuid

import httpx2
import pytest
from gmicloud.local import LocalServer

QUEUE = "/api/v1/ie/requestqueue/apikey"


@pytest.fixture(scope="module")
def client(gmicloud_server: LocalServer):
    headers = {"Authorization": f"Bearer {gmicloud_server.api_key}"}
    with httpx2.Client(base_url=gmicloud_server.base_url + QUEUE, headers=headers, timeout=60) as client:
        yield client


def test_an_unknown_and_a_malformed_id_are_the_same_404(client: httpx2.Client) -> None:
    ids = [str(uuid.uuid4()), str(uuid.UUID(int=0)), "x", "1" * 300, "..", "%2e%2e", "bulk", "a b", "%ff", "null"]
    for path in ("/requests/{}", "/requests/{}/events", "/requests/{}/deliveries"):
        assert len({client.get(path.format(each)).content for each in ids if each not in ("..", "%2e%2e")}) == 1
    for verb in ("cancel", "retry"):
        assert len({client.post(f"/requests/{each}/{verb}").content for each in ids if "." not in each}) == 1
    assert (
        len({client.delete(f"/requests/{each}").content for each in ids if "." not in each and "%2" not in each}) == 1
    )
    assert len({client.get(f"/files/{each}").content for each in ids if "." not in each and "%2" not in each}) == 1


def test_a_wrong_key_is_answered_alike_whatever_is_wrong_with_it(gmicloud_server: LocalServer) -> None:
    good = gmicloud_server.api_key
    wrong = [good[:-1] + ("A" if good[-1] != "A" else "B"), "gmi_" + "A" * (len(good) - 4), "gmi_x", "eyJ.x.y", "x"]
    answers = {
        httpx2.get(f"{gmicloud_server.base_url}{QUEUE}/requests", headers={"Authorization": f"Bearer {key}"}).content
        for key in wrong
    }
    assert len(answers) == 1


def test_every_address_that_may_not_be_called_is_refused_in_the_same_words(client: httpx2.Client) -> None:
    hosts = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "[::1]", "[fd00::1]", "0.0.0.0", "100.64.0.1"]
    texts: set[str] = set()
    for host in hosts:
        payload = {"prompt": "x", "first_frame": f"http://{host}/secret.png"}
        answer = client.post("/requests?dry_run=1", json={"model": "wan2.7-i2v", "payload": payload})
        assert answer.status_code == 400
        texts.add(answer.json()["error"])
    assert len(texts) == 1
    assert not any(host in text for host in hosts for text in texts)


def test_health_tells_nothing_of_the_inside(gmicloud_server: LocalServer) -> None:
    assert httpx2.get(f"{gmicloud_server.base_url}/healthz").json() == {"status": "ok"}
    assert httpx2.get(f"{gmicloud_server.base_url}/readyz").json() == {"status": "ready"}
    missing = httpx2.get(f"{gmicloud_server.base_url}/nothing/here")
    assert (missing.status_code, "server" in {name.lower() for name in missing.headers}) == (404, False)
