"""`rushes up` as its users meet it: starts, starts again, is killed, is stopped. Real processes, the real command."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.invariants import check_invariants
from support.platform import RunningPlatform, final, submitted, until

MODEL = "rushes-test"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[RunningPlatform]:
    """Not started yet."""
    platform = RunningPlatform(tmp_path / "data")
    yield platform
    platform.stop()


def shown(platform: RunningPlatform) -> str:
    return "".join(platform.said)


def refusal(*options: str) -> str:
    """What `rushes up` says on standard error when it cannot run; it must end with status 1 and no traceback."""
    command = [sys.executable, "-m", "rushes", "up", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_first_start_gives_a_key_and_lines_that_work_as_pasted(platform: RunningPlatform) -> None:
    platform.start()
    assert platform.key in shown(platform)
    assert re.search(r"^ready in \d+\.\d s; Ctrl-C stops", platform.said[-1])
    assert stat.S_IMODE((platform.data / "api-key").stat().st_mode) == 0o600
    lines = shown(platform).splitlines()
    begin = next(at for at, line in enumerate(lines) if line.startswith("curl "))
    pasted = [line for line in lines if line.startswith("export ")] + lines[begin : begin + 2]
    answer = subprocess.run(["bash", "-c", "\n".join(pasted)], capture_output=True, text=True, timeout=120)
    request = json.loads(answer.stdout)
    assert request["status"] == "queued", answer
    with platform.client() as client:
        assert client.get(f"/requests/{request['request_id']}").json()["payload"]["prompt"]
        client.post(f"/requests/{request['request_id']}/cancel")


def test_a_second_start_on_the_folder_finds_everything_again(platform: RunningPlatform) -> None:
    platform.start()
    first_key = platform.key
    with platform.client() as client:
        request = submitted(client, MODEL, {"seconds": 0})
        assert final(client, request)["status"] == "success"
    assert platform.terminate() == 0
    assert not (platform.data / "platform.json").exists()
    platform.start()
    assert platform.key == first_key
    assert first_key not in shown(platform)
    assert f"export GMI_API_KEY=$(cat {platform.data / 'api-key'})" in shown(platform)
    seconds = float(platform.said[-1].split()[2])
    assert seconds < 10, "a start on an existing folder takes one or two seconds on an idle machine"
    with platform.client() as client:
        assert client.get(f"/requests/{request}").json()["status"] == "success"
    check_invariants(platform.database_url, platform.data / "objects")


def test_a_kill_of_everything_loses_no_accepted_request(platform: RunningPlatform) -> None:
    platform.start()
    with platform.client() as client:
        running = submitted(client, MODEL, {"seconds": 3})
        waiting = [submitted(client, MODEL, {"seconds": 0}) for _ in range(3)]
        until(client, running, progress=0)
    platform.kill_all()
    platform.start()
    with platform.client() as client:
        assert [final(client, request)["status"] for request in (running, *waiting)] == ["success"] * 4
        assert client.get(f"/requests/{running}").json()["attempt"] == 2
    check_invariants(platform.database_url, platform.data / "objects")
    assert platform.terminate() == 0


def test_ctrl_c_lets_the_running_request_finish_and_exits_0(platform: RunningPlatform) -> None:
    platform.start()
    with platform.client() as client:
        request = submitted(client, MODEL, {"seconds": 2})
        until(client, request, progress=0)
    assert platform.terminate() == 0
    platform.start()
    with platform.client() as client:
        record = final(client, request)
    assert (record["status"], record["attempt"]) == ("success", 1)


def test_each_obstacle_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal("--port", str(port), "--data", str(tmp_path / "data"))
    assert re.fullmatch(rf"rushes: Port {port} is in use; try --port \d+\n", said)
    (tmp_path / "file").touch()
    said = refusal("--port", "0", "--data", str(tmp_path / "file"))
    assert said == f"rushes: {tmp_path / 'file'} is a file, not a folder; choose another folder\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_folder_without_permission_is_one_clear_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*as_nobody, sys.executable, "-c", "import rushes"], capture_output=True, cwd="/").returncode:
        pytest.skip("other users cannot reach this Python")
    command = [*as_nobody, sys.executable, "-m", "rushes", "up", "--port", "0", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120)
    assert done.returncode == 1
    wanted = f"rushes: No permission to write in {tmp_path / 'data'}; choose another folder or change its owner\n"
    assert done.stderr == wanted


def test_a_second_platform_in_the_folder_is_told_of_the_first(platform: RunningPlatform) -> None:
    platform.start()
    assert platform.process is not None
    said = refusal("--port", "0", "--data", str(platform.data))
    assert f"already running in {platform.data} at {platform.address} (pid {platform.process.pid})" in said
