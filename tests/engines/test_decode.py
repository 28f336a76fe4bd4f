"""Decoding latent by latent gives the bytes that decoding at once gives, and float pictures round as they do."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from engines.cases import Case
from engines.recording import RecordingControl, digest
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled

Engines = Callable[[str], DiffusersEngine]
STREAMED = [
    Case("wan-t2v", "wan"),
    Case("wan-i2v", "wan", "required"),
    Case("wan-flf2v", "wan", "both"),
    Case("wan-22-t2v", "wan"),
    Case("wan-5b", "wan-5b"),
    Case("wan-5b", "wan-5b", "required"),
    Case("wan-vace", "wan-vace"),
    Case("skyreels-t2v", "skyreels-v2"),
    Case("skyreels-df", "skyreels-v2-df"),
    Case("skyreels-df", "skyreels-v2-df", "required"),
]


def decode_module() -> Any:
    from rushes.engines.diffusers import decode

    return decode


@pytest.fixture
def one_shot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """As if the library were of a version whose feature cache nobody has compared."""
    yield lambda: monkeypatch.setattr(decode_module(), "STREAMED_VERSIONS", ("0.1.",))


@pytest.mark.parametrize("case", STREAMED, ids=str)
def test_latent_by_latent_is_bit_for_bit_one_shot(
    case: Case, engines: Engines, picture: str, control: RecordingControl, one_shot: Callable[[], None]
) -> None:
    engine = engines(case.folder)
    engine.load(case.card, control)
    plan = case.plan(engine, picture, duration=case.step * 3 / engine.caps(case.card).fps)
    control.reports.clear()
    streamed = [frame.copy() for frame in engine.generate(plan, control)]
    assert control.of("decode") == [(n, 4) for n in range(5)]
    one_shot()
    control.reports.clear()
    at_once = list(engine.generate(plan, control))
    assert control.of("decode") == [(1, 1)]
    assert len(streamed) == len(at_once) == plan.num_frames
    assert np.array_equal(np.stack(streamed), np.stack(at_once))


def test_the_first_frames_come_before_the_last_latent_is_decoded(engines: Engines, control: RecordingControl) -> None:
    case = Case("wan-t2v", "wan")
    engine = engines(case.folder)
    engine.load(case.card, control)
    frames = iter(engine.generate(case.plan(engine, "", duration=1), control))
    next(frames)
    assert control.of("decode") == [(0, 5)]


def test_a_cancel_between_chunks_leaves_the_decoder_clean(engines: Engines, control: RecordingControl) -> None:
    case = Case("wan-t2v", "wan")
    engine = engines(case.folder)
    engine.load(case.card, control)
    plan = case.plan(engine, "")
    before = digest(engine.generate(plan, control))
    stopped = RecordingControl(control.scratch, lambda report: report[:2] == ("decode", 1))
    with pytest.raises(Cancelled):
        list(engine.generate(plan, stopped))
    assert digest(engine.generate(plan, control)) == before


def test_frames_that_nobody_takes_any_more_leave_the_decoder_clean(engines: Engines, control: RecordingControl) -> None:
    case = Case("wan-t2v", "wan")
    engine = engines(case.folder)
    engine.load(case.card, control)
    plan = case.plan(engine, "")
    before = digest(engine.generate(plan, control))
    next(iter(engine.generate(plan, control)))
    assert digest(engine.generate(plan, control)) == before


@pytest.mark.parametrize("folder", ["wan-t2v", "ltx"])
def test_the_bytes_are_those_of_the_library_called_by_hand(
    folder: str, engines: Engines, control: RecordingControl
) -> None:
    """The bare pipeline with float frames, rounded on the host: the path that our uint8 on the device replaces."""
    import torch
    from diffusers import DiffusionPipeline

    case = Case(folder, "wan" if folder.startswith("wan") else folder)
    engine = engines(folder)
    engine.load(case.card, control)
    plan = case.plan(engine, "")
    ours = np.stack([frame.copy() for frame in engine.generate(plan, control)])
    options = engine._options  # the folder that the fixture built
    bare = DiffusionPipeline.from_pretrained(str(options.weights), use_safetensors=True)
    bare.set_progress_bar_config(disable=True)
    floats = bare(
        prompt=plan.prompt,
        width=96,
        height=64,
        num_frames=plan.num_frames,
        num_inference_steps=3,
        guidance_scale=plan.extra["guidance"],
        generator=torch.Generator("cpu").manual_seed(5),
        output_type="np",
    ).frames[0]
    assert np.array_equal(ours, (floats * 255).round().astype(np.uint8))


def test_a_side_beyond_the_grid_is_rendered_and_cropped_at_the_centre(
    engines: Engines, control: RecordingControl
) -> None:
    case = Case("wan-t2v", "wan")
    engine = engines(case.folder)
    engine.load(case.card, control)
    whole = np.stack([f.copy() for f in engine.generate(case.plan(engine, "", size="96x80"), control)])
    cropped = np.stack([f.copy() for f in engine.generate(case.plan(engine, "", size="90x70"), control)])
    assert cropped.shape[1:3] == (70, 90)
    assert np.array_equal(cropped, whole[:, 5:75, 3:93])


def test_tiled_decoding_takes_the_ordinary_way(engines: Engines, control: RecordingControl) -> None:
    from rushes.engines.options import Setup
    from support.weights_cards import weights_card

    folder = engines("wan-t2v")._options.weights
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(folder)}))
    card = weights_card("wan", tiling=True)
    engine.load(card, control)
    case = Case("wan-t2v", "wan")
    list(engine.generate(case.plan(engine, "", card), control))
    assert control.of("decode") == [(1, 1)]
