"""The line between the ranks of a team: JSON messages over a connected socket, one process at each end.

To a rank: "load", "join", "run". From a rank: "here", "loaded", "joined", "done", "cancelled", "failed".
"""

from multiprocessing.connection import Connection
from typing import Any

import orjson


class LineClosed(Exception):
    """The other side is gone."""


class Line:
    """Only bytes go over the connection; its way of sending objects is not used."""

    def __init__(self, descriptor: int) -> None:
        """Takes over the descriptor of a connected socket."""
        self._connection = Connection(descriptor)

    def send(self, kind: str, **fields: Any) -> None:
        """Raises LineClosed."""
        try:
            self._connection.send_bytes(orjson.dumps({"kind": kind, **fields}))
        except OSError as error:
            raise LineClosed(str(error)) from error

    def receive(self) -> dict[str, Any]:
        """The next message, waited for. Raises LineClosed."""
        try:
            return orjson.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise LineClosed(str(error)) from error

    def close(self) -> None:
        """Not while another thread is in `receive`."""
        self._connection.close()
