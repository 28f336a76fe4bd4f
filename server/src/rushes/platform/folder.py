"""The platform's data folder: one platform at a time, and the two small files a user looks into.

folder/
  pg/  objects/  scratch/  logs/     the database, files, work in progress, logs
  api-key          0600, the key of the first start
  platform.json    0600, written once the platform is ready and removed when it stops
  platform.lock    held by `rushes up`
"""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from rushes.store.embedded import make_data_folder
from rushes.store.leftovers import note, starter_lock
from rushes.store.platform_error import PlatformError, explained
from rushes.store.secret_file import write_secret

LEAST_SPACE = 200_000_000
"""Bytes that must be free on the disk; an empty database takes 30 MB, a video one or two."""


class PlatformFolder:
    """The data folder of one running platform. Opened and closed once; a second close does nothing."""

    def __init__(self, path: Path, least_space: int = LEAST_SPACE) -> None:
        self.path = path.expanduser().absolute()
        self.logs = self.path / "logs"
        self.api_key = self.path / "api-key"
        self._state = self.path / "platform.json"
        self._least_space = least_space
        self._lock: int | None = None

    def open(self) -> None:
        """Make what is missing and become the only platform here.

        Raises PlatformError when the folder cannot be used, its disk is nearly full, or a platform runs in it.
        """
        with explained(self.path):
            make_data_folder(self.path)
            lock, lines = starter_lock(self.path / "platform.lock")
            if lock is None:
                raise PlatformError(self._occupied(lines[0]))
            self._lock = lock
            note(lock)
            self._state.unlink(missing_ok=True)
            for name in ("objects", "scratch", "logs"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            free = shutil.disk_usage(self.path).free
        if free < self._least_space:
            raise PlatformError(
                f"The disk that holds {self.path} is nearly full: {free // 1_000_000} MB are free, "
                f"{self._least_space // 1_000_000} MB are needed"
            )

    def close(self) -> None:
        if self._lock is None:
            return
        self._state.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    def keep_key(self, key: str) -> None:
        """Keep the API key of the first start, mode 0600."""
        with explained(self.path):
            write_secret(self.api_key, key)

    def tell_ready(self, address: str, database_url: str) -> None:
        """Tell other programs of this user where the platform is, in one step."""
        about = {
            "address": address,
            "database_url": database_url,
            "pid": os.getpid(),
            "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        with explained(self.path):
            write_secret(self._state, json.dumps(about, indent=2))

    def _occupied(self, pid: str) -> str:
        try:
            about = json.loads(self._state.read_text())
            where = f"at {about['address']} (pid {about['pid']})"
        except (FileNotFoundError, ValueError, KeyError):
            where = f"(pid {pid}, not ready yet)"
        return f"rushes is already running in {self.path} {where}; stop it or choose another folder with --data"
