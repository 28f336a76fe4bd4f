"""The engine options of a card: what is right is read, what is wrong is told with its key."""

from typing import Any

import pytest
from rushes.domain.model_card import EngineChoice, ModelCard
from rushes.engines.diffusers.tuning import read_tuning
from rushes.engines.engine import Unsupported
from support.weights_cards import weights_card

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"attention": "flash_hub"}, "fetched while running"),
    ({"attention": "../flash"}, "attention"),
    ({"compile": "perhaps"}, "compile"),
    ({"cache": {"kind": "magic"}}, "cache.kind"),
    ({"cache": {"kind": "first_block", "limit": 1}}, "cache.limit"),
    ({"offload": "disk"}, "offload"),
    ({"quantise": "int2"}, "quantise"),
    ({"loras": [{"file": "style/../../x.safetensors"}]}, "inside the folder"),
    ({"loras": [{"file": "style.bin"}]}, "loras.0.file"),
    ({"loras": [{"file": "a.safetensors", "weight": 9}]}, "loras.0.weight"),
    ({"context_parallel": {"gpus": 1}}, "context_parallel.gpus"),
    ({"context_parallel": {"gpus": 2}, "compile": True}, "neither offload nor compile"),
    ({"context_parallel": {"gpus": 2}, "cache": {"kind": "first_block"}}, "does not go with a cache"),
    ({"context_parallel": {"gpus": 2}, "family": "hunyuan"}, "divides no request of hunyuan, of wan, wan-5b, ltx"),
    ({"context_parallel": {"gpus": 2}, "family": "ltx-2"}, "divides no request of ltx-2"),
    ({"context_parallel": {"gpus": 2, "kind": "ring"}}, "ring needs one of these as attention"),
    ({"context_parallel": {"gpus": 2, "kind": "star"}}, "context_parallel.kind"),
    ({"quantise": "int8", "offload": "group"}, "does not go with"),
    ({"arguments": {"generator": 1}}, "generator is not a keyword"),
    ({"arguments": {"a b": 1}}, "a b is not a keyword"),
    ({"parameters": {"steps": "output_type"}}, "output_type is not a keyword"),
    ({"tier": "9P"}, "tier"),
    ({"sizes": {"9P": ["10x10"]}}, "9P is not a tier"),
    ({"sizes": {"480P": ["wide"]}}, "sizes"),
    ({"pipelines": {"t2v": "os.system"}}, "pipelines.t2v"),
    ({"dtype": "float8"}, "dtype"),
    ({"speed": "fast"}, "speed"),
]


@pytest.mark.parametrize(("options", "text"), WRONG)
def test_a_wrong_option_is_named(options: dict[str, Any], text: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        read_tuning(weights_card(**{"family": "wan", **options}))
    assert text in str(refusal.value)
    assert "some-weights" in str(refusal.value)


def test_a_card_without_a_family_needs_the_rules() -> None:
    with pytest.raises(Unsupported, match="missing: frame_step, multiple, fps, frames"):
        read_tuning(weights_card("", pipelines={"t2v": "MochiPipeline"}))


def test_the_entry_in_prefers_is_read_where_the_card_has_another_engine() -> None:
    own = weights_card("wan")
    card = ModelCard(
        id=own.id,
        family="wan",
        org_id="",
        task="",
        display_name="",
        brief_description="",
        detailed_description="",
        parameters=own.parameters,
        price=own.price,
        engine="animatic",
        engine_options={"tier": "720P", "what animatic": "is told"},
        prefers=(EngineChoice("gmi"), EngineChoice("diffusers", {"family": "wan", "steps": 30})),
    )
    figures = read_tuning(card).figures()
    assert (figures.name, figures.tier, figures.steps) == ("wan", "720P", 30)


def test_every_option_off_is_the_default() -> None:
    tuning = read_tuning(weights_card("wan"))
    assert (tuning.attention, tuning.compile, tuning.cache, tuning.offload) == (None, False, None, "none")
    assert (tuning.tiling, tuning.quantise, tuning.loras, tuning.context_parallel) == (False, None, [], None)
