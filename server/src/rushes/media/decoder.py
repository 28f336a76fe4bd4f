"""The child process that reads strangers' media: `python -m rushes.media.decoder`.

It takes one order as JSON on standard input, confines itself, does it and answers as JSON on standard output: "facts",
or "refused" with a sentence for the customer, or "errno" when the machine is at fault. From then on it can open no file
beyond the one it was given and, one at a time, those it writes: the number of descriptors says so, to FFmpeg as well.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from PIL import Image

from rushes.media.pictures import Unreadable, cover_cropped, upright_rgb

# All that Pillow would look for when it writes its first file, which a confined process may no longer open.
Image.preinit()

MEMORY_BYTES: Final = 3 << 29
CPU_SECONDS: Final = {"check": 20, "write": 20, "adopt": 60}
FILE_BYTES: Final = 256 << 20
_NEW_NETWORK: Final = 0x4000_0000
_NEW_USER: Final = 0x1000_0000
OURS: Final = frozenset({errno.ENOENT, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO})
"""Numbers of errors for which the machine is to blame, not the file."""

Order = dict[str, Any]


def confine(do: str) -> None:
    """Limit this process for good: memory, processor time, size of files, how many it can hold open, and no network.

    The last only where the system lets a process leave its network (Linux, as root or with user namespaces).
    """
    _leave_network()
    if not do.endswith("image"):
        importlib.import_module("rushes.media.remux")  # costs a tenth of a second, and files to be opened
    manner = do.split()[0]
    lowest_free = os.dup(0)
    os.close(lowest_free)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, CPU_SECONDS[manner])
    _limit(resource.RLIMIT_FSIZE, 0 if manner == "check" else FILE_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    # FFmpeg reads an mp4 of its own back to put its index first, so adopting holds three.
    _limit(resource.RLIMIT_NOFILE, lowest_free + {"check": 1, "write": 2, "adopt": 3}[manner])


def _leave_network() -> None:
    unshare: Any = getattr(ctypes.CDLL(None), "unshare", None)
    # See unshare(2). The first needs privileges; the second gets them in a namespace of its own, if it may make one.
    # Where neither works the named demuxers and the protocol whitelist are what keeps FFmpeg from the network.
    if unshare is not None and unshare(_NEW_NETWORK) != 0:
        unshare(_NEW_USER | _NEW_NETWORK)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))


def _check_sound(order: Order) -> Order:
    from rushes.media import recordings

    return asdict(recordings.sound_facts(Path(order["path"]), order["reader"]))


def _check_video(order: Order) -> Order:
    from rushes.media import recordings

    return asdict(recordings.video_facts(Path(order["path"]), order["reader"]))


def _write_picture(order: Order) -> Order:
    picture = upright_rgb(Path(order["path"]), order["reader"])
    if order["width"] and order["height"]:
        picture = cover_cropped(picture, order["width"], order["height"])
    picture.save(order["out"], format="PNG", compress_level=1)
    return {"width": picture.width, "height": picture.height}


def _write_sound(order: Order) -> Order:
    from rushes.media import recordings

    return {"seconds": recordings.write_sound(Path(order["path"]), order["reader"], Path(order["out"]))}


def _write_clip(order: Order) -> Order:
    from rushes.media import recordings

    folder, last = Path(order["out"]), None
    count = 0
    for last in recordings.last_pictures(Path(order["path"]), order["reader"]):
        last.save(folder / f"{count:06d}.png", format="PNG", compress_level=1)
        count += 1
    if last is None:
        raise Unreadable("It holds no video")
    last.save(folder / "last.png", format="PNG", compress_level=1)
    return {"frames": count, "width": last.width, "height": last.height}


def _adopt(order: Order) -> Order:
    from rushes.media import remux

    path, out = Path(order["path"]), Path(order["out"])
    facts, glimpses = remux.remade(path, out, demuxer=order["reader"], comment=order["comment"])
    return {"video": facts.as_json(), "glimpses": [asdict(glimpse) for glimpse in glimpses]}


ACTIONS: Final[dict[str, Callable[[Order], Order]]] = {
    "check audio": _check_sound,
    "check video": _check_video,
    "write image": _write_picture,
    "write audio": _write_sound,
    "write video": _write_clip,
    "adopt video": _adopt,
}


def answer(order: Order) -> Order:
    """Do one order; every way to fail becomes an answer."""
    try:
        return {"facts": ACTIONS[order["do"]](order)}
    except Unreadable as error:
        return {"refused": str(error), "why": repr(error.__cause__)}
    except MemoryError as error:
        return {"refused": "It needs too much memory to read", "why": repr(error)}
    except OSError as error:
        if error.errno in OURS:
            return {"errno": error.errno}
        return {"refused": "It is damaged or cut off", "why": repr(error)}
    except Exception as error:  # decoders fail in many ways; none of them may look like our own fault
        return {"refused": "It is damaged or cut off", "why": repr(error)}


LIFETIME_SECONDS: Final = 180
"""Twice the longest deadline of whoever ordered: an end also where that one was killed first."""


def main() -> None:
    signal.alarm(LIFETIME_SECONDS)
    order: Order = json.loads(sys.stdin.buffer.read())
    confine(order["do"])
    sys.stdout.write(json.dumps(answer(order)))


if __name__ == "__main__":
    main()
