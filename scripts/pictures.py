"""The pictures of the README, made by a running platform: docs/images/frames.jpg and docs/images/demo.gif.

    .venv/bin/rushes up --port 0 --data DATA      # in another terminal
    .venv/bin/python scripts/pictures.py DATA     # videos are kept in DATA/pictures; made again only when missing

Needs what the server needs (PyAV to read frames back, Pillow to compose) and about two minutes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from gmicloud import Client
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
COFFEE = ROOT / "examples" / "pictures" / "coffee.png"
SEED = 7
SCENES = {
    "mountains": "A majestic eagle soaring through a mountain landscape at sunset",
    "horse": "A lone horse galloping across a meadow at dawn, tracking shot",
    "sail": "A calm ocean at dawn with a small sailing boat",
    "elephants": "Elephants walking across the savanna at golden hour",
    "neon": "Neon city street at night in the rain, slow push in",
    "snow": "Snow falling in a quiet pine forest",
    "caravan": "A camel caravan in the desert at sunset, pan left",
    "cabin": "A wooden cabin in the snowy mountains under the northern lights",
}
SHEET = (("mountains", "horse", "sail"), ("elephants", "neon", "snow"), ("caravan", "cabin", "coffee"))
CELL, GAP = (532, 300), 4
REEL = ("caravan", "neon", "sail")
"""Scenes of the GIF, in this order."""
REEL_SIZE, REEL_FPS, REEL_SECONDS = (480, 270), 12, 1.2
COLOURS = 240
STEADY = 6
"""A pixel of the GIF is drawn again only when a channel has moved by more than this since it was drawn."""
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32)
"""Ordered dither: a pattern that stands still, so that a frame differs from the last only where something moves."""


def main() -> int:
    """Make what is missing and compose both pictures."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    data = Path(sys.argv[1])
    videos = shoot(data)
    IMAGES.mkdir(parents=True, exist_ok=True)
    sheet(videos).save(IMAGES / "frames.jpg", quality=85, optimize=True, progressive=True)
    save_reel(reel(videos), IMAGES / "demo.gif")
    for name in ("frames.jpg", "demo.gif"):
        print(f"docs/images/{name}  {(IMAGES / name).stat().st_size / 1000:.0f} kB")
    return 0


def shoot(data: Path) -> dict[str, Path]:
    """One video per scene and one from the photograph, through the platform whose folder is `data`."""
    folder = data / "pictures"
    folder.mkdir(exist_ok=True)
    wanted = {name: folder / f"{name}.mp4" for name in (*SCENES, "coffee")}
    address = json.loads((data / "platform.json").read_text())["address"]
    with Client(api_key=(data / "api-key").read_text().strip(), base_url=address) as client:
        for name, path in wanted.items():
            if path.exists():
                continue
            common = {"resolution": "720P", "duration": 5, "seed": SEED}
            if name == "coffee":
                common |= {"first_frame": COFFEE, "prompt": "Slow cinematic dolly in"}
                made = client.generate("wan2.7-i2v", common, timeout=300)
            else:
                made = client.generate("wan2.7-t2v", common | {"prompt": SCENES[name]}, timeout=300)
            print(client.download(made, path), flush=True)
    return wanted


def frames(video: Path) -> Iterator[Image.Image]:
    """All frames of a video, in order."""
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield frame.to_image()


def cover(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of a picture, cut to the shape of `size` and scaled to it."""
    scale = max(size[0] / picture.width, size[1] / picture.height)
    wide, high = size[0] / scale, size[1] / scale
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    return picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + wide, top + high))


def sheet(videos: dict[str, Path]) -> Image.Image:
    """Three by three frames with thin gaps; of the photograph's video the first and the last side by side."""
    columns, rows = len(SHEET[0]), len(SHEET)
    size = (columns * CELL[0] + (columns - 1) * GAP, rows * CELL[1] + (rows - 1) * GAP)
    page = Image.new("RGB", size, "white")
    for row, names in enumerate(SHEET):
        for column, name in enumerate(names):
            shown = list(frames(videos[name]))
            at = (column * (CELL[0] + GAP), row * (CELL[1] + GAP))
            if name == "coffee":
                half = ((CELL[0] - GAP) // 2, CELL[1])
                page.paste(cover(shown[0], half), at)
                page.paste(cover(shown[-1], half), (at[0] + half[0] + GAP, at[1]))
            else:
                page.paste(cover(shown[len(shown) // 2], CELL), at)
    return page


def reel(videos: dict[str, Path]) -> list[list[Image.Image]]:
    """The middle of each scene of the GIF."""
    step, count = 24 // REEL_FPS, round(REEL_FPS * REEL_SECONDS)
    takes: list[list[Image.Image]] = []
    for name in REEL:
        shown = list(frames(videos[name]))
        first = (len(shown) - count * step) // 2
        takes.append([cover(shown[first + n * step], REEL_SIZE) for n in range(count)])
    return takes


def dithered(take: list[Image.Image], palette: Image.Image) -> Iterator[Image.Image]:
    """One scene in the palette's colours, each frame like the one before it wherever hardly anything changed."""
    wide, high = REEL_SIZE
    pattern = np.tile((BAYER - 7.5) * np.float32(0.55), (-(-high // 4), -(-wide // 4)))[:high, :wide]
    held = np.full((high, wide, 3), -1000, np.float32)
    for picture in take:
        now = np.asarray(picture, np.float32)
        moved = np.abs(now - held).max(axis=2) > STEADY
        held = np.where(moved[..., None], now, held)
        shifted = np.clip(held + pattern[..., None], 0, 255).astype(np.uint8)
        yield Image.fromarray(shifted).quantize(palette=palette, dither=Image.Dither.NONE)


def save_reel(takes: list[list[Image.Image]], path: Path) -> None:
    """A looping GIF; each scene has a palette of its own, made from all its frames."""
    done: list[Image.Image] = []
    for take in takes:
        strip = Image.new("RGB", (REEL_SIZE[0], REEL_SIZE[1] * len(take)))
        for row, picture in enumerate(take):
            strip.paste(picture, (0, row * REEL_SIZE[1]))
        palette = strip.quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
        done += dithered(take, palette)
    done[0].save(path, save_all=True, append_images=done[1:], duration=1000 // REEL_FPS, loop=0, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
