"""What `rushes up` shows: coloured on a terminal, plain text elsewhere, every line whole so that it can be pasted."""

import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.accounts.sign_in_link import link_url

if TYPE_CHECKING:
    from rushes.platform.tls import Certificate

QUEUE_PATH = "/api/v1/ie/requestqueue/apikey"
"""The documented prefix that every client of this API accepts as its base URL."""
SAMPLE_MODEL = "Wan-AI_Wan2.1-T2V-14B"


class Screen:
    """Standard output and standard error of one command."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty()

    def say(self, text: str = "", style: str = "") -> None:
        """One or more lines, in a rich style such as "bold green" when a person watches."""
        # A terminal that was closed must not keep the platform from stopping well.
        with suppress(OSError, ValueError):
            if self._colour:
                from rich.console import Console  # 40 ms that a program reading us need not wait for

                Console(highlight=False, markup=False, soft_wrap=True).print(text, style=style)
            else:
                sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def complain(self, text: str) -> None:
        """One sentence on standard error: what went wrong and what helps."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f"rushes: {text}\n")
            sys.stderr.flush()


def show_address(screen: Screen, address: str, data: Path, certificate: "Certificate | None") -> None:
    screen.say(f"rushes at {address}", "bold green")
    screen.say(f"  documentation            {address}/docs")
    screen.say(f"  data                     {data}")
    if certificate is not None:
        screen.say()
        screen.say(certificate.how_to_trust())


def show_key(screen: Screen, address: str, key: str | None, key_file: Path) -> None:
    """Lines to paste: the environment of SDK and curl, and a first request. A new key is shown this once."""
    shown = key or f"$(cat {shlex.quote(str(key_file))})"
    screen.say()
    if key is not None:
        screen.say(f"Your API key, shown once and kept in {key_file}:", "bold")
    elif key_file.exists():
        screen.say(f"Your API key is in {key_file}:", "bold")
    else:
        screen.say(f"The API key was made at the first start, but {key_file} is missing; put your key in its place.")
        shown = "YOUR-API-KEY"
    screen.say()
    screen.say(f"export GMI_API_KEY={shown}")
    screen.say(f"export GMI_BASE_URL={address}{QUEUE_PATH}")
    screen.say()
    screen.say(
        'curl "$GMI_BASE_URL/requests" -H "Authorization: Bearer $GMI_API_KEY" -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"model": "{SAMPLE_MODEL}", "payload": {{"prompt": "A quiet harbour at sunrise"}}}}\''
    )
    screen.say()


def show_link(screen: Screen, address: str, link: str | None) -> None:
    """The one-time link that signs this browser in as the owner."""
    if link is None:
        return
    screen.say("The web page, signed in (once, within 15 minutes; later: rushes users link):", "bold")
    screen.say(link_url(address, link))
    screen.say()


def show_ready(screen: Screen, seconds: float) -> None:
    screen.say(f"ready in {seconds:.1f} s; Ctrl-C stops" + (f" (pid {os.getpid()})" if not sys.stdout.isatty() else ""))
