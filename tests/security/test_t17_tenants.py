"""T17: no route shows or changes anything of another organisation.

The matrix is made from the table of routes: a route without a row here fails the test, so that nobody adds one without
saying who may call it.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import pytest_asyncio
from rushes.api.routes import KEY_PREFIX, ROUTES, SESSION_PREFIX, SHORT_PREFIX
from rushes.domain.artifact_kind import KINDS
from rushes.queue.signing import new_secret
from rushes.store.database import Row as StoredRow
from rushes.store.files import File
from support.api import Api, running_api
from support.queueing import make_artifact, make_request, success

from tests.conftest import Databases

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "the-first-organisation-only"
"""Stands in everything that the first organisation owns."""


class Door(Enum):
    """Who may call a route."""

    CALLER = auto()
    """An API key with the scope ie_model, or a person."""
    PERSON = auto()
    """A person, by access token; never a key."""
    COOKIE = auto()
    """Whoever the page's cookie stands for (test_t23_cross_site_requests.py)."""
    OPERATOR = auto()
    """An owner of the organisation that runs this platform, or a key of it with the scope operate."""
    OPEN = auto()
    """Anybody: the route gives out nothing of an organisation."""
    LINK = auto()
    """Whoever holds a link that was signed or cannot be guessed."""


@dataclass(frozen=True)
class Row:
    """What the matrix knows of one route."""

    door: Door
    writes: bool = False
    json: Callable[[Mapping[str, str]], Any] | None = None
    """The body, made with the ids of what the first organisation owns."""
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    """Other arguments of the call."""
    good: tuple[int, ...] = (200,)
    """What its owner is answered."""


def submit_body(_: Mapping[str, str]) -> dict[str, Any]:
    return {"model": "rushes-test", "payload": {"prompt": "x"}}


CALLER, READ, WRITE = Door.CALLER, Row(Door.CALLER), Row(Door.CALLER, writes=True)
QUEUE = {
    "POST /requests": Row(CALLER, writes=True, json=submit_body),
    "GET /requests/{request_id}": READ,
    "GET /requests": READ,
    "DELETE /requests/{request_id}": WRITE,
    "POST /requests/{request_id}/cancel": WRITE,
    "GET /requests/{request_id}/events": READ,
    "GET /events": READ,
    "POST /requests:batch": Row(CALLER, writes=True, json=lambda own: {"requests": [submit_body(own)]}),
    "POST /requests/batch": Row(CALLER, writes=True, json=lambda own: {"requests": [submit_body(own)]}),
    "GET /groups/{group_id}": READ,
    "POST /groups/{group_id}/cancel": WRITE,
    "POST /requests/bulk": Row(CALLER, writes=True, json=lambda own: {"action": "cancel", "ids": [own["request_id"]]}),
    "POST /requests/{request_id}/retry": Row(CALLER, writes=True, good=(400,)),
    "GET /requests/{request_id}/deliveries": READ,
    "POST /requests/{request_id}/deliveries/{event_id}/resend": WRITE,
    "GET /models": READ,
    "GET /models/{model_id:path}": READ,
    "POST /upload-url": Row(CALLER, writes=True, json=lambda _: {"file_type": "png"}),
    "POST /files": Row(CALLER, writes=True, more={"files": {"file": ("a.png", b"no picture")}}, good=(400,)),
    "GET /files": READ,
    "GET /files/{file_id}": READ,
    "DELETE /files/{file_id}": WRITE,
    "GET /usage": READ,
}
OPEN_UNDER_SESSION = ("GET /models", "GET /models/{model_id:path}")
"""Readable without a credential under the session prefix, by a setting that is on by default."""
MATRIX = {
    "POST /api/v1/me/auth-tokens": Row(Door.OPEN, json=lambda _: {"email": "nobody@x.test", "password": "x" * 9}),
    "POST /api/v1/me/2fa-verification-code": Row(Door.OPEN, json=lambda _: {"authToken": "x"}),
    "POST /api/v1/me/sessions": Row(Door.OPEN, json=lambda _: {"type": "native", "authToken": "x"}),
    "PATCH /api/v1/me/sessions": Row(Door.OPEN, json=lambda _: {"refreshToken": "x"}),
    "DELETE /api/v1/me/sessions": Row(Door.PERSON),
    "POST /api/v1/me/page-session": Row(Door.OPEN, json=lambda _: {"link": "x"}),
    "GET /api/v1/me/page-session": Row(Door.COOKIE),
    "DELETE /api/v1/me/page-session": Row(Door.OPEN),
    "GET /api/v1/me/profile": Row(Door.PERSON),
    "GET /api/v1/organizations/{org_id}/api-keys": Row(Door.PERSON),
    "POST /api/v1/organizations/{org_id}/api-keys": Row(Door.PERSON, writes=True, json=lambda _: {"name": "new"}),
    "DELETE /api/v1/organizations/{org_id}/api-keys/{key_id}": Row(Door.PERSON, writes=True),
    "GET /api/v1/organizations/{org_id}/webhook-secrets": Row(Door.PERSON),
    "POST /api/v1/organizations/{org_id}/webhook-secrets": Row(Door.PERSON, writes=True),
    "DELETE /api/v1/organizations/{org_id}/webhook-secrets/{secret_id}": Row(Door.PERSON, writes=True),
    "GET /api/v1/organizations/{org_id}/webhook-endpoints": READ,
    "POST /api/v1/organizations/{org_id}/webhook-endpoints": Row(
        CALLER, writes=True, json=lambda _: {"url": "http://example.test/x"}
    ),
    "PATCH /api/v1/organizations/{org_id}/webhook-endpoints/{endpoint_id}": Row(
        CALLER, writes=True, json=lambda _: {"enabled": False}
    ),
    "DELETE /api/v1/organizations/{org_id}/webhook-endpoints/{endpoint_id}": WRITE,
    "POST /api/v1/organizations/{org_id}/webhook-endpoints/{endpoint_id}/test": WRITE,
    "GET /api/v1/organizations/{org_id}/deliveries": READ,
    "GET /api/v1/organizations/{org_id}/deliveries/{delivery_id}": READ,
    "POST /api/v1/organizations/{org_id}/deliveries/{delivery_id}/resend": WRITE,
    "GET /api/v1/organizations/{org_id}/webhook-catcher": READ,
    "POST /api/v1/organizations/{org_id}/webhook-catcher": WRITE,
    "DELETE /api/v1/organizations/{org_id}/webhook-catcher": WRITE,
    "POST /catch/{token}": Row(Door.LINK, json=lambda _: {}),
    "GET /api/v1/organizations/{org_id}/usage": READ,
    "GET /api/v1/organizations/{org_id}/balance": READ,
    "GET /api/v1/organizations/{org_id}/retention": READ,
    "PATCH /api/v1/organizations/{org_id}/retention": Row(Door.PERSON, writes=True, json=lambda _: {"record_days": 30}),
    "GET /api/v1/operate/overview": Row(Door.OPERATOR),
    "GET /api/v1/operate/queue": Row(Door.OPERATOR),
    "GET /api/v1/operate/qworkers": Row(Door.OPERATOR),
    "GET /api/v1/operate/lanes": Row(Door.OPERATOR),
    "GET /api/v1/operate/events": Row(Door.OPERATOR),
    "GET /api/v1/operate/series": Row(Door.OPERATOR),
    "POST /api/v1/operate/qworkers/{qworker_id}/pause": Row(Door.OPERATOR, writes=True),
    "POST /api/v1/operate/qworkers/{qworker_id}/resume": Row(Door.OPERATOR, writes=True),
    "POST /api/v1/operate/qworkers/{qworker_id}/drain": Row(Door.OPERATOR, writes=True),
    "POST /api/v1/operate/lanes/{lane:path}/hold": Row(Door.OPERATOR, writes=True),
    "POST /api/v1/operate/lanes/{lane:path}/resume": Row(Door.OPERATOR, writes=True),
    "GET /video/models": READ,
    "GET /v1/models": READ,
    "GET /video/requests/{request_id}/status": READ,
    "GET /video/requests/{request_id}": Row(CALLER, good=(200, 202)),
    "DELETE /video/requests/{request_id}": WRITE,
    "POST /video/{model_id:path}": Row(CALLER, writes=True, json=lambda _: {"prompt": "x"}),
    "GET /artifacts/{artifact_id}/{name}": Row(Door.LINK),
    "GET /files/{token}/{name}": Row(Door.LINK),
    "PUT /uploads/{file_id}": Row(Door.LINK),
    "GET /healthz": Row(Door.OPEN),
    "GET /readyz": Row(Door.OPEN),
    "GET /openapi.json": Row(Door.OPEN),
    "GET /docs": Row(Door.OPEN),
}


def row_of(method: str, path: str) -> Row:
    """Raises KeyError for a route the matrix does not know."""
    for prefix in (KEY_PREFIX, SHORT_PREFIX, SESSION_PREFIX):
        name = f"{method} {path.removeprefix(prefix)}"
        if path.startswith(prefix) and name in QUEUE:
            return Row(Door.OPEN) if prefix == SESSION_PREFIX and name in OPEN_UNDER_SESSION else QUEUE[name]
    return MATRIX[f"{method} {path}"]


EVERY = [(route.method, route.path) for route in ROUTES]


def through(*doors: Door, writes: bool | None = None) -> list[tuple[str, str]]:
    """The routes of some doors. One without a row fails its own test, so it is left out here."""
    found: list[tuple[str, str]] = []
    for method, path in EVERY:
        try:
            row = row_of(method, path)
        except KeyError:
            continue
        if row.door in doors and writes in (None, row.writes):
            found.append((method, path))
    return found


def with_ids(routes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that name something an organisation owns."""
    return [
        (method, path)
        for method, path in routes
        if re.search(r"\{(request|group|file|org|key|event|endpoint|delivery|secret)_id\}", path)
    ]


@dataclass
class World:
    """Two organisations. The first owns one of everything; `renew` makes it anew, because its owner may remove it."""

    api: Api
    first: UUID
    second: UUID
    first_key: str
    second_key: str
    owned: dict[str, str] = field(default_factory=dict[str, str])
    tokens: dict[tuple[UUID, str], str] = field(default_factory=dict[tuple[UUID, str], str])

    async def renew(self) -> None:
        services = self.api.services
        await services.lanes.resume("faults", actor="test")
        await services.workers.left(_QWORKER)
        await services.workers.enrol(_QWORKER, host="h", pid=1, version="1", lanes=["faults"], slots=1)
        request = await services.requests.submit(
            make_request(self.first, metadata={"note": SECRET}, webhook_url="http://127.0.0.1:9/x", group_id=uuid4())
        )
        token = uuid4().hex
        facts = {"kind": "image", "format": "png", "content_type": "image/png", "bytes": 3, "width": 640, "height": 640}
        path = f"files/{token}"
        file = File(uuid4(), self.first, token, "image", "image/png", path, 3, token, facts, _NOW, _NOW, True)
        await services.files.add(file, timedelta(days=1))
        key = await self.api.key(self.first)
        endpoint = (await services.webhook_endpoints.listed(self.first) or [await self._endpoint()])[0]
        (delivery,) = await services.outbox.deliveries(self.first, request.request_id)
        secret = await services.webhook_secrets.add(self.first, new_secret())
        await services.catcher.make(self.first)
        self.owned = {
            "endpoint_id": str(endpoint["endpoint_id"]),
            "delivery_id": str(delivery["delivery_id"]),
            "secret_id": str(secret["secret_id"]),
            "request_id": str(request.request_id),
            "group_id": str(request.group_id),
            "event_id": f"evt_{request.request_id}_1",
            "file_id": str(file.file_id),
            "key_id": key[4:12],
            "org_id": str(self.first),
            "token": token,
        }

    async def _endpoint(self) -> StoredRow:
        """An endpoint that is told of none of what the matrix does, so that each request has one delivery."""
        return await self.api.services.webhook_endpoints.add(
            self.first, f"http://127.0.0.1:9/{SECRET}", ["request.dispatched"]
        )

    async def operators(self) -> UUID:
        """The organisation that runs this platform."""
        found = [row["org_id"] for row in await self.api.services.accounts.organisations() if row["operator"]]
        return found[0] if found else await self.api.organisation("operators", operator=True)

    async def person(self, org_id: UUID, role: str = "owner") -> str:
        """The access token of somebody in that organisation; logging in is slow, so it is done once for each."""
        if (org_id, role) not in self.tokens:
            email = f"{uuid4().hex}@x.test"
            await self.api.person(email, org_id, role)
            self.tokens[org_id, role] = (await self.api.log_in(email))["accessToken"]
        return self.tokens[org_id, role]

    async def call(self, method: str, path: str, token: str | None, **headers: str) -> httpx2.Response:
        """Call a route with the first organisation's ids."""
        row = row_of(method, path)
        values = {
            "qworker_id": str(_QWORKER),
            "lane": "faults",
            "model_id": "rushes-test",
            "artifact_id": str(uuid4()),
            "name": "video.mp4",
            **self.owned,
        }
        filled = re.sub(r"\{(\w+)(:path)?\}", lambda match: values[match.group(1)], path)
        more = dict(row.more) | ({"json": row.json(self.owned)} if row.json else {})
        return await self.api.call(method, filled, token, headers=headers, **more)

    async def is_unchanged(self) -> bool:
        """Whether what the first organisation owns is as it was."""
        services, owned = self.api.services, self.owned
        request = await services.requests.get(self.first, UUID(owned["request_id"]))
        key = await services.accounts.key(owned["key_id"])
        file = await services.files.get(self.first, UUID(owned["file_id"]))
        return bool(request and request.status == "queued" and key and key.holds and file)

    def tells_nothing(self, answer: httpx2.Response) -> bool:
        """Whether the answer holds nothing of the first organisation but what the caller had sent."""
        is_json = answer.request.headers.get("content-type") == "application/json"
        sent = answer.request.content.decode() if is_json else ""
        return not any(word in answer.text and word not in sent for word in (SECRET, *self.owned.values()))


_NOW = datetime.now(UTC)
_QWORKER = uuid4()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    url = postgres.make()
    async with running_api(url, tmp_path_factory.mktemp("t17")) as api:
        first, second = await api.organisation(SECRET), await api.organisation("second")
        world = World(api, first, second, await api.key(first), await api.key(second))
        await world.renew()
        yield world
    postgres.drop(url)


@pytest_asyncio.fixture(loop_scope="module")
async def renewed(world: World) -> AsyncIterator[World]:
    yield world
    await world.renew()


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_every_route_has_a_row_that_says_who_may_call_it(method: str, path: str) -> None:
    assert row_of(method, path)


async def test_every_row_has_a_route() -> None:
    known = {f"{method} {path}" for method, path in EVERY}
    assert set(MATRIX) <= known
    assert {name.replace(" ", f" {KEY_PREFIX}") for name in QUEUE} <= known


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER))
async def test_its_own_key_is_let_in(renewed: World, method: str, path: str) -> None:
    answer = await renewed.call(method, path, renewed.first_key)
    assert answer.status_code in row_of(method, path).good, answer.text


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER, Door.PERSON))
async def test_its_own_owner_is_let_in(renewed: World, method: str, path: str) -> None:
    answer = await renewed.call(method, path, await renewed.person(renewed.first))
    if path.endswith("/me/sessions"):
        renewed.tokens.clear()  # that was a log-out
    assert answer.status_code in row_of(method, path).good, answer.text


@pytest.mark.parametrize(("method", "path"), through(Door.OPERATOR))
async def test_an_operator_is_let_in_by_a_login_or_by_a_key_with_the_scope(
    renewed: World, method: str, path: str
) -> None:
    org_id = await renewed.operators()
    for credential in (await renewed.api.key(org_id, scopes=["operate"]), await renewed.person(org_id)):
        answer = await renewed.call(method, path, credential)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), through(Door.OPERATOR))
async def test_nobody_else_runs_the_platform(world: World, method: str, path: str) -> None:
    """Not an owner of another organisation, not a member of the right one, not a key without the scope, not the scope
    without the organisation."""
    org_id = await world.operators()
    for credential in (
        await world.person(world.first),
        await world.person(org_id, "member"),
        await world.person(org_id, "viewer"),
        await world.api.key(org_id),
        await world.api.key(world.first, scopes=["ie_model", "operate"]),
    ):
        answer = await world.call(method, path, credential, **{"X-Organization-ID": str(org_id)})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert world.tells_nothing(answer)
    assert await world.is_unchanged()
    (worker,) = await world.api.services.operate.qworkers()
    assert worker["ordered"] == "run"
    assert await world.api.services.lanes.held() == []


@pytest.mark.parametrize(("method", "path"), with_ids(through(Door.CALLER)))
async def test_another_organisations_key_is_told_that_nothing_is_there(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, world.second_key)
    assert answer.status_code == 404
    assert world.tells_nothing(answer)
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), with_ids(through(Door.CALLER, Door.PERSON)))
async def test_another_organisations_owner_is_told_that_nothing_is_there(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, await world.person(world.second))
    assert answer.status_code == 404
    assert world.tells_nothing(answer)
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), with_ids(through(Door.CALLER)))
async def test_what_is_theirs_and_what_does_not_exist_look_the_same(world: World, method: str, path: str) -> None:
    theirs = await world.call(method, path, world.second_key)
    owned = dict(world.owned)
    world.owned |= {
        "request_id": str(uuid4()),
        "group_id": str(uuid4()),
        "file_id": str(uuid4()),
        "event_id": f"evt_{uuid4()}_1",
    }
    nobodys = await world.call(method, path, world.second_key)
    world.owned = owned
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER, writes=False))
async def test_what_another_organisation_reads_holds_nothing_of_the_first(world: World, method: str, path: str) -> None:
    assert world.tells_nothing(await world.call(method, path, world.second_key))


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER))
async def test_an_organisation_id_in_a_header_does_not_move_a_key(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, world.second_key, **{"X-Organization-ID": str(world.first)})
    assert world.tells_nothing(answer)
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER))
async def test_a_person_acts_only_for_organisations_they_belong_to(world: World, method: str, path: str) -> None:
    token = await world.person(world.second)
    for named in (str(world.first), str(uuid4()), "1' OR '1'='1", ""):
        answer = await world.call(method, path, token, **{"X-Organization-ID": named})
        assert (answer.status_code, answer.json()["error"]) == (404, "organisation not found")
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER, Door.PERSON, Door.OPERATOR))
async def test_nobody_gets_in_without_a_credential_that_holds(world: World, method: str, path: str) -> None:
    revoked, expired = await world.api.key(world.first), await world.api.key(world.first, expires_at=_NOW)
    assert await world.api.services.accounts.revoke_key(revoked[4:12])
    forged = world.first_key[:-1] + ("A" if world.first_key[-1] != "A" else "B")
    for credential in (None, revoked, expired, forged, "gmi_", "not.a.token"):
        answer = await world.call(method, path, credential)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["code"] == "unauthenticated"
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER))
async def test_a_key_without_the_scope_is_forbidden(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, await world.api.key(world.first, scopes=["ce_resource"]))
    assert (answer.status_code, answer.json()["error"]) == (403, "This key lacks the scope ie_model")
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), through(Door.PERSON))
async def test_a_key_cannot_do_what_only_people_may(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, world.first_key)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER, Door.PERSON, writes=True))
async def test_a_viewer_changes_nothing(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, await world.person(world.first, "viewer"))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await world.is_unchanged()


@pytest.mark.parametrize(("method", "path"), through(Door.CALLER, writes=False))
async def test_a_viewer_reads_everything(world: World, method: str, path: str) -> None:
    answer = await world.call(method, path, await world.person(world.first, "viewer"))
    assert answer.status_code in row_of(method, path).good


@pytest.mark.parametrize(("method", "path"), through(Door.OPEN, Door.LINK))
async def test_an_open_route_tells_nothing_of_an_organisation(world: World, method: str, path: str) -> None:
    nobodys = {**world.owned, "token": uuid4().hex}
    owned, world.owned = world.owned, nobodys
    answer = await world.call(method, path, world.second_key)
    world.owned = owned
    assert world.tells_nothing(answer)
    if row_of(method, path).door is Door.LINK:
        assert answer.status_code in (403, 404)
    assert await world.is_unchanged()


async def test_an_upload_of_another_organisation_is_no_input(world: World) -> None:
    address = f"{world.api.services.links.public_url}/files/{world.owned['token']}/image.png"
    body = {"model": "wan2.7-i2v", "payload": {"prompt": "x", "first_frame": address}}
    theirs = await world.api.call("POST", f"{KEY_PREFIX}/requests", world.second_key, json=body)
    assert (theirs.status_code, theirs.json()["param"]) == (400, "first_frame")
    own = await world.api.call("POST", f"{KEY_PREFIX}/requests", world.first_key, json=body)
    assert own.status_code == 200, own.text


@pytest.mark.parametrize("kind", KINDS)
async def test_an_artifact_of_another_organisation_is_no_input_and_nothing_without_its_signature(
    world: World, kind: str
) -> None:
    requests = world.api.services.requests
    stored = await requests.submit(make_request(world.first, lane=f"lane-{kind}"))
    (request,) = await requests.claim(uuid4(), [f"lane-{kind}"], 1, timedelta(seconds=30))
    assert await requests.begin(request.request_id, request.attempt, "loading")
    artifact = make_artifact(kind)
    outcome = {"seed": 7, "video": make_artifact("video").as_json()}  # whole, for every list of this organisation
    assert await requests.finish(stored.request_id, request.attempt, success(artifacts=(artifact,), outcome=outcome))
    path = f"/artifacts/{artifact.artifact_id}/{KINDS[kind].file}"
    address = f"{world.api.services.links.public_url}{path}"
    body = {"model": "wan2.7-i2v", "payload": {"prompt": "x", "first_frame": address}}
    theirs = await world.api.call("POST", f"{KEY_PREFIX}/requests", world.second_key, json=body)
    assert (theirs.status_code, theirs.json()["param"]) == (400, "first_frame")
    assert theirs.json()["detail"]["errors"][0]["message"] == "No such artifact, or it has expired"
    own = await world.api.call("POST", f"{KEY_PREFIX}/requests", world.first_key, json=body)
    assert own.status_code == (200 if KINDS[kind].input == "image" else 400), own.text
    for key in (None, world.second_key, world.first_key):
        assert (await world.api.call("GET", path, key)).status_code == 403, "a link is what opens it, no key"


async def test_an_idempotency_key_of_another_organisation_is_another_key(world: World) -> None:
    headers = {"Idempotency-Key": "the-same"}
    ids: set[str] = set()
    for key in (world.first_key, world.second_key):
        answer = await world.api.call("POST", f"{KEY_PREFIX}/requests", key, json=submit_body({}), headers=headers)
        assert "idempotent-replayed" not in answer.headers
        ids.add(answer.json()["request_id"])
    assert len(ids) == 2


async def test_a_member_revokes_their_own_keys_only_and_an_owner_every_key(renewed: World) -> None:
    path = f"/api/v1/organizations/{renewed.first}/api-keys"
    member, owner = await renewed.person(renewed.first, "member"), await renewed.person(renewed.first)
    own = (await renewed.api.call("POST", path, member, json={"name": "mine"})).json()["id"]
    others = (await renewed.api.call("POST", path, owner, json={"name": "yours"})).json()["id"]
    assert (await renewed.api.call("DELETE", f"{path}/{others}", member)).status_code == 404
    assert (await renewed.api.call("DELETE", f"{path}/{own}", member)).status_code == 200
    assert (await renewed.api.call("DELETE", f"{path}/{others}", owner)).status_code == 200
