"""How a card wants its model rendered: the keys of `engine_options`, checked. Free of torch.

The keys stand in a card's `engine_options` where the card's engine is diffusers, else in its `prefers` entry for
diffusers. docs/how-to/serve-weights.md describes each.
"""

import re
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.caches import Cache
from rushes.engines.diffusers.families import FAMILIES, Family, Guidance
from rushes.engines.diffusers.size import TIERS, Size
from rushes.engines.engine import Unsupported

ENGINE: Final = "diffusers"
Kind = Literal["t2v", "i2v", "flf2v"]
Dtype = Literal["bfloat16", "float16", "float32"]
Offload = Literal["none", "model", "group"]
Quantisation = Literal["fp8_storage", "int8", "fp8", "bitsandbytes_8bit", "bitsandbytes_4bit"]
Scalar = bool | int | float | str

RING_ATTENTION: Final = ("flash", "_native_flash", "_native_cudnn", "sage")
_CLASS: Final = r"^[A-Z][A-Za-z0-9]{2,80}Pipeline$"
_FILE: Final = r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.safetensors$"
_GGUF: Final = r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.gguf$"
_KEYWORD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OURS: Final = frozenset(
    {
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "num_frames",
        "video_length",
        "frames",
        "num_inference_steps",
        "generator",
        "image",
        "last_image",
        "latents",
        "output_type",
        "return_dict",
        "callback_on_step_end",
        "callback_on_step_end_tensor_inputs",
        "num_videos_per_prompt",
        "num_images_per_prompt",
    }
)
"""Keywords that the engine itself sets."""


def _stay_inside(file: str) -> str:
    if ".." in file.split("/"):
        raise ValueError("must lie inside the folder of weights")
    return file


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lora(_Strict):
    """Low-rank weights that are fused over the model's own; `file` lies in the folder of weights."""

    file: Annotated[str, Field(pattern=_FILE)]
    weight: Annotated[float, Field(gt=0, le=4)] = 1.0

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str) -> str:
        return _stay_inside(value)


class ContextParallel(_Strict):
    """One request on several GPUs at once."""

    gpus: Annotated[int, Field(ge=2, le=64)]
    kind: Literal["ulysses", "ring"] = "ulysses"


class Tuning(_Strict):
    """Everything a card can say to this engine."""

    family: str = ""
    weights: str = ""
    """The published name of the weights, for people; nothing is ever fetched by it."""
    tier: str = ""

    pipelines: dict[Kind, Annotated[str, Field(pattern=_CLASS)]] | None = None
    frame_step: Annotated[int, Field(ge=1, le=64)] | None = None
    multiple: Annotated[int, Field(ge=2, le=256)] | None = None
    fps: Annotated[int, Field(ge=1, le=120)] | None = None
    frames: Annotated[int, Field(ge=1, le=10_000)] | None = None
    most_frames: Annotated[int, Field(ge=1, le=10_000)] | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    guidance: Annotated[float, Field(ge=0, le=100)] | None = None
    guidance_by: Guidance | None = None
    sizes: dict[str, list[Annotated[str, Field(pattern=r"^\d{2,5}x\d{2,5}$")]]] | None = None
    one_folder: bool | None = None
    free_rate: bool | None = None
    sound: bool | None = None

    flow_shift: dict[str, Annotated[float, Field(gt=0, le=100)]] = Field(default_factory=dict)
    """The scheduler's shift of the noise for each tier, where the folder's own is not meant for all of them."""
    arguments: dict[str, Scalar] = Field(default_factory=dict)
    """Further keywords of the pipeline with fixed values."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """Parameters of the card that are passed to a keyword of the pipeline."""

    dtype: Dtype | None = None
    dtypes: dict[str, Dtype] = Field(default_factory=dict)
    """The type of single components."""
    attention: Annotated[str, Field(pattern=r"^[a-z0-9_]{2,40}$")] | None = None
    compile: bool = False
    cache: Cache | None = None
    offload: Offload = "none"
    tiling: bool = False
    quantise: Quantisation | None = None
    gguf: dict[
        Literal["transformer", "transformer_2"],
        Annotated[str, Field(pattern=_GGUF), AfterValidator(_stay_inside)],
    ] = Field(default_factory=dict)
    """Files in the folder of weights that hold a denoiser in few bits, in place of the component's own."""
    loras: list[Lora] = Field(default_factory=list, max_length=8)
    context_parallel: ContextParallel | None = None
    warm_up: bool = False

    @field_validator("family")
    @classmethod
    def _known_family(cls, value: str) -> str:
        if value and value not in FAMILIES:
            raise ValueError(f"must be one of {', '.join(FAMILIES)}")
        return value

    @field_validator("tier")
    @classmethod
    def _known_tier(cls, value: str) -> str:
        if value and value.upper() not in TIERS:
            raise ValueError(f"must be one of {', '.join(TIERS)}")
        return value.upper()

    @field_validator("sizes", "flow_shift")
    @classmethod
    def _known_tiers(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        unknown = [tier for tier in value or () if tier.upper() not in TIERS]
        if unknown:
            raise ValueError(f"{unknown[0]} is not a tier; there are {', '.join(TIERS)}")
        return value

    @field_validator("arguments", "parameters")
    @classmethod
    def _free_keywords(cls, value: dict[str, Any], info: Any) -> dict[str, Any]:
        for keyword in value if info.field_name == "arguments" else value.values():
            if not _KEYWORD.fullmatch(keyword) or keyword in _OURS:
                raise ValueError(f"{keyword} is not a keyword that a card may set")
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Tuning":
        if not self.family:
            needed = ("pipelines", "frame_step", "multiple", "fps", "frames")
            lacking = [name for name in needed if getattr(self, name) is None]
            if lacking:
                raise ValueError(f"needs a family, or else {', '.join(needed)}; missing: {', '.join(lacking)}")
        if self.attention and self.attention.endswith("_hub"):
            raise ValueError("attention: kernels whose names end in _hub are fetched while running; install one")
        if self.context_parallel:
            self._check_parallel(self.context_parallel)
        if (self.quantise or self.gguf) and self.offload == "group":
            raise ValueError("quantise or gguf does not go with offload: group")
        if self.gguf and self.quantise:
            raise ValueError("gguf is quantised already, quantise does not go with it")
        return self

    def _check_parallel(self, parallel: ContextParallel) -> None:
        if self.offload != "none" or self.compile:
            raise ValueError("context_parallel goes with neither offload nor compile")
        if self.cache:
            raise ValueError("context_parallel does not go with a cache: each rank would skip steps by its own part")
        if not self.figures().parallel:
            able = ", ".join(name for name, family in FAMILIES.items() if family.parallel)
            raise ValueError(
                f"context_parallel: the library divides no request of {self.family or 'no family'}, of {able} it does"
            )
        if parallel.kind == "ring" and self.attention not in RING_ATTENTION:
            raise ValueError(
                f"context_parallel: ring needs one of these as attention, which tell the sums they divide by: "
                f"{', '.join(RING_ATTENTION)}"
            )

    def shift(self, tier: str) -> float | None:
        """The shift for a tier, None for the folder's own."""
        return next((shift for name, shift in self.flow_shift.items() if name.upper() == tier), None)

    def figures(self) -> Family:
        """The family with what the card says otherwise."""
        base = FAMILIES.get(self.family) or Family(
            name="none",
            pipelines={},
            frame_step=1,
            multiple=16,
            fps=16,
            frames=1,
            most_frames=self.frames or 1,
            steps=50,
            guidance=5.0,
            tier="480P",
            one_folder=len(set((self.pipelines or {}).values())) == 1,
            compiles=True,
        )
        said = {
            name: getattr(self, name)
            for name in (
                "pipelines",
                "frame_step",
                "multiple",
                "fps",
                "frames",
                "most_frames",
                "steps",
                "guidance",
                "guidance_by",
                "one_folder",
                "free_rate",
                "sound",
            )
            if getattr(self, name) is not None
        }
        if self.sizes is not None:
            said["sizes"] = {tier.upper(): tuple(map(_size, sizes)) for tier, sizes in self.sizes.items()}
        if self.tier:
            said["tier"] = self.tier
        return replace(base, **said, arguments={**base.arguments, **self.arguments})


def read_tuning(card: ModelCard) -> Tuning:
    """The options of a card, checked. Raises Unsupported with every fault, naming the keys."""
    choice = next((choice for choice in card.prefers if choice.engine == ENGINE), None)
    own = card.engine_options if card.engine == ENGINE else {"tier": card.engine_options.get("tier", "")}
    written = {**own, **(choice.options if choice else {})}
    try:
        return Tuning.model_validate(written)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'options'}: {_said(fault['msg'])}" for fault in error.errors()]
        raise Unsupported(f"The card {card.id} has wrong engine options. {'; '.join(faults)}") from error


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def _size(text: str) -> Size:
    width, _, height = text.partition("x")
    return int(width), int(height)
