-- The claim: who runs next.

-- name: claim
-- Take up to :slots queued requests of some lanes. Within a lane: priority, then the fair order. Between lanes: those
-- that are :ready (loaded, or without weights; null: all), and others whose neglect has lasted for twice the time that
-- a swap takes; there priority, then the lane neglected longest, in turns. A lane that would cost a swap comes last.
-- wanted: a lane that is held, and a qworker that was told to pause, leave nothing.
-- crowd: the organisations that have limited requests waiting in a lane, one look into their index for each; room: how
-- many more of each may run. What waits beyond that is never read.
-- heads: the best of each lane, one scan of the claim index each, some more than wanted because others may be taking the
-- first ones: 128 for the 64 slots that a qworker has at most. A constant, so that the one plan knows it is few.
-- (One scan for all lanes, lane = ANY(...), comes without an order: it read and sorted the whole queue, 30 ms at
-- 100,000.) CASE, because the planner takes <> ALL to leave nothing of a queue of few organisations. An organisation
-- that has got a limit since it submitted is passed over there.
-- limited, lane_limited: the rows of limits are locked, so that claims at the same time cannot pass one together. Locks
-- are taken requests first, then organisations in order, then limits of lanes in order, as in conclude.
-- clocks: the lane's virtual clock goes on, unless another claim is just setting it to nearly the same.
WITH RECURSIVE wanted AS MATERIALIZED (
  SELECT named.lane, coalesce(named.lane = ANY(:ready::text[]), true) AS ready,
         ARRAY(SELECT o.org_id FROM organisations o WHERE o.max_running IS NOT NULL AND o.running >= o.max_running
               UNION ALL SELECT l.org_id FROM lane_limits l WHERE l.lane = named.lane AND l.running >= l.max_running) AS full_orgs
    FROM unnest(:lanes::text[]) AS named (lane)
   WHERE NOT EXISTS (SELECT FROM lanes WHERE lanes.lane = named.lane AND lanes.held)
     AND NOT EXISTS (SELECT FROM qworkers q WHERE q.qworker_id = :qworker_id AND q.ordered <> 'run')
), crowd AS (
  SELECT w.lane, (SELECT r.org_id FROM requests r WHERE r.waiting AND r.limited AND r.lane = w.lane
                   ORDER BY r.org_id LIMIT 1) AS org_id FROM wanted w
  UNION ALL
  SELECT c.lane, (SELECT r.org_id FROM requests r WHERE r.waiting AND r.limited AND r.lane = c.lane
                   AND r.org_id > c.org_id ORDER BY r.org_id LIMIT 1) FROM crowd c WHERE c.org_id IS NOT NULL
), room AS MATERIALIZED (
  SELECT crowd.lane, crowd.org_id, least(o.max_running - o.running, l.max_running - l.running, :slots) AS n
    FROM crowd JOIN organisations o USING (org_id)
    LEFT JOIN lane_limits l ON l.org_id = crowd.org_id AND l.lane = crowd.lane
), heads AS MATERIALIZED (
  SELECT wanted.lane, head.* FROM wanted CROSS JOIN LATERAL (
    SELECT w.request_id, w.priority, w.start_tag, w.queued_at FROM requests w
     WHERE w.waiting AND NOT w.limited AND w.lane = wanted.lane AND w.not_before <= clock_timestamp()
       AND CASE WHEN w.org_id = ANY (wanted.full_orgs) OR w.model = ANY (:refused::text[]) THEN false
                WHEN w.avoid = :qworker_id THEN NOT EXISTS (
                  SELECT FROM qworkers q WHERE q.qworker_id <> :qworker_id AND w.lane = ANY (q.lanes)
                     AND q.ordered = 'run' AND NOT q.draining AND q.seen_at > clock_timestamp() - interval '30 seconds')
                ELSE true END
     ORDER BY w.priority DESC, w.start_tag, w.request_id LIMIT 128) head
  UNION ALL
  SELECT room.lane, head.* FROM room CROSS JOIN LATERAL (
    SELECT w.request_id, w.priority, w.start_tag, w.queued_at FROM requests w
     WHERE w.waiting AND w.limited AND w.lane = room.lane AND w.org_id = room.org_id
       AND w.not_before <= clock_timestamp()
       AND CASE WHEN w.model = ANY (:refused::text[]) THEN false
                WHEN w.avoid = :qworker_id THEN NOT EXISTS (
                  SELECT FROM qworkers q WHERE q.qworker_id <> :qworker_id AND w.lane = ANY (q.lanes)
                     AND q.ordered = 'run' AND NOT q.draining AND q.seen_at > clock_timestamp() - interval '30 seconds')
                ELSE true END
     ORDER BY w.priority DESC, w.start_tag, w.request_id LIMIT room.n) head
   WHERE room.n > 0
), neglect AS MATERIALIZED (
  SELECT oldest.lane, waited.seconds,
         NOT wanted.ready AND waited.seconds <= 2 * coalesce(lanes.load_seconds, :swap_seconds) AS costs_a_swap
    FROM (SELECT heads.lane, min(heads.queued_at) AS queued_at FROM heads GROUP BY heads.lane) oldest
    JOIN wanted USING (lane) LEFT JOIN lanes USING (lane) CROSS JOIN LATERAL (
      SELECT extract(epoch FROM clock_timestamp() - greatest(oldest.queued_at,
               (SELECT max(c.served_at) FROM lane_clocks c WHERE c.lane = oldest.lane)))::float8 AS seconds) waited
), ranked AS MATERIALIZED (
  SELECT heads.request_id, neglect.costs_a_swap, neglect.seconds, heads.priority, heads.start_tag,
         row_number() OVER (PARTITION BY heads.lane ORDER BY heads.priority DESC, heads.start_tag, heads.request_id) AS nth
    FROM heads JOIN neglect USING (lane)
   ORDER BY costs_a_swap, priority DESC, nth, seconds DESC, start_tag, request_id LIMIT :slots + 64
), next AS MATERIALIZED (
  SELECT r.request_id, r.org_id, r.lane, r.priority, r.start_tag FROM requests r JOIN ranked USING (request_id)
   WHERE r.waiting AND r.not_before <= clock_timestamp()
   ORDER BY ranked.costs_a_swap, ranked.priority DESC, ranked.nth, ranked.seconds DESC, r.start_tag, r.request_id
   LIMIT :slots FOR UPDATE OF r SKIP LOCKED
), limited AS MATERIALIZED (
  SELECT o.org_id, o.max_running - o.running AS room FROM organisations o
   WHERE o.max_running IS NOT NULL AND o.org_id IN (SELECT org_id FROM next) ORDER BY o.org_id FOR UPDATE
), lane_limited AS MATERIALIZED (
  SELECT l.org_id, l.lane, l.max_running - l.running AS room FROM lane_limits l
   WHERE (l.org_id, l.lane) IN (SELECT org_id, lane FROM next) AND (SELECT count(*) FROM limited) >= 0
   ORDER BY l.org_id, l.lane FOR UPDATE
), fitting AS MATERIALIZED (
  SELECT ranked.* FROM (
    SELECT next.*, row_number() OVER (PARTITION BY org_id, lane ORDER BY priority DESC, start_tag, request_id) AS nth
      FROM next) ranked LEFT JOIN lane_limited USING (org_id, lane)
   WHERE lane_limited.org_id IS NULL OR ranked.nth <= lane_limited.room
), chosen AS MATERIALIZED (
  SELECT ranked.request_id, ranked.org_id, ranked.lane FROM (
    SELECT fitting.request_id, org_id, lane,
           row_number() OVER (PARTITION BY org_id ORDER BY priority DESC, start_tag, request_id) AS nth
      FROM fitting) ranked LEFT JOIN limited USING (org_id)
   WHERE limited.org_id IS NULL OR ranked.nth <= limited.room
), counted AS (
  UPDATE organisations o SET running = o.running + taken.n
    FROM (SELECT org_id, count(*)::integer AS n FROM chosen JOIN limited USING (org_id) GROUP BY org_id) taken
   WHERE o.org_id = taken.org_id
), lane_counted AS (
  UPDATE lane_limits l SET running = l.running + taken.n
    FROM (SELECT org_id, lane, count(*)::integer AS n FROM chosen JOIN lane_limited USING (org_id, lane)
           GROUP BY org_id, lane) taken
   WHERE l.org_id = taken.org_id AND l.lane = taken.lane
), claimed AS (
  UPDATE requests r
     SET status = 'dispatched', waiting = false, attempt = r.attempt + 1, tries = r.tries + 1,
         qworker_id = :qworker_id, lease_until = clock_timestamp() + :lease, progress = 0, stage = NULL,
         event_n = r.event_n + 1, updated_at = clock_timestamp()
    FROM chosen WHERE r.request_id = chosen.request_id
  RETURNING r.*
), clocks AS MATERIALIZED (
  SELECT c.lane, c.priority FROM lane_clocks c
   WHERE (c.lane, c.priority) IN (SELECT lane, priority FROM claimed) FOR UPDATE SKIP LOCKED
), ticked AS (
  UPDATE lane_clocks c SET served_tag = greatest(c.served_tag, latest.tag), served_at = clock_timestamp()
    FROM (SELECT lane, priority, max(start_tag) AS tag FROM claimed GROUP BY lane, priority) latest
    JOIN clocks USING (lane, priority)
   WHERE c.lane = latest.lane AND c.priority = latest.priority
), tried AS (
  INSERT INTO attempts (request_id, attempt, qworker_id) SELECT request_id, attempt, qworker_id FROM claimed
), event AS (
  INSERT INTO events (request_id, n, org_id, status, attempt)
  SELECT request_id, event_n, org_id, status, attempt FROM claimed
), box AS (
  INSERT INTO outbox (event_id, request_id, org_id, status, url, endpoint_id)
  SELECT 'evt_' || request_id || '_' || event_n, request_id, org_id, status, target_url, target_endpoint
    FROM claimed, webhook_targets(org_id, 'request.dispatched', webhook_url, webhook_events)
)
SELECT claimed.*, pg_notify('rushes_request', request_id || ' dispatched') FROM claimed ORDER BY priority DESC, start_tag, request_id;

-- name: next_due$
-- Seconds until the first request that was put off may be claimed, null when there is none; of the first hundred of each
-- lane, because those behind have others to go before them. One that came due since the claim before is in it too.
SELECT extract(epoch FROM min(head.not_before) - clock_timestamp())::float8
  FROM unnest(:lanes::text[]) AS wanted (lane) CROSS JOIN LATERAL (
    (SELECT w.not_before FROM requests w WHERE w.waiting AND NOT w.limited AND w.lane = wanted.lane
      ORDER BY w.priority DESC, w.start_tag, w.request_id LIMIT 100)
    UNION ALL
    (SELECT w.not_before FROM requests w WHERE w.waiting AND w.limited AND w.lane = wanted.lane
      ORDER BY -w.priority, w.start_tag, w.request_id LIMIT 100)) head
 WHERE head.not_before > clock_timestamp() - interval '1 second';
