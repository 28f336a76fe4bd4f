"""What a list of requests, or a bulk action, is narrowed to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from starlette.datastructures import QueryParams

from rushes.api.query import Query, moment, text_list
from rushes.api.services import Services
from rushes.catalog.loader import UnknownModel
from rushes.domain.errors import ApiError
from rushes.domain.request import Status
from rushes.store.records import Filters

NAMES = ("model_id", "model", "status", "since", "until", "id", "q")


def read_filters(given: Query, services: Services) -> Filters:
    """The filters of a query. Raises ApiError 400 that names the one at fault."""
    query = given.query_params
    statuses = text_list(given, "status")
    for status in statuses:
        if status not in {s.value for s in Status}:
            known = ", ".join(s.value for s in Status)
            raise ApiError("invalid_request", f"Invalid status, must be one of {known}", param="status")
    model = query.get("model_id") or query.get("model")
    return Filters(
        model=canonical_model(services, model) if model else None,
        statuses=statuses or None,
        since=moment(given, "since"),
        until=moment(given, "until"),
        id_from=_padded(query.get("id"), "0"),
        id_to=_padded(query.get("id"), "f"),
        words=query.get("q") or None,
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
        if name not in NAMES:
            raise ApiError("invalid_request", f"Invalid filter, knows {', '.join(NAMES)}", param="filter")
        for one in cast(list[Any], given) if isinstance(given, list) else [given]:
            if not isinstance(one, str | int) or isinstance(one, bool):
                raise ApiError("invalid_request", f"Invalid {name}, must be a text or a number", param=name)
            pairs.append((name, str(one)))
    return read_filters(_Body(QueryParams(pairs)), services)


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
