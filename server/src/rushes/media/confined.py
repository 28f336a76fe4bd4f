"""Starts the decoder's child process for one order, and outlives whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

from rushes.media.pictures import Unreadable

DEADLINE_SECONDS: Final = 30.0
# Nothing of the server's environment: no keys, no database address, no proxies.
ENVIRONMENT: Final = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


async def confined(order: Mapping[str, Any], deadline: float = DEADLINE_SECONDS) -> dict[str, Any]:
    """The facts a decoder child answers to `order` (see media/decoder.py).

    Raises Unreadable when the file cannot be used, which includes a child that crashed, used up its limits or its time,
    and OSError when the machine is at fault. No child is left behind, whatever ends the call.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "rushes.media.decoder",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(deadline):
            said, _ = await child.communicate(json.dumps(dict(order)).encode())
    except TimeoutError as error:
        raise Unreadable("It takes too long to read") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise Unreadable("It is damaged, or too much to read") from ChildProcessError(child.returncode)
    return _facts(json.loads(said))


def _facts(answer: dict[str, Any]) -> dict[str, Any]:
    if "errno" in answer:
        raise OSError(answer["errno"], os.strerror(answer["errno"]))
    if "refused" in answer:
        raise Unreadable(answer["refused"]) from ValueError(answer["why"])
    return answer["facts"]
