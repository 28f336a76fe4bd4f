"""Create the virtual environment, or say in one sentence what the machine lacks."""

import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036  this file must run on an old Python to refuse it
    sys.exit(f"rushes needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")

try:
    import ensurepip  # noqa: F401
except ImportError:
    sys.exit("This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv")

sys.exit(subprocess.call([sys.executable, "-m", "venv", sys.argv[1]]))
