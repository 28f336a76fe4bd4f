"""What a final request carries, on the wire. The stored outcome holds ids; links are signed at each reading."""

from collections.abc import Mapping
from typing import Any

from rushes.artifacts.links import Links
from rushes.domain.artifact_kind import KINDS
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
    video = request.outcome["video"]
    urls = {kind.key: _link(links, request.outcome.get(name), kind.file, expires) for name, kind in KINDS.items()}
    video_url = urls["video_url"]
    return {
        **urls,
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


def _link(links: Links, artifact: Mapping[str, Any] | None, name: str, expires: int) -> str | None:
    if artifact is None:
        return None
    return links.sign(f"/artifacts/{artifact['artifact_id']}/{name}", method="GET", expires=expires)
