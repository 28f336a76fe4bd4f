"""One request on two GPUs (context parallelism), with a model of a size that any two can hold.

With RUSHES_GPU_CHECK=tiny two processes on the CPU take their place.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from engines.recording import RecordingControl, digest
from gpu.conftest import IS_TINY
from gpu.scale import TINY
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Note = Callable[[str, str], None]
KINDS: list[dict[str, Any]] = [
    {"context_parallel": {"gpus": 2}},
    {"context_parallel": {"gpus": 2, "kind": "ring"}, "attention": "_native_flash"},
]


@pytest.fixture(autouse=True)
def two_gpus() -> None:
    import torch

    if not IS_TINY and torch.cuda.device_count() < 2:
        pytest.skip(f"needs 2 GPUs, there is {torch.cuda.device_count()}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Wan pipeline of 60 million parameters, with heads that the GPU's own attention takes."""
    import torch
    from diffusers import WanPipeline, WanTransformer3DModel
    from engines.tiny import umt5, unipc, wan_vae, words_tokenizer

    torch.manual_seed(7)
    transformer = WanTransformer3DModel(
        num_attention_heads=8, attention_head_dim=64, text_dim=32, ffn_dim=2048, num_layers=8
    ).eval()
    path = tmp_path_factory.mktemp("weights") / "wan"
    WanPipeline(
        tokenizer=words_tokenizer(), text_encoder=umt5(), vae=wan_vae(), scheduler=unipc(), transformer=transformer
    ).save_pretrained(path, safe_serialization=True)
    return path


@pytest.fixture
def loaded(folder: Path, tmp_path: Path) -> Iterator[Callable[..., DiffusersEngine]]:
    """Loads the folder with options, in an engine of its own; unloads it in the end."""
    made: list[DiffusersEngine] = []

    def load(**options: Any) -> DiffusersEngine:
        made.append(DiffusersEngine(Setup("diffusers", {"weights": str(folder)})))
        made[-1].load(weights_card("wan", **options), RecordingControl(tmp_path))
        return made[-1]

    yield load
    for engine in made:
        engine.unload("some-weights")


@pytest.mark.parametrize("options", KINDS, ids=["ulysses", "ring"])
def test_two_gpus_give_the_picture_of_one_and_the_same_one_after_a_cancel(
    options: dict[str, Any], loaded: Callable[..., DiffusersEngine], note: Note, tmp_path: Path
) -> None:
    kind = str(options["context_parallel"].get("kind", "ulysses"))
    if IS_TINY and kind == "ring":
        pytest.skip("ring has no attention on a CPU")
    params = {"prompt": "a lantern", "size": TINY.size, "steps": 4, "seed": 5, "duration": 0.5}

    def frames(engine: DiffusersEngine, **more: Any) -> np.ndarray[Any, Any]:
        plan = engine.normalise(weights_card("wan", **options), params | more, 5)
        return np.stack([frame.copy() for frame in engine.generate(plan, RecordingControl(tmp_path))]).astype(int)

    one = frames(loaded())
    both = loaded(**options)
    two = frames(both)
    apart = float(np.abs(one - two).mean())
    assert apart < 2, "the same picture, but for rounding"
    stop = RecordingControl(tmp_path, lambda report: report[:2] == ("denoise", 2))
    with pytest.raises(Cancelled):
        both.generate(both.normalise(weights_card("wan", **options), params, 5), stop)
    assert digest(frames(both)) == digest(two)
    note(f"{kind} on two GPUs: mean difference to one, of 255", f"{apart:.3f}")
    if not IS_TINY:
        uneven = frames(both, size="80x80")
        note(f"{kind} with parts of two sizes: mean level", f"{median(uneven.ravel()):.0f}")
