"""The pictures of the models on the web page: what animatic draws for each card's example, one small file a model.

    .venv/bin/rushes up --port 0 --data DATA    # in another terminal
    .venv/bin/python scripts/stills.py DATA     # only what is missing is made; some minutes for all

They are written to server/src/rushes/playground/static/stills, named as screens/models.py looks for them.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from gmicloud import Client
from PIL import Image
from rushes.catalog.loader import load_catalog
from rushes.playground.screens.models import still_of

STATIC = Path(__file__).resolve().parent.parent / "server" / "src" / "rushes" / "playground" / "static"
PAINTER = "wan2.7-t2v"
SIZE = (384, 216)
QUALITY = 74
SECONDS = 2


def main() -> int:
    """Make what is missing."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    data = Path(sys.argv[1])
    address = json.loads((data / "platform.json").read_text())["address"]
    (STATIC / "stills").mkdir(exist_ok=True)
    with Client(api_key=(data / "api-key").read_text().strip(), base_url=address) as client:
        for number, card in enumerate(load_catalog(test_models=True).cards):
            target = STATIC / still_of(card.id)
            if not target.exists():
                target.write_bytes(still(client, card.example, card.brief_description, number))
                print(f"{target.name}  {target.stat().st_size / 1000:.1f} kB", flush=True)
    return 0


def still(client: Client, example: Any, words: str, seed: int) -> bytes:
    """A frame of the example as WebP."""
    prompt = example.get("prompt") or words
    made = client.generate(
        PAINTER,
        {"prompt": prompt, "resolution": "720P", "duration": SECONDS, "seed": seed + 1},
        timeout=120,
    )
    assert made.outcome is not None
    frame = io.BytesIO()
    path = client.download(made, Path("still.mp4"))
    try:
        import av

        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
            picture = frames[len(frames) // 3].to_image()
    finally:
        Path(path).unlink()
    width, height = picture.size
    # The caption that animatic writes at the bottom cannot be read at this size.
    picture = picture.crop((int(width * 0.045), 0, int(width * 0.955), int(height * 0.91)))
    picture.resize(SIZE, Image.Resampling.LANCZOS).save(frame, "WEBP", quality=QUALITY, method=6)
    return frame.getvalue()


if __name__ == "__main__":
    sys.exit(main())
