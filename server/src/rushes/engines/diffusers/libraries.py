"""torch and diffusers, imported here alone, and only in an engine's child. They take 4 s and 430 MB to import.

They are Any to the type checker: the checks run where they are not installed.
"""

import os
from importlib import import_module
from typing import Any

from rushes.engines.engine import Unsupported

# Before the import: both read it then. A name that is no local folder must never become a download.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

try:
    torch: Any = import_module("torch")
    diffusers: Any = import_module("diffusers")
    transformers: Any = import_module("transformers")
    for library in (diffusers, transformers):
        # Bars that are drawn while loading would fill a worker's log.
        library.utils.logging.disable_progress_bar()
except ImportError as error:
    raise Unsupported(f"{error}. Install the extra: pip install 'rushes[diffusers]'") from error
