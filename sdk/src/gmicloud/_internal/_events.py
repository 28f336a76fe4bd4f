"""Following a request event by event: server-sent events with resume where the server has them, polling elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._core import Core
from gmicloud._internal._json import as_object
from gmicloud._internal._models import GetRequestResponse, RequestEvent
from gmicloud._internal._step import Close, Emit, Flow, Pause, chunk
from gmicloud.errors import APIConnectionError, BadAnswerError, GmiError
from gmicloud.wait import NONE, Patience, RequestLike, request_id_of

LONGEST_MESSAGE = 2**20


def follow(core: Core, request: RequestLike) -> Flow[None]:
    """Emit each event of a request, the final one last; lost connections are resumed without gaps or repeats."""
    request_id = request_id_of(request)
    if not (yield from core.identify()):
        yield from _poll(core, request_id)
        return
    patience = Patience(core, request_id)
    seen = Seen()
    while True:
        try:
            ended = yield from _listen(core, request_id, seen, patience)
            if ended:
                return
            delay = patience.lost(APIConnectionError("the event stream ended before the request did"))
        except GmiError as error:
            delay = patience.lost(error)
        yield Pause(delay)


def _listen(core: Core, request_id: str, seen: Seen, patience: Patience) -> Flow[bool]:
    """Emit what one connection brings; whether the final event was among it."""
    call = requests.events(core.routes, request_id, after=seen.last_id)
    stream = yield from core.open(call, authorised=True)
    messages = Messages()
    while (data := (yield from chunk(stream))) is not None:
        patience.restored()
        for message in messages.feed(data):
            event = read_event(message, request_id)
            if event is None or not seen.is_new(event):
                continue
            yield Emit(event)
            if event.is_final:
                yield Close(stream)
                return True
    yield Close(stream)
    return False


def _poll(core: Core, request_id: str) -> Flow[None]:
    patience = Patience(core, request_id)
    seen = Seen()
    polls = 0
    while True:
        try:
            answer = yield from core.ask(requests.get_request(core.routes, request_id), retries=NONE)
        except GmiError as error:
            yield Pause(patience.lost(error))
            continue
        patience.restored()
        polls += 1
        record = answers.read(answer, GetRequestResponse)
        event = _event_of(record)
        if seen.is_new(event):
            yield Emit(event)
        if record.is_final:
            return
        yield Pause(max(min(5.0 + 0.5 * polls, 10.0), answers.retry_after(answer.headers) or 0.0))


def _event_of(record: GetRequestResponse) -> RequestEvent:
    fields = record.model_dump(include=set(RequestEvent.model_fields))
    return RequestEvent.model_validate({**fields, "type": f"request.{record.status}", "at": record.updated_at})


def read_event(message: Message, request_id: str) -> RequestEvent | None:
    """The event in a message; None for messages without data. Raises BadAnswerError for anything but an object."""
    if not message.data:
        return None
    try:
        body = as_object(json.loads(message.data))
    except (ValueError, RecursionError):
        body = None
    if body is None:
        raise BadAnswerError("the event stream carried something other than events", request_id=request_id)
    given: dict[str, Any] = {"type": message.kind, "event_id": message.id or None, "request_id": request_id}
    return RequestEvent.model_validate({**given, **{key: value for key, value in body.items() if value is not None}})


class Seen:
    """What was emitted already: after a reconnection the server first repeats the current state."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self._state: tuple[Any, ...] = ()

    def is_new(self, event: RequestEvent) -> bool:
        """Whether the event says anything new; remembers it."""
        state = (event.status, event.attempt, event.progress, event.stage, event.queue_position)
        new = state != self._state and (event.event_id is None or event.event_id != self.last_id)
        self.last_id = event.event_id or self.last_id
        self._state = state
        return new


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an event stream."""

    kind: str
    data: str
    id: str


class Messages:
    """Bytes to messages, as the HTML standard's section on server-sent events lays down (9.2.6)."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, list[str]] = {}

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that these bytes complete. Raises BadAnswerError for one of more than 1 MiB."""
        text = self._rest + data
        if len(text) > LONGEST_MESSAGE:
            raise BadAnswerError("the event stream carried a message of more than 1 MiB")
        *lines, self._rest = text.replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line.rstrip(b"\r"):
                self._keep(line.rstrip(b"\r").decode("utf-8", "replace"))
            elif self._fields:
                fields, self._fields = self._fields, {}
                yield Message(_last(fields, "event"), "\n".join(fields.get("data", [])), _last(fields, "id"))

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name:
            self._fields.setdefault(name, []).append(value.removeprefix(" "))


def _last(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[-1]
