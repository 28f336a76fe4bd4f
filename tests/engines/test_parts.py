"""The pieces around a run: pictures, long clips in parts, remembered prompts, no socket."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engines.cases import Case
from engines.recording import RecordingControl, digest
from PIL import Image
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Picture
from support.weights_cards import weights_card

Engines = Callable[[str], DiffusersEngine]


def test_a_picture_is_cropped_to_shape_and_never_stretched(picture: str) -> None:
    from rushes.engines.diffusers.call import _fitted

    square = np.asarray(_fitted(picture, 64, 64))
    assert square.shape == (64, 64, 3)
    columns = square.mean(axis=0)
    red = (columns[:, 0] > columns[:, 2]).sum()
    assert red == 32, "the halves stay halves"
    tall = np.asarray(_fitted(picture, 32, 64))
    assert (tall.mean(axis=0)[:, 0] > tall.mean(axis=0)[:, 2]).sum() == 16


@pytest.mark.parametrize(
    "case",
    [Case("wan-i2v", "wan", "required"), Case("wan-5b", "wan-5b", "required"), Case("ltx", "ltx", "required")],
    ids=str,
)
def test_another_picture_gives_another_video(
    case: Case, engines: Engines, picture: str, control: RecordingControl
) -> None:
    engine = engines(case.folder)
    engine.load(case.card, control)
    green = control.scratch / "green.png"
    Image.new("RGB", (96, 64), (0, 200, 0)).save(green)
    first = digest(engine.generate(case.plan(engine, picture), control))
    assert digest(engine.generate(case.plan(engine, str(green)), control)) != first


def test_the_size_of_a_picture_decides_the_size_of_the_video(
    engines: Engines, picture: str, control: RecordingControl
) -> None:
    case = Case("wan-i2v", "wan", "required")
    engine = engines(case.folder)
    card = weights_card("wan", picture="required", model=str(case), sizes={"480P": ["128x64"]})
    engine.load(card, control)
    params = {"prompt": "p", "image": picture, "duration": 0.25, "steps": 1, "resolution": "480P"}
    plan = engine.normalise(card, params, 3, {"image": Picture(200, 100)})
    frames = list(engine.generate(plan, control))
    assert frames[0].shape == (64, 128, 3)


@pytest.mark.parametrize(("frames", "parts"), [(9, 1), (17, 3), (33, 7)])
def test_a_long_clip_is_done_in_parts_and_counted_as_one(
    engines: Engines, control: RecordingControl, frames: int, parts: int
) -> None:
    case = Case("skyreels-df", "skyreels-v2-df")
    engine = engines(case.folder)
    arguments = {"base_num_frames": 9, "overlap_history": 5, "addnoise_condition": 20}
    card = weights_card("skyreels-v2-df", model=str(case), arguments=arguments)
    engine.load(card, control)
    control.reports.clear()
    plan = case.plan(engine, "", card, duration=(frames - 1) / 24, steps=2)
    assert plan.num_frames == frames
    assert len(list(engine.generate(plan, control))) == frames
    seen = control.of("denoise")
    assert seen[-1] == (2 * parts, 2 * parts)
    assert seen == sorted(seen)
    assert [done for done, _ in dict.fromkeys(seen)] == list(range(2 * parts + 1))


def test_bars_that_nobody_expected_stand_still() -> None:
    from pathlib import Path

    from rushes.engines.diffusers.steps import Steps

    control = RecordingControl(Path())
    steps = Steps(control, expected=1)
    for _ in range(2):
        with steps.bar(total=2) as bar:
            bar.update()
            bar.update()
    assert [done for done, _ in control.of("denoise")] == [0, 1, 2, 2, 2, 2]
    assert list(steps.bar(iter("ab"))) == ["a", "b"]


def test_a_prompt_that_was_read_before_is_not_encoded_again(engines: Engines, control: RecordingControl) -> None:
    from rushes.engines.diffusers.embeddings import KEPT, EmbeddingCache

    class Encoder:
        calls = 0

        def _get_t5_prompt_embeds(self, prompt: Any, device: Any = None) -> Any:
            import torch

            self.calls += 1
            return torch.full((2,), float(len(prompt))), [torch.ones(1)]

    import torch

    encoder, cache = Encoder(), EmbeddingCache()
    cache.wrap(encoder)
    first = encoder._get_t5_prompt_embeds("a prompt", device=torch.device("cpu"))
    first[0].zero_()
    again = encoder._get_t5_prompt_embeds("a prompt", device=torch.device("cpu"))
    assert (encoder.calls, cache.hits) == (1, 1)
    assert again[0].tolist() == [8.0, 8.0], "what a pipeline writes into is its own copy"
    encoder._get_t5_prompt_embeds(["a prompt"])
    encoder._get_t5_prompt_embeds(torch.ones(1))
    encoder._get_t5_prompt_embeds(torch.ones(1))
    assert (encoder.calls, cache.hits) == (4, 1)
    for number in range(KEPT):
        encoder._get_t5_prompt_embeds(f"prompt {number}")
    encoder._get_t5_prompt_embeds("a prompt", device=torch.device("cpu"))
    assert encoder.calls == 4 + KEPT + 1


@pytest.mark.parametrize("folder", ["wan-t2v", "ltx", "cogvideox", "hunyuan", "ltx-2", "skyreels-t2v"])
def test_the_second_request_with_a_prompt_encodes_nothing(
    folder: str, engines: Engines, control: RecordingControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = {"wan-t2v": "wan", "skyreels-t2v": "skyreels-v2"}.get(folder, folder)
    case = Case(folder, family)
    engine = engines(folder)
    engine.load(case.card, control)
    assert engine._shelf is not None
    model = engine._shelf.get(str(case))
    assert model is not None
    plan = case.plan(engine, "", prompt="never read before")
    first = digest(engine.generate(plan, control))

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the text encoder ran again")

    monkeypatch.setattr(type(model.pipe.text_encoder), "forward", refuse)
    assert digest(engine.generate(plan, control)) == first


def test_nothing_is_asked_of_the_network(
    engines: Engines, tiny: Callable[[str], Any], control: RecordingControl
) -> None:
    from rushes.engines.options import Setup

    opened: list[str] = []

    def hook(event: str, arguments: Any) -> None:
        if event in ("socket.connect", "socket.getaddrinfo"):
            opened.append(f"{event} {arguments}")

    sys.addaudithook(hook)
    case = Case("wan-t2v", "wan")
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny(case.folder))}))
    engine.load(case.card, control)
    list(engine.generate(case.plan(engine, ""), control))
    assert opened == []
