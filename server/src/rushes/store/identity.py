"""Which user PostgreSQL runs as: it refuses uid 0, and its folder has one owner for ever."""

import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rushes.store import unprivileged
from rushes.store.platform_error import PlatformError

_LAUNCHER = Path(unprivileged.__file__)
_SERVICE_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Identity:
    """How a command is started: its form for unprivileged.py, and who owns the files it makes."""

    form: str
    uid: int
    gid: int

    def command(self, *words: str | Path) -> list[str]:
        """The words behind the launcher that takes on this identity and ends the command when we end."""
        return [sys.executable, "-I", "-S", str(_LAUNCHER), self.form, str(os.getpid()), *map(str, words)]

    @property
    def is_foreign(self) -> bool:
        return self.uid != os.geteuid()

    def own(self, path: Path) -> None:
        """Give a path that we made to this identity."""
        if self.is_foreign:
            os.chown(path, self.uid, self.gid)


def identity_for(data: Path, postgres: Path) -> Identity:
    """The user to run `postgres` as: the owner of an existing data folder, else the best this machine offers.

    Raises PlatformError when the folder belongs to someone else, or when root finds neither a user namespace nor an
    ordinary user who can reach the folder.
    """
    uid = os.geteuid()
    owner = data.stat().st_uid if data.exists() else uid
    if owner != uid:
        if uid != 0:
            raise PlatformError(f"{data} belongs to user {_name(owner)}; start as that user or choose another folder")
        return _other_user(owner, data.stat().st_gid, data, postgres)
    if uid != 0 and (data.exists() or _has_name(uid)):
        return Identity("same", uid, os.getegid())
    if data.exists() or _namespaces_work(postgres):
        return _namespace()
    if uid != 0:
        raise PlatformError(f"User id {uid} has no name here, which PostgreSQL needs; add it to /etc/passwd")
    user = _service_user()
    return _other_user(user.pw_uid, user.pw_gid, data, postgres)


def namespaces_work() -> bool:
    """Whether this machine lets us make a user namespace."""
    return _namespaces_work(Path(sys.executable))


def _namespace() -> Identity:
    """A namespace in which we carry an ordinary user's number: initdb looks up its name."""
    inner = next((entry.pw_uid for entry in reversed(pwd.getpwall()) if entry.pw_uid != 0), 65534)
    return Identity(f"namespace:{inner}", os.geteuid(), os.getegid())


def _namespaces_work(program: Path) -> bool:
    if sys.platform != "linux":
        return False
    probe = subprocess.run(_namespace().command(program, "--version"), capture_output=True, timeout=30, check=False)
    return probe.returncode == 0


def _service_user() -> pwd.struct_passwd:
    for name in _SERVICE_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PlatformError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`; add one")


def _other_user(uid: int, gid: int, data: Path, postgres: Path) -> Identity:
    for path in (data.parent.parent, postgres):
        closed = _closed_to(uid, gid, path)
        if closed is not None:
            raise PlatformError(
                f"PostgreSQL does not run as root, and user {_name(uid)} cannot enter {closed}; "
                "start as an ordinary user or choose a folder that others may enter"
            )
    return Identity(f"user:{uid}:{gid}", uid, gid)


def _closed_to(uid: int, gid: int, path: Path) -> Path | None:
    """The first part of `path` that a user cannot enter or execute, by its mode; None if all are open."""
    resolved = path.resolve()
    for part in (*reversed(resolved.parents), resolved):
        about = part.stat()
        if about.st_uid == uid:
            bit = stat.S_IXUSR
        elif about.st_gid == gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not about.st_mode & bit:
            return part
    return None


def _has_name(uid: int) -> bool:
    return _name(uid) != str(uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
