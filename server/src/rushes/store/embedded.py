"""PostgreSQL of our own: found, made, started and stopped without a word from the user.

    folder/            the platform's data folder
      pg/              0700, ours alone
        data/          PostgreSQL's data folder
        socket/        0700; with a long path a private folder below the temporary folder takes its place
        password       0600, of the role `rushes`
        lock           held by the process that started the server
        server.lock    held by the server and all its children
      logs/postgresql.log

The server is a direct child, listens on a unix socket only, and asks every user for the password. Its end follows ours
by SIGINT on Linux; elsewhere the next start ends what is left. Why not the wheel's own `get_server()`: it trusts dead
process numbers and lets every local user in.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from rushes.store.binaries import Binaries, checked_binaries, environment, find_binaries
from rushes.store.data_folder import NAME, DataFolder, failure
from rushes.store.identity import identity_for
from rushes.store.leftovers import note, starter_lock, wait_until_gone
from rushes.store.platform_error import PlatformError, explained
from rushes.store.server_process import ServerProcess

__all__ = ["EmbeddedPostgres", "PlatformError", "find_binaries", "make_data_folder"]

_SOCKET_LIMIT = 100 - len("/.s.PGSQL.5432")
"""Bytes of a socket folder's path; sun_path holds 104 on some systems."""
_PLAIN_PATH = re.compile(r"[\w/. +@:~-]+")
"""No comma: PostgreSQL and its clients read one as the end of a path."""
_SOCKET_PREFIX = "rushes-pg-"
_READY_LIMIT = 120.0
"""Seconds to the first query; recovery after a power cut may need many."""
_FIXED_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    # No statement and no row's content in the log: both may hold what customers sent.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


def make_data_folder(folder: Path) -> None:
    """Make the platform's data folder if it is missing; leave an existing one as it is."""
    # As root the server may run as another user, who has to pass through; what is inside has modes of its own.
    folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


class EmbeddedPostgres:
    """A PostgreSQL server in `folder`, at most one at a time on the machine. Use it from one thread.

    Every error a person can mend is a PlatformError of one sentence.
    """

    def __init__(self, folder: Path, wait: Callable[[float], None] = time.sleep) -> None:
        """`wait` is how a start sleeps between two looks; what it raises ends the start."""
        self._folder = folder.absolute()
        self._wait = wait
        self._home = self._folder / "pg"
        self._data = self._home / "data"
        self._lock: int | None = None
        self._server: ServerProcess | None = None
        self._socket: Path | None = None

    @property
    def started(self) -> bool:
        """Whether the server that this object started is alive."""
        return self._server is not None and self._server.exit_status is None

    @property
    def pid(self) -> int | None:
        """The server's process number while it is started."""
        return self._server.pid if self._server is not None and self.started else None

    @property
    def dsn(self) -> str:
        """Where the database is, password included: a secret.

        Raises PlatformError before the first start and after a stop.
        """
        if self._socket is None:
            raise PlatformError(f"PostgreSQL in {self._folder} is not started")
        query = urlencode({"host": str(self._socket), "port": "5432"}, quote_via=quote)
        return f"postgresql://{NAME}:{self._password()}@/{NAME}?{query}"

    def start(self) -> str:
        """Bring the server up, making the database at the first start; returns the DSN once a query works.

        A server that died is started again; one that lives is left alone.
        """
        if self.started:
            return self.dsn
        binaries = checked_binaries()
        try:
            with explained(self._folder):
                self._make_folders()
                self._take_lock()
                server_lock = os.open(self._home / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    self._bring_up(binaries, server_lock)
                finally:
                    os.close(server_lock)
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def stop(self) -> None:
        """Shut the server down, open transactions rolled back, and wait until it is gone."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._socket is not None:
            if self._socket.name.startswith(_SOCKET_PREFIX):
                shutil.rmtree(self._socket, ignore_errors=True)
            self._socket = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _make_folders(self) -> None:
        make_data_folder(self._folder)
        self._home.mkdir(mode=0o700, exist_ok=True)
        (self._folder / "logs").mkdir(mode=0o700, exist_ok=True)

    def _take_lock(self) -> None:
        """Become the only starter. The lock file's lines: our process number, then the socket folder in use."""
        if self._lock is not None:
            return
        lock, lines = starter_lock(self._home / "lock")
        if lock is None:
            raise PlatformError(f"PostgreSQL is already running in {self._folder} (pid {lines[0]})")
        self._lock = lock
        if len(lines) > 1 and Path(lines[1]).name.startswith(_SOCKET_PREFIX):
            shutil.rmtree(lines[1], ignore_errors=True)
        note(lock)

    def _bring_up(self, binaries: Binaries, server_lock: int) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        identity = identity_for(self._data, binaries.postgres)
        wait_until_gone(server_lock, self._data)
        if identity.is_foreign:
            self._home.chmod(0o711)  # stays ours, so that the other user cannot plant links where we write
        DataFolder(self._home, binaries, identity, server_lock).prepare()
        # After a crash the folder stays the same, so that clients who know the DSN can come back.
        self._socket = self._socket or self._choose_socket_folder()
        identity.own(self._socket)
        for leftover in self._socket.iterdir():
            # A dead server's socket has a lock file with a process number, which PostgreSQL would believe.
            leftover.unlink()
        settings = {**_FIXED_SETTINGS, "unix_socket_directories": str(self._socket)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = identity.command(binaries.postgres, "-D", self._data, *options)
        log = self._folder / "logs" / "postgresql.log"
        self._server = ServerProcess(command, environment(), log, (server_lock,))
        self._await_ready(self._server, binaries)

    def _choose_socket_folder(self) -> Path:
        folder = self._home / "socket"
        if len(os.fsencode(folder)) <= _SOCKET_LIMIT and _PLAIN_PATH.fullmatch(str(folder)):
            folder.mkdir(mode=0o700, exist_ok=True)
            return folder
        short = len(os.fsencode(tempfile.gettempdir())) < _SOCKET_LIMIT - 20
        folder = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=None if short else "/tmp"))  # noqa: S108
        assert self._lock is not None
        note(self._lock, str(folder))
        return folder

    def _await_ready(self, server: ServerProcess, binaries: Binaries) -> None:
        deadline = time.monotonic() + _READY_LIMIT
        while not (self._says_ready(server.pid) and self._answers(binaries)):
            status = server.exit_status
            if status is not None:
                raise failure(self._folder, status, server.log_text())
            if time.monotonic() > deadline:
                limit = f"{_READY_LIMIT:.0f} s"
                raise PlatformError(f"PostgreSQL in {self._folder} was not ready within {limit}; see its log")
            self._wait(0.005)

    def _says_ready(self, pid: int) -> bool:
        """The status line of postmaster.pid (miscadmin.h, LOCK_FILE_LINE_PM_STATUS), as pg_ctl reads it."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _answers(self, binaries: Binaries) -> bool:
        """Whether a query works over the socket with the password."""
        login = {"PGHOST": str(self._socket), "PGPORT": "5432", "PGUSER": NAME, "PGDATABASE": NAME}
        secret = {"PGPASSWORD": self._password(), "PGCONNECT_TIMEOUT": "10"}
        query = [str(binaries.folder / "psql"), "-XAtqw", "-c", "SELECT 1"]
        asked = subprocess.run(query, capture_output=True, text=True, env=environment() | login | secret, check=False)
        if "password authentication failed" in asked.stderr:
            file = self._home / "password"
            raise PlatformError(f"The password in {file} is not the database's; delete that file for a new one")
        return asked.returncode == 0 and asked.stdout.strip() == "1"

    def _password(self) -> str:
        return (self._home / "password").read_text().strip()
