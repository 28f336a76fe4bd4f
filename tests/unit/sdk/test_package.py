"""The package as a whole: light to import, complete, typed; and its pytest plugin."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import gmicloud
import pytest
from gmicloud.local import LocalServer, Platform, ServerNotStarted

SOURCE = Path(gmicloud.__file__).parent
STANDARD = sys.stdlib_module_names | {"gmicloud"}


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_pytest_plugin_loads_nothing_heavy() -> None:
    code = "import sys, json, gmicloud.testing; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(python(code))
    assert not {"httpx2", "pydantic", "ssl", "asyncio"} & (set(loaded) - set(json.loads(python(BARE))))


BARE = "import sys, json, pytest, urllib.request; print(json.dumps(sorted(sys.modules)))"


def test_importing_leaves_the_root_logger_alone() -> None:
    code = "import logging, gmicloud.client; print(logging.getLogger().handlers, logging.getLogger().level)"
    assert python(code) == "[] 30"


def imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert [alias.name for alias in node.names] != ["*"], file
            found.add((node.module or "").split(".")[0])
    return found


def test_only_the_declared_packages_are_imported() -> None:
    used = {name for file in SOURCE.rglob("*.py") if file.name != "testing.py" for name in imports(file)} - STANDARD
    assert used == {"httpx2", "pydantic"}
    declared = tomllib.loads((SOURCE.parent.parent / "pyproject.toml").read_text())["project"]
    assert [one.split(">=")[0] for one in declared["dependencies"]] == ["httpx2", "pydantic"]
    assert declared["version"] == gmicloud.__version__


@pytest.mark.parametrize("name", gmicloud.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(gmicloud, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Cliant'"):
        _ = gmicloud.Cliant  # type: ignore[attr-defined]


def test_the_documented_import_paths_exist() -> None:
    from gmicloud._internal import _enums, _models

    for name in (
        "SubmitRequestRequest",
        "SubmitRequestResponse",
        "GetRequestResponse",
        "GetModelResponse",
        "PriceInfo",
        "ModelParameter",
    ):
        assert hasattr(_models, name)
    assert [one.name for one in _enums.RequestStatus] == [
        "CREATED",
        "QUEUED",
        "DISPATCHED",
        "PROCESSING",
        "SUCCESS",
        "FAILED",
        "CANCELLED",
    ]


def test_types_are_shipped() -> None:
    assert (SOURCE / "py.typed").is_file()


def test_the_plugin_and_the_command_are_announced() -> None:
    assert any(one.value == "gmicloud.testing" for one in metadata.entry_points(group="pytest11"))
    assert any(one.value == "gmicloud.cli:main" for one in metadata.entry_points(group="console_scripts"))


def test_a_missing_server_package_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerNotStarted, match="install the package rushes"):
        Platform(tmp_path / "data").start()


def fake_rushes(folder: Path, script: str) -> Platform:
    command = folder / "rushes"
    command.write_text(f"#!{sys.executable}\n{script}")
    command.chmod(0o755)
    return Platform(folder / "data", command=str(command))


def test_a_server_that_dies_leaves_its_last_words(tmp_path: Path) -> None:
    platform = fake_rushes(tmp_path, "import sys; print('first'); sys.exit('the port is taken')")
    with pytest.raises(ServerNotStarted, match="ended with code 1: the port is taken"):
        platform.start()
    platform.stop()


def test_a_server_that_is_never_ready_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = fake_rushes(tmp_path, "import signal; print('thinking', flush=True); signal.pause()")
    monkeypatch.setattr("gmicloud.local.START_TIMEOUT", 0.5)
    with pytest.raises(ServerNotStarted, match=r"not ready after 0\.5 s"):
        platform.start()
    platform.stop()


KEEP = [sys.executable, "-m", "gmicloud._internal._keeper", sys.executable, "-c"]


def test_a_platform_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    child = f"""
import signal, sys
def end(*_):
    open({str(heard)!r}, 'w').write('asked to stop')
    sys.exit(7)
signal.signal(signal.SIGTERM, end)
print('ready', flush=True)
signal.pause()
"""
    keeper = subprocess.Popen([*KEEP, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with keeper:
        assert keeper.stdout is not None
        assert keeper.stdin is not None
        assert keeper.stdout.readline() == b"ready\n"
        keeper.stdin.close()
        assert keeper.wait(60) == 7
    assert heard.read_text() == "asked to stop"


def test_signals_are_passed_on(tmp_path: Path) -> None:
    child = "import signal; print('ready', flush=True); signal.pause()"
    with subprocess.Popen([*KEEP, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"ready\n"
        keeper.terminate()
        assert keeper.wait(60) == 128 + 15


def test_scripted_outcomes_are_payload_keys_and_the_key_is_not_shown() -> None:
    server = LocalServer("http://127.0.0.1:1", "gmi_secret")
    assert server.refuse(429) == {"rushes_fault": {"http": 429}}
    assert server.fail("out_of_memory", at=40) == {"rushes_fault": {"fail": "out_of_memory", "at": 40}}
    assert server.stall(2.5) == {"rushes_fault": {"stall": 2.5}}
    assert server.lose_worker() == {"rushes_fault": {"lose_worker": True}}
    assert "secret" not in repr(server)
    with server.client(timeout=3) as client:
        assert client.base_url == "http://127.0.0.1:1"
