"""The keys of a table for `openai_videos`."""

from typing import Any, Literal

from pydantic import Field

from rushes.engines.options import RemoteOptions

Dialect = Literal["vllm_omni", "sglang"]


class OpenAIVideosOptions(RemoteOptions):
    """A server that renders, and what the model it has loaded wants; such a server does not say."""

    dialect: Dialect = Field(description="What kind of server it is: `vllm_omni` or `sglang`.")
    images: bool = Field(default=False, description="The loaded model starts from a picture; it needs one then.")
    fps: int = Field(default=16, ge=1, le=120, description="Frames per second of the loaded model.")
    frame_step: int = Field(
        default=4, ge=1, le=64, description="Frame counts are a multiple of this, and one more: 81 is 4 x 20 + 1."
    )
    size_multiple: int = Field(default=16, ge=2, le=128, description="Both sides are multiples of this.")
    max_seconds: float = Field(default=10, gt=0, le=600, description="The longest video it is asked for.")
    max_pixels: int = Field(default=1920 * 1088, ge=4096, description="The largest frame it is asked for.")
    default_tier: str = Field(default="480P", description="The resolution where a card and a payload name none.")
    neutral_prompt: str = Field(
        default="a calm scene", description="Sent where a payload has no prompt: both kinds refuse an empty one."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Sent with every request, such as `num_inference_steps` or `flow_shift`; the payload's own win.",
    )
    extra_parameters: dict[str, str] = Field(
        default_factory=dict,
        description="Card parameters that are passed on: name on the card to name in `extra_params`. Others are not.",
    )
