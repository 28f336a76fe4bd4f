"""One call as every verb makes it: authorised, repeated where that is safe, refused with a typed error."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._auth import Credentials
from gmicloud._internal._models import GetModelResponse
from gmicloud._internal._retry import Retries
from gmicloud._internal._settings import Routes
from gmicloud._internal._step import Alone, Answer, Call, Close, Flow, Pause, Stream, chunk, opened, send
from gmicloud._internal._version import VERSION
from gmicloud.errors import APIConnectionError, GmiError

AGENT = f"gmicloud-python/{VERSION}"
REFUSAL_SIZE = 64 * 1024


@dataclass
class Core:
    """What all verbs of one client share."""

    routes: Routes
    credentials: Credentials
    retries: Retries
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.rushes: bool | None = None
        """Whether the server has our additions (it sends Rushes-Version); None before its first answer."""
        self.cards: dict[str, GetModelResponse] = {}

    def ask(self, call: Call, *, retries: Retries | None = None) -> Flow[Answer]:
        """The 2xx answer to a call of the API. Raises GmiError."""
        return (yield from self._persist(call, retries or self.retries, self._once))

    def ask_openly(self, call: Call) -> Flow[Answer]:
        """The same without a credential: logging in, and signed addresses."""
        return (yield from self._persist(call, self.retries, self._send_plain))

    def open(self, call: Call, *, authorised: bool) -> Flow[Stream]:
        """The open 2xx answer to a call, tried once. Raises GmiError."""
        token = (yield from self._token()) if authorised else ""
        stream = yield from opened(self._dressed(call) if authorised else call)
        if authorised and stream.answer.status == 401 and self.credentials.renewable:
            yield Close(stream)
            yield Alone(self.credentials.renew(token, self.ask_openly))
            stream = yield from opened(self._dressed(call))
        self._learn(stream.answer, authorised)
        if 200 <= stream.answer.status < 300:
            return stream
        raise answers.refusal((yield from self._rest(stream)), self.credentials.clean)

    def identify(self) -> Flow[bool]:
        """Whether the server has our additions; asks for its model list if nothing is known yet."""
        if self.rushes is None:
            yield from self.ask(requests.list_models(self.routes))
        return bool(self.rushes)

    def _persist(self, call: Call, retries: Retries, once: Callable[[Call], Flow[Answer]]) -> Flow[Answer]:
        tried = 0
        while True:
            try:
                return (yield from once(call))
            except GmiError as error:
                delay = retries.delay(error, tried)
                if delay is None:
                    raise
                if not (yield from self._may_repeat(call, error)):
                    error.message += "; it is not known whether the server acted on it"
                    error.args = (error.message,)
                    raise
            tried += 1
            yield Pause(delay)

    def _once(self, call: Call) -> Flow[Answer]:
        token = yield from self._token()
        answer = yield from send(self._dressed(call))
        if answer.status == 401 and self.credentials.renewable:
            yield Alone(self.credentials.renew(token, self.ask_openly))
            answer = yield from send(self._dressed(call))
        self._learn(answer, True)
        return self._accepted(answer)

    def _send_plain(self, call: Call) -> Flow[Answer]:
        return self._accepted((yield from send(call)))

    def _accepted(self, answer: Answer) -> Answer:
        if 200 <= answer.status < 300:
            return answer
        raise answers.refusal(answer, self.credentials.clean)

    def _may_repeat(self, call: Call, error: GmiError) -> Flow[bool]:
        """Whether repeating the call cannot do its work twice.

        A POST under an Idempotency-Key is safe on servers that know such keys, which the documented service does not
        promise. There it is repeated only when the server said no or never heard us.
        """
        if "Idempotency-Key" not in call.headers or error.status_code in (429, 503):
            return True
        if isinstance(error, APIConnectionError) and not error.sent:
            return True
        return (yield from self.identify())

    def _token(self) -> Flow[str]:
        if not self.credentials.current:
            yield Alone(self.credentials.renew("", self.ask_openly))
        return self.credentials.current

    def _dressed(self, call: Call) -> Call:
        common = {"Accept": "application/json", "User-Agent": AGENT, **self.credentials.headers()}
        return replace(call, headers={**common, **call.headers})

    def _learn(self, answer: Answer, authorised: bool) -> None:
        if authorised and (answer.status < 500 or "rushes-version" in answer.headers):
            self.rushes = "rushes-version" in answer.headers

    def _rest(self, stream: Stream) -> Flow[Answer]:
        content = b""
        while len(content) < REFUSAL_SIZE and (data := (yield from chunk(stream))):
            content += data
        yield Close(stream)
        return replace(stream.answer, content=content)
