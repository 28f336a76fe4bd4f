"""Install one locked requirements file and the two distributions of this repository into this environment."""

import subprocess
import sys

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]

print(f"installing {sys.argv[1]} ...", flush=True)
locked = subprocess.call([*PIP, "--require-hashes", "--only-binary=:all:", "-r", sys.argv[1]])
if locked:
    sys.exit("The locked dependencies could not be installed; the lines above say why.")
sys.exit(subprocess.call([*PIP, "--no-deps", "--no-build-isolation", "-e", "sdk", "-e", "server"]))
