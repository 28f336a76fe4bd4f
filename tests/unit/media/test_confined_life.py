"""A decoder whose orderer is gone ends by itself."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

RUN = """
import sys
from rushes.media import decoder
decoder.LIFETIME_SECONDS = 1
decoder.main()
"""


def test_a_decoder_that_nobody_waits_for_ends_by_its_own_alarm(tmp_path: Path) -> None:
    pipe = tmp_path / "never-written"
    os.mkfifo(pipe)  # opening it blocks for ever, like a file system that hangs
    order = {"do": "check audio", "path": str(pipe), "reader": "wav"}
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(order).encode(), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGALRM
