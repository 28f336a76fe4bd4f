"""The JSON bodies of the operator's routes."""

from rushes.api.schema import (
    ID,
    MOMENT,
    NUMBER,
    OBJECT,
    STATUS,
    TEXT,
    WHOLE,
    YES_NO,
    Schema,
    many,
    maybe,
    ref,
    said,
    thing,
)

_WAITS: dict[str, Schema] = {
    "wait_p50_seconds": said(maybe(NUMBER), "From queued to started, of the requests that started; null if none did."),
    "wait_p95_seconds": maybe(NUMBER),
}
_COUNTS: dict[str, Schema] = {
    "submitted": WHOLE,
    "started": said(WHOLE, "For the first time."),
    "finished": said(WHOLE, "With success."),
    "failed": WHOLE,
    "cancelled": WHOLE,
}

OPERATE_SCHEMAS: dict[str, Schema] = {
    "OperateOverview": thing(
        at=said(MOMENT, "The server's clock, which all times here come from."),
        waiting=WHOLE,
        running=WHOLE,
        qworkers=said(WHOLE, "Heard of within the last 30 seconds."),
        slots=said(WHOLE, "Of those."),
        busy=said(WHOLE, "Slots whose engine is taken."),
        held_lanes=WHOLE,
        recent=thing(seconds=said(WHOLE, "How far back the next figures reach."), **_COUNTS, **_WAITS),
    ),
    "OperateQueue": thing(
        queue=many(
            thing(
                lane=TEXT,
                model=TEXT,
                org_id=ID,
                organisation=TEXT,
                queued=WHOLE,
                running=WHOLE,
                oldest_queued_at=maybe(MOMENT),
            )
        ),
        counted=said(WHOLE, "Of a lane's line no more than this many requests are counted."),
    ),
    "OperateQWorkers": thing(
        qworkers=many(ref("QWorker")),
        lease_seconds=said(NUMBER, "Without a heartbeat for so long, what a qworker holds is given to others."),
    ),
    "QWorker": thing(
        qworker_id=ID,
        host=TEXT,
        pid=WHOLE,
        version=TEXT,
        state={"type": "string", "enum": ["idle", "busy", "paused", "draining", "lost"]},
        lanes=many(TEXT),
        loaded=said(many(TEXT), "Models whose weights it holds."),
        refused=said(OBJECT, "Models it cannot serve, and why."),
        slots=WHOLE,
        busy=WHOLE,
        memory_bytes=said(maybe(WHOLE), "Of the qworker and its engines' processes."),
        requests=many(
            thing(
                request_id=ID,
                attempt=WHOLE,
                model=TEXT,
                status=STATUS,
                stage=maybe(TEXT),
                progress=WHOLE,
                claimed_at=MOMENT,
            )
        ),
        started_at=MOMENT,
        seen_at=MOMENT,
        age_seconds=said(NUMBER, "Since its last heartbeat, by the server's clock."),
    ),
    "OperateLanes": thing(lanes=many(ref("Lane"))),
    "Lane": thing(
        lane=said(TEXT, "An engine without weights, or an engine and a model."),
        engine=said(TEXT, "And its table in engines.toml, where that is not called like it."),
        model=maybe(TEXT),
        state=said(
            {"type": "string", "enum": ["open", "held", "unserved"]}, "unserved: no qworker that is alive serves it."
        ),
        cause=said(maybe(TEXT), "Why it is held: operator, or the code of the failures in a row."),
        said=maybe(TEXT),
        since=said(maybe(MOMENT), "Held, or resumed, since then."),
        failures=said(WHOLE, "Different requests in a row that failed for the cause `failing`; three hold the lane."),
        failing=maybe(TEXT),
        queued=WHOLE,
        queued_is_capped=said(YES_NO, "At least so many wait; no more were counted."),
        running=WHOLE,
        oldest_queued_at=maybe(MOMENT),
        served_at=said(maybe(MOMENT), "When something was claimed from it last."),
        qworkers=WHOLE,
        slots=WHOLE,
        load_seconds=said(maybe(NUMBER), "What loading its model takes, as measured; null before the first time."),
        refused_by=many(thing(qworker_id=ID, host=TEXT, model=TEXT, reason=TEXT)),
    ),
    "OperateEvents": thing(
        events=many(
            thing(
                event_n=WHOLE,
                at=MOMENT,
                kind=said(
                    TEXT,
                    "lane.held, lane.resumed, work.left (nobody stops it elsewhere), qworker.joined, left, lost, "
                    "paused, resumed or drained.",
                ),
                subject=said(TEXT, "A lane, or the id of a qworker."),
                actor=said(TEXT, "A person's e-mail, a key's id, command line, or system."),
                said=maybe(TEXT),
            )
        )
    ),
    "OperateSeries": thing(
        span={"type": "string", "enum": ["hour", "day"]},
        step_seconds=WHOLE,
        points=said(
            many(thing(at=said(MOMENT, "Where the minute begins."), **_COUNTS, **_WAITS)), "Oldest first, without gaps."
        ),
    ),
    "QWorkerTold": thing(
        qworker_id=ID,
        ordered=said(
            {"type": "string", "enum": ["run", "pause", "drain"]}, "Who was told to drain does not come back."
        ),
        busy=said(WHOLE, "Requests that go on."),
    ),
}
