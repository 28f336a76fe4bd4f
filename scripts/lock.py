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
# Without torch, which each machine takes in its own build (requirements/README.md).
ENGINES = ["--override", "requirements/engines-without-torch.txt", "requirements/engines.in"]
ENGINES += ["-c", "requirements/dev.txt", "-o", "requirements/engines.txt"]

for wanted in (RUN, DEV, ENGINES):
    subprocess.check_call([*COMPILE, *wanted, *sys.argv[1:]])
