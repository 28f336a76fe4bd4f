"""Runs a command and ends it when its own standard input closes, which happens when whoever started it is gone.

`python -m gmicloud._internal._keeper COMMAND ...` passes signals on and exits as the command does, so a killed test run
leaves no platform behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Run the command to its end and return its exit code, 128 + n for signal n."""
    early: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: early.append(number))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: child.send_signal(number))
    if early:
        child.send_signal(early[-1])

    def mourn() -> None:
        while os.read(0, 1):  # unbuffered: a buffer's lock held here would abort our exit
            continue
        child.terminate()

    threading.Thread(target=mourn, daemon=True).start()
    code = child.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
