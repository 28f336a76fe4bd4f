-- What an operator looks at: the whole platform, over all organisations.

-- name: overview^
-- Figures of now, and of the last five minutes. What waits is what is unfinished and does not run: counting the queue
-- itself would read it.
WITH open AS (
  SELECT count(*) AS running FROM attempts WHERE finished_at IS NULL
), recent AS (
  SELECT count(*) FILTER (WHERE status = 'queued' AND n = 1) AS submitted, count(wait_seconds) AS started,
         count(*) FILTER (WHERE status = 'success') AS finished, count(*) FILTER (WHERE status = 'failed') AS failed,
         count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_seconds) AS wait_p50,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY wait_seconds) AS wait_p95
    FROM happenings WHERE at >= clock_timestamp() - interval '5 minutes'
), alive AS (
  SELECT count(*) AS qworkers, coalesce(sum(slots), 0) AS slots, coalesce(sum(busy), 0) AS busy FROM qworkers
   WHERE seen_at > clock_timestamp() - interval '30 seconds'
)
SELECT clock_timestamp() AS now, open.running, recent.*, alive.*,
       (SELECT coalesce(sum(unfinished), 0) FROM organisations) - open.running AS waiting,
       (SELECT count(*) FROM lanes WHERE held) AS held_lanes
  FROM open, recent, alive;

-- name: queue
-- Waiting and running by lane, model and organisation. Of a longer line than :limit only that much is counted.
WITH waiting AS MATERIALIZED (
  SELECT lanes.lane, w.model, w.org_id, count(*) AS queued, min(w.queued_at) AS oldest
    FROM lanes CROSS JOIN LATERAL (
      (SELECT model, org_id, queued_at FROM requests WHERE waiting AND NOT limited AND lane = lanes.lane
        ORDER BY priority DESC, start_tag, request_id LIMIT :limit)
      UNION ALL
      (SELECT model, org_id, queued_at FROM requests WHERE waiting AND limited AND lane = lanes.lane
        ORDER BY -priority, start_tag, request_id LIMIT :limit)) w
   GROUP BY lanes.lane, w.model, w.org_id
), running AS MATERIALIZED (
  SELECT r.lane, r.model, r.org_id, count(*) AS running FROM attempts a JOIN requests r USING (request_id, attempt)
   WHERE a.finished_at IS NULL GROUP BY r.lane, r.model, r.org_id
)
SELECT lane, model, org_id, o.name AS organisation, coalesce(waiting.queued, 0) AS queued,
       coalesce(running.running, 0) AS running, waiting.oldest
  FROM waiting FULL JOIN running USING (lane, model, org_id) JOIN organisations o USING (org_id)
 ORDER BY 5 DESC, 6 DESC, lane, model, org_id;

-- name: qworkers
-- Every qworker of the last hour and what it runs; ages by the server's clock.
SELECT q.*, extract(epoch FROM clock_timestamp() - q.seen_at)::float8 AS age_seconds,
       (SELECT coalesce(json_agg(json_build_object('request_id', r.request_id, 'attempt', r.attempt, 'model', r.model,
                 'status', r.status, 'stage', r.stage, 'progress', r.progress,
                 'claimed_at', floor(extract(epoch FROM a.claimed_at))) ORDER BY a.claimed_at), '[]')
          FROM attempts a JOIN requests r USING (request_id, attempt)
         WHERE a.finished_at IS NULL AND a.qworker_id = q.qworker_id) AS requests
  FROM qworkers q ORDER BY q.started_at, q.qworker_id;

-- name: events
-- The latest things done to lanes and qworkers, newest first.
SELECT event_n, at, kind, subject, actor, said FROM operate_events
 WHERE :before::bigint IS NULL OR event_n < :before::bigint ORDER BY event_n DESC LIMIT :limit;

-- name: forget_old!
WITH old AS (DELETE FROM operate_events WHERE at < clock_timestamp() - :age::interval)
DELETE FROM minutes WHERE minute < clock_timestamp() - :age::interval;

-- name: roll_up!
-- Keep the figures of minutes that are over. Whoever wrote an event in them has committed or was timed out.
WITH span AS MATERIALIZED (
  SELECT greatest((SELECT max(minute) + interval '1 minute' FROM minutes), until - interval '1 day') AS since, until
    FROM (SELECT date_trunc('minute', clock_timestamp() - interval '15 seconds') AS until) over
), counted AS (
  SELECT date_trunc('minute', at) AS minute, count(*) FILTER (WHERE status = 'queued' AND n = 1) AS submitted,
         count(wait_seconds) AS started, count(*) FILTER (WHERE status = 'success') AS finished,
         count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_seconds) AS wait_p50,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY wait_seconds) AS wait_p95
    FROM happenings WHERE at >= (SELECT since FROM span) AND at < (SELECT until FROM span) GROUP BY 1
)
INSERT INTO minutes
SELECT m.minute, coalesce(submitted, 0), coalesce(started, 0), coalesce(finished, 0), coalesce(failed, 0),
       coalesce(cancelled, 0), wait_p50, wait_p95
  FROM span CROSS JOIN LATERAL generate_series(since, until - interval '1 minute', interval '1 minute') AS m (minute)
  LEFT JOIN counted USING (minute)
ON CONFLICT DO NOTHING;

-- name: series
-- The last :count minutes that anything is known of: those kept, and the latest straight from the events.
WITH span AS MATERIALIZED (
  SELECT since, greatest(since, (SELECT max(minute) + interval '1 minute' FROM minutes)) AS kept_until
    FROM (SELECT date_trunc('minute', clock_timestamp()) - (:count - 1) * interval '1 minute' AS since) first
)
SELECT minute, submitted, started, finished, failed, cancelled, wait_p50, wait_p95 FROM minutes
 WHERE minute >= (SELECT since FROM span)
UNION ALL
SELECT date_trunc('minute', at), count(*) FILTER (WHERE status = 'queued' AND n = 1), count(wait_seconds),
       count(*) FILTER (WHERE status = 'success'), count(*) FILTER (WHERE status = 'failed'),
       count(*) FILTER (WHERE status = 'cancelled'), percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_seconds),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY wait_seconds)
  FROM happenings WHERE at >= (SELECT kept_until FROM span) GROUP BY 1
 ORDER BY 1;

-- name: now$
SELECT clock_timestamp();
