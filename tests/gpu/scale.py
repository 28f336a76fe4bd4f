"""The two sizes the checks run at, and Wan pipelines with random weights of each, made where they are to run.

The real one has the configuration of Wan 2.1 T2V 14B with its UMT5-XXL text encoder: 28 + 11 GB in bfloat16. It
is never written to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Plan
from rushes.engines.options import Setup
from support.weights_cards import weights_card


@dataclass(frozen=True)
class Scale:
    """What is rendered."""

    name: str
    size: str
    frames: int
    steps: int

    @property
    def card(self) -> ModelCard:
        return weights_card("wan", model=f"wan-{self.name}")

    def plan(self, engine: DiffusersEngine, **more: Any) -> Plan:
        params = {"prompt": "a lantern in the wind", "size": self.size, "steps": self.steps, "seed": 5}
        return engine.normalise(self.card, params | {"duration": (self.frames - 1) / 16} | more, 5)


REAL = Scale("real", "832x480", 81, 4)
"""About 9 s a step and one minute a clip on an H200: all checks together take a quarter of an hour."""
TINY = Scale("tiny", "96x64", 9, 4)


def bare_pipeline(scale: Scale) -> Any:
    """The pipeline as the library gives it, on the device the engine would use."""
    if scale.name == "tiny":
        from engines.tiny import wan_t2v

        return wan_t2v()
    import torch
    from diffusers import AutoencoderKLWan, WanPipeline, WanTransformer3DModel
    from engines.tiny import unipc, words_tokenizer
    from rushes.engines.diffusers.memory import device
    from transformers import UMT5Config, UMT5EncoderModel

    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device():
            transformer = WanTransformer3DModel().eval()
            text = UMT5Config(vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64)
            encoder = UMT5EncoderModel(text).eval()
            vae = AutoencoderKLWan().eval()
    finally:
        torch.set_default_dtype(usual)
    return WanPipeline(
        tokenizer=words_tokenizer(), text_encoder=encoder, vae=vae, scheduler=unipc(), transformer=transformer
    )


def engine_with(pipe: Any, scale: Scale) -> DiffusersEngine:
    """An engine that holds this pipeline as if it had loaded it from a folder."""
    from rushes.engines.diffusers.embeddings import EmbeddingCache
    from rushes.engines.diffusers.loader import parameter_bytes
    from rushes.engines.diffusers.model import Model
    from rushes.engines.diffusers.tuning import read_tuning

    engine = DiffusersEngine(Setup("diffusers"))
    tuning = read_tuning(scale.card)
    EmbeddingCache().wrap(pipe)
    model = Model(
        name=scale.card.id,
        tuning=tuning,
        family=tuning.figures(),
        pipe=pipe,
        bytes=parameter_bytes(pipe),
        parts={},
        fingerprint="random",
        seconds=0.0,
    )
    engine._shelf_made().put(scale.card.id, model)
    return engine
