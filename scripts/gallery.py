"""The gallery in the docs: what the animatic engine draws for the prompts of docs/gallery/prompts.txt, on one page.

    make gallery                                  # draws what is missing
    .venv/bin/python scripts/gallery.py --all     # draws all again: about two minutes

Frames come from the engine itself, caption and all; nothing is chosen among several tries: every prompt has seed 7.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

from drawn import frames
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "gallery"
STILL, SMALL = (640, 360), (208, 117)
SECONDS, SEED = 5, 7
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the animatic engine draws</title>
<style>
body {{ margin: 2rem auto; max-width: 84rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  background: #14161a; color: #d8dbe0; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1.5rem 1rem; }}
figure {{ margin: 0; }}
img {{ display: block; width: 100%; height: auto; background: #000; }}
img + img {{ margin-top: 2px; }}
figcaption {{ padding: .4rem .1rem 0; font-size: .9rem; }}
</style>
<h1>What the animatic engine draws</h1>
<p>One frame from the middle of each video, and below it the first, the middle and the last. No weights and no graphics
card: each five-second video was drawn on a CPU. Every prompt has seed {seed}; the page is made by
<code>make gallery</code>.</p>
<main>
{figures}
</main>
</html>
"""
FIGURE = """<figure>
<img src="{name}.jpg" width="{width}" height="{height}" alt="{prompt}" loading="lazy">
<img src="{name}-motion.jpg" width="{strip}" height="{low}" alt="" loading="lazy">
<figcaption>{prompt}</figcaption>
</figure>"""


def main(words: list[str]) -> int:
    """Draw what is missing (or all) and write the page."""
    if words not in ([], ["--all"]):
        print(__doc__, file=sys.stderr)
        return 2
    prompts = [line for line in (FOLDER / "prompts.txt").read_text().splitlines() if line.strip()]
    names = [f"{n:02}-{slug(prompt)}" for n, prompt in enumerate(prompts, 1)]
    for picture in FOLDER.glob("*.jpg"):
        if words or picture.stem.removesuffix("-motion") not in names:
            picture.unlink()
    for name, prompt in zip(names, prompts, strict=True):
        if not (FOLDER / f"{name}-motion.jpg").exists():
            draw(name, prompt)
    strip = 3 * SMALL[0] + 4
    figures = [
        FIGURE.format(name=name, prompt=html.escape(prompt), width=STILL[0], height=STILL[1], strip=strip, low=SMALL[1])
        for name, prompt in zip(names, prompts, strict=True)
    ]
    (FOLDER / "index.html").write_text(PAGE.format(seed=SEED, figures="\n".join(figures)))
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"docs/gallery: {len(prompts)} prompts, {size / 1e6:.2f} MB")
    return 0


def slug(prompt: str) -> str:
    """The first words of a prompt, fit for a file name."""
    return "-".join(re.findall(r"[a-z0-9]+", prompt.lower())[:5])


def draw(name: str, prompt: str) -> None:
    """One still, and one strip of the first, the middle and the last frame."""
    shown = list(frames(prompt, SEED, SECONDS))
    still, first, last = shown[len(shown) // 2], shown[0], shown[-1]
    still.resize(STILL, Image.Resampling.LANCZOS).save(FOLDER / f"{name}.jpg", quality=84, optimize=True)
    strip = Image.new("RGB", (3 * SMALL[0] + 4, SMALL[1]))
    for n, frame in enumerate((first, still, last)):
        strip.paste(frame.resize(SMALL, Image.Resampling.LANCZOS), (n * (SMALL[0] + 2), 0))
    strip.save(FOLDER / f"{name}-motion.jpg", quality=80, optimize=True)
    print(name, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
