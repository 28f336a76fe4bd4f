"""What a list of requests, or a bulk action, is narrowed to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from starlette.datastructures import QueryParams

from rushes.api.query import Query, moment, text_list, uuid_of
from rushes.api.services import Services
from rushes.catalog.loader import UnknownModel
from rushes.domain.errors import ApiError
from rushes.domain.request import Status
from rushes.store.records import Filters

NAMES = (
    "model_id",
    "model",
    "status",
    "since",
    "until",
    "created_after",
    "created_before",
    "id",
    "q",
    "sha256",
    "seed",
    "group_id",
)
METADATA = "metadata."
"""The rest of such a name is a key of the metadata."""
MAX_TEXT = 500
SEARCH_SPAN = timedelta(days=30)
"""How far back a search looks, unless it is told."""


def read_filters(given: Query, services: Services) -> Filters:
    """The filters of a query. Raises ApiError 400 that names the one at fault."""
    query = given.query_params
    statuses = text_list(given, "status")
    for status in statuses:
        if status not in {s.value for s in Status}:
            known = ", ".join(s.value for s in Status)
            raise ApiError("invalid_request", f"Invalid status, must be one of {known}", param="status")
    model = query.get("model_id") or query.get("model")
    words, metadata = _short(query.get("q"), "q"), _metadata(query)
    since = moment(given, "created_after") or moment(given, "since")
    seed = _seed(query.get("seed"))
    if since is None and (words or metadata or seed is not None):
        since = datetime.now(UTC) - SEARCH_SPAN
    return Filters(
        model=canonical_model(services, model) if model else None,
        statuses=statuses or None,
        since=since,
        until=moment(given, "created_before") or moment(given, "until"),
        id_from=_padded(query.get("id"), "0"),
        id_to=_padded(query.get("id"), "f"),
        words=words,
        named=_named(words),
        metadata=metadata or None,
        sha256=_sha256(query.get("sha256")),
        seed=seed,
        group_id=group_id(query.get("group_id")),
    )


@dataclass(frozen=True, slots=True)
class _Body:
    query_params: QueryParams


def filters_in_body(value: Any, services: Services) -> Filters:
    """The same filters, by the same names, from a JSON object."""
    if not isinstance(value, dict):
        raise ApiError("invalid_request", "Invalid filter, must be an object", param="filter")
    pairs: list[tuple[str, str]] = []
    for name, given in cast(Mapping[str, Any], value).items():
        if name not in NAMES and not name.startswith(METADATA):
            text = f"Invalid filter, knows {', '.join(NAMES)} and {METADATA}KEY"
            raise ApiError("invalid_request", text, param="filter")
        for one in cast(list[Any], given) if isinstance(given, list) else [given]:
            if not isinstance(one, str | int) or isinstance(one, bool):
                raise ApiError("invalid_request", f"Invalid {name}, must be a text or a number", param=name)
            pairs.append((name, str(one)))
    return read_filters(_Body(QueryParams(pairs)), services)


def group_id(text: str | None) -> UUID | None:
    """None without one. Raises ApiError 400."""
    if not text:
        return None
    found = uuid_of(text)
    if found is None:
        raise ApiError("invalid_request", "Invalid group_id, must be the id of a group", param="group_id")
    return found


def _short(text: str | None, name: str) -> str | None:
    if text is not None and len(text) > MAX_TEXT:
        raise ApiError("invalid_request", f"Invalid {name}, must have at most {MAX_TEXT} characters", param=name)
    return text or None


def _metadata(query: QueryParams) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in query.multi_items():
        if name.startswith(METADATA):
            if len(name) == len(METADATA) or len(name) + len(value) > MAX_TEXT:
                text = f"Invalid {METADATA}KEY, must name a key and have at most {MAX_TEXT} characters"
                raise ApiError("invalid_request", text, param=name[:100])
            found[name.removeprefix(METADATA)] = value
    return found


def _sha256(text: str | None) -> str | None:
    if text and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ApiError("invalid_request", "Invalid sha256, must be 64 hexadecimal digits", param="sha256")
    return text.lower() if text else None


def _seed(text: str | None) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise ApiError("invalid_request", "Invalid seed, must be a whole number", param="seed")
    return int(text)


def _named(words: str | None) -> tuple[UUID, UUID] | None:
    """The range of ids that begin so, where the words are one that may be the beginning of an id."""
    if words is None or not re.fullmatch(r"[0-9a-fA-F][0-9a-fA-F-]{3,35}", words.strip()):
        return None
    low, high = _padded(words.strip(), "0"), _padded(words.strip(), "f")
    return None if low is None or high is None else (low, high)


def canonical_model(services: Services, model: str) -> str:
    """The catalogue's spelling; an unknown id stays as it is, for it matches nothing."""
    try:
        return services.catalog.find(model).id
    except UnknownModel:
        return model


def _padded(prefix: str | None, digit: str) -> UUID | None:
    """The first (0) or last (f) of the ids that begin so: a range, which the primary key can find."""
    if not prefix:
        return None
    if not re.fullmatch(r"[0-9a-fA-F][0-9a-fA-F-]{0,35}", prefix):
        raise ApiError("invalid_request", "Invalid id, must be the beginning of a request id", param="id")
    return UUID(hex=prefix.replace("-", "").ljust(32, digit)[:32])
