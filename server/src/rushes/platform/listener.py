"""The listening socket of a platform: held by the supervisor, so it outlives every restart of `rushes serve`."""

import errno
import socket
from dataclasses import dataclass

from rushes.store.platform_error import PlatformError

_BACKLOG = 2048
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
"""Hosts that mean every address, and where we reach them ourselves."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An open socket, and how this machine reaches it."""

    socket: socket.socket
    host: str
    port: int

    def address(self, scheme: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def listen(host: str, port: int) -> Listener:
    """Listen at `host` and `port`, 0 for any free one; connections wait until a server accepts them.

    Raises PlatformError that names what to change.
    """
    try:
        opened = _open(host, port)
    except OSError as error:
        raise PlatformError(_reason(host, port, error)) from error
    return Listener(opened, _EVERYWHERE.get(host, host), opened.getsockname()[1])


def _open(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use; try --port {_free_port_after(host, port)}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} needs an administrator; try --port 8000"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; try --host 127.0.0.1"
    return f"Cannot listen at {host} port {port}: {error.strerror}; try --host 127.0.0.1 --port 0"


def _free_port_after(host: str, port: int) -> int:
    """The next port that is free now; 0 (any) if there is none near."""
    for candidate in range(port + 1, min(port + 50, 65536)):
        try:
            _open(host, candidate).close()
        except OSError:
            continue
        return candidate
    return 0
