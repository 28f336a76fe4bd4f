"""What a final request carries, on the wire. The stored outcome holds ids; links are signed at each reading."""

from collections.abc import Mapping
from typing import Any

from rushes.artifacts.links import Links
from rushes.domain.request import Status
from rushes.store.records import Request


def outcome_of(request: Request, links: Links, expires: int) -> dict[str, Any] | None:
    """Null until the status is final, then an object: links on success, the reason otherwise.

    `expires` (unix seconds) is when the signatures end. A record past its own time keeps its links; they answer 410.
    """
    if not request.final or request.purged_at is not None or request.outcome is None:
        return None
    if request.status is not Status.SUCCESS:
        return request.outcome
    video, thumbnail = request.outcome["video"], request.outcome["thumbnail"]
    video_url = _link(links, video, expires)
    return {
        "video_url": video_url,
        "thumbnail_image_url": _link(links, thumbnail, expires),
        "media_urls": [
            {
                "id": "0",
                "url": video_url,
                "content_type": video["content_type"],
                "width": video["width"],
                "height": video["height"],
                "fps": video["fps"],
                "duration_seconds": video["seconds"],
                "size_bytes": video["size_bytes"],
                "sha256": video["sha256"],
            }
        ],
        "seed": request.outcome.get("seed"),
    }


def _link(links: Links, artifact: Mapping[str, Any], expires: int) -> str:
    name = "video.mp4" if artifact["kind"] == "video" else "thumbnail.jpg"
    return links.sign(f"/artifacts/{artifact['artifact_id']}/{name}", method="GET", expires=expires)
