"""The doctor: true on this machine, and clear about each thing that is missing."""

import socket
from pathlib import Path

import pytest
from rushes.platform.doctor import Finding, doctor


def findings(data: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor(data)}


def test_a_machine_that_runs_these_tests_has_all_that_is_needed(tmp_path: Path) -> None:
    found = findings(tmp_path / "not" / "yet" / "made")
    needed = [name for name, finding in found.items() if not finding.ok and not finding.optional]
    assert set(needed) <= {"user", "port 8000", "memory"}, needed
    assert found["data folder"].detail.endswith("can be made")
    assert not (tmp_path / "not").exists(), "looking changes nothing"


def test_what_is_missing_has_a_remedy_and_what_is_well_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = findings(tmp_path / "file" / "data")
    assert not found["data folder"].ok
    assert found["data folder"].detail == f"{tmp_path / 'file'} is a file"
    for finding in found.values():
        assert bool(finding.remedy) != finding.ok, finding


def test_a_busy_port_is_seen(tmp_path: Path) -> None:
    try:
        taken = socket.create_server(("127.0.0.1", 8000))
    except OSError:
        taken = None  # someone else has it: just as busy
    found = findings(tmp_path)["port 8000"]
    assert not found.ok
    assert "--port" in found.remedy
    if taken is not None:
        taken.close()


def test_a_database_url_makes_the_binaries_unimportant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_DATABASE_URL", "postgresql://somewhere/else")
    assert findings(tmp_path)["PostgreSQL"].detail == "RUSHES_DATABASE_URL names one"


@pytest.mark.parametrize(
    ("script", "ok", "detail"),
    [
        ('echo "NVIDIA H100, 81559 MiB"; echo "NVIDIA H100, 81559 MiB"', True, "NVIDIA H100, 81559 MiB; NVIDIA H100, "),
        ('echo "NVIDIA-SMI has failed" >&2; exit 9', False, "NVIDIA-SMI has failed"),
        ("true", False, "no card found"),
    ],
)
def test_a_gpu_is_read_from_its_driver(
    script: str, ok: bool, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = findings(tmp_path)["GPU"]
    assert found.ok is ok
    assert found.detail.startswith(detail)
    assert found.optional
