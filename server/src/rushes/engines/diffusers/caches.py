"""The caches over denoising steps that a card can ask for, with what each takes. Free of torch.

The library takes any value and fails in the middle of a request, or does nothing; here every one is checked before. The
names and meanings are those of the library's own configurations.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

CacheKind = Literal["first_block", "taylorseer", "mag", "faster", "pyramid"]
Skip = Annotated[int, Field(ge=2, le=50)]
"""Of so many calls one is computed."""
Share = Annotated[float, Field(gt=0, le=10)]
Timestep = Annotated[int, Field(ge=-1, le=1000)]

_ATTENTION: Final = r"(single_)?(transformer_)?blocks\.\d+\..*attn\d*"
"""The attention layers of every family here, by their names. The library's own pattern knows those called `attn` alone
and leaves out `attn1` and `attn2`, which is to say all of Wan, LTX and CogVideoX."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FirstBlock(_Arguments):
    """The rest of the blocks is left out while the first one changes little."""

    threshold: Share = 0.05


class TaylorSeer(_Arguments):
    """Outputs of attention are foretold from earlier ones."""

    cache_interval: Skip = 5
    disable_cache_before_step: Annotated[int, Field(ge=1, le=1000)] = 3
    disable_cache_after_step: Annotated[int, Field(ge=1, le=1000)] | None = None
    max_order: Annotated[int, Field(ge=0, le=4)] = 1
    use_lite_mode: bool = False
    cache_identifiers: Annotated[list[str], Field(min_length=1, max_length=20)] | None = None
    skip_predict_identifiers: Annotated[list[str], Field(max_length=20)] | None = None

    @field_validator("cache_identifiers", "skip_predict_identifiers")
    @classmethod
    def _patterns(cls, value: list[str] | None) -> list[str] | None:
        for pattern in value or ():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern[:80]!r} is no regular expression: {error}") from error
        return value

    def settings(self) -> dict[str, Any]:
        chosen = self.model_dump()
        if not self.use_lite_mode:
            chosen["cache_identifiers"] = self.cache_identifiers or [_ATTENTION]
        return chosen


class Mag(_Arguments):
    """Steps are left out by how much the model's residual is known to change; the ratios belong to one model."""

    mag_ratios: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Field(min_length=2, max_length=1000)]
    threshold: Share = 0.06
    max_skip_steps: Annotated[int, Field(ge=1, le=50)] = 3
    retention_ratio: Annotated[float, Field(ge=0, le=1)] = 0.2


class Faster(_Arguments):
    """Attention is carried on from the two calls before; where the model runs both halves of the guidance in one batch
    and the library can take its output apart, the half without prompt is carried on as well."""

    spatial_attention_block_skip_range: Skip = 2
    spatial_attention_timestep_skip_range: tuple[Timestep, Annotated[int, Field(ge=0, le=900)]] = (-1, 681)
    unconditional_batch_skip_range: Skip = 5
    unconditional_batch_timestep_skip_range: tuple[Timestep, Timestep] = (-1, 641)
    low_frequency_weight_update_timestep_range: tuple[Timestep, Timestep] = (99, 901)
    high_frequency_weight_update_timestep_range: tuple[Timestep, Timestep] = (-1, 301)
    alpha_low_frequency: Share = 1.1
    alpha_high_frequency: Share = 1.1


class Pyramid(_Arguments):
    """Attention is repeated from the call before, some calls long."""

    spatial_attention_block_skip_range: Skip | None = None
    cross_attention_block_skip_range: Skip | None = None
    spatial_attention_timestep_skip_range: tuple[Timestep, Timestep] = (100, 800)
    cross_attention_timestep_skip_range: tuple[Timestep, Timestep] = (100, 800)

    def settings(self) -> dict[str, Any]:
        chosen = self.model_dump()
        if self.cross_attention_block_skip_range is None:
            chosen["spatial_attention_block_skip_range"] = self.spatial_attention_block_skip_range or 2
        return chosen


TAKES: Final[Mapping[CacheKind, type[_Arguments]]] = {
    "first_block": FirstBlock,
    "taylorseer": TaylorSeer,
    "mag": Mag,
    "faster": Faster,
    "pyramid": Pyramid,
}
MINDS_HALVES: Final[tuple[CacheKind, ...]] = ("faster", "pyramid")
"""Those that keep one memory for every call, whichever half of the guidance it computes."""


class Cache(BaseModel):
    """A cache over denoising steps. Each trades likeness for speed; none is on by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: CacheKind
    arguments: dict[str, Any] = Field(default_factory=dict)
    """What that kind takes, such as `threshold`."""

    @model_validator(mode="after")
    def _checked(self) -> Self:
        try:
            TAKES[self.kind].model_validate(self.arguments)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            raise ValueError(f"arguments of {self.kind}: {'; '.join(faults)}") from error
        return self

    def settings(self) -> dict[str, Any]:
        """Every value of the library's configuration that a card decides."""
        read = TAKES[self.kind].model_validate(self.arguments)
        return read.settings() if isinstance(read, (TaylorSeer, Pyramid)) else read.model_dump()
