"""Narrowing decoded JSON, of which nothing can be taken for granted."""

from __future__ import annotations

from typing import Any, cast


def as_object(value: Any) -> dict[str, Any] | None:
    """The value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty list."""
    return cast("list[Any]", value) if isinstance(value, list) else []
