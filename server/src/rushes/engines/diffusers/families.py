"""What each family of open video models demands: frame rule, sizes, rates, classes. Free of torch.

The API process reads this table at submit, on a machine that may lack the weights; `probe` compares it with the folder
when a worker loads one. Figures are those of the published pipelines as of diffusers 0.42.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rushes.engines.diffusers.size import Size
from rushes.engines.engine import Unsupported

Guidance = Literal["guidance_scale", "true_cfg_scale", "guider"]
"""Where a pipeline takes its guidance: one of two keywords, or an object that is put into the pipeline."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of pipelines. A card may override every figure in its engine options."""

    name: str
    pipelines: Mapping[str, str]
    """The pipeline class that makes each kind of video."""
    frame_step: int
    """A clip has `frame_step * k + 1` frames."""
    multiple: int
    """Both sides are multiples of this."""
    fps: int
    frames: int
    """Frames where the card names no duration."""
    most_frames: int
    steps: int
    guidance: float
    tier: str
    """Used where neither card nor customer name one."""
    sizes: Mapping[str, tuple[Size, ...]] = field(default_factory=dict[str, tuple[Size, ...]])
    """The published sizes of each tier; other shapes get the largest size in the tier."""
    one_folder: bool = False
    """True where the classes share their components, so that one folder serves every kind."""
    guidance_by: Guidance = "guidance_scale"
    free_rate: bool = False
    """True where the pipeline takes the frame rate as an argument, so that a customer may choose it."""
    sound: bool = False
    streamed: tuple[str, ...] = ()
    """Kinds whose latents can be decoded one by one with the result of decoding them together."""
    compiles: bool = True
    parallel: bool = False
    """True where the denoiser can be divided over several GPUs, which was tried. The library says it of LTX-2 as well,
    and then forgets to divide its published form of rotary embedding."""
    halves: Literal["apart", "together", "in frames"] = "apart"
    """How a step computes what the prompt asks and what it would do without: in two calls; in one, or with guidance
    built into the model; in one whose output can be taken apart into the two."""
    arguments: Mapping[str, float | bool] = field(default_factory=dict[str, float | bool])
    """What is passed to the pipeline beside the plan."""


_WAN_SIZES: Final = {
    "480P": ((832, 480), (480, 832), (624, 624)),
    "720P": ((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
}
_SKYREELS_SIZES: Final = {"540P": ((960, 544), (544, 960)), "720P": ((1280, 720), (720, 1280))}

_ALL: Final = (
    Family(
        name="wan",
        pipelines={"t2v": "WanPipeline", "i2v": "WanImageToVideoPipeline", "flf2v": "WanImageToVideoPipeline"},
        frame_step=4,
        multiple=16,
        fps=16,
        frames=81,
        most_frames=161,
        steps=50,
        guidance=5.0,
        tier="480P",
        sizes=_WAN_SIZES,
        streamed=("t2v", "i2v", "flf2v"),
        parallel=True,
    ),
    Family(
        name="wan-vace",
        pipelines=dict.fromkeys(("t2v", "i2v", "flf2v"), "WanVACEPipeline"),
        frame_step=4,
        multiple=16,
        fps=16,
        frames=81,
        most_frames=161,
        steps=50,
        guidance=5.0,
        tier="480P",
        sizes=_WAN_SIZES,
        one_folder=True,
        streamed=("t2v", "i2v", "flf2v"),
    ),
    Family(
        name="wan-5b",
        pipelines={"t2v": "WanPipeline", "i2v": "WanImageToVideoPipeline"},
        frame_step=4,
        multiple=32,
        fps=24,
        frames=121,
        most_frames=241,
        steps=50,
        guidance=5.0,
        tier="720P",
        sizes={"720P": ((1280, 704), (704, 1280))},
        one_folder=True,
        streamed=("t2v", "i2v"),
        parallel=True,
    ),
    Family(
        name="skyreels-v2",
        pipelines={
            "t2v": "SkyReelsV2Pipeline",
            "i2v": "SkyReelsV2ImageToVideoPipeline",
            "flf2v": "SkyReelsV2ImageToVideoPipeline",
        },
        frame_step=4,
        multiple=16,
        fps=24,
        frames=97,
        most_frames=121,
        steps=50,
        guidance=6.0,
        tier="540P",
        sizes=_SKYREELS_SIZES,
        streamed=("t2v", "i2v", "flf2v"),
    ),
    Family(
        name="skyreels-v2-df",
        pipelines={
            "t2v": "SkyReelsV2DiffusionForcingPipeline",
            "i2v": "SkyReelsV2DiffusionForcingImageToVideoPipeline",
            "flf2v": "SkyReelsV2DiffusionForcingImageToVideoPipeline",
        },
        frame_step=4,
        multiple=16,
        fps=24,
        frames=97,
        most_frames=737,
        steps=30,
        guidance=6.0,
        tier="540P",
        sizes=_SKYREELS_SIZES,
        one_folder=True,
        streamed=("t2v", "i2v"),  # with a last picture the pipeline itself cuts off latents before it decodes
        arguments={"base_num_frames": 97, "overlap_history": 17, "addnoise_condition": 20},
    ),
    Family(
        name="ltx",
        pipelines={"t2v": "LTXPipeline", "i2v": "LTXImageToVideoPipeline"},
        frame_step=8,
        multiple=32,
        fps=25,
        frames=121,
        most_frames=257,
        steps=50,
        guidance=3.0,
        tier="480P",
        sizes={"480P": ((704, 480), (480, 704)), "720P": ((1216, 704), (704, 1216))},
        one_folder=True,
        free_rate=True,
        parallel=True,
        halves="together",
    ),
    Family(
        name="ltx-condition",
        pipelines={"t2v": "LTXConditionPipeline", "i2v": "LTXConditionPipeline"},
        frame_step=8,
        multiple=32,
        fps=25,
        frames=121,
        most_frames=257,
        steps=50,
        guidance=3.0,
        tier="480P",
        sizes={"480P": ((704, 480), (480, 704)), "720P": ((1216, 704), (704, 1216))},
        one_folder=True,
        free_rate=True,
        parallel=True,
        halves="together",
    ),
    Family(
        name="ltx-2",
        pipelines={"t2v": "LTX2Pipeline", "i2v": "LTX2ImageToVideoPipeline"},
        frame_step=8,
        multiple=32,
        fps=24,
        frames=121,
        most_frames=481,
        steps=40,
        guidance=3.0,
        tier="512P",
        sizes={"512P": ((768, 512), (512, 768)), "720P": ((1280, 704), (704, 1280))},
        one_folder=True,
        free_rate=True,
        sound=True,
    ),
    Family(
        name="hunyuan",
        pipelines={"t2v": "HunyuanVideoPipeline", "i2v": "HunyuanVideoImageToVideoPipeline"},
        frame_step=4,
        multiple=16,
        fps=24,
        frames=129,
        most_frames=129,
        steps=50,
        guidance=6.0,
        tier="720P",
        sizes={
            "540P": ((960, 544), (544, 960), (720, 720), (832, 624), (624, 832)),
            "720P": ((1280, 720), (720, 1280), (960, 960), (1104, 832), (832, 1104)),
        },
        halves="together",
    ),
    Family(
        name="hunyuan-1.5",
        pipelines={"t2v": "HunyuanVideo15Pipeline", "i2v": "HunyuanVideo15ImageToVideoPipeline"},
        frame_step=4,
        multiple=16,
        fps=24,
        frames=121,
        most_frames=241,
        steps=50,
        guidance=6.0,
        tier="480P",
        sizes={"480P": ((848, 480), (480, 848)), "720P": ((1280, 720), (720, 1280))},
        guidance_by="guider",
    ),
    Family(
        name="cogvideox",
        pipelines={"t2v": "CogVideoXPipeline", "i2v": "CogVideoXImageToVideoPipeline"},
        frame_step=8,
        multiple=16,
        fps=8,
        frames=49,
        most_frames=49,
        steps=50,
        guidance=6.0,
        tier="480P",
        sizes={"480P": ((720, 480),)},
        compiles=False,
        halves="in frames",
    ),
    Family(
        name="cogvideox-1.5",
        pipelines={"t2v": "CogVideoXPipeline", "i2v": "CogVideoXImageToVideoPipeline"},
        frame_step=16,
        multiple=16,
        fps=16,
        frames=81,
        most_frames=161,
        steps=50,
        guidance=6.0,
        tier="768P",
        sizes={"768P": ((1360, 768), (768, 1360))},
        compiles=False,
        halves="in frames",
    ),
)

FAMILIES: Final[Mapping[str, Family]] = {family.name: family for family in _ALL}


def class_for(family: Family, folder_class: str, kind: str) -> str:
    """The pipeline class that makes a kind of video from a folder. Raises Unsupported where none does."""
    wanted = family.pipelines.get(kind)
    if wanted is None:
        raise Unsupported(f"The family {family.name} makes no {kind}")
    if wanted == folder_class or (family.one_folder and folder_class in family.pipelines.values()):
        return wanted
    raise Unsupported(
        f"The folder holds a {folder_class}, but the card's family {family.name} needs a {wanted} for {kind}"
    )
