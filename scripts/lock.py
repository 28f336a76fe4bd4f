"""Compile requirements/*.txt with hashes and without any index address. Needs uv on the PATH."""

import shutil
import subprocess
import sys

COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
COMPILE += ["--no-header", "--no-emit-index-url", "--no-annotate"]
PROJECTS = ["server/pyproject.toml", "sdk/pyproject.toml"]

if shutil.which("uv") is None:
    sys.exit("uv is not on the PATH. Try: pip install uv")
RUN = [*PROJECTS, "requirements/run.in", "-o", "requirements/run.txt"]
DEV = [
    *PROJECTS,
    "requirements/run.in",
    "requirements/dev.in",
    "-c",
    "requirements/run.txt",
    "-o",
    "requirements/dev.txt",
]

for wanted in (RUN, DEV):
    subprocess.check_call([*COMPILE, *wanted, *sys.argv[1:]])
