"""The OpenAPI document is true: generated calls are answered as it says, never with a server error."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
import schemathesis
from gmicloud.local import LocalServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rushes.api.openapi import document
from rushes.api.operations import OPERATIONS
from rushes.api.routes import ROUTES
from rushes.domain.errors import HTTP_ERRORS
from schemathesis import GenerationMode, checks

from .conftest import QUEUE

# One prefix stands for its aliases; under the session prefix only the list of models differs. Bytes, pages and streams
# have tests of their own.
SCHEMA = (
    schemathesis.openapi.from_dict(document(ROUTES, "http://127.0.0.1"))
    .include(path_regex=rf"^({QUEUE}/|/api/v1/ie/requestqueue/models$|/api/v1/me|/api/v1/org|/video|/v1)")
    .exclude(path_regex="/events$")
    # Wrong logins are counted against this machine's address, and other tests log in from it.
    .exclude(path_regex="/(auth-tokens|page-session)$")
    .exclude(path="/api/v1/me/sessions", method="POST")
)
GENERATED = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="session")
def told(queue: httpx2.Client) -> dict[str, Any]:
    """The document as the server gives it."""
    return queue.get(queue.base_url.join("/openapi.json")).json()


@pytest.mark.parametrize("label", GENERATED)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_generated_calls_are_answered_as_documented(
    gmicloud_server: LocalServer, label: str, mode: GenerationMode
) -> None:
    operation = GENERATED[label]

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        answer = case.call(
            base_url=gmicloud_server.base_url,
            headers={"Authorization": f"Bearer {gmicloud_server.api_key}"},
            timeout=60,
        )
        case.validate_response(answer, checks=CHECKS)

    call()


def test_every_route_is_described_and_nothing_else(told: dict[str, Any]) -> None:
    described = {(path, method.upper()) for path, operations in told["paths"].items() for method in operations}
    assert described >= {(route.path.replace(":path", ""), route.method) for route in ROUTES}
    names = [each["operationId"] for operations in told["paths"].values() for each in operations.values()]
    assert len(names) == len(set(names))
    used = {route.operation.removeprefix("short_").removeprefix("session_") for route in ROUTES}
    assert {name.removeprefix("session_") for name in OPERATIONS} <= used


def test_every_error_code_is_documented(told: dict[str, Any]) -> None:
    assert told["openapi"] == "3.1.0"
    assert told["components"]["schemas"]["Error"]["properties"]["code"]["enum"] == list(HTTP_ERRORS)
    for operations in told["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and status != "416":
                    codes = answer["description"].split(", ")
                    assert {HTTP_ERRORS[code].status for code in codes} == {int(status)}


def test_the_page_shows_every_path_without_scripts(queue: httpx2.Client, told: dict[str, Any]) -> None:
    answer = queue.get(queue.base_url.join("/docs"))
    assert "script" not in answer.headers["content-security-policy"]
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag != "script"
            assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

        def handle_data(self, data: str) -> None:
            seen.append(data)

    Reader().feed(answer.text)
    for path in told["paths"]:
        if path.startswith((QUEUE, "/video", "/api/v1/me", "/api/v1/organizations")):
            assert path in seen
