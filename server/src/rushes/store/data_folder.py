"""PostgreSQL's data folder: how it is made, and what is checked before a server may use it."""

import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

from rushes.store.binaries import Binaries, environment
from rushes.store.identity import Identity
from rushes.store.platform_error import PlatformError
from rushes.store.secret_file import sync_folder, write_secret
from rushes.store.unprivileged import NAMESPACE_REFUSED

NAME = "rushes"
"""The database, and the role that owns it: no superuser, but it may create databases."""

_FIRST_SETTINGS = {"shared_buffers": "64MB", "max_connections": "100", "io_method": "sync"}
"""Written to postgresql.conf once, for the owner to change. One disk and few readers: no I/O workers."""
_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
_COMPLAINT = re.compile(r"^.*?\b(?:FATAL|PANIC|ERROR|error):\s*(.+)$", re.MULTILINE)


class DataFolder:
    """The folder `home/data`, with the role's password in `home/password`.

    `server_lock` is the open file that every process working in the folder inherits (leftovers.py).
    """

    def __init__(self, home: Path, binaries: Binaries, identity: Identity, server_lock: int) -> None:
        self._home = home
        self._path = home / "data"
        self._binaries = binaries
        self._identity = identity
        self._server_lock = server_lock

    def prepare(self) -> None:
        """Make the folder if it is missing, the password too; refuse one of another major version."""
        if not self._path.exists():
            self._create()
        made_by = (self._path / "PG_VERSION").read_text().strip()
        if made_by != str(self._binaries.major):
            raise PlatformError(
                f"{self._path} was made by PostgreSQL {made_by}, but this one is {self._binaries.major}; "
                f"use PostgreSQL {made_by}, or dump the database and load it into a new folder"
            )
        if not (self._home / "password").exists():
            self._set_password("ALTER", self._path)

    def _create(self) -> None:
        """Make it under another name and rename it when it is whole, so that half of one is never used."""
        made = self._home / "data.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        self._identity.own(made)
        # The superuser's password is not kept: who owns the folder can always use `postgres --single`.
        secret = self._home / "superuser"
        write_secret(secret, secrets.token_hex(24))
        self._identity.own(secret)
        access = ("--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256")
        settings = [f"--set={name}={value}" for name, value in _FIRST_SETTINGS.items()]
        try:
            self._run("initdb", "-D", str(made), *access, "--data-checksums", *_LOCALE, *settings)
        finally:
            secret.unlink(missing_ok=True)
        # initdb's own file also speaks of TCP and replication.
        with open(made / "pg_hba.conf", "w", opener=_refuse_link) as rules:
            rules.write("local all all scram-sha-256\n")
        self._set_password("CREATE", made)
        made.rename(self._path)
        sync_folder(self._home)

    def _set_password(self, verb: str, data: Path) -> None:
        """Create the role and the database, or give the role a new password, while no server runs."""
        password = secrets.token_hex(24)
        statements = f"{verb} ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'\n"
        if verb == "CREATE":
            statements += f"CREATE DATABASE {NAME} OWNER {NAME}\n"
        quiet = ("-c", "log_min_error_statement=panic")
        said = self._run("postgres", "--single", "-D", str(data), *quiet, "postgres", typed=statements)
        if _COMPLAINT.search(said):
            raise PlatformError(f"PostgreSQL could not set up its role: {complaint(said)}")
        write_secret(self._home / "password", password)

    def _run(self, program: str, *words: str, typed: str = "") -> str:
        done = subprocess.run(
            self._identity.command(self._binaries.folder / program, *words),
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            pass_fds=(self._server_lock,),
            start_new_session=True,
            check=False,
        )
        if done.returncode != 0:
            raise failure(self._home.parent, done.returncode, done.stdout)
        return done.stdout


def failure(folder: Path, status: int, said: str) -> PlatformError:
    """The error for a PostgreSQL program that ended with `status` after it `said` this."""
    if status == NAMESPACE_REFUSED:
        return PlatformError(
            f"{folder} was set up by root in a user namespace, which this machine refuses now; "
            f"allow user namespaces, or give {folder / 'pg'} to an ordinary user"
        )
    if "No space left on device" in said:
        return PlatformError(f"The disk that holds {folder} is full; free some space or choose another folder")
    return PlatformError(f"PostgreSQL did not start in {folder}: {complaint(said) or f'exit status {status}'}")


def complaint(said: str) -> str:
    """The last error in what a PostgreSQL program said, without its prefix; its last line if it names none."""
    found = _COMPLAINT.findall(said)
    return found[-1].strip() if found else said.strip().rsplit("\n", 1)[-1]


def _refuse_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
