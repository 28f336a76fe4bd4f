"""Install what the engines with real libraries need into this environment: their locked packages, then torch."""

import subprocess
import sys

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
TORCH = "torch==2.13.0"

print(f"installing requirements/engines.txt and {TORCH} ...", flush=True)
# Without their dependencies: the file holds all of them but torch, which comes next, in this machine's own build.
locked = [*PIP, "--require-hashes", "--only-binary=:all:", "--no-deps", "-r", "requirements/engines.txt"]
if subprocess.call(locked):
    sys.exit("The locked packages could not be installed; the lines above say why.")
if subprocess.call([*PIP, "--only-binary=:all:", TORCH]):
    sys.exit(f"{TORCH} could not be installed; the lines above say why.")
