"""Two real videos from a platform that starts and stops by itself: `make demo`, or `python examples/demo.py`.

One is made from a photograph, one from a sentence, both at the same time, both through the SDK. They land in demo/.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gmicloud import AsyncClient, GetRequestResponse, GmiError
from gmicloud.local import LocalServer, Platform
from gmicloud.progress import ProgressBars

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "examples" / "pictures"
OUT = ROOT / "demo"
TIMEOUT = 120.0


@dataclass(frozen=True)
class Shot:
    """One video to make, and the file name it gets."""

    name: str
    model: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Take:
    """A video that was made."""

    shot: Shot
    record: GetRequestResponse
    video: Path
    thumbnail: Path
    seconds: float


def main() -> int:
    """Make both videos and say where they are; 1 and one sentence when something goes wrong."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        shots = the_shots()
        OUT.mkdir(exist_ok=True)
        print("Starting the platform.", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="rushes-demo-") as data, Platform(Path(data)) as server:
            print(
                f"Ready at {server.base_url} after {time.monotonic() - started:.1f} s. Two requests, one from a photo:",
                flush=True,
            )
            takes = asyncio.run(film(server, shots))
        report(takes)
    except (GmiError, OSError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the platform is stopped.", file=sys.stderr)
        return 1
    return 0


def the_shots() -> list[Shot]:
    """What to make. Raises FileNotFoundError when the photograph is not there."""
    photo = next((one for one in (PICTURES / "coffee.png", PICTURES / "astronaut.png") if one.is_file()), None)
    if photo is None:
        raise FileNotFoundError(f"there is no photograph in {PICTURES}")
    return [
        Shot(
            "image-to-video",
            "wan2.7-i2v",
            {
                "first_frame": photo,  # a local path: the SDK uploads it
                "prompt": "Slow cinematic dolly in, warm morning light",
                "resolution": "720P",
                "duration": 5,
            },
        ),
        Shot(
            "text-to-video",
            "Wan-AI_Wan2.1-T2V-14B",
            {
                "prompt": "A majestic eagle soaring through a clear blue sky",
                "video_length": 5,
                "negative_prompt": "blurry, low quality, distorted",
                "cfg_scale": 7.5,
            },
        ),
    ]


async def film(server: LocalServer, shots: list[Shot]) -> list[Take]:
    """Make all shots at once. Raises GmiError when one fails."""
    bars = ProgressBars(sys.stdout)
    async with server.async_client() as client:
        return await asyncio.gather(*(make(client, bars, shot) for shot in shots))


async def make(client: AsyncClient, bars: ProgressBars, shot: Shot) -> Take:
    """Submit, wait, save the video and its thumbnail."""
    started = time.monotonic()
    record = await client.generate(shot.model, shot.payload, timeout=TIMEOUT, on_progress=bars.bar(shot.name))
    seconds = time.monotonic() - started
    video = await client.download(record, OUT / f"{shot.name}.mp4")
    thumbnail = await client.download(record, OUT / f"{shot.name}.jpg", thumbnail=True)
    return Take(shot, record, video, thumbnail, seconds)


def report(takes: list[Take]) -> None:
    """Say what was made, by what, and what to try next."""
    for take in takes:
        facts = take.record.media[0] if take.record.media else {}
        size = f"{take.video.stat().st_size / 1e6:.1f} MB"
        frame = f"{facts.get('width', '?')}x{facts.get('height', '?')}, {facts.get('duration_seconds', '?')} s"
        print(f"\n{take.video.relative_to(ROOT)}  {frame}, {size}, made in {take.seconds:.1f} s")
        print(f"{take.thumbnail.relative_to(ROOT)}  its thumbnail")
        print(f"  {take.shot.model} was rendered by the engine {take.record.engine or 'unknown'}")
    if any(take.record.engine == "animatic" for take in takes):
        print("\nanimatic draws a storyboard of the prompt and moves the camera; it has no weights and needs no GPU.")
    print(NEXT)


NEXT = """
Next:
  make up                   the same platform, kept running; it prints its address and the file with its key
  curl -H "Authorization: Bearer $(cat .rushes/api-key)" \\
       http://127.0.0.1:8000/api/v1/ie/requestqueue/apikey/models
  docs/tutorial/quick-start.md"""


if __name__ == "__main__":
    sys.exit(main())
