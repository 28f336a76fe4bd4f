"""The kinds of files an attempt publishes, their names, and the keys of an outcome that link to them."""

from dataclasses import dataclass
from typing import Final

from rushes.domain.model_card import MediaType


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    """`input` is what such a file may be given back as, in the payload of another request."""

    file: str
    key: str
    content_type: str
    input: MediaType | None = None


KINDS: Final[dict[str, ArtifactKind]] = {
    "video": ArtifactKind("video.mp4", "video_url", "video/mp4", "video"),
    "thumbnail": ArtifactKind("thumbnail.jpg", "thumbnail_image_url", "image/jpeg", "image"),
    "first_frame": ArtifactKind("first_frame.jpg", "first_frame_url", "image/jpeg", "image"),
    "last_frame": ArtifactKind("last_frame.jpg", "last_frame_url", "image/jpeg", "image"),
    "preview": ArtifactKind("preview.webp", "preview_url", "image/webp"),
    "manifest": ArtifactKind("manifest.json", "manifest_url", "application/json"),
}
"""An outcome may lack any but the first two."""
