"""Whose turn it is at a slot's engine: one attempt there, at most one on its way, at most two behind it.

An attempt comes (its inputs are being prepared), takes the engine, gives it back with its last frame, writes (encodes,
uploads, finishes) and goes. So the engine goes from one request to the next without waiting for a disk or a database.
"""

import asyncio
from collections.abc import Callable

from rushes.worker.failure import HandedBack

WRITING = 2
"""Attempts behind the engine: a bound on memory, and on what is begun while the object store takes nothing."""
PATIENCE_SECONDS = 30.0
"""How long an attempt whose inputs are ready waits for an engine that was thought to be free soon."""


class Turns:
    """The turns of one slot. `on_room` is called whenever there may be room for another request."""

    def __init__(self, on_room: Callable[[], None], patience: float = PATIENCE_SECONDS) -> None:
        self._on_room = on_room
        self._patience = patience
        self._coming: set[Turn] = set()
        self._engine: Turn | None = None
        self._writing: set[Turn] = set()
        self._ahead = False
        self._moved = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether no attempt is at the engine or on its way there."""
        return not self._coming and self._engine is None

    @property
    def room(self) -> bool:
        """Whether another request is wanted: for an idle engine, or because it will be idle soon."""
        return len(self._writing) < WRITING and not self._coming and (self._engine is None or self._ahead)

    def asked(self) -> None:
        """A request was looked for. Nobody looks ahead twice in a run, else new ones would not reach idle qworkers."""
        self._ahead = False

    def turn(self) -> "Turn":
        """A place in the line, for one attempt."""
        turn = Turn(self)
        self._coming.add(turn)
        return turn

    async def _open(self) -> None:
        while self._engine is not None or len(self._writing) >= WRITING:
            self._moved.clear()
            await self._moved.wait()

    def _move(self) -> None:
        self._moved.set()
        self._on_room()


class Turn:
    """One attempt's turn. Every step may be left out, and `end` called at any time, also twice."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    async def take(self) -> None:
        """Wait for the engine and take it. Raises HandedBack if it does not come free in good time."""
        turns = self._turns
        try:
            async with asyncio.timeout(turns._patience):
                await turns._open()
        except TimeoutError as error:
            raise HandedBack("The engine is busy for longer than it seemed") from error
        turns._coming.discard(self)
        turns._engine = self
        turns._ahead = False

    def ends_soon(self) -> None:
        """The engine will be free in a few seconds: one request may be claimed ahead."""
        if self._turns._engine is self:
            self._turns._ahead = True
            self._turns._move()

    def give_back(self) -> None:
        """The engine has done its part."""
        turns = self._turns
        turns._coming.discard(self)
        if turns._engine is self:
            turns._engine = None
            turns._ahead = False
            turns._writing.add(self)
            turns._move()

    def end(self) -> None:
        """The attempt is over."""
        self.give_back()
        self._turns._writing.discard(self)
        self._turns._move()
