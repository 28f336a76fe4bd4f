"""What a payload becomes: sizes, lengths, seeds, switches, inputs, notes and refusals."""

import json
import subprocess
import sys
from typing import Any

import pytest
from rushes.domain.model_card import Parameter
from rushes.engines.animatic import AnimaticEngine
from rushes.engines.engine import InvalidInput, Picture, Plan

from .conftest import card, full_card


def normalised(params: dict[str, Any], pictures: dict[str, Picture] | None = None, seed: int = 11) -> Plan:
    return AnimaticEngine().normalise(full_card(), {"prompt": "a tower", **params}, seed, pictures)


@pytest.mark.parametrize(
    ("params", "size", "tier"),
    [
        ({}, (1280, 720), "720P"),
        ({"resolution": "720P"}, (1280, 720), "720P"),
        ({"resolution": "1080p"}, (1920, 1080), "1080P"),
        ({"resolution": 1080}, (1920, 1080), "1080P"),
        ({"resolution": "480p"}, (854, 480), "480P"),
        ({"resolution": "540p"}, (960, 540), "540P"),
        ({"resolution": "768P"}, (1366, 768), "768P"),
        ({"resolution": "4K"}, (1920, 1080), "1080P"),
        ({"resolution": "2K", "aspect_ratio": "9:16"}, (1080, 1920), "1080P"),
        ({"resolution": "1080P", "aspect_ratio": "1:1"}, (1440, 1440), "1080P"),
        ({"resolution": "1080P", "aspect_ratio": "3:4"}, (1248, 1664), "1080P"),
        ({"resolution": "1080P", "aspect_ratio": "21:9"}, (2192, 944), "1080P"),
        ({"aspect_ratio": "1:1"}, (960, 960), "720P"),
        ({"aspect_ratio": "9:16"}, (720, 1280), "720P"),
        ({"aspect_ratio": "adaptive"}, (1280, 720), "720P"),
        ({"aspect_ratio": "portrait"}, (720, 1280), "720P"),
        ({"aspect_ratio": "16x9"}, (1280, 720), "720P"),
        ({"resolution": "832x480"}, (832, 480), "480P"),
        ({"size": "1280*720"}, (1280, 720), "720P"),
        ({"size": "1792x1024"}, (1792, 1024), "1080P"),
        ({"size": "1440*1440"}, (1440, 1440), "1080P"),
        ({"size": "833x481"}, (832, 480), "480P"),
        ({"size": "3840x2160"}, (1920, 1080), "1080P"),
        ({"size": "2160x3840"}, (1080, 1920), "1080P"),
        ({"first_frame": "a", "aspect_ratio": "1:1"}, (960, 960), "720P"),
    ],
)
def test_the_size_follows_the_words(params: dict[str, Any], size: tuple[int, int], tier: str) -> None:
    plan = normalised(params)
    assert ((plan.width, plan.height), plan.tier) == (size, tier)
    assert plan.width is not None
    assert plan.height is not None
    assert plan.width % 2 == plan.height % 2 == 0
    assert plan.width * plan.height <= 1920 * 1088


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1080, 1920), (720, 1280)),
        ((1088, 1920), (720, 1280)),
        ((1920, 1080), (1280, 720)),
        ((832, 1104), (832, 1104)),
        ((512, 512), (960, 960)),
        ((601, 399), (1184, 784)),
        ((4000, 100), (1920, 480)),
        ((100, 4000), (480, 1920)),
    ],
)
def test_a_picture_decides_the_shape_once_it_is_known(shape: tuple[int, int], size: tuple[int, int]) -> None:
    params = {"first_frame": "ref-1"}
    early = normalised(params)
    late = normalised(params, {"image": Picture(*shape)})
    assert (early.width, early.height, early.aspect) == (None, None, "source")
    assert (late.width, late.height) == size
    unsized = {**late.as_json(), "width": None, "height": None}
    assert unsized == early.as_json()


def test_an_explicit_ratio_wins_over_the_picture() -> None:
    plan = normalised({"first_frame": "a", "aspect_ratio": "9:16"}, {"image": Picture(512, 512)})
    assert (plan.width, plan.height) == (720, 1280)


def test_the_clip_decides_before_the_pictures() -> None:
    params = {"first_clip": "c", "first_frame": "a"}
    plan = normalised(params, {"clip": Picture(720, 1280), "image": Picture(512, 512)})
    assert (plan.width, plan.height) == (720, 1280)
    assert plan.inputs == {"clip": "c"}
    assert any("not drawn" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, 5), (5, 5), ("5", 5), ("5s", 5), ("8", 8), (" 10 s ", 10), (2.5, 2.5), (30, 30), ("4 seconds", 4)],
)
def test_there_are_exactly_24_frames_per_second(value: object, seconds: float) -> None:
    plan = normalised({"duration": value})
    assert (plan.seconds, plan.num_frames, plan.keep_frames, plan.fps) == (seconds, seconds * 24, seconds * 24, 24)


@pytest.mark.parametrize("value", [31, "60s", 0, -5, "long", True, float("nan"), float("inf"), [5], "1e1"])
def test_an_impossible_duration_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"duration must be between 0\.5 and 30 seconds") as refusal:
        normalised({"duration": value})
    assert refusal.value.field == "duration"


@pytest.mark.parametrize(
    ("value", "seed"),
    [
        (None, 11), (-1, 11), ("-1", 11), ("", 11), (0, 0), (42, 42), ("42", 42), (42.0, 42),
        ("90347039510843", 90347039510843), (2**64 + 5, 5), (2**63, 0),
    ],
)  # fmt: skip
def test_a_seed_is_reduced_to_63_bits_and_drawn_if_missing(value: object, seed: int) -> None:
    assert normalised({"seed": value}).seed == seed


@pytest.mark.parametrize("value", ["abc", 1.5, -7, True, "1" * 50])
def test_a_seed_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="seed must be a whole number"):
        normalised({"seed": value})


@pytest.mark.parametrize(
    ("value", "on"),
    [(True, True), ("on", True), ("yes", True), ("ON", True), (False, False), ("off", False), ("no", False),
     (None, False)],
)  # fmt: skip
def test_sound_is_switched_in_every_dialect(value: object, on: bool) -> None:
    assert normalised({"sound": value}).sound is on


@pytest.mark.parametrize(
    ("params", "kind", "inputs"),
    [
        ({}, "t2v", {}),
        ({"first_frame": "a"}, "i2v", {"image": "a"}),
        ({"last_frame": "b"}, "i2v", {"last_image": "b"}),
        ({"first_frame": "a", "last_frame": "b"}, "flf2v", {"image": "a", "last_image": "b"}),
        ({"first_frame": ["a", "c"]}, "i2v", {"image": "a"}),
        ({"first_frame": []}, "t2v", {}),
        ({"first_clip": "c", "driving_audio": "s"}, "v2v", {"clip": "c", "audio": "s"}),
        ({"reference_images": ["r", "q"]}, "i2v", {"image": "r"}),
        ({"reference_images": ["r"], "first_frame": "a"}, "i2v", {"image": "a"}),
        ({"driving_audio": "s"}, "t2v", {"audio": "s"}),
    ],
)
def test_the_inputs_decide_the_kind(params: dict[str, Any], kind: str, inputs: dict[str, str]) -> None:
    plan = normalised(params)
    assert (plan.kind, plan.inputs) == (kind, inputs)
    assert plan.kind in AnimaticEngine().caps(full_card()).kinds


@pytest.mark.parametrize(
    ("params", "noted"),
    [
        ({"negative_prompt": "blur"}, "negative_prompt has no effect"),
        ({"cfg_scale": 0.7}, "cfg_scale has no effect"),
        ({"steps": 20}, "steps has no effect"),
        ({"mode": "pro"}, "mode has no effect"),
        ({"loop": True}, "loop has no effect"),
        ({"shot_type": "close"}, "shot_type has no effect"),
        ({"fps": 30}, "renders 24 frames per second"),
        ({"resolution": "4K"}, "above 1080P"),
        ({"size": "3840x2160"}, "at 1920x1080"),
        ({"size": "833x481"}, "made even"),
        ({"size": "1280x720", "aspect_ratio": "1:1"}, "aspect_ratio has no effect beside an exact size"),
        ({"reference_images": ["r"]}, "serves as the first frame"),
        ({"reference_images": ["r"], "first_frame": "a"}, "reference_images has no effect"),
        ({"first_frame": ["a", "b"]}, "the first of 2 is used"),
        ({"driving_audio": "s"}, "becomes the sound track"),
    ],
)
def test_what_has_no_effect_is_said(params: dict[str, Any], noted: str) -> None:
    notes = normalised(params).notes
    assert len([note for note in notes if noted in note]) == 1, notes


@pytest.mark.parametrize(
    "params",
    [
        {}, {"negative_prompt": ""}, {"cfg_scale": 0.5}, {"mode": "std"}, {"loop": False}, {"fps": 24}, {"steps": None},
        {"prompt_extend": True}, {"resolution": "1080P", "aspect_ratio": "16:9"}, {"watermark": True, "sound": "on"},
        {"size": "1280x720", "aspect_ratio": "16:9"},
    ],
)  # fmt: skip
def test_what_is_followed_needs_no_note(params: dict[str, Any]) -> None:
    assert normalised(params).notes == ()


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"resolution": "huge"}, "resolution must be one of 360P"),
        ({"aspect_ratio": "0:1"}, "aspect_ratio the longer side must be at most 4 times"),
        ({"aspect_ratio": "9:1"}, "aspect_ratio the longer side"),
        ({"size": "4000x100"}, "size the longer side"),
        ({"size": "64x33"}, "size both sides must be at least 64"),
        ({"sound": "loud"}, "sound must be true or false"),
        ({"watermark": 7}, "watermark must be true or false"),
    ],
)
def test_nonsense_is_refused_with_what_would_be_right(params: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        normalised(params)
    assert text in str(refusal.value)


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        normalised({"duration": 99, "seed": "x", "resolution": "y", "sound": "z"})
    assert all(name in str(refusal.value) for name in ("duration", "seed", "resolution", "sound"))


def test_a_card_without_most_parameters_gets_the_defaults() -> None:
    plan = AnimaticEngine().normalise(card(Parameter("text", "string", "Text", role="prompt")), {"text": "x"}, 5)
    assert (plan.prompt, plan.seconds, plan.width, plan.height, plan.seed) == ("x", 5, 1280, 720, 5)


def test_a_plan_survives_json() -> None:
    plan = normalised({"first_frame": "a", "steps": 3, "duration": 7})
    assert Plan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


def test_the_engine_serves_every_model_from_one_slot() -> None:
    caps = AnimaticEngine().caps(full_card())
    assert caps.weightless
    assert (caps.fps, caps.max_seconds, caps.sound) == (24, 30, True)


def test_planning_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rushes.engines.animatic import AnimaticEngine; "
        "import rushes.engines.animatic.plan; "
        "print([m for m in ('numpy', 'cv2', 'av', 'PIL') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("prompt", "noted"),
    [
        ("猫が走る", True),
        ("Орёл над морем", True),
        ("an eagle 鷹", False),
        ("a café by the sea", False),
        ("", False),
        ("42", False),
    ],
)
def test_a_prompt_that_the_painter_cannot_read_is_noted_for_scenes_only(prompt: str, noted: bool) -> None:
    says = "prompt: scenes are painted from English words only"
    assert (says in normalised({"prompt": prompt}).notes) is noted
    assert says not in normalised({"prompt": prompt, "first_frame": "a.png"}).notes
