"""Pure builders: each verb of the API as a Call. Nothing here does anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote, urlencode

from gmicloud._internal._body import FileBody
from gmicloud._internal._settings import Routes
from gmicloud._internal._step import Call
from gmicloud.errors import InvalidRequestError


class SubmitOptions(TypedDict, total=False):
    """What may accompany a submit. Servers that do not know a key ignore it."""

    idempotency_key: str
    """Same key and same body: the same request. Drawn when absent."""
    webhook_url: str
    webhook_events: Sequence[str]
    metadata: Mapping[str, Any]
    """Up to 4 kB, given back in the record and the webhook."""
    priority: int
    expires_after: int
    """Seconds the artifact is kept after the finish; can only shorten the organisation's rule."""


def list_models(routes: Routes) -> Call:
    """The model list under the caller's own prefix, with whole objects where the server can."""
    return Call("GET", routes.queue("/models?expand=1"))


def list_catalogue(routes: Routes) -> Call:
    """The list of whole model objects."""
    return Call("GET", routes.catalogue())


def get_model(routes: Routes, model_id: str) -> Call:
    """One model card."""
    return Call("GET", routes.model(model_id))


def submit(
    routes: Routes,
    model: str,
    payload: Mapping[str, Any],
    *,
    key: str,
    options: SubmitOptions | None = None,
    dry_run: bool = False,
) -> Call:
    """A new request under an idempotency key. Raises InvalidRequestError for an empty model or payload."""
    check_submission(model, payload)
    body = submission(model, payload, options)
    headers = {} if dry_run else {"Idempotency-Key": key}
    return Call("POST", routes.queue("/requests" + ("?dry_run=true" if dry_run else "")), headers=headers, json=body)


def submission(model: str, payload: Mapping[str, Any], options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The body of a submit. Raises InvalidRequestError for what cannot be sent as JSON."""
    body: dict[str, Any] = {"model": model, "payload": dict(payload)}
    body |= {name: value for name, value in (options or {}).items() if name != "idempotency_key" and value is not None}
    for name, value in [*payload.items(), *((one, body[one]) for one in body if one != "payload")]:
        _check_json(name, value)
    return body


def submit_many(routes: Routes, bodies: Sequence[Mapping[str, Any]], *, key: str) -> Call:
    """Many requests as one, under one idempotency key."""
    return Call(
        "POST",
        routes.queue("/requests/batch"),
        headers={"Idempotency-Key": key},
        json={"requests": [dict(body) for body in bodies]},
    )


def get_group(routes: Routes, group_id: str) -> Call:
    """How a group stands."""
    return Call("GET", routes.queue(f"/groups/{quote(group_id, safe='')}?limit=1"), request_id=group_id)


def cancel_group(routes: Routes, group_id: str) -> Call:
    """Cancel what is not final of a group."""
    return Call("POST", routes.queue(f"/groups/{quote(group_id, safe='')}/cancel"), request_id=group_id)


def check_submission(model: Any, payload: Any) -> None:
    """Refuse what no server takes, before anything is sent. Raises InvalidRequestError."""
    if not isinstance(model, str) or not model.strip():
        raise InvalidRequestError("model must be a model id such as wan2.7-i2v", code="invalid_request", param="model")
    if not isinstance(payload, Mapping) or not payload:
        raise InvalidRequestError(
            "payload must hold the model's parameters, such as prompt", code="invalid_payload", param="payload"
        )


def _check_json(name: str, value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequestError(
            f"{name} cannot be sent as JSON: it holds {_oddest(value)}", code="invalid_payload", param=name
        ) from None


def _oddest(value: Any) -> str:
    if isinstance(value, float):
        return "a number that is not finite"
    if isinstance(value, str):
        return "text that is not valid Unicode"
    if isinstance(value, (dict, list, tuple)):
        return "something that is not a number, text, list or object"
    return f"a {type(value).__name__}"


def get_request(routes: Routes, request_id: str, *, wait: int = 0) -> Call:
    """The record of a request; with `wait`, as soon as it is final or after that many seconds."""
    url = routes.request(request_id) + (f"?wait={wait}" if wait else "")
    return Call("GET", url, patience=wait, request_id=request_id)


def list_requests(
    routes: Routes,
    *,
    model_id: str | None,
    status: Sequence[str],
    limit: int,
    cursor: str | None = None,
    offset: int = 0,
    group_id: str | None = None,
) -> Call:
    """One page of requests, newest first."""
    query: list[tuple[str, str | int]] = [("limit", limit)]
    query += [("model_id", model_id)] if model_id else []
    query += [("group_id", group_id)] if group_id else []
    query += [("status", one) for one in status]
    query += [("cursor", cursor)] if cursor else [("offset", offset)] if offset else []
    return Call("GET", routes.queue(f"/requests?{urlencode(query)}"))


def cancel(routes: Routes, request_id: str) -> Call:
    """Cancel a request that is not final."""
    return Call("DELETE", routes.request(request_id), request_id=request_id)


def events(routes: Routes, request_id: str, *, after: str | None) -> Call:
    """The event stream of a request, resumed after an event id."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
    return Call("GET", routes.request(request_id, "/events"), headers=headers, request_id=request_id)


def post_file(routes: Routes, body: FileBody, *, key: str) -> Call:
    """A file for our server, as a form. `body` must be a form already."""
    return Call("POST", routes.queue("/files"), headers={"Idempotency-Key": key}, body=body)


def upload_url(routes: Routes, file_type: str, kind: str) -> Call:
    """Ask for a signed address to put a file at; `kind` is image, audio or video."""
    return Call("POST", routes.queue("/upload-url"), json={"file_type": file_type, "type": kind})


def put_file(url: str, body: FileBody) -> Call:
    """Put a file at a signed address; the address is the credential."""
    return Call("PUT", url, body=body)


def login(routes: Routes, email: str, password: str) -> Call:
    """First step of a login."""
    return Call("POST", routes.iam("/me/auth-tokens"), json={"email": email, "password": password})


def open_session(routes: Routes, auth_token: str, otp: str | None) -> Call:
    """Second step of a login."""
    body = {"type": "native", "authToken": auth_token, "otpCode": otp}
    return Call("POST", routes.iam("/me/sessions"), json=body)


def renew_session(routes: Routes, refresh_token: str) -> Call:
    """Two new tokens for a refresh token."""
    return Call("PATCH", routes.iam("/me/sessions"), json={"refreshToken": refresh_token})
