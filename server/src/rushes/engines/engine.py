"""The engine protocol: what turns a checked payload into frames or a finished video.

`caps` and `normalise` also run in the API process, so an engine module imports nothing heavy at its top. `load`,
`generate` and the rest run in the engine's child process, supervised by the qworker.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from rushes.domain.model_card import ModelCard

PixelFormat = Literal["rgb24", "yuv420p"]
SLOT_VARIABLE = "RUSHES_SLOT"
"""In the environment of an engine's child, the number of its slot: the n-th child renders on the n-th GPU."""
GPUS_VARIABLE = "RUSHES_SLOT_GPUS"
"""In the environment of an engine's child, the GPUs each slot has, one if it is missing: those of one request."""
Effort = Literal["full", "light"]
"""How hard the encoder searches (media/encode.py): light takes half of the time, for frames that were drawn."""
Stage = Literal["loading", "generating", "encoding", "uploading"]


@dataclass(frozen=True, slots=True)
class Caps:
    """What an engine can do for a card: cheap to ask, no weights, no network."""

    kinds: tuple[str, ...]
    """Of t2v, i2v, flf2v, v2v, a2v."""
    weightless: bool = False
    """True if nothing is loaded per model, so that one slot serves every model of the engine."""
    size_multiple: int = 2
    fps: int = 24
    max_seconds: float | None = None
    sound: bool = False
    max_batch: int = 1
    gpus: int = 1
    """GPUs that one request takes at once. What a worker serves decides how many each of its slots has."""
    fails_on_order: bool = False
    """True if a payload can order a failure: such failures say nothing of the engine and never hold its lane."""
    cancel: Literal["real", "drain", "none"] = "real"
    progress: Literal["real", "estimated"] = "real"
    repeatable: bool = True
    """False where another attempt would be given the same video again, which was paid for."""
    inputs: Literal["prepared", "original"] = "prepared"
    """prepared: a PNG that fits the plan, a .npy track, a folder of frames. original: the checked file as it came."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One generation, decided. Pure JSON: it is stored with the request and sent to the child."""

    model: str
    kind: str
    prompt: str
    negative_prompt: str
    width: int | None
    """None while the size follows a picture that has not been read yet (`aspect` is then "source")."""
    height: int | None
    tier: str
    """720P, 1080P, ... the area that a size is worked out from."""
    aspect: str
    """W:H, or "source"."""
    fps: int
    num_frames: int
    """Frames rendered."""
    keep_frames: int
    """Frames delivered; the encoder drops the rest."""
    seconds: float
    """What is priced."""
    seed: int
    sound: bool = False
    watermark: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Role ("image", "last_image", "clip", "audio") to a reference at submit, to a local path in the child."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: tuple[str, ...] = ()
    """Sentences for the request's `warnings`."""
    approximate: bool = False
    """The length is the upstream's to choose: a finished file is not held against `seconds`."""
    effort: Effort = "full"
    hops: int = 0
    """Servers of ours that have passed the request on to this one."""

    def as_json(self) -> dict[str, Any]:
        values = {plain.name: getattr(self, plain.name) for plain in fields(self)}
        return {**values, "inputs": dict(self.inputs), "extra": dict(self.extra), "notes": list(self.notes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        values: dict[str, Any] = {**data, "notes": tuple(data["notes"])}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Picture:
    """Facts about a checked input, read from its header: pixels, seconds."""

    width: int = 0
    height: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Audio:
    """A sound track: float32, shape (samples, channels), -1 to 1."""

    samples: NDArray[np.float32]
    rate: int


@dataclass(slots=True)
class Report:
    """What an engine says about a finished generation."""

    seed: int
    fingerprint: str
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds per phase."""
    peak_bytes: int = 0
    rendered_by: str = ""
    """The engine behind this one, where it is another server's and that server says."""


class Frames(Protocol):
    """Frames in order, once, as they appear. `audio` and `report` are complete when the iteration has ended."""

    width: int
    height: int
    fps: int
    count: int
    pixel_format: PixelFormat
    """rgb24: each frame is uint8 (height, width, 3). yuv420p: uint8 (height * 3 // 2, width), the Y, U and V planes one
    after the other as in I420, BT.709 limited range."""
    audio: Audio | None
    report: Report

    def __iter__(self) -> Iterator[NDArray[np.uint8]]: ...


@dataclass(slots=True)
class Encoded:
    """A finished file in the attempt's scratch folder."""

    path: Path
    report: Report


@dataclass(frozen=True, slots=True)
class Loaded:
    """What `load` brought in."""

    bytes: int
    seconds: float
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Health:
    """ready, degraded or lost; the models that are loaded; free bytes where that is known."""

    state: Literal["ready", "degraded", "lost"]
    loaded: Sequence[str] = ()
    free_bytes: int | None = None


class Control(Protocol):
    """What an engine is given to report with. Both `progress` and `check` raise Cancelled."""

    scratch: Path
    """This attempt's folder, the only one an engine writes to."""
    remembered: str | None
    """Left by an earlier attempt of the same request."""

    def progress(self, phase: str, done: float, total: float) -> None: ...
    def check(self) -> None: ...
    def remember(self, ref: str) -> None:
        """Durable on return: a remote id, so that a new attempt re-attaches instead of paying twice.

        An empty text says that nothing is left elsewhere.
        """
        ...


class Engine(Protocol):
    """One way to render. Engines never import each other."""

    name: str

    def caps(self, card: ModelCard) -> Caps: ...
    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        """The plan for a cleaned payload; pure. `seed` is the one drawn at submit, used when the payload names none.

        `pictures` holds the header facts of the inputs by role, once they are known; without them a size that follows
        a picture stays None. Raises InvalidInput with every fault.
        """
        ...

    def load(self, card: ModelCard, control: Control) -> Loaded: ...
    def unload(self, model: str, *, keep_in_ram: bool = False) -> None: ...
    def health(self) -> Health: ...
    def generate(self, plan: Plan, control: Control) -> Frames | Encoded:
        """Render one plan; blocking. Everything slow happens here or while the frames are iterated."""
        ...


Abandoned = Literal["stopped", "running", "unknown"]
"""What became of work elsewhere that nobody wants. stopped: it has ended, or is not there any more. running: its server
stops nothing. unknown: what was begun, if anything, cannot be told from the work of others."""

Alive = Callable[[], Awaitable[Sequence[str]]]
"""What was remembered for the requests that go on, of every engine. Asked for after a search at the server."""


@runtime_checkable
class Abandons(Protocol):
    """An engine that begins work elsewhere, and has it stopped where its request ended without it."""

    async def abandon(self, ref: str, alive: Alive) -> Abandoned:
        """Stop what an attempt has remembered as `ref`; harmless when repeated, and for what has ended already.

        Runs in the qworker's own process, for requests that are final; work that one of those `alive` may mean is left
        alone. Raises EngineError where it is worth asking again later.
        """
        ...


class EngineError(Exception):
    """Base of the typed engine errors; `code` is the failure code of domain/errors.py.

    `final` means that trying again cannot help, whatever the code says of other cases.
    """

    code = "internal"
    spent = False
    """True where the engine's process is of no more use, so that the next attempt is to have a new one."""

    def __init__(self, text: str, *, field: str | None = None, final: bool = False, code: str | None = None) -> None:
        super().__init__(text)
        self.field = field
        self.final = final
        self.code = code or self.code


class InvalidInput(EngineError):
    """The request can never work; never retried."""

    code = "invalid_input"


class OutOfMemory(EngineError):
    """It did not fit; once more, elsewhere."""

    code = "out_of_memory"


class EngineLost(EngineError):
    """The child died or the server went away; retried to the limit."""

    code = "engine_lost"


class Unsupported(EngineError):
    """Wrong folder, missing package, version skew; handed back uncounted."""

    code = "unsupported"


class Busy(EngineError):
    """The server cannot take it now; handed back uncounted, and nothing is tried there for `retry_after` seconds.

    `hold`: it will not until somebody acts, such as an upstream account without balance. The lane is held then.
    """

    code = "upstream_error"

    def __init__(self, text: str, *, retry_after: float = 30.0, hold: bool = False) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.hold = hold


class UpstreamError(EngineError):
    """A service that was paid for this failed; `final` unless it says that trying again may help."""

    code = "upstream_error"


class Cancelled(Exception):
    """The attempt is to stop. Not an error.

    `for_good`: the customer has cancelled, so work begun elsewhere is to be stopped too. Otherwise another attempt may
    take it up: this one lost its lease, or its qworker is going away.
    """

    def __init__(self, *, for_good: bool = False) -> None:
        super().__init__()
        self.for_good = for_good
