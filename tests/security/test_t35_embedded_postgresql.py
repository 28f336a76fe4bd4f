"""T35: another local user cannot use the embedded PostgreSQL, whatever the path and even where folders stand open."""

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from rushes.store.binaries import find_binaries
from rushes.store.embedded import EmbeddedPostgres

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
PSQL = (find_binaries() or Path()) / "psql"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, EmbeddedPostgres]]:
    """Two servers below a folder that every user may enter, as a careless administrator would choose."""
    parent = Path("/tmp") / f"rushes-t35-{os.getpid()}"
    parent.mkdir()
    parent.chmod(0o755)
    servers = {"short path": EmbeddedPostgres(parent / "short"), "long path": EmbeddedPostgres(parent / ("long " * 20))}
    for server in servers.values():
        server.start()
    yield servers
    for server in servers.values():
        server.stop()
    shutil.rmtree(parent)


@pytest.fixture(params=["short path", "long path"])
def server(request: pytest.FixtureRequest, servers: dict[str, EmbeddedPostgres]) -> EmbeddedPostgres:
    return servers[str(request.param)]


def socket_folder(server: EmbeddedPostgres) -> Path:
    return Path(parse_qs(urlsplit(server.dsn).query)["host"][0])


def psql(server: EmbeddedPostgres, user: str, *before: str, password: str = "") -> subprocess.CompletedProcess[str]:
    command = [*before, str(PSQL), "-XAtw", "-h", str(socket_folder(server)), "-U", user, "-c", "SELECT 'in'", "rushes"]
    return subprocess.run(command, capture_output=True, text=True, env={"PGPASSWORD": password}, cwd="/")


@root_only
@pytest.mark.parametrize("user", ["rushes", "postgres", "nobody"])
def test_another_local_user_cannot_even_reach_the_socket(server: EmbeddedPostgres, user: str) -> None:
    refused = psql(server, user, *NOBODY)
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr


@pytest.fixture
def opened(server: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """The server with every folder on the way to its socket, and the socket, open to all."""
    reached = socket_folder(server)
    paths = [reached, reached / ".s.PGSQL.5432", *([reached.parent] if reached.name == "socket" else [])]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in paths]
    for path in paths:
        path.chmod(0o777)
    yield server
    for path, mode in zip(paths, modes, strict=True):
        path.chmod(mode)


@root_only
@pytest.mark.parametrize("user", ["rushes", "postgres", "nobody"])
@pytest.mark.parametrize("password", ["", "postgres", "rushes"])
def test_with_every_folder_open_the_password_still_stands(opened: EmbeddedPostgres, user: str, password: str) -> None:
    refused = psql(opened, user, *NOBODY, password=password)
    assert refused.returncode != 0
    assert "no password supplied" in refused.stderr or "password authentication failed" in refused.stderr


def test_the_owner_too_needs_the_password_and_gets_in_with_it(server: EmbeddedPostgres) -> None:
    assert "no password supplied" in psql(server, "postgres").stderr
    assert "no password supplied" in psql(server, "rushes").stderr
    let_in = psql(server, "rushes", password=urlsplit(server.dsn).password or "")
    assert let_in.stdout == "in\n"


def test_our_password_does_not_open_the_superuser(server: EmbeddedPostgres) -> None:
    refused = psql(server, "postgres", password=urlsplit(server.dsn).password or "")
    assert "password authentication failed" in refused.stderr


def test_every_secret_and_every_way_in_is_closed_to_others(server: EmbeddedPostgres) -> None:
    home = Path(next(word for word in _command(server) if word.endswith("/pg/data"))).parent
    assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600
    assert len((home / "password").read_text().strip()) == 48
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket_folder(server).stat().st_mode) == 0o700
    assert (home / "data" / "pg_hba.conf").read_text() == "local all all scram-sha-256\n"
    assert not (home / "superuser").exists()


def test_no_secret_is_in_the_command_line_the_environment_or_the_log(server: EmbeddedPostgres) -> None:
    secret = urlsplit(server.dsn).password or "?"
    home = Path(next(word for word in _command(server) if word.endswith("/pg/data"))).parent
    process = Path("/proc") / str(server.pid)
    logged = (home.parent / "logs" / "postgresql.log").read_bytes()
    for text in (process.joinpath("cmdline").read_bytes(), process.joinpath("environ").read_bytes(), logged):
        assert secret.encode() not in text
    assert b"RUSHES_" not in process.joinpath("environ").read_bytes()


def test_the_server_listens_on_no_network_address(server: EmbeddedPostgres) -> None:
    open_files = [str(entry.readlink()) for entry in Path(f"/proc/{server.pid}/fd").iterdir()]
    inodes = {name.removeprefix("socket:[").removesuffix("]") for name in open_files if name.startswith("socket:[")}
    assert inodes, "it has at least its unix socket"
    for table in ("tcp", "tcp6", "udp", "udp6"):
        lines = Path(f"/proc/{server.pid}/net/{table}").read_text().splitlines()[1:]
        assert not inodes & {line.split()[9] for line in lines}
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", 5432))


@root_only
def test_root_in_a_closed_folder_starts_it_without_opening_any_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in (closed, *closed.parents)}
    server = EmbeddedPostgres(closed / "data")
    server.start()
    assert psql(server, "rushes", password=urlsplit(server.dsn).password or "").stdout == "in\n"
    server.stop()
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in before} == before


def _command(server: EmbeddedPostgres) -> list[str]:
    return Path(f"/proc/{server.pid}/cmdline").read_text().split("\0")
