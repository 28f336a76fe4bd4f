"""Where the media files of a payload are: resolved at submit, fetched by the qworker.

A data URI or base64 value is stored as a file and replaced by its URL, so that the echo can be submitted again. URLs
under our own public address are looked up inside, never fetched. Any other URL passes the cheap rules of egress now and
the real ones when it is dialled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast
from uuid import UUID

from rushes.domain.artifact_kind import KINDS
from rushes.domain.errors import InvalidPayload, ParameterFault
from rushes.domain.model_card import ModelCard
from rushes.domain.payload import CheckedPayload, MediaValue
from rushes.egress import Egress, EgressRefused
from rushes.queue.uploads import Uploads
from rushes.store.files import Files

_FILE_URL = re.compile(r"/files/([A-Za-z0-9_-]{16,64})(?:/[^/]*)?$")
_ARTIFACT_URL = re.compile(r"/artifacts/([0-9a-fA-F-]{36})/[^/]*$")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class HasPublicUrl(Protocol):
    """What knows the address customers see (artifacts.links.Links)."""

    @property
    def public_url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """A payload whose media values are references."""

    params: Mapping[str, Any]
    payload: Mapping[str, Any]
    media: list[dict[str, Any]]


class Sources:
    """Resolves media values for one organisation at a time."""

    def __init__(self, files: Files, uploads: Uploads, egress: Egress, address: HasPublicUrl) -> None:
        self._files = files
        self._uploads = uploads
        self._egress = egress
        self._address = address

    async def resolve(
        self,
        org_id: UUID,
        card: ModelCard,
        payload: Mapping[str, Any],
        checked: CheckedPayload,
        *,
        dry_run: bool = False,
    ) -> Resolved:
        """Raises InvalidPayload with every media value that cannot be used."""
        faults: list[ParameterFault] = []
        media: list[dict[str, Any]] = []
        shown: dict[str, str] = {}
        for value in checked.media:
            try:
                source, reference = await self._one(org_id, card, value, dry_run)
            except InvalidPayload as error:
                faults.extend(error.faults)
                continue
            if reference != value.value:
                shown[value.value] = reference
            media.append(
                {"param": value.param, "role": value.role, "index": value.index, "kind": value.kind, "source": source}
            )
        if faults:
            raise InvalidPayload(faults)
        return Resolved(_replaced(checked.params, shown), _replaced(payload, shown), media)

    async def _one(self, org_id: UUID, card: ModelCard, value: MediaValue, dry_run: bool) -> tuple[dict[str, str], str]:
        """The source to fetch from, and the reference shown in its place."""
        parameter = card.parameter(value.param)
        limits = parameter.media if parameter else None
        text = value.value.strip()
        if _UUID.fullmatch(text.lower()):
            file = await self._files.get(org_id, UUID(text))
            if file is None:
                raise _fault(value, "No such file, upload it first", "file_not_found")
            self._uploads.judge(file, value.kind, limits, value.param)
            return {"file": str(file.file_id)}, value.value
        if text[:8].lower().startswith(("http://", "https://")):
            return await self._url(org_id, value, text, limits), value.value
        file = await self._uploads.store_inline(
            org_id, text, kind=value.kind, limits=limits, field=value.param, dry_run=dry_run
        )
        if file is None:
            return {"inline": "dry run"}, value.value
        return {"file": str(file.file_id)}, self._uploads.public_url(file)

    async def _url(self, org_id: UUID, value: MediaValue, url: str, limits: Any) -> dict[str, str]:
        own = self._address.public_url + "/"
        if url.startswith(own):
            path = "/" + url[len(own) :].split("?")[0].split("#")[0]
            if (match := _FILE_URL.fullmatch(path)) is not None:
                file = await self._files.by_token(match.group(1))
                if file is None or file.org_id != org_id:
                    raise _fault(value, "No such file, upload it first", "file_not_found")
                self._uploads.judge(file, value.kind, limits, value.param)
                return {"file": str(file.file_id)}
            if (match := _ARTIFACT_URL.fullmatch(path)) is not None and _UUID.fullmatch(match.group(1).lower()):
                artifact = await self._files.artifact_of(org_id, UUID(match.group(1)))
                if artifact is None:
                    raise _fault(value, "No such artifact, or it has expired", "file_not_found")
                if KINDS[artifact["kind"]].input != value.kind:
                    raise _fault(value, f"Must be {value.kind}, this artifact is a {artifact['kind']}", "media")
                return {"artifact": str(artifact["artifact_id"])}
            raise _fault(value, "Is no file or artifact of this server", "file_not_found")
        try:
            self._egress.check_url(url)
        except EgressRefused as error:
            raise _fault(value, str(error), "format") from error
        return {"url": url}


def _fault(value: MediaValue, message: str, code: str) -> InvalidPayload:
    return InvalidPayload([ParameterFault(value.param, code, message, given=value.value[:60])])


def _replaced(values: Mapping[str, Any], shown: Mapping[str, str]) -> dict[str, Any]:
    """The same mapping with some strings (in lists too) replaced, key order kept."""
    if not shown:
        return dict(values)

    def swap(value: Any) -> Any:
        if isinstance(value, str):
            return shown.get(value, value)
        return [swap(item) for item in cast(list[Any], value)] if isinstance(value, list) else value

    return {name: swap(value) for name, value in values.items()}
