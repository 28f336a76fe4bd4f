"""The pictures of the models on the web page: what animatic draws for each card's example, one small file a model.

    .venv/bin/python scripts/stills.py            # only what is missing is made
    .venv/bin/python scripts/stills.py --ribbons  # and those whose example was no scene when they were made

They are written to server/src/rushes/playground/static/stills, named as screens/models.py looks for them. An example
that names no place (most of those that move a given picture) would become ribbons; SCENES has a scene in its spirit.
"""

from __future__ import annotations

import io
import sys
from itertools import islice
from pathlib import Path

from drawn import FPS, frames
from PIL import Image
from rushes.catalog.loader import load_catalog
from rushes.engines.animatic.painter.words import read
from rushes.playground.screens.models import still_of

STATIC = Path(__file__).resolve().parent.parent / "server" / "src" / "rushes" / "playground" / "static"
SCENES = {
    "CogVideoX-5B-I2V": "An old oak tree on a hill in autumn, leaves falling",
    "HunyuanVideo-1.5-I2V": "A windmill in a field of tulips in the wind",
    "kling-v3-image-to-video": "A wooden cabin in the forest at first light, mist",
    "kling-v3-omni": "A couple walking through a park of birch trees, autumn woods",
    "ltx-2-fast-image-to-video": "Sunbeams through the mist of a pine forest at dawn",
    "ltx-2-pro-audio-to-video": "Embers rising over a cabin by a lake at night",
    "ltx-2-pro-retake": "A person walking along the beach at sunset",
    "MiniMax-H3": "Embers over the desert dunes at dusk",
    "pixverse-v5.6-i2v": "A meadow of wildflowers, poppies and daisies at dawn",
    "Wan2_1": "A horse galloping across a field at golden hour",
    "Image-to-Video-Model": "A lake between mountains at sunrise, calm",
    "seedance-2-0-260128": "A ship on the ocean at sunset",
    "seedance-2-0-fast-260128": "Balloons over a valley at dawn",
    "seedance-2-5-260628": "A castle on a cliff by the sea at dusk",
    "sora-2-pro": "A ringed planet and a spaceship",
    "vidu-q3-pro-t2v": "A jungle with a river, morning mist",
    "vidu-q3-pro-i2v": "A flock of birds over an island beach",
    "Wan-AI_Wan2.1-FLF2V-14B-720P": "Blossoming cherry trees by a river in spring",
    "Wan-AI_Wan2.2-I2V-A14B": "A sailing boat on a lake",
    "wan2.6-r2v": "A deer standing in a snowy forest at first light",
    "wan2.7-i2v": "A futuristic city skyline at sunset, neon",
}
"""By model, for examples that name no place."""
SIZE, SECONDS = (384, 216), 2
QUALITY = 74


def main(words: list[str]) -> int:
    """Make what is missing."""
    if words not in ([], ["--ribbons"]):
        print(__doc__, file=sys.stderr)
        return 2
    (STATIC / "stills").mkdir(exist_ok=True)
    for number, card in enumerate(load_catalog(test_models=True).cards):
        target = STATIC / still_of(card.id)
        prompt = str(card.example.get("prompt") or card.brief_description)
        no_scene = read(prompt).biome == "abstract"
        if no_scene:
            prompt = SCENES.get(card.id, prompt)
        if not target.exists() or (words and no_scene and card.id in SCENES):
            target.write_bytes(still(prompt, number + 1))
            print(f"{target.name}  {target.stat().st_size / 1000:.1f} kB  {prompt}", flush=True)
    return 0


def still(prompt: str, seed: int) -> bytes:
    """A frame of the prompt's scene as WebP."""
    frame = next(islice(frames(prompt, seed, SECONDS), SECONDS * FPS // 3, None))
    width, height = frame.size
    # The caption that animatic writes at the bottom cannot be read at this size.
    seen = frame.crop((int(width * 0.045), 0, int(width * 0.955), int(height * 0.91)))
    file = io.BytesIO()
    seen.resize(SIZE, Image.Resampling.LANCZOS).save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
