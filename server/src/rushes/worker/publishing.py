"""The files of one attempt in the object store, under names that no other attempt uses."""

import contextlib
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

from rushes.artifacts.objects import Objects, StorageUnavailable
from rushes.domain.artifact_kind import KINDS
from rushes.store.records import NewArtifact, Request
from rushes.worker.patience import patiently


class Publishing:
    """What an attempt has stored. It is published when a finish names it, and deleted when none ever will."""

    def __init__(self, objects: Objects, request: Request, patience: float, stop: threading.Event) -> None:
        self.artifacts: list[NewArtifact] = []
        self._objects = objects
        self._folder = f"artifacts/{request.org_id}/{request.request_id}/{request.attempt}"
        self._patience = patience
        self._stop = stop

    async def add(self, kind: str, folder: Path, **facts: Any) -> None:
        """Store the file of that kind from a folder, complete and durable.

        `facts` are width, height, fps and seconds, where it has them. Raises StorageUnavailable once patience is at its
        end, Cancelled when the attempt is to stop meanwhile.
        """
        name = KINDS[kind].file
        path = f"{self._folder}/{name}"
        stored = await patiently(lambda: self._objects.put(path, folder / name), self._patience, self._stop)
        content_type = KINDS[kind].content_type
        self.artifacts.append(
            NewArtifact(uuid4(), kind, stored.path, content_type, stored.size_bytes, stored.sha256, **facts)
        )

    def shown(self) -> dict[str, dict[str, Any]]:
        """By kind, what a stored outcome says of each artifact; its path stays in the artifact's own row."""
        return {
            artifact.kind: {name: value for name, value in artifact.as_json().items() if name != "path"}
            for artifact in self.artifacts
        }

    async def discard(self) -> None:
        """Delete what was stored; what cannot be deleted now is swept as an orphan within a day."""
        for artifact in self.artifacts:
            with contextlib.suppress(StorageUnavailable):
                await self._objects.delete(artifact.path)
