"""Step caches: each leaves out work, repeats itself, survives a cancel, and is refused where it would do nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engines.cases import Case
from engines.recording import RecordingControl, digest
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled, Unsupported
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Tiny = Callable[[str], Path]
STEPS = 9
SOON = {"kind": "taylorseer", "arguments": {"cache_interval": 3}}
EAGER = {"kind": "first_block", "arguments": {"threshold": 0.9}}
FLAT = {"kind": "mag", "arguments": {"mag_ratios": [1.0, 1.0, 1.0]}}
CACHED: list[tuple[Case, dict[str, Any]]] = [
    (Case("wan-t2v", "wan"), EAGER),
    (Case("wan-t2v", "wan"), SOON),
    (Case("wan-t2v", "wan"), FLAT),
    (Case("wan-22-t2v", "wan"), EAGER),
    (Case("skyreels-t2v", "skyreels-v2"), SOON),
    (Case("ltx", "ltx"), SOON),
    (Case("ltx", "ltx"), {"kind": "faster"}),
    (Case("ltx", "ltx", "required"), {"kind": "pyramid"}),
    (Case("hunyuan", "hunyuan"), FLAT),
    (Case("cogvideox", "cogvideox"), {"kind": "faster"}),
    (Case("cogvideox", "cogvideox"), {"kind": "pyramid"}),
]


@contextmanager
def layers_computed(engine: DiffusersEngine, model: str) -> Iterator[list[int]]:
    """Counts the layers inside blocks that really run: the first entry."""
    import torch
    from rushes.engines.diffusers.speed import denoisers

    assert engine._shelf is not None
    loaded = engine._shelf.get(model)
    assert loaded is not None
    count = [0]

    def ran(*_: Any) -> None:
        count[0] += 1

    handles = [
        module.register_forward_hook(ran)
        for transformer in denoisers(loaded.pipe)
        for name, module in transformer.named_modules()
        if "block" in name and isinstance(module, torch.nn.Linear)
    ]
    yield count
    for handle in handles:
        handle.remove()


def loaded_with(
    case: Case, folder: Path, control: RecordingControl, **options: Any
) -> tuple[DiffusersEngine, Any, str]:
    """The engine, a plan and the fingerprint."""
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(folder)}))
    card = weights_card(case.family, picture=case.picture, model=str(case), **options)
    return engine, card, engine.load(card, control).fingerprint


def works(engine: DiffusersEngine, case: Case, plan: Any, control: RecordingControl) -> tuple[int, str]:
    """Layers run and digest of one video."""
    with layers_computed(engine, str(case)) as count:
        seen = digest(engine.generate(plan, control))
    return count[0], seen


@pytest.mark.parametrize(("case", "cache"), CACHED, ids=str)
def test_a_cache_leaves_out_work_and_is_as_new_after_a_cancel(
    case: Case, cache: dict[str, Any], tiny: Tiny, picture: str, control: RecordingControl
) -> None:
    plain, card, without = loaded_with(case, tiny(case.folder), control)
    plan = case.plan(plain, picture, card, steps=STEPS)
    whole = works(plain, case, plan, control)
    cached, _, fingerprint = loaded_with(case, tiny(case.folder), control, cache=cache)
    assert fingerprint != without
    less = works(cached, case, plan, control)
    assert less[0] < whole[0]
    assert less[1] != whole[1]
    stopped = RecordingControl(control.scratch, lambda report: report[:2] == ("denoise", STEPS - 2))
    with pytest.raises(Cancelled):
        cached.generate(plan, stopped)
    assert works(cached, case, plan, control) == less


def test_a_cache_by_ratios_fits_them_to_the_steps_of_each_request(tiny: Tiny, control: RecordingControl) -> None:
    case = Case("wan-t2v", "wan")
    engine, card, _ = loaded_with(case, tiny(case.folder), control, cache=FLAT)
    plans = {steps: case.plan(engine, "", card, steps=steps) for steps in (4, 12)}
    few = works(engine, case, plans[4], control)
    many = works(engine, case, plans[12], control)
    a_step = 2 * 20  # both halves of the guidance, ten layers in each of two blocks
    assert few[0] == a_step, "a fifth of 4 steps, then three are left out"
    assert many[0] == 4 * a_step, "a fifth of 12, then one in four"
    assert works(engine, case, plans[4], control) == few


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("wan-t2v", "wan", {"kind": "pyramid"}, "with the prompt and without it, which the family wan does in turns"),
    ("wan-t2v", "wan", {"kind": "faster"}, "with the prompt and without it, which the family wan does in turns"),
    ("wan-22-t2v", "wan", FLAT, "mag counts steps by one transformer"),
    ("skyreels-t2v", "skyreels-v2", EAGER, "SkyReelsV2TransformerBlock'> not registered"),
    ("ltx", "ltx", {"kind": "pyramid", "arguments": {"cross_attention_block_skip_range": 2}}, "finds nothing in LTX"),
    ("wan-t2v", "wan", {"kind": "taylorseer", "arguments": {"cache_identifiers": ["head"]}}, "finds nothing in Wan"),
]


@pytest.mark.parametrize(("folder", "family", "cache", "said"), REFUSED)
def test_a_cache_that_would_do_nothing_or_harm_is_refused(
    tiny: Tiny, control: RecordingControl, folder: str, family: str, cache: dict[str, Any], said: str
) -> None:
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny(folder))}))
    with pytest.raises(Unsupported) as refused:
        engine.load(weights_card(family, cache=cache), control)
    assert said in str(refused.value)


@pytest.mark.long
def test_blocks_are_compiled_around_the_hooks_of_a_cache(tiny: Tiny, control: RecordingControl) -> None:
    """Needs a C++ compiler."""
    case = Case("wan-t2v", "wan")
    engine, card, _ = loaded_with(case, tiny(case.folder), control, cache=EAGER, compile=True)
    plan = case.plan(engine, "", card, steps=STEPS)
    first = digest(engine.generate(plan, control))
    stopped = RecordingControl(control.scratch, lambda report: report[:2] == ("denoise", 5))
    with pytest.raises(Cancelled):
        engine.generate(plan, stopped)
    assert digest(engine.generate(plan, control)) == first
