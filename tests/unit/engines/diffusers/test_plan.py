"""What a payload becomes, family by family: rows of the rules, as data."""

from dataclasses import replace

import pytest
from rushes.domain.model_card import Parameter
from rushes.engines.diffusers.families import FAMILIES
from rushes.engines.diffusers.plan import normalise
from rushes.engines.engine import InvalidInput, Picture, Plan, Unsupported
from support.weights_cards import weights_card

# family, seconds asked -> frames rendered, frames kept
LENGTHS = [
    ("wan", 5, 81, 80),
    ("wan", 10, 161, 160),
    ("wan", 0.5, 9, 8),
    ("wan", 8 / 16, 9, 8),
    ("wan", 10 / 16, 13, 10),
    ("wan", 9 / 16, 9, 9),
    ("wan-5b", 5, 121, 120),
    ("skyreels-v2", 4, 97, 96),
    ("skyreels-v2", 5, 121, 120),
    ("skyreels-v2-df", 10, 241, 240),
    ("ltx", 5, 129, 125),
    ("ltx", 8 / 25, 9, 8),
    ("ltx", 10 / 25, 17, 10),
    ("ltx-2", 5, 121, 120),
    ("ltx-2", 20, 481, 480),
    ("ltx-2", 1 / 3, 9, 8),
    ("hunyuan", 5, 121, 120),
    ("hunyuan-1.5", 10 / 24, 13, 10),
    ("cogvideox", 6, 49, 48),
    ("cogvideox", 1.5, 17, 12),
    ("cogvideox-1.5", 5, 81, 80),
    ("cogvideox-1.5", 0.6, 17, 10),
]

# family, what the payload says of the size -> delivered, rendered
SIZES = [
    ("wan", {}, (832, 480), (832, 480)),
    ("wan", {"resolution": "720p"}, (1280, 720), (1280, 720)),
    ("wan", {"resolution": "720P", "aspect_ratio": "9:16"}, (720, 1280), (720, 1280)),
    ("wan", {"resolution": "480P", "aspect_ratio": "1:1"}, (624, 624), (624, 624)),
    ("wan", {"resolution": "720P", "aspect_ratio": "4:3"}, (1088, 832), (1088, 832)),
    ("wan", {"resolution": "480P", "aspect_ratio": "4:3"}, (720, 544), (720, 544)),
    ("wan", {"resolution": "480P", "aspect_ratio": "21:9"}, (976, 416), (976, 416)),
    ("wan", {"size": "480*832"}, (480, 832), (480, 832)),
    ("wan", {"size": "833x481"}, (832, 480), (832, 480)),
    ("wan", {"size": "900x500"}, (900, 500), (912, 512)),
    ("wan-5b", {}, (1280, 704), (1280, 704)),
    ("wan-5b", {"size": "1280x720"}, (1280, 720), (1280, 736)),
    ("ltx", {"resolution": "720P"}, (1216, 704), (1216, 704)),
    ("ltx", {"resolution": "360P"}, (640, 352), (640, 352)),
    ("ltx-2", {"resolution": "1080P"}, (1920, 1080), (1920, 1088)),
    ("ltx-2", {"resolution": "1080P", "aspect_ratio": "9:16"}, (1080, 1920), (1088, 1920)),
    ("ltx-2", {"resolution": "4K"}, (3840, 2160), (3840, 2176)),
    ("hunyuan", {"resolution": "540P"}, (960, 544), (960, 544)),
    ("hunyuan", {"aspect_ratio": "3:4"}, (832, 1104), (832, 1104)),
    ("cogvideox", {}, (720, 480), (720, 480)),
    ("skyreels-v2", {"resolution": "540P", "aspect_ratio": "9:16"}, (544, 960), (544, 960)),
]


def plan_of(family: str = "wan", picture: str = "none", **params: object) -> Plan:
    return normalise(weights_card(family, picture=picture), {"prompt": "a lantern", **params}, 17)


@pytest.mark.parametrize(("family", "seconds", "rendered", "kept"), LENGTHS)
def test_no_clip_is_shorter_than_what_was_asked(family: str, seconds: float, rendered: int, kept: int) -> None:
    plan = plan_of(family, duration=seconds)
    assert (plan.num_frames, plan.keep_frames) == (rendered, kept)
    assert (plan.num_frames - 1) % FAMILIES[family].frame_step == 0
    assert plan.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(("family", "params", "delivered", "rendered"), SIZES)
def test_a_size_is_on_the_grid_of_its_family(
    family: str, params: dict[str, object], delivered: tuple[int, int], rendered: tuple[int, int]
) -> None:
    plan = plan_of(family, **params)
    assert (plan.width, plan.height) == delivered
    assert tuple(plan.extra["rendered"]) == rendered
    assert all(side % FAMILIES[family].multiple == 0 for side in rendered)
    assert all(side % 2 == 0 for side in delivered)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_has_a_plan_for_a_bare_prompt(family: str) -> None:
    plan = plan_of(family)
    figures = FAMILIES[family]
    assert plan.num_frames == figures.frames
    assert plan.fps == figures.fps
    assert plan.extra["steps"] == figures.steps
    assert plan.sound is figures.sound
    assert Plan.from_json(plan.as_json()) == plan


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_published_size_is_taken_as_it_is(family: str) -> None:
    figures = FAMILIES[family]
    for tier, sizes in figures.sizes.items():
        for width, height in sizes:
            plan = plan_of(family, resolution=tier, aspect_ratio=f"{width}:{height}")
            assert (plan.width, plan.height, plan.extra["rendered"]) == (width, height, [width, height])


def test_with_a_last_picture_every_frame_is_kept_and_the_extra_ones_are_not_billed() -> None:
    plan = plan_of(picture="both", image="first.png", last_image="last.png", duration=5, size="832x480")
    assert (plan.kind, plan.num_frames, plan.keep_frames, plan.seconds) == ("flf2v", 81, 81, 5.0)


def test_a_size_that_follows_a_picture_waits_for_it() -> None:
    card = weights_card(picture="required")
    params = {"prompt": "p", "image": "a.png", "resolution": "480P"}
    waiting = normalise(card, params, 1)
    assert (waiting.width, waiting.height, waiting.aspect) == (None, None, "source")
    settled = normalise(card, params, 1, {"image": Picture(400, 300)})
    assert (settled.width, settled.height) == (720, 544)
    assert replace(settled, width=None, height=None, extra=waiting.extra) == waiting


@pytest.mark.parametrize(
    ("params", "field", "text"),
    [
        ({"duration": 11}, "duration", "at most 10.06 seconds"),
        ({"duration": 0}, "duration", "above 0"),
        ({"duration": "soon"}, "duration", "above 0"),
        ({"duration": True}, "duration", "above 0"),
        ({"fps": 24}, "fps", "must be 16 on this model"),
        ({"size": "4096x4096"}, "size", "at most 921,600 pixels"),
        ({"size": "9000x10"}, "size", "4 times the shorter"),
        ({"resolution": "soft"}, "resolution", "must be one of 360P"),
        ({"steps": 0}, "steps", "from 1 to 200"),
        ({"steps": 2.5}, "steps", "whole number"),
        ({"guidance_scale": -1}, "guidance_scale", "from 0 to 50"),
        ({"guidance_scale": "nan"}, "guidance_scale", "from 0 to 50"),
        ({"seed": "abc"}, "seed", "whole number"),
        ({"sound": "perhaps"}, "sound", "true or false"),
    ],
)
def test_what_can_never_work_is_refused_at_submit(params: dict[str, object], field: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        plan_of(**params)
    assert refusal.value.field == field
    assert text in str(refusal.value)


def test_every_fault_of_a_payload_is_told_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"fps .*duration .*steps"):
        plan_of(duration=400, fps=7, steps=0)


def test_a_picture_is_refused_where_the_family_takes_none() -> None:
    with pytest.raises(InvalidInput, match="last_image is not possible"):
        plan_of("wan-5b", picture="both", image="a", last_image="b")
    with pytest.raises(InvalidInput, match="last_image needs image beside it"):
        plan_of(picture="both", last_image="b")


def test_a_frame_rate_is_free_where_the_pipeline_takes_it() -> None:
    plan = plan_of("ltx", fps=30, duration=2)
    assert (plan.fps, plan.num_frames, plan.keep_frames) == (30, 65, 60)


@pytest.mark.parametrize(("given", "used"), [(None, 17), (-1, 17), ("-1", 17), (5, 5), ("6", 6), (7.0, 7)])
def test_the_seed_is_the_payloads_or_the_drawn_one(given: object, used: int) -> None:
    assert plan_of(seed=given).seed == used


def test_sound_can_be_switched_off_and_is_not_promised_where_there_is_none() -> None:
    assert not plan_of("ltx-2", sound=False).sound
    silent = plan_of("wan", sound=True)
    assert not silent.sound
    assert silent.notes == ("sound: this model makes no sound",)


def test_a_card_says_figures_of_its_own_and_passes_parameters_on() -> None:
    card = weights_card(
        "wan",
        steps=4,
        guidance=1.0,
        most_frames=33,
        sizes={"480p": ["640x384"]},
        arguments={"guidance_scale_2": 3.0},
        parameters={"guidance_scale": "guidance_scale_2"},
    )
    plan = normalise(card, {"prompt": "p"} | {"duration": 2}, 1)
    assert (plan.width, plan.height, plan.extra["steps"], plan.extra["guidance"]) == (640, 384, 4, 1.0)
    assert plan.extra["arguments"] == {"guidance_scale_2": 3.0}
    assert normalise(card, {"guidance_scale": 6.0, "duration": 1}, 1).extra["arguments"] == {"guidance_scale_2": 6.0}
    with pytest.raises(InvalidInput, match=r"at most 2\.06 seconds"):
        normalise(card, {"duration": 3}, 1)


def test_a_card_of_no_family_states_the_rules_itself() -> None:
    rules = {"pipelines": {"t2v": "MochiPipeline"}, "frame_step": 6, "multiple": 16, "fps": 30, "frames": 31}
    card = weights_card("", **rules, most_frames=163)
    plan = normalise(card, {"prompt": "p", "duration": 2}, 1)
    assert (plan.num_frames, plan.keep_frames, plan.fps) == (61, 60, 30)


def test_a_card_with_wrong_options_is_unsupported_not_the_customers_fault() -> None:
    with pytest.raises(Unsupported, match="family: must be one of"):
        normalise(weights_card("stable"), {"prompt": "p"}, 1)


def test_what_the_weights_have_no_use_for_is_told() -> None:
    card = weights_card()
    extend = Parameter("prompt_extend", "boolean", "Extend")
    watermark = Parameter("watermark", "boolean", "Watermark", role="watermark", default=False)
    card = replace(card, parameters=(*card.parameters, extend, watermark))
    assert normalise(card, {"prompt": "p", "prompt_extend": False, "watermark": False}, 1).notes == ()
    notes = normalise(card, {"prompt": "p", "prompt_extend": True, "watermark": True}, 1).notes
    assert [note.split()[0] for note in notes] == ["prompt_extend", "watermark"]
