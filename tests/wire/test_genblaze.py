"""genblaze-gmicloud 0.3.5, unmodified and in an environment of its own, against `rushes up --tls` on loopback."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from support.platform import running_platform

ROOT = Path(__file__).parents[2]
LOCKED = ROOT / "requirements" / "compat-genblaze.txt"


def environment() -> Path:
    """The interpreter of an environment that holds exactly what LOCKED names; kept between runs."""
    digest = hashlib.sha256(LOCKED.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = ROOT / ".cache" / f"genblaze-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        done = subprocess.run([*command, "--only-binary=:all:", "-r", LOCKED], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"genblaze-gmicloud could not be installed: {done.stderr.strip().splitlines()[-1]}")
        (folder / "complete").touch()
    return python


@pytest.mark.timeout(300)  # the first run downloads the client
def test_genblaze_generates_over_tls(tmp_path: Path) -> None:
    python = environment()
    with running_platform(tmp_path / "data", "--tls") as platform:
        told = subprocess.run(
            [python, Path(__file__).with_name("genblaze_client.py"), platform.key],
            env={
                "GMI_API_KEY": platform.key,
                "GMI_BASE_URL": f"{platform.address}/api/v1/ie/requestqueue/apikey",
                "SSL_CERT_FILE": str(platform.data / "tls" / "ca.pem"),
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=200,
        )
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    made = found["made"]
    assert made["status"].endswith("succeeded"), made
    assert made["urls"][0].startswith(f"{platform.address}/artifacts/")
    assert platform.address.startswith("https://")
    assert "the engine cannot do this" in found["failed"]["error"].lower()
    assert "prompt" in found["refused"]["error"]
    assert found["keys"] == ["good", "auth_failure"]
    assert found["probes"]["veo3"] == found["probes"]["Kling-Text2Video-V2.1-Master"] == "ok_authoritative"
    assert found["probes"]["sora-9-imaginary"] not in ("ok_authoritative", "ok_provisional")
