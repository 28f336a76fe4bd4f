"""Compile requirements/*.txt with hashes and without any index address. Needs uv on the PATH."""

import shutil
import subprocess
import sys

COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
COMPILE += ["--no-header", "--no-emit-index-url", "--no-annotate"]
PROJECTS = ["server/pyproject.toml", "sdk/pyproject.toml"]

if shutil.which("uv") is None:
    sys.exit("uv is not on the PATH. Try: pip install uv")
subprocess.check_call([*COMPILE, *PROJECTS, "requirements/run.in", "-o", "requirements/run.txt", *sys.argv[1:]])
subprocess.check_call(
    [*COMPILE, *PROJECTS, "requirements/run.in", "requirements/dev.in", "-c", "requirements/run.txt"]
    + ["-o", "requirements/dev.txt", *sys.argv[1:]]
)
