"""Every exchange has an id of its own, which its answer and its lines in the log name."""

import httpx2
from rushes.api.app import Edge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.contextvars import get_contextvars


async def test_the_answer_names_the_call_that_the_log_names_and_each_call_has_its_own() -> None:
    async def logged(_: Request) -> PlainTextResponse:
        return PlainTextResponse(get_contextvars()["call_id"])

    edge = Edge(Starlette(routes=[Route("/", logged)]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(edge), base_url="http://here") as client:
        answers = [await client.get("/") for _ in range(2)]
    assert [answer.headers["rushes-call-id"] for answer in answers] == [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 2
    assert "call_id" not in get_contextvars()
