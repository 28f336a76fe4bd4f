"""Options that many commands share, and how their texts are read."""

import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.failure import CommandFailed

MAX_MICRO = 10**15


def default_data() -> Path:
    """RUSHES_DATA, else the user's data folder."""
    if os.environ.get("RUSHES_DATA"):
        return Path(os.environ["RUSHES_DATA"])
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "rushes"


DataOption = Annotated[Path, typer.Option("--data", help="The platform's data folder.", default_factory=default_data)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OrgOption = Annotated[str | None, typer.Option("--org", help="Its name or id; not needed where there is only one.")]


def micro_dollars(text: str, name: str) -> int:
    """Dollars, such as 12.50, as whole micro-dollars. Raises CommandFailed."""
    try:
        micro = Decimal(text) * 1_000_000
        if micro == int(micro) and 0 <= micro <= MAX_MICRO:
            return int(micro)
    except (InvalidOperation, OverflowError, ValueError):
        pass
    raise CommandFailed(f"{name} must be an amount of dollars such as 12.50, not {text!r}")


def read_password(from_stdin: bool) -> str:
    """A password from standard input, or typed twice at the terminal; never an argument, which others could see."""
    if not from_stdin:
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        return sys.stdin.buffer.read(4096).decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CommandFailed("The password on standard input is not UTF-8 text") from error
