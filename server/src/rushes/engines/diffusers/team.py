"""Rank 0's side of a team: one request rendered by N processes on N GPUs of one machine.

The engine's child is rank 0; it alone speaks to the qworker and decodes. The other ranks load the same folder with the
same options, make the same calls at the same time, and live as long as the model is loaded. A team that has lost a
rank is never mended: it ends, and the next load makes another.
"""

import contextlib
import os
from collections.abc import Callable, Generator
from typing import Any, Final

from rushes.engines.diffusers.folder import WeightsFolder
from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.memory import is_full
from rushes.engines.diffusers.ranks import ALIKE, Ranks, failure
from rushes.engines.diffusers.splitting import Split, listening, meet, part
from rushes.engines.diffusers.together import Together
from rushes.engines.diffusers.tuning import Tuning
from rushes.engines.engine import Cancelled, Control, EngineError, EngineLost, OutOfMemory, Plan

START_SECONDS: Final = 300.0
"""For the processes to start and import torch; a busy machine takes a minute."""
LOAD_SECONDS: Final = 3600.0
"""For a rank that is still loading when rank 0 has finished; the attempt's own deadline is usually shorter."""
END_SECONDS: Final = 600.0
"""For the other ranks to end a call that rank 0 has ended."""
APART_SECONDS: Final = 30.0
"""After a failure of rank 0, for the others to show whether they met the same or wait for it."""
EXIT_CODE: Final = 70


class Team:
    """The other ranks of one loaded model."""

    def __init__(self, tuning: Tuning, where: Any, start_seconds: float = START_SECONDS) -> None:
        """Starts the processes, which import their libraries while rank 0 goes on. Raises EngineLost."""
        assert tuning.context_parallel is not None, "the card asks for a team"
        self._parallel, self._tuning, self._where = tuning.context_parallel, tuning, where
        self._start_seconds = start_seconds
        self._ranks = Ranks(self._parallel.gpus, stuck=_end_this_process)
        self.apart_seconds = APART_SECONDS
        self.closed = False
        self._met = False
        self.peak_bytes = 0
        """The most memory that any other rank held in its last call."""

    @property
    def lost(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self.closed or self._ranks.lost is not None

    @property
    def pids(self) -> list[int]:
        """Of the other ranks."""
        return self._ranks.pids

    def load(self, name: str, folder: WeightsFolder, control: Control) -> None:
        """Have every rank begin to load. Raises EngineLost when they do not come up, Cancelled."""
        self._ranks.answers("Starting the team", self._start_seconds, control.check)
        for rank in range(1, self._parallel.gpus):
            self._ranks.tell_one(
                rank,
                "load",
                model=name,
                folder=str(folder.path),
                tuning=self._tuning.model_dump(mode="json"),
                rank=rank,
                device=f"cuda:{self._where.index + rank}" if self._where.type == "cuda" else "cpu",
                threads=torch.get_num_threads(),
            )

    def join(self, pipe: Any, control: Control) -> Split:
        """Wait for every rank's weights, then divide the model among all. Raises what a rank met, Cancelled."""
        self._expect("loaded", "Loading in the team", LOAD_SECONDS, control.check)
        listener, port = listening()
        self._ranks.tell("join", port=port)
        self._met = True
        with self._ranks.inside(), self._typed():
            meet(0, self._parallel.gpus, port, self._where, listener)
            split = Split(pipe, self._parallel, 0, self._where)
        self._expect("joined", "Joining the team", self._start_seconds, control.check)
        return split

    @contextlib.contextmanager
    def call(self, plan: Plan, control: Control) -> Generator[Together]:
        """Have the others make the call for a plan that rank 0 makes in this context, with the control it gives.

        What all meet alike comes out as it is and leaves the team as it was. Anything else ends it: OutOfMemory where
        that is what a rank said, else EngineLost.
        """
        control.check()
        try:
            self._ranks.tell("run", plan=plan.as_json())
        except EngineError as lost:
            self._spend(lost)
            raise
        error: Exception | None = None
        try:
            with self._ranks.inside():
                yield Together(control)
        except Exception as raised:  # whatever it is: the others must not wait for this rank
            error = raised
        except BaseException:
            self.close()
            raise
        if error is None or isinstance(error, (Cancelled, *ALIKE)):
            self._end_alike(error)
        else:
            self._end_apart(error)

    def close(self) -> None:
        """End the other ranks; what they held is free when this returns. Safe to call twice."""
        self.closed = True
        self._ranks.kill()
        if self._met:
            part()
            self._met = False

    def _end_alike(self, error: Exception | None) -> None:
        """Rank 0 ended in a way that the others should have ended in, too."""
        wanted = "done" if error is None else "cancelled" if isinstance(error, Cancelled) else "failed"
        try:
            answers = self._ranks.answers("Ending a run of the team", END_SECONDS, _nothing)
            if other := next((n for n, answer in answers.items() if answer["kind"] != wanted), 0):
                said = answers[other].get("text", answers[other]["kind"])
                raise EngineLost(f"The ranks of the team ended differently: rank {other}: {said}")
        except EngineError as lost:
            self._spend(lost)
            raise
        self.peak_bytes = max([answer.get("peak_bytes", 0) for answer in answers.values()], default=0)
        if error is not None:
            raise error

    def _end_apart(self, error: Exception) -> None:
        """Rank 0 failed. If the others are done this was its own affair, such as decoding; else nobody can go on."""
        answers = self._ranks.settled(self.apart_seconds)
        if not self._ranks.lost and [answer["kind"] for answer in answers.values()] == ["done"] * len(self.pids):
            raise error
        told = next((failure(answer, rank) for rank, answer in answers.items() if answer["kind"] == "failed"), None)
        reason = self._ranks.lost or told or _typed(error)
        self._spend(reason)
        raise reason from error

    def _expect(self, kind: str, what: str, seconds: float, poll: Callable[[], None]) -> None:
        for rank, answer in self._ranks.answers(what, seconds, poll).items():
            if answer["kind"] == "failed":
                raise failure(answer, rank)
            if answer["kind"] != kind:
                raise EngineLost(f"{what}: rank {rank} said {answer['kind']} instead of {kind}")

    @contextlib.contextmanager
    def _typed(self) -> Generator[None]:
        """What the process group raises in rank 0 when a rank is gone, as the reason why it is gone."""
        try:
            yield
        except EngineError:
            raise
        except RuntimeError as error:
            self._ranks.settled(self.apart_seconds)
            reason = self._ranks.lost or _typed(error)
            reason.spent = True
            raise reason from error

    def _spend(self, reason: EngineError) -> None:
        """After this no more can be expected of this process either: a GPU may still wait for a dead rank's message."""
        reason.spent = True
        self.close()


def _typed(error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    made = OutOfMemory if is_full(error) else EngineLost
    return made(f"{type(error).__name__}: {error}")


def _nothing() -> None:
    """Nobody can be asked while a call of all ranks ends."""


def _end_this_process() -> None:
    os._exit(EXIT_CODE)
