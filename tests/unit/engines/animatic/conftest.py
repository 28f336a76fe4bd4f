"""Cards, plans and pictures of every kind, small enough to be drawn in a blink."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from rushes.domain.model_card import ModelCard, Parameter, Price
from rushes.engines.engine import Cancelled, Plan

SHAPES = ((256, 144), (144, 256), (160, 160), (216, 160))
EXAMPLES = Path(__file__).parents[4] / "examples" / "pictures"


def card(*parameters: Parameter) -> ModelCard:
    return ModelCard(
        id="m",
        family="f",
        org_id="o",
        task="image-to-video",
        display_name="M",
        brief_description="",
        detailed_description="",
        parameters=parameters,
        price=Price(1),
        engine="animatic",
    )


def full_card() -> ModelCard:
    """A card with a parameter for every role, under its common name."""
    return card(
        Parameter("prompt", "string", "Prompt", role="prompt"),
        Parameter("negative_prompt", "string", "Negative", role="negative"),
        Parameter("first_frame", "image", "First", role="image"),
        Parameter("last_frame", "image", "Last", role="last_image"),
        Parameter("reference_images", "array", "References", items="image", role="references"),
        Parameter("first_clip", "video", "Clip", role="clip"),
        Parameter("driving_audio", "audio", "Audio", role="audio"),
        Parameter("duration", "string", "Duration", role="duration"),
        Parameter("resolution", "string", "Resolution", role="resolution"),
        Parameter("size", "string", "Size", role="size"),
        Parameter("aspect_ratio", "string", "Ratio", role="ratio", default="16:9"),
        Parameter("fps", "integer", "Rate", role="fps"),
        Parameter("seed", "integer", "Seed", role="seed", default=-1),
        Parameter("sound", "enum", "Sound", role="sound"),
        Parameter("watermark", "boolean", "Watermark", role="watermark"),
        Parameter("mode", "enum", "Mode", role="mode", default="std"),
        Parameter("cfg_scale", "float", "Guidance", role="guidance", default=0.5),
        Parameter("steps", "integer", "Steps", role="steps"),
        Parameter("loop", "boolean", "Loop", role="loop", default=False),
        Parameter("prompt_extend", "boolean", "Extend"),
        Parameter("shot_type", "string", "Shot"),
    )


def plan(prompt: str = "dolly in", width: int = 256, height: int = 144, seconds: float = 1.0, **rest: Any) -> Plan:
    inputs = {role: str(path) for role, path in rest.pop("inputs", {}).items()}
    kind = "v2v" if "clip" in inputs else "flf2v" if len(inputs) == 2 else "i2v" if inputs else "t2v"
    count = round(seconds * 24)
    values: dict[str, Any] = {
        "model": "m", "kind": kind, "prompt": prompt, "negative_prompt": "", "width": width, "height": height,
        "tier": "720P", "aspect": "source", "fps": 24, "num_frames": count, "keep_frames": count, "seconds": seconds,
        "seed": 7, "inputs": inputs, **rest,
    }  # fmt: skip
    return Plan(**values)


@dataclass
class Recorder:
    """A Control that remembers what was reported, and cancels at a given frame."""

    scratch: Path = Path()
    remembered: str | None = None
    cancel_at: float = math.inf
    reports: list[tuple[str, float, float]] = field(default_factory=list)

    def progress(self, phase: str, done: float, total: float) -> None:
        self.reports.append((phase, done, total))
        if done >= self.cancel_at:
            raise Cancelled

    def check(self) -> None:
        pass

    def remember(self, ref: str) -> None:
        raise AssertionError("animatic has nothing to remember")


def detailed(width: int, height: int, seed: int = 3) -> NDArray[np.uint8]:
    """Blobs of every size and lines up to the border: a picture that features can be found in."""
    random = np.random.default_rng(seed)
    rgb = np.zeros((height, width, 3))
    for cells in (3, 9, 27, 81):
        noise = random.uniform(0, 255, (cells, cells, 3)).astype(np.uint8)
        rgb += np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC), float)
    rgb = rgb / 4
    rgb[:: max(height // 9, 2)] = 240
    rgb[:, :: max(width // 13, 2)] = 20
    rgb[[0, -1]] = (255, 0, 0)
    rgb[:, [0, -1]] = (0, 0, 255)
    return rgb.round().astype(np.uint8)


def gradient(width: int, height: int) -> NDArray[np.uint8]:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], axis=2).round().astype(np.uint8)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write RGB pixels as a PNG and return its path."""

    def write(rgb: NDArray[np.uint8], name: str = "picture.png") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(path)
        return path

    return write


def psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    error = float(((a.astype(float) - b.astype(float)) ** 2).mean())
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)
