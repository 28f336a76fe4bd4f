-- Lanes: what is held and why, what a swap costs.

-- name: lanes
-- Every lane that was ever used or is served now.
SELECT lane, coalesce(l.held, false) AS held, l.cause, l.said, l.since, coalesce(l.failures, 0) AS failures, l.failing,
       l.load_seconds, (SELECT max(c.served_at) FROM lane_clocks c WHERE c.lane = names.lane) AS served_at
  FROM (SELECT lane FROM lanes UNION
        SELECT unnest(q.lanes) FROM qworkers q WHERE q.seen_at > clock_timestamp() - interval '30 seconds') names
  LEFT JOIN lanes l USING (lane) ORDER BY lane;

-- name: failed!
-- Count a failure of a lane's engine; the :limit-th in a row for one cause holds the lane. A request (:whose) counts
-- once, however often it was tried, so that one that no engine survives does not stop the others.
WITH before AS MATERIALIZED (
  SELECT lane, held, CASE WHEN failing = :cause THEN failures + 1 ELSE 1 END AS n FROM lanes
   WHERE lane = :lane AND (failing, last_failed) IS DISTINCT FROM (:cause::text, :whose::uuid)
     AND NOT (:served_elsewhere_is_well AND EXISTS (
       SELECT FROM qworkers q WHERE q.qworker_id <> :whose AND :lane = ANY (q.lanes) AND NOT q.draining
          AND q.seen_at > clock_timestamp() - interval '30 seconds')) FOR UPDATE
), held AS (
  UPDATE lanes l
     SET failures = before.n, failing = :cause, last_failed = :whose, held = l.held OR before.n >= :limit,
         cause = CASE WHEN l.held OR before.n < :limit THEN l.cause ELSE :cause END,
         said = CASE WHEN l.held OR before.n < :limit THEN l.said ELSE :said END,
         since = CASE WHEN l.held OR before.n < :limit THEN l.since ELSE clock_timestamp() END
    FROM before WHERE l.lane = before.lane RETURNING l.lane, l.held AND NOT before.held AS now_held
), event AS (
  INSERT INTO operate_events (kind, subject, actor, said)
  SELECT 'lane.held', lane, 'system', :cause || ': ' || :said FROM held WHERE now_held
)
SELECT pg_notify('rushes_lane', lane) FROM held WHERE now_held;

-- name: hold^
-- Hold a lane: its queue is kept and grows, nothing of it is claimed. Null for a lane that nobody knows.
WITH known AS (
  SELECT lane FROM lanes WHERE lane = :lane UNION
  SELECT :lane FROM qworkers q WHERE :lane = ANY (q.lanes) AND q.seen_at > clock_timestamp() - interval '30 seconds'
), held AS (
  INSERT INTO lanes AS l (lane, held, cause, said, since)
  SELECT lane, true, :cause, :said, clock_timestamp() FROM known
  ON CONFLICT (lane) DO UPDATE SET held = true, cause = excluded.cause, said = excluded.said,
     since = CASE WHEN l.held THEN l.since ELSE excluded.since END
  RETURNING lane
), event AS (
  INSERT INTO operate_events (kind, subject, actor, said) SELECT 'lane.held', lane, :actor, :said FROM held
)
SELECT lane, pg_notify('rushes_lane', lane) FROM held;

-- name: resume^
-- Claim from a lane again; what it had failed is forgotten. Null for a lane that nobody knows.
WITH resumed AS (
  UPDATE lanes SET held = false, cause = NULL, said = NULL, failures = 0, failing = NULL, last_failed = NULL,
                   since = clock_timestamp()
   WHERE lane = :lane RETURNING lane
), event AS (
  INSERT INTO operate_events (kind, subject, actor, said) SELECT 'lane.resumed', lane, :actor, NULL FROM resumed
)
SELECT lane, pg_notify('rushes_lane', lane), pg_notify('rushes_queue', lane) FROM resumed;

-- name: held_lanes
SELECT lane, cause, said, since FROM lanes WHERE held;
