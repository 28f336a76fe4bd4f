"""What the OpenAPI document says of the operator's routes."""

from rushes.api.operation import Operation
from rushes.api.schema import TEXT, Schema

_FOR_OPERATORS = "For owners of the operator's organisation, and its keys with the scope operate."


def _operate(summary: str, answer: str, query: tuple[str, ...] = (), errors: tuple[str, ...] = ()) -> Operation:
    return Operation("Operate", summary, answer, query, errors=errors)


OPERATE_QUERY: dict[str, Schema] = {
    "before": {"type": "integer", "minimum": 0, "description": "Only what has a smaller event_n."},
    "span": {"type": "string", "enum": ["hour", "day"], "default": "hour"},
    "reason": {**TEXT, "description": "A line that is shown with the hold."},
}
OPERATE_OPERATIONS: dict[str, Operation] = {
    "operate_overview": _operate(f"What the platform does now. {_FOR_OPERATORS}", "OperateOverview"),
    "operate_queue": _operate("Who waits and runs, by lane, model and organisation.", "OperateQueue"),
    "operate_qworkers": _operate("The qworkers of the last hour and what they run.", "OperateQWorkers"),
    "operate_lanes": _operate("Lanes: who serves them, their lines, and why one is held.", "OperateLanes"),
    "operate_events": _operate(
        "What was done to lanes and qworkers and by whom, newest first.", "OperateEvents", ("limit", "before")
    ),
    "operate_series": _operate("What each minute of the last hour or day saw.", "OperateSeries", ("span",)),
    "pause_qworker": _operate(
        "Let a qworker claim nothing more; what it runs goes on.", "QWorkerTold", errors=("not_found",)
    ),
    "resume_qworker": _operate("Let a paused qworker claim again.", "QWorkerTold", errors=("not_found",)),
    "drain_qworker": _operate(
        "Let a qworker end: it finishes what it runs, or hands it back.", "QWorkerTold", errors=("not_found",)
    ),
    "hold_lane": _operate(
        "Claim nothing more from a lane; its queue is kept and takes more.", "Lane", ("reason",), ("not_found",)
    ),
    "resume_lane": _operate("Claim from a lane again.", "Lane", errors=("not_found",)),
}
