"""The keys of a table for `gmi`."""

from typing import ClassVar

from pydantic import Field

from rushes.engines.options import Place, RemoteOptions


class GmiOptions(RemoteOptions):
    """An account upstream."""

    place: ClassVar[Place] = "upstream"

    base_url: str = Field(
        default="https://console.gmicloud.ai",
        description="The upstream's address, up to what comes before `/api/v1`.",
    )
    slots: int = Field(default=4, ge=1, le=64, description="Requests a worker has outstanding there at once.")
    names: dict[str, str] = Field(
        default_factory=dict,
        description="Model ids here to model ids there, where they differ and the card does not say.",
    )
