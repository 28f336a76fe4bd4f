"""The few things a verb may ask of the outside world.

Every verb is written once, as a generator that yields steps and receives their results (a flow). A sender performs the
steps: one by blocking, one by awaiting. Nothing else in the SDK touches the network or sleeps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any, TypeVar

from gmicloud.errors import BadAnswerError

if TYPE_CHECKING:
    from gmicloud._internal._body import FileBody

T = TypeVar("T")
Flow = Generator["Step", Any, T]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, complete but for its credential."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    json: Any = field(default=None, repr=False)
    body: FileBody | None = field(default=None, repr=False)
    patience: float = 0.0
    """Seconds the server may keep silent on top of the client's timeout (long polls)."""
    follow: bool = False
    """Whether redirects are followed. Only calls without a credential may."""
    request_id: str | None = None
    """The request this call is about, for errors."""

    @property
    def place(self) -> str:
        """Method and URL for people: without the query, which may be signed, and without a user name."""
        scheme, _, rest = self.url.split("?", 1)[0].partition("://")
        return f"{self.method} {scheme}://{self.host}{rest[len(rest.split('/', 1)[0]) :]}"

    @property
    def host(self) -> str:
        """Host and port for people."""
        return self.url.partition("://")[2].split("/", 1)[0].split("?", 1)[0].rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Header names are in lower case."""

    call: Call
    status: int
    headers: Mapping[str, str]
    content: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """The decoded body. Raises BadAnswerError when it is not JSON."""
        try:
            return loads(self.content)
        except (JSONDecodeError, UnicodeDecodeError, RecursionError):
            kind = self.headers.get("content-type", "no content type")
            raise BadAnswerError(
                f"{self.call.place} was answered with {kind} instead of JSON; is base_url right?",
                code="bad_answer",
                status_code=self.status,
                request_id=self.call.request_id,
            ) from None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Call the customer's function; its result is the step's result. It may be async under the async sender."""

    function: Callable[[Any], Any]
    value: Any = None


@dataclass(frozen=True, slots=True)
class Open:
    """Send a call and keep its answer open. The result is a Stream."""

    call: Call


@dataclass(eq=False, slots=True)
class Stream:
    """An answer whose body is still to be read. `answer.content` is filled for refusals only."""

    answer: Answer
    chunks: Any = field(repr=False)
    response: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Read:
    """The next bytes of a stream, or None at its end."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Close:
    """Give the connection of a stream back."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Alone:
    """Run a flow while no other such flow of this client runs (logging in)."""

    flow: Flow[Any]


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a value to the customer's loop."""

    value: Any


Step = Call | Pause | Tell | Open | Read | Close | Alone | Emit


def send(call: Call) -> Flow[Answer]:
    """The answer to a call, whatever its status."""
    answer: Answer = yield call
    return answer


def opened(call: Call) -> Flow[Stream]:
    """The open answer to a call, whatever its status."""
    stream: Stream = yield Open(call)
    return stream


def chunk(stream: Stream) -> Flow[bytes | None]:
    """The next bytes of a stream, or None at its end."""
    data: bytes | None = yield Read(stream)
    return data
