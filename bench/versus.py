"""One variant of the server against another: both alive, loads in turn, so that a noisy machine is noisy for both."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from bench.bare import PATH
from bench.ground import Ground, Server, serving
from bench.load import Load, Result, measured

ROUNDS = 3


@dataclass(slots=True)
class Contender:
    """What a variant of the server did, over all rounds."""

    variant: str
    server: Server
    result: Result = field(default_factory=Result)
    cpu_seconds: float = 0.0

    @property
    def cpu_microseconds(self) -> float:
        """Of the serving process, for one answer."""
        return self.cpu_seconds / len(self.result.latencies) * 1e6


def contest(at: Ground, variants: Sequence[str], load: Load) -> Generator[Contender]:
    """Run a load against each variant, in turn; `load.port` is filled in. Every answer must be a 200."""
    with ExitStack() as stack:
        contenders = [Contender(variant, stack.enter_context(serving(at, variant))) for variant in variants]
        for contender in contenders:
            measured(replace(load, port=contender.server.port, seconds=1.0))
        for _ in range(ROUNDS):
            for contender in contenders:
                _one_round(contender, replace(load, port=contender.server.port))
    yield from contenders


def against_bare(at: Ground, load: Load) -> tuple[Contender, Contender]:
    """The bare endpoint of a serving process and a real route of the same process, in turn."""
    with serving(at, "real") as server:
        bare, real = Contender("bare endpoint", server), Contender("real", server)
        loads = (bare, replace(load, port=server.port, paths=[PATH])), (real, replace(load, port=server.port))
        for _, one in loads:
            measured(replace(one, seconds=1.0))
        for _ in range(ROUNDS):
            for contender, one in loads:
                _one_round(contender, one)
    return bare, real


def _one_round(contender: Contender, load: Load) -> None:
    before = contender.server.cpu_seconds()
    result = measured(load)
    contender.cpu_seconds += contender.server.cpu_seconds() - before
    assert not result.refusals, f"{contender.variant} refused {len(result.refusals)} calls: {result.refusals[0]}"
    contender.result.latencies += result.latencies
    contender.result.seconds += result.seconds
