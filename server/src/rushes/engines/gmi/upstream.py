"""The calls to an upstream, and what its refusals mean for a request here."""

from collections.abc import Mapping
from typing import Any

from rushes.engines.engine import Busy, EngineError, EngineLost, InvalidInput, Unsupported, UpstreamError
from rushes.engines.gmi.answers import Record, denies_access, judged
from rushes.engines.server import Reply, Server, Unreached, objects

PREFIX = "/api/v1/ie/requestqueue/apikey"
SUBMIT_SECONDS = 180.0
"""Some models answer a submit only when they are done."""
CANCEL_SECONDS = 20.0
LISTED = 100
BUSY_SECONDS = 30.0
LEAST_SECONDS = 1.0
HOLD_SECONDS = 300.0
_ENDED = (404, 409, 410)
"""Answers to a cancel that comes too late."""
_LATER = (408, 425, 429)


class Unclear(Exception):
    """A submit may or may not have been accepted."""


class Upstream:
    """An account on another server. `ours` once it has said that it is a server of ours."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.version = ""
        self.instance = ""

    @property
    def ours(self) -> bool:
        return bool(self.version)

    async def probe(self, model: str) -> None:
        """Learn what the upstream is, and whether key and model are good. Raises EngineLost, Unsupported, Busy."""
        reply = await self.server.call("GET", f"{PREFIX}/models")
        self.version = reply.headers.get("rushes-version", "")[:40]
        self.instance = reply.headers.get("rushes-instance", "")[:64]
        if reply.status != 200:
            raise refusal(reply)
        known: Any = reply.data.get("model_ids")
        if isinstance(known, list) and model not in known:
            raise Unsupported(f"The upstream does not have the model {model}")

    async def submit(self, model: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Record:
        """The record of a new request. Raises Unclear, and for a refusal its meaning here."""
        body = {"model": model, "payload": payload}
        try:
            reply = await self.server.post_json(f"{PREFIX}/requests", body, headers=headers, timeout=SUBMIT_SECONDS)
        except Unreached as error:
            if error.sent:
                raise Unclear(str(error)) from error
            raise
        if reply.status in (200, 201) and isinstance(reply.data.get("request_id"), str):
            return reply.data
        meaning = refusal(reply)
        if reply.status < 400 or isinstance(meaning, EngineLost):
            raise Unclear(str(meaning))
        raise meaning

    async def record(self, request_id: str, wait: int = 0) -> Record | None:
        """A request as it is now, None for one that the upstream does not know.

        Raises Unreached for any answer that is no record, Unsupported where the key is refused.
        """
        query = f"?wait={wait}" if wait else ""
        reply = await self.server.call("GET", f"{PREFIX}/requests/{request_id}{query}", timeout=60 + wait)
        if reply.status == 200 and isinstance(reply.data.get("status"), str):
            return reply.data
        if reply.status == 404:
            return None
        if reply.status in (401, 403):
            raise refusal(reply)
        raise Unreached(f"The upstream answered {reply.status} instead of a record", sent=True)

    async def find(self, model: str, payload: Mapping[str, Any], since: float) -> str | None:
        """The id of the one request of this very payload that was made after `since`; None if there is any doubt."""
        reply = await self._listed()
        return _the_one(reply, model, payload, since, float("inf")) if reply.status == 200 else None

    async def look_up(self, model: str, payload: Mapping[str, Any], since: float, until: float) -> str | None:
        """The same for one made before `until`. Raises Unreached for any answer that is no list."""
        reply = await self._listed()
        if reply.status in (401, 403):
            raise refusal(reply)
        if reply.status != 200:
            raise Unreached(f"The upstream answered {reply.status} instead of a list", sent=True)
        return _the_one(reply, model, payload, since, until)

    async def _listed(self) -> Reply:
        return await self.server.call("GET", f"{PREFIX}/requests?limit={LISTED}")

    async def cancel(self, request_id: str) -> bool:
        """Ask for the end of a request; False where the upstream ends none: no service documents that it does.

        Raises Unreached and Unsupported where asking again may help.
        """
        reply = await self.server.call("DELETE", f"{PREFIX}/requests/{request_id}", timeout=CANCEL_SECONDS)
        if reply.status < 300 or reply.status in _ENDED:
            return True
        if reply.status in (401, 403):
            raise refusal(reply)
        if (reply.status >= 500 and reply.status != 501) or reply.status in _LATER:
            raise Unreached(f"The upstream answered {reply.status} to a cancel", sent=True)
        return False


def _the_one(reply: Reply, model: str, payload: Mapping[str, Any], since: float, until: float) -> str | None:
    """The id of the only request in a list that is of this model and payload, and made in this time."""
    found = [
        record
        for record in objects(reply.data, "requests")
        if record.get("model") == model and record.get("payload") == dict(payload) and _between(record, since, until)
    ]
    known = found[0].get("request_id") if len(found) == 1 else None
    return known if isinstance(known, str) else None


def refusal(reply: Reply) -> EngineError:
    """What an HTTP error of the upstream means here."""
    said = reply.words()
    text = f"The upstream answered {reply.status}{f': {said}' if said else ''}"
    if reply.status == 402:
        return Busy(f"The upstream account has no balance left: {said}", retry_after=HOLD_SECONDS, hold=True)
    if reply.status in (429, 503):
        asked = reply.retry_after
        return Busy(text, retry_after=BUSY_SECONDS if asked is None else max(LEAST_SECONDS, asked))
    if reply.status in (401, 403, 404, 405) or denies_access(said):
        return Unsupported(text)
    if (known := judged(said)) is not None:
        return known
    if 400 <= reply.status < 500:
        return InvalidInput(text, field=_blamed(reply))
    return EngineLost(text)


def unclear(error: Unclear) -> UpstreamError:
    """The end of a request that may have been accepted: repeating it might be paid for twice."""
    return UpstreamError(
        f"It is not known whether the upstream accepted the request, so it was not repeated. {error}", final=True
    )


def _blamed(reply: Reply) -> str | None:
    param = reply.data.get("param")
    return param[:60] if isinstance(param, str) and param.isidentifier() else None


def _between(record: Record, since: float, until: float) -> bool:
    created = record.get("created_at")
    return isinstance(created, int | float) and since <= created <= until
