"""The system's Chromium, if there is one, and how it is started for tests."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The path of a Chromium; None where there is none, and tests/browser is skipped."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
