-- The truth about qworkers.

-- name: enrol!
-- Say that a qworker is here.
WITH new AS (
  INSERT INTO qworkers (qworker_id, host, pid, version, lanes, slots)
  VALUES (:qworker_id, :host, :pid, :version, :lanes, :slots) RETURNING qworker_id, host
)
INSERT INTO operate_events (kind, subject, actor, said) SELECT 'qworker.joined', qworker_id::text, 'system', host FROM new;

-- name: seen$
-- A heartbeat; what the qworker was told to do.
UPDATE qworkers SET seen_at = clock_timestamp(), busy = :busy, draining = :draining, loaded = :loaded,
                    memory_bytes = :memory_bytes
 WHERE qworker_id = :qworker_id RETURNING ordered;

-- name: refuse!
-- A model that a qworker cannot serve and why; `lanes` is what it still claims from.
UPDATE qworkers SET lanes = :lanes, refused = :refused WHERE qworker_id = :qworker_id;

-- name: order^
-- Tell a qworker to run, pause or drain. Null if there is no such qworker. Who drains does not come back.
WITH told AS (
  UPDATE qworkers SET ordered = CASE WHEN ordered = 'drain' THEN ordered ELSE :ordered END
   WHERE qworker_id = :qworker_id RETURNING qworker_id, ordered, busy
), event AS (
  INSERT INTO operate_events (kind, subject, actor) SELECT :kind, qworker_id::text, :actor FROM told
   WHERE ordered = :ordered
)
SELECT told.*, pg_notify('rushes_qworker', qworker_id || ' ' || ordered) FROM told;

-- name: loaded!
-- What loading a lane's model took just now; the figure that is kept moves half-way to it.
INSERT INTO lanes AS l (lane, load_seconds) VALUES (:lane, :seconds)
ON CONFLICT (lane) DO UPDATE SET load_seconds = (coalesce(l.load_seconds, excluded.load_seconds) + excluded.load_seconds) / 2;

-- name: left!
WITH gone AS (DELETE FROM qworkers WHERE qworker_id = :qworker_id RETURNING qworker_id, host)
INSERT INTO operate_events (kind, subject, actor, said) SELECT 'qworker.left', qworker_id::text, 'system', host FROM gone;

-- name: alive
-- Every qworker heard of within the last three heartbeats.
SELECT qworker_id, host, pid, version, lanes, slots, busy, loaded, started_at, seen_at, draining
  FROM qworkers WHERE seen_at > clock_timestamp() - interval '30 seconds' ORDER BY started_at;

-- name: forget_dead!
WITH gone AS (
  DELETE FROM qworkers WHERE seen_at < clock_timestamp() - interval '1 hour' RETURNING qworker_id, host)
INSERT INTO operate_events (kind, subject, actor, said) SELECT 'qworker.lost', qworker_id::text, 'system', host FROM gone;
