"""The end of a request at an upstream account whose customer here will never see it."""

from rushes.engines.engine import Abandoned, Alive
from rushes.engines.gmi.run import SKEW_SECONDS, is_id
from rushes.engines.gmi.upstream import SUBMIT_SECONDS, Upstream
from rushes.engines.remembered import Trace, searched

_FINAL = ("success", "failed", "cancelled")


async def abandon(upstream: Upstream, trace: Trace | None, alive: Alive) -> Abandoned:
    """As the protocol says. What is final there is left as it is.

    A submit without an answer is looked up by its payload, among the requests made about then: the same payload may
    have been sent to the account by others, before and after.
    """
    if trace is None:  # the table names another server now
        return "unknown"
    if trace.is_empty:
        return "stopped"
    request_id = trace.id or await searched(trace, lambda: _sought(upstream, trace), alive)
    if request_id is None or not is_id(request_id):
        return "unknown"
    record = await upstream.record(request_id)
    if record is None or record["status"] in _FINAL:
        return "stopped"
    return "stopped" if await upstream.cancel(request_id) else "running"


async def _sought(upstream: Upstream, trace: Trace) -> str | None:
    sent_at = trace.sent_at or 0.0
    until = sent_at + SUBMIT_SECONDS + SKEW_SECONDS
    return await upstream.look_up(trace.model, trace.payload, sent_at - SKEW_SECONDS, until)
