"""The supervisor of `rushes up`: real processes, signals and database; stand-ins only for its three subcommands."""

import http.client
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rushes.store.embedded import EmbeddedPostgres

STAND_IN = """
# Speaks the command line of `rushes bootstrap`, `serve` and `worker`; records what it is told and obeys flag files.
import http.server, json, os, pathlib, signal, socket, ssl, sys, threading
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
command, *words = sys.argv[1:]
flags = {"--test-models", "--no-test-models", "--sole"}
options = dict.fromkeys(flags.intersection(words), "yes")
words = [word for word in words if word not in flags]
options |= dict(zip(words[::2], words[1::2]))
data = pathlib.Path(options["--data"])
environment = {name: value for name, value in os.environ.items() if name.startswith("RUSHES_")}
with open(data / "told", "a") as told:
    told.write(json.dumps({"command": command, "options": options, "env": environment, "pid": os.getpid()}) + chr(10))
if (data / f"break-{command}").exists():
    sys.exit(f"rushes: the {command} is broken")
if command == "bootstrap":
    if (data / "slow-bootstrap").exists():
        (data / "slow-bootstrap").write_text("begun")
        signal.sigwait({signal.SIGUSR1})
    first = not (data / "been-here").exists()
    (data / "been-here").touch()
    print(json.dumps({"created": first, "key": "gmi_first_key" if first else None, "link": "rsl_x"}))
    sys.exit(0)
threading.Thread(target=lambda: (os.read(int(options["--parent-fd"]), 1), os._exit(9)), daemon=True).start()
def leave():
    while True:
        signal.sigwait({signal.SIGTERM})
        if not (data / f"deaf-{command}").exists():
            with open(data / "told", "a") as told:
                told.write(json.dumps({"command": command, "left": True}) + chr(10))
            os._exit(0)
if command == "worker":
    leave()
threading.Thread(target=leave, daemon=True).start()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        complete = (data / "told").read_text().count('"worker"') > 0
        self.send_response(200 if complete and self.path in ("/readyz", "/pid") else 503)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("", 0), Answer, bind_and_activate=False)
server.socket = socket.socket(fileno=int(options["--fd"]))
if "--tls-cert" in options:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options["--tls-cert"], options["--tls-key"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""

RUN = """
import sys, json
from pathlib import Path
from rushes.platform.up import UpSettings, up
choices = json.loads(sys.argv[2])
choices["data"] = Path(choices["data"])
sys.exit(up(UpSettings(**choices), program=(sys.executable, "-S", sys.argv[1])))
"""


class Running:
    """A supervisor in a process of its own."""

    def __init__(self, stand_in: Path, data: Path, **choices: object) -> None:
        self.data = data
        chosen = json.dumps({"data": str(data), "port": 0, **choices})
        command = [sys.executable, "-c", RUN, str(stand_in), chosen]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.shown = ""

    def until(self, words: str) -> str:
        """What was shown up to the line that has these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.shown += line
            if words in line:
                return self.shown
        raise AssertionError(f"ended without {words!r}: {self.shown} {self.complaints()}")

    def complaints(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def until_complaint(self, words: str) -> str:
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if words in line)

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        out, err = self.process.communicate(timeout=60)
        self.shown += out
        assert "Traceback" not in err
        self.errors = err
        return self.process.returncode

    def state(self) -> dict[str, object]:
        return json.loads((self.data / "platform.json").read_text())

    def told(self, command: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in (self.data / "told").read_text().splitlines()]
        return [line for line in lines if line["command"] == command]

    def pid_of_serve(self) -> int:
        _, rest = str(self.state()["address"]).split("://")
        host, port = rest.rsplit(":", 1)
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=60)
        connection.request("GET", "/pid")
        pid = int(connection.getresponse().read())
        connection.close()
        return pid


Up = Callable[..., Running]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database folder made once; making one in every test would be most of their time."""
    folder = tmp_path_factory.mktemp("made")
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()
    return folder / "pg"


@pytest.fixture
def up(tmp_path: Path, database: Path) -> Iterator[Up]:
    (tmp_path / "data").mkdir()
    subprocess.run(["cp", "-a", str(database), str(tmp_path / "data")], check=True)
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(STAND_IN)
    running: list[Running] = []

    def start(data: Path | None = None, **choices: object) -> Running:
        running.append(Running(stand_in, data or tmp_path / "data", **choices))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def wait_for_end(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    assert select.select([descriptor], [], [], 10)[0], f"process {pid} did not end"
    os.close(descriptor)


# --- start and stop


def test_a_first_start_shows_the_key_once_and_every_start_says_when_it_is_ready(up: Up) -> None:
    first = up()
    shown = first.until("ready in")
    address = first.state()["address"]
    assert "export GMI_API_KEY=gmi_first_key\n" in shown
    assert f"export GMI_BASE_URL={address}/api/v1/ie/requestqueue/apikey\n" in shown
    assert 'curl "$GMI_BASE_URL/requests"' in shown
    assert f"{address}/sign-in?link=rsl_x\n" in shown
    key = first.data / "api-key"
    assert key.read_text() == "gmi_first_key\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert first.end() == 0
    assert first.errors == ""
    second = up()
    shown = second.until("ready in")
    assert "gmi_first_key" not in shown
    assert f"export GMI_API_KEY=$(cat {key})" in shown
    assert second.end() == 0


def test_platform_json_is_there_exactly_while_the_platform_is_ready(up: Up) -> None:
    running = up()
    assert not (running.data / "platform.json").exists()
    running.until("ready in")
    state = running.state()
    assert set(state) == {"address", "database_url", "pid", "started_at"}
    assert state["pid"] == running.process.pid
    assert stat.S_IMODE((running.data / "platform.json").stat().st_mode) == 0o600
    assert running.end() == 0
    assert not (running.data / "platform.json").exists()


def test_the_parts_are_told_what_they_need(up: Up) -> None:
    running = up(test_models=True, workers=3)
    running.until("ready in")
    state = running.state()
    (serve,), (worker,), (bootstrap,) = (running.told(name) for name in ("serve", "worker", "bootstrap"))
    for part in (serve, worker, bootstrap):
        assert part["env"]["RUSHES_DATABASE_URL"] == state["database_url"]  # type: ignore[index]
        assert part["options"]["--data"] == str(running.data)  # type: ignore[index]
    assert "RUSHES_PUBLIC_URL" not in serve["env"], "host and port say it all"  # type: ignore[operator]
    assert f"http://127.0.0.1:{serve['options']['--port']}" == state["address"]  # type: ignore[index]
    assert serve["options"]["--test-models"] == "yes"  # type: ignore[index]
    assert worker["options"]["--slots"] == "3"  # type: ignore[index]
    assert worker["options"]["--test-models"] == worker["options"]["--sole"] == "yes"  # type: ignore[index]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_lets_the_parts_leave_then_stops_the_database(up: Up, number: int) -> None:
    running = up()
    running.until("ready in")
    assert running.end(number) == 0
    assert running.told("serve")[-1] == {"command": "serve", "left": True}
    assert running.told("worker")[-1] == {"command": "worker", "left": True}
    assert "database system is shut down" in (running.data / "logs" / "postgresql.log").read_text()


def test_nohup_is_obeyed_but_a_shells_background_still_hears_ctrl_c(up: Up) -> None:
    former = [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)]
    running = up()
    for number, handler in zip((signal.SIGHUP, signal.SIGINT), former, strict=True):
        signal.signal(number, handler)
    running.until("ready in")
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    ignored = int(status.split("SigIgn:")[1].split()[0], 16)
    assert ignored & 1 << (signal.SIGHUP - 1)
    assert running.end(signal.SIGINT) == 0


def test_a_second_signal_ends_parts_that_take_their_time(up: Up) -> None:
    running = up()
    running.until("ready in")
    (running.data / "deaf-worker").touch()
    pid = int(str(running.told("worker")[0]["pid"]))
    running.process.send_signal(signal.SIGINT)
    running.until("stopping; Ctrl-C again stops at once")
    assert running.end() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "database system is shut down" in (running.data / "logs" / "postgresql.log").read_text()


def test_a_stop_while_it_starts_is_a_clean_stop_too(up: Up, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "data" / "slow-bootstrap")
    running = up()
    assert (tmp_path / "data" / "slow-bootstrap").read_text() == "begun"
    assert running.end(signal.SIGTERM) == 0
    assert not (running.data / "platform.json").exists()
    assert "database system is shut down" in (running.data / "logs" / "postgresql.log").read_text()


# --- deaths


def test_a_server_that_dies_is_started_again_at_the_same_address(up: Up) -> None:
    running = up()
    running.until("ready in")
    before = running.pid_of_serve()
    os.kill(before, signal.SIGKILL)
    assert running.pid_of_serve() != before
    assert "rushes serve ended (signal 9) and is started again" in running.until_complaint("ended")
    assert running.end() == 0


def test_a_worker_that_dies_is_started_again(up: Up) -> None:
    running = up()
    running.until("ready in")
    os.kill(int(str(running.told("worker")[0]["pid"])), signal.SIGKILL)
    running.until_complaint("rushes worker ended (signal 9)")
    assert running.end() == 0


def test_a_database_that_dies_is_started_again_under_the_same_dsn(up: Up) -> None:
    running = up()
    running.until("ready in")
    url = running.state()["database_url"]
    pid_file = running.data / "pg" / "data" / "postmaster.pid"
    os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)
    running.until_complaint("PostgreSQL ended and was started again")
    assert running.end() == 0
    assert (running.data / "logs" / "postgresql.log").read_text().count("ready to accept connections") == 2
    assert running.told("serve")[0]["env"]["RUSHES_DATABASE_URL"] == url  # type: ignore[index]


def test_after_a_kill_of_the_supervisor_nothing_stays_and_the_next_start_works(up: Up) -> None:
    running = up()
    running.until("ready in")
    pids = [int(str(running.told(name)[0]["pid"])) for name in ("serve", "worker")]
    running.process.kill()
    for pid in pids:
        wait_for_end(pid)
    again = up()
    assert "gmi_first_key" not in again.until("ready in")
    assert again.end() == 0


# --- one clear sentence each


def test_a_port_in_use_names_the_next_free_one(up: Up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = up(port=port)
        assert running.wait() == 1
    assert running.errors.startswith(f"rushes: Port {port} is in use; try --port ")
    assert running.errors.count("\n") == 1


def test_a_second_platform_in_the_folder_is_told_of_the_first(up: Up) -> None:
    first = up()
    first.until("ready in")
    second = up()
    assert second.wait() == 1
    state = first.state()
    assert second.errors == (
        f"rushes: rushes is already running in {first.data} at {state['address']} (pid {state['pid']}); "
        "stop it or choose another folder with --data\n"
    )
    assert first.end() == 0


def test_a_folder_that_is_a_file_is_named(up: Up, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    running = up(tmp_path / "file")
    assert running.wait() == 1
    assert running.errors == f"rushes: {tmp_path / 'file'} is a file, not a folder; choose another folder\n"


def test_a_foreign_host_is_named(up: Up) -> None:
    running = up(host="203.0.113.7")
    assert running.wait() == 1
    assert running.errors == "rushes: 203.0.113.7 is not an address of this machine; try --host 127.0.0.1\n"


@pytest.mark.parametrize("part", ["bootstrap", "serve", "worker"])
def test_a_part_that_cannot_start_is_quoted(up: Up, tmp_path: Path, part: str) -> None:
    (tmp_path / "data" / f"break-{part}").touch()
    running = up()
    if part == "worker":
        running.until("ready in")
        assert "rushes worker ended (exit 1)" in running.until_complaint("ended")
        assert running.end() == 0
    else:
        assert running.wait() == 1
        assert f"the {part} is broken" in running.errors
        assert running.errors.count("\n") == 1


def test_tls_serves_a_certificate_that_its_authority_vouches_for(up: Up) -> None:
    running = up(tls=True)
    shown = running.until("ready in")
    assert str(running.state()["address"]).startswith("https://127.0.0.1:")
    assert running.told("serve")[0]["env"]["RUSHES_PUBLIC_URL"] == running.state()["address"]  # type: ignore[index]
    assert f"export SSL_CERT_FILE={running.data / 'tls' / 'ca.pem'}" in shown
    assert running.end() == 0
