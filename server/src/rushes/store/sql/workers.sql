-- The truth about qworkers.

-- name: enrol!
-- Say that a qworker is here.
INSERT INTO qworkers (qworker_id, host, pid, version, lanes, slots)
VALUES (:qworker_id, :host, :pid, :version, :lanes, :slots);

-- name: seen!
-- A heartbeat.
UPDATE qworkers SET seen_at = clock_timestamp(), busy = :busy, draining = :draining WHERE qworker_id = :qworker_id;

-- name: left!
DELETE FROM qworkers WHERE qworker_id = :qworker_id;

-- name: alive
-- Every qworker heard of within the last three heartbeats.
SELECT qworker_id, host, pid, version, lanes, slots, busy, loaded, started_at, seen_at, draining
  FROM qworkers WHERE seen_at > clock_timestamp() - interval '30 seconds' ORDER BY started_at;

-- name: forget_dead!
DELETE FROM qworkers WHERE seen_at < clock_timestamp() - interval '1 hour';
