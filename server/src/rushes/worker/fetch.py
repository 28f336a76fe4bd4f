"""The inputs of a request: fetched from where they are, checked against the card, and made ready for the engine."""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from rushes.artifacts.objects import ObjectMissing, Objects
from rushes.domain.model_card import MediaLimits, MediaType, ModelCard
from rushes.egress import Egress, EgressFailed, EgressRefused
from rushes.engines.engine import Picture, Plan
from rushes.media.inputs import (
    MediaFacts,
    MediaRefused,
    check_media,
    max_bytes,
    prepare_audio,
    prepare_clip,
    prepare_image,
)
from rushes.media.sniff import sniff_file
from rushes.store.files import Files
from rushes.store.records import Request
from rushes.worker.failure import InputFailed


@dataclass(slots=True)
class Inputs:
    """Checked local files by the reference a plan calls them by, and their header facts by role."""

    files: dict[str, tuple[Path, MediaType, str]] = field(default_factory=dict[str, tuple[Path, MediaType, str]])
    pictures: dict[str, Picture] = field(default_factory=dict[str, Picture])


class Fetch:
    """Brings the inputs of one request into its scratch folder. Raises InputFailed with the parameter's name."""

    def __init__(self, files: Files, objects: Objects, egress: Egress) -> None:
        self._files = files
        self._objects = objects
        self._egress = egress

    async def inputs(self, request: Request, card: ModelCard, scratch: Path) -> Inputs:
        """Every media file the request names, checked against the card's limits; several at once."""
        inputs = Inputs()
        names = itertools.count()
        await asyncio.gather(
            *(self._one(request, card, entry, scratch / f"input-{next(names)}", inputs) for entry in request.media)
        )
        return inputs

    async def prepared(self, inputs: Inputs, plan: Plan, scratch: Path, *, original: bool = False) -> Mapping[str, str]:
        """For each role of the plan, a path to what engines read: a PNG, a .npy track, a folder of frames.

        With `original`, for engines that pass files on: the checked file as it came, its ending what it really is.
        """
        ready: dict[str, str] = {}
        for role, reference in plan.inputs.items():
            path, kind, param = inputs.files[reference]
            if original:
                found = await asyncio.to_thread(sniff_file, path)
                assert found is not None, "check_media has let it through"
                link = scratch / f"original-{len(ready)}.{found.name}"
                link.symlink_to(path)
                ready[role] = str(link)
                continue
            try:
                ready[role] = str(await _prepare(path, kind, param, plan, scratch / role))
            except MediaRefused as error:
                raise _refused(error) from error
        return ready

    async def _one(
        self, request: Request, card: ModelCard, entry: Mapping[str, Any], path: Path, inputs: Inputs
    ) -> None:
        param, kind = entry["param"], entry["kind"]
        parameter = card.parameter(param)
        limits = parameter.media if parameter else None
        await self._copy(request, entry, path, kind, limits)
        try:
            facts = await check_media(path, kind, limits, param)
        except MediaRefused as error:
            raise _refused(error) from error
        reference = _reference(request.params.get(param), entry["index"])
        inputs.files[reference] = (path, kind, param)
        if entry["role"] and entry["role"] not in inputs.pictures:
            inputs.pictures[entry["role"]] = _picture(facts)

    async def _copy(
        self, request: Request, entry: Mapping[str, Any], path: Path, kind: MediaType, limits: MediaLimits | None
    ) -> None:
        param = entry["param"]
        match entry["source"]:
            case {"url": url}:
                try:
                    await self._egress.fetch(url, max_bytes=max_bytes(kind, limits), to=path)
                except EgressRefused as error:
                    raise InputFailed("invalid_input", f"{param}: {error}") from error
                except EgressFailed as error:
                    code = "input_unavailable" if error.retryable else "invalid_input"
                    raise InputFailed(code, f"{param}: {error}") from error
            case {"file": file_id}:
                file = await self._files.get(request.org_id, UUID(file_id))
                await self._object(file.path if file else None, path, param)
            case {"artifact": artifact_id}:
                artifact = await self._files.artifact_of(request.org_id, UUID(artifact_id))
                await self._object(artifact["path"] if artifact else None, path, param)
            case other:
                raise InputFailed("internal", f"{param}: unknown source {other}")

    async def _object(self, name: str | None, path: Path, param: str) -> None:
        try:
            if name is None:
                raise ObjectMissing(param)
            await self._objects.fetch(name, path)
        except ObjectMissing as error:
            raise InputFailed("invalid_input", f"{param}: the file was deleted before it was used") from error


async def _prepare(path: Path, kind: MediaType, param: str, plan: Plan, out: Path) -> Path:
    match kind:
        case "image":
            out = out.with_suffix(".png")
            await prepare_image(path, out, width=plan.width, height=plan.height, field=param)
        case "audio":
            out = out.with_suffix(".npy")
            await prepare_audio(path, out, field=param)
        case "video":
            out.mkdir()
            await prepare_clip(path, out, field=param)
    return out


def _picture(facts: MediaFacts) -> Picture:
    return Picture(width=facts.width, height=facts.height, seconds=facts.seconds)


def _refused(error: MediaRefused) -> InputFailed:
    return InputFailed("invalid_input", f"{error.fault.param}: {error.fault.message}")


def _reference(value: Any, index: int) -> str:
    """What a plan calls an input by: the parameter's text, or one of its list."""
    return cast(list[str], value)[index] if isinstance(value, list) else value
