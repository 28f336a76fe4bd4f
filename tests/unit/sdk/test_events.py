"""Following a request: the parser, resuming, and polling where there is no stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gmicloud import AsyncClient, Client
from gmicloud._internal._events import LONGEST_MESSAGE, Message, Messages
from gmicloud.errors import BadAnswerError, NotFoundError
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sdk.conftest import PASSWORD, Wire


def event(status: str, number: int | None = None, **fields: Any) -> bytes:
    """One message of a stream; without a number it is a progress event."""
    kind = "request.progress" if number is None else f"request.{status}"
    body = {"type": kind, "request_id": "r", "status": status, "attempt": 1, **fields}
    head = f"id: evt_r_{number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


STREAM = b"retry: 2000\n\n" + event("queued", 1) + b": still here\n\n" + event("processing", 2)


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_messages_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parser = Messages()
    found = [one for i in range(len(places) - 1) for one in parser.feed(STREAM[places[i] : places[i + 1]])]
    assert [(one.kind, one.id) for one in found if one.data] == [
        ("request.queued", "evt_r_1"),
        ("request.processing", "evt_r_2"),
    ]


def test_lines_may_end_in_crlf_and_data_may_span_lines() -> None:
    assert list(Messages().feed(b"event: e\r\ndata: 1\r\ndata:2\r\n\r\n")) == [Message("e", "1\n2", "")]


def test_a_message_without_end_is_refused() -> None:
    parser = Messages()
    with pytest.raises(BadAnswerError, match="1 MiB"):
        for _ in range(LONGEST_MESSAGE // 1000 + 2):
            list(parser.feed(b"x" * 1000))


def test_events_arrive_in_order_and_end_with_the_final_one(wire: Wire, client: Client) -> None:
    wire.streams = [[event("queued", 1), event("processing", 2), event("processing", progress=50), event("success", 3)]]
    client.video_manager.get_models()
    found = list(client.iter_events("r"))
    assert [one.type for one in found] == [
        "request.queued",
        "request.processing",
        "request.progress",
        "request.success",
    ]
    assert found[2].progress == 50
    assert found[-1].is_final
    assert not found[2].is_final


def test_a_lost_stream_is_resumed_after_the_last_event_without_repeats(wire: Wire, client: Client) -> None:
    wire.streams = [
        [event("queued", 1), event("processing", 2), event("processing", progress=30)],
        [event("processing", progress=30), event("processing", progress=60), event("success", 3)],
    ]
    found = list(client.iter_events("r"))
    assert [(one.status, one.progress) for one in found] == [
        ("queued", None),
        ("processing", None),
        ("processing", 30),
        ("processing", 60),
        ("success", None),
    ]
    resumed = [call.headers.get("last-event-id") for call in wire.calls if call.path.endswith("/events")]
    assert resumed == [None, "evt_r_2"]


def test_leaving_the_loop_early_closes_the_stream(wire: Wire, client: Client) -> None:
    wire.streams = [[event("queued", 1), event("success", 2)]]
    for found in client.iter_events("r"):
        assert found.status == "queued"
        break
    assert client.video_manager.get_models()


def test_an_unknown_request_is_refused(client: Client) -> None:
    with pytest.raises(NotFoundError):
        list(client.iter_events("r"))


def test_a_stream_of_something_else_is_a_typed_error(wire: Wire, client: Client) -> None:
    wire.streams = [[b"data: <html>\n\n"]]
    with pytest.raises(BadAnswerError):
        list(client.iter_events("r"))


def test_an_old_token_is_renewed_before_the_stream(wire: Wire) -> None:
    with Client(email="a@b.c", password=PASSWORD, base_url=wire.url) as client:
        client.video_manager.get_models()
        wire.valid_tokens = set()
        wire.streams = [[event("success", 1)]]
        assert [one.status for one in client.iter_events("r")] == ["success"]


def test_other_servers_are_polled(wire: Wire, client: Client) -> None:
    wire.ours = False
    wire.plan("r", "success")
    (found,) = client.iter_events("r")
    assert (found.type, found.status) == ("request.success", "success")
    assert not any(call.path.endswith("/events") for call in wire.calls)


async def test_the_async_client_follows_too(wire: Wire, async_client: AsyncClient) -> None:
    wire.streams = [[event("queued", 1)], [event("queued", 1), event("failed", 2, error="why")]]
    found = [one async for one in async_client.iter_events("r")]
    assert [(one.status, one.error) for one in found] == [("queued", None), ("failed", "why")]
