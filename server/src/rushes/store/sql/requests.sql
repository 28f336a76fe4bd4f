-- The life of a request, statement by statement. Every later write of an attempt carries the fence (attempt = :attempt).

-- name: submit
-- Admit requests, those of one organisation all together or not at all: its row is locked, balance, queue limit and the
-- spending limits of its keys are checked for the sum, and the quotes are held; requests, first events and (if wanted)
-- webhook rows appear together. An organisation whose requests do not come back was refused and nothing was done for it.
-- Locks are taken organisations first and in order, then their keys, then fair tags and limits of lanes in order, here
-- and in conclude.
-- start_tag: start-time fair queueing (Goyal, Vin and Cheng, 1996), for each priority of a lane. A request starts where
-- the one before it of its organisation ends, but never before what is being served now; `work` is what it asks for over
-- the organisation's weight, `before` the work ahead of it in this statement. ON CONFLICT sees the row as it is now, not
-- as it was when the statement began to wait for its organisation.
WITH new AS MATERIALIZED (
  SELECT * FROM json_to_recordset(:requests) AS n (place integer, request_id uuid, org_id uuid, user_id uuid,
      key_id text, model text, engine text, lane text, priority integer, cost double precision, payload json,
      params json, plan json, media json, fault json, warnings json, metadata json, webhook_url text,
      webhook_events text[], expires_after integer, quote_micro bigint, max_queued integer, group_id uuid)
), locked AS MATERIALIZED (
  SELECT o.org_id, o.balance_micro - o.held_micro AS free_micro, o.unfinished, o.weight, o.max_running
    FROM organisations o
   WHERE o.org_id IN (SELECT new.org_id FROM new) ORDER BY o.org_id FOR NO KEY UPDATE
), keys AS MATERIALIZED (
  SELECT k.key_id, k.org_id, k.spend_limit_micro - k.spent_micro - k.held_micro AS free_micro FROM api_keys k
   WHERE (k.key_id, k.org_id) IN (SELECT new.key_id, locked.org_id FROM new JOIN locked USING (org_id))
   ORDER BY k.key_id FOR NO KEY UPDATE
), spent AS MATERIALIZED (
  SELECT new.org_id, new.key_id, sum(new.quote_micro)::bigint AS quote_micro
    FROM new JOIN keys USING (org_id, key_id) GROUP BY new.org_id, new.key_id
), admitted AS MATERIALIZED (
  SELECT new.org_id, sum(new.quote_micro)::bigint AS quote_micro, count(*)::integer AS n
    FROM new JOIN locked USING (org_id) GROUP BY new.org_id
  HAVING coalesce(min(locked.free_micro) >= sum(new.quote_micro), true)
     AND coalesce(min(locked.unfinished) + count(*) <= min(new.max_queued), true)
     AND NOT EXISTS (SELECT FROM spent JOIN keys USING (org_id, key_id)
                      WHERE spent.org_id = new.org_id AND spent.quote_micro > keys.free_micro)
), ahead AS MATERIALIZED (
  SELECT new.*, new.cost / locked.weight AS work,
         sum(new.cost / locked.weight) OVER (PARTITION BY new.org_id, new.lane, new.priority ORDER BY new.place)
           - new.cost / locked.weight AS before,
         locked.max_running IS NOT NULL
           OR EXISTS (SELECT FROM lane_limits l WHERE l.org_id = new.org_id AND l.lane = new.lane) AS limited
    FROM new JOIN admitted USING (org_id) JOIN locked USING (org_id)
), known AS (
  INSERT INTO lanes (lane) SELECT DISTINCT ahead.lane FROM ahead
   WHERE NOT EXISTS (SELECT FROM lanes WHERE lanes.lane = ahead.lane) ON CONFLICT DO NOTHING
), clocks AS (
  INSERT INTO lane_clocks (lane, priority) SELECT DISTINCT ahead.lane, ahead.priority FROM ahead
   WHERE NOT EXISTS (SELECT FROM lane_clocks c WHERE c.lane = ahead.lane AND c.priority = ahead.priority)
  ON CONFLICT DO NOTHING
), tags AS (
  INSERT INTO fair_tags AS f (org_id, lane, priority, start_tag, finish_tag)
  SELECT asked.org_id, asked.lane, asked.priority, coalesce(c.served_tag, 0), coalesce(c.served_tag, 0) + asked.work
    FROM (SELECT org_id, lane, priority, sum(work) AS work FROM ahead GROUP BY org_id, lane, priority) asked
    LEFT JOIN lane_clocks c USING (lane, priority)
   ORDER BY asked.org_id, asked.lane, asked.priority
  ON CONFLICT (org_id, lane, priority) DO UPDATE
     SET start_tag = greatest(f.finish_tag, excluded.start_tag),
         finish_tag = greatest(f.finish_tag, excluded.start_tag) + (excluded.finish_tag - excluded.start_tag)
  RETURNING f.org_id, f.lane, f.priority, f.start_tag
), placed AS MATERIALIZED (
  SELECT ahead.*, tags.start_tag + ahead.before AS start_tag
    FROM ahead JOIN tags USING (org_id, lane, priority)
), org AS (
  UPDATE organisations o
     SET held_micro = o.held_micro + admitted.quote_micro, unfinished = o.unfinished + admitted.n
    FROM admitted WHERE o.org_id = admitted.org_id
), key AS (
  UPDATE api_keys k SET held_micro = k.held_micro + spent.quote_micro
    FROM spent JOIN admitted USING (org_id) WHERE k.key_id = spent.key_id
), request AS (
  INSERT INTO requests (request_id, org_id, user_id, key_id, model, engine, lane, status, waiting, limited, priority,
                        start_tag, payload, params, plan, media, fault, warnings, metadata, webhook_url, webhook_events,
                        expires_after, quote_micro, group_id, event_n)
  SELECT request_id, org_id, user_id, key_id, model, engine, lane, 'queued', true, limited, priority, start_tag,
         payload, params, plan, media, fault, warnings, metadata, webhook_url, webhook_events,
         expires_after, quote_micro, group_id, 1
    FROM placed
  RETURNING *
), event AS (
  INSERT INTO events (request_id, n, org_id, status, attempt)
  SELECT request_id, 1, org_id, 'queued', 0 FROM request
), box AS (
  INSERT INTO outbox (event_id, request_id, org_id, status, url, endpoint_id)
  SELECT 'evt_' || request_id || '_1', request_id, org_id, 'queued', target_url, target_endpoint
    FROM request, webhook_targets(org_id, 'request.queued', webhook_url, webhook_events)
), woken AS MATERIALIZED (
  SELECT pg_notify('rushes_queue', used.lane) FROM (SELECT DISTINCT lane FROM request) used
)
SELECT request.*, (SELECT count(*) FROM woken) FROM request;

-- name: why_refused^
-- What stood in the way of a submit.
SELECT o.balance_micro, o.held_micro, o.unfinished,
       coalesce(k.spent_micro + k.held_micro + :quote_micro > k.spend_limit_micro, false) AS key_is_spent
  FROM organisations o LEFT JOIN api_keys k ON k.key_id = :key_id AND k.org_id = o.org_id
 WHERE o.org_id = :org_id;

-- name: remember_submits
-- Take idempotency keys inside the submit transaction; the request ids of those that nobody holds come back. A racing
-- holder is waited for, so they are taken in one order everywhere. Twice in one statement, a key is taken once.
INSERT INTO idempotency (org_id, key, body_hash, request_id)
SELECT once.* FROM unnest(:org_ids::uuid[], :keys::text[], :body_hashes::bytea[], :request_ids::uuid[])
    AS once (org_id, key, body_hash, request_id) ORDER BY once.org_id, once.key
ON CONFLICT (org_id, key) DO NOTHING RETURNING request_id;

-- name: remember_answers!
-- Keep the first answers, byte for byte, in the same transaction.
UPDATE idempotency i SET answer = given.answer
  FROM unnest(:org_ids::uuid[], :keys::text[], :answers::text[]) AS given (org_id, key, answer)
 WHERE i.org_id = given.org_id AND i.key = given.key;

-- name: keep_answer$
-- Keep the first answer of a call that is no submit; null when the key has one already.
INSERT INTO idempotency (org_id, key, body_hash, request_id, answer)
VALUES (:org_id, :key, :body_hash, gen_random_uuid(), :answer) ON CONFLICT (org_id, key) DO NOTHING RETURNING true;

-- name: give_keys_back!
-- A refusal does not use up its key.
DELETE FROM idempotency i USING unnest(:org_ids::uuid[], :keys::text[]) AS refused (org_id, key)
 WHERE i.org_id = refused.org_id AND i.key = refused.key;

-- name: remembered^
-- What an idempotency key was first used for.
SELECT body_hash, request_id, answer FROM idempotency WHERE org_id = :org_id AND key = :key;

-- name: forget_old_keys!
DELETE FROM idempotency WHERE created_at < clock_timestamp() - interval '48 hours';

-- name: begin^
-- dispatched -> processing, under the fence.
WITH begun AS (
  UPDATE requests SET status = 'processing', stage = :stage, started_at = coalesce(started_at, clock_timestamp()),
                      event_n = event_n + 1, updated_at = clock_timestamp()
   WHERE request_id = :request_id AND attempt = :attempt AND status = 'dispatched'
  RETURNING *
), event AS (
  INSERT INTO events (request_id, n, org_id, status, attempt)
  SELECT request_id, event_n, org_id, status, attempt FROM begun
), box AS (
  INSERT INTO outbox (event_id, request_id, org_id, status, url, endpoint_id)
  SELECT 'evt_' || request_id || '_' || event_n, request_id, org_id, status, target_url, target_endpoint
    FROM begun, webhook_targets(org_id, 'request.processing', webhook_url, webhook_events)
)
SELECT request_id, pg_notify('rushes_request', request_id || ' processing') FROM begun;

-- name: progress!
-- The latest progress, under the fence; never falls within an attempt.
UPDATE requests SET progress = greatest(progress, :progress::smallint), stage = :stage, updated_at = clock_timestamp()
 WHERE request_id = :request_id AND attempt = :attempt AND status IN ('dispatched', 'processing');

-- name: note_stages!
UPDATE attempts SET stages = :stages WHERE request_id = :request_id AND attempt = :attempt;

-- name: remember$
-- An engine's remote id, under the fence; null if the attempt is no longer current.
UPDATE requests SET remembered = :ref
 WHERE request_id = :request_id AND attempt = :attempt AND status IN ('dispatched', 'processing') RETURNING true;

-- name: renew
-- Renew every lease a qworker holds, in one statement; what does not come back is no longer its own. With the attempt's
-- number, because a qworker may hold a new attempt of a request whose old one it has not yet let go.
-- A row that is being written is passed over, not waited for: one finish that waits for a lock must not cost the leases of
-- all the others. It counts as held while its lease goes on. Where that has ended a rescue may be what writes: we wait.
WITH held AS MATERIALIZED (
  SELECT r.request_id, r.attempt, r.lease_until < clock_timestamp() AS late
    FROM requests r JOIN unnest(:request_ids::uuid[], :attempts::integer[]) AS held (request_id, attempt)
      ON r.request_id = held.request_id AND r.attempt = held.attempt AND r.status IN ('dispatched', 'processing')
), free AS MATERIALIZED (
  SELECT r.request_id, r.attempt FROM requests r JOIN held USING (request_id, attempt)
   WHERE NOT held.late AND r.status IN ('dispatched', 'processing') FOR NO KEY UPDATE OF r SKIP LOCKED
), due AS (
  SELECT request_id, attempt FROM free UNION ALL SELECT request_id, attempt FROM held WHERE late
), renewed AS (
  UPDATE requests r SET lease_until = clock_timestamp() + :lease FROM due
   WHERE r.request_id = due.request_id AND r.attempt = due.attempt AND r.status IN ('dispatched', 'processing')
  RETURNING r.request_id, r.attempt
)
SELECT request_id, attempt FROM renewed UNION SELECT request_id, attempt FROM held WHERE NOT late;

-- name: hold!
-- Wait for whoever writes a request. What follows in the transaction sees the attempt that a claim has just made.
SELECT FROM requests WHERE request_id = :request_id AND org_id = :org_id FOR NO KEY UPDATE;

-- name: conclude^
-- The one way a request ends. Only if it may still end so: status and outcome, event, webhook row, usage row, the money
-- held and the attempt's record, in one statement. :attempt null is a cancel or an expiry (nobody's attempt).
-- elsewhere: without success, what its engine began at another server is to be stopped there (work_elsewhere.sql). An
-- attempt that is running is given ten seconds to do so itself.
WITH ended AS (
  UPDATE requests r
     SET status = :status, waiting = false, lease_until = NULL, stage = NULL, outcome = :outcome, error = :error,
         error_code = :error_code, retryable = :retryable, event_n = r.event_n + 1,
         progress = CASE WHEN :status = 'success' THEN 100 ELSE r.progress END,
         charge_micro = CASE WHEN :status = 'success' THEN r.quote_micro ELSE 0 END,
         (finished_at, updated_at, expires_at) = (
           SELECT moment, moment, CASE WHEN :status = 'success' THEN moment + interval '1 second' * least(:keep_seconds,
             (SELECT o.artifact_seconds FROM organisations o WHERE o.org_id = r.org_id), r.expires_after) END
             FROM (SELECT clock_timestamp() AS moment) AS once)
   WHERE r.request_id = :request_id
     AND (:org_id::uuid IS NULL OR r.org_id = :org_id::uuid)
     AND (:attempt::integer IS NULL OR r.attempt = :attempt::integer)
     AND (NOT :expired_only OR r.lease_until < clock_timestamp())
     AND r.status = ANY(:from_statuses::text[])
  RETURNING r.*
), tried AS (
  UPDATE attempts t SET finished_at = ended.finished_at, result = ended.status, error = ended.error, report = :report
    FROM ended WHERE t.request_id = ended.request_id AND t.attempt = ended.attempt AND t.finished_at IS NULL
  RETURNING t.request_id
), money AS (
  UPDATE organisations o
     SET held_micro = o.held_micro - ended.quote_micro, unfinished = o.unfinished - 1,
         balance_micro = o.balance_micro - ended.charge_micro,
         -- an open attempt is one that ran; counted only where there is a limit (claim)
         running = CASE WHEN o.max_running IS NULL THEN 0
                        ELSE greatest(0, o.running - (SELECT count(*)::integer FROM tried)) END
    FROM ended WHERE o.org_id = ended.org_id RETURNING o.org_id, o.max_running
), lane_room AS (
  UPDATE lane_limits l SET running = greatest(0, l.running - (SELECT count(*)::integer FROM tried))
    FROM ended JOIN money ON money.org_id = ended.org_id
   WHERE l.org_id = ended.org_id AND l.lane = ended.lane RETURNING l.lane
), well AS (
  UPDATE lanes SET failures = 0, failing = NULL, last_failed = NULL
    FROM ended WHERE ended.status = 'success' AND lanes.lane = ended.lane AND lanes.failures > 0
), key AS (
  UPDATE api_keys k
     SET held_micro = k.held_micro - ended.quote_micro, spent_micro = k.spent_micro + ended.charge_micro
    FROM ended JOIN money ON money.org_id = ended.org_id WHERE k.key_id = ended.key_id
), bill AS (
  INSERT INTO usage_rows (request_id, org_id, key_id, model, engine, seconds, work, run_seconds, wait_seconds,
                          charge_micro)
  SELECT request_id, org_id, key_id, model, engine, :seconds,
         (SELECT coalesce(max(v.width * v.height * v.seconds), 0) / 1e6 FROM json_to_recordset(:artifacts)
             AS v (kind text, width double precision, height double precision, seconds double precision)
           WHERE v.kind = 'video'),
         extract(epoch FROM finished_at - coalesce(started_at, finished_at)),
         extract(epoch FROM coalesce(started_at, finished_at) - queued_at), charge_micro
    FROM ended WHERE status = 'success'
), made AS (
  INSERT INTO artifacts (artifact_id, org_id, request_id, attempt, kind, path, content_type, size_bytes, sha256,
                         width, height, fps, seconds, expires_at)
  SELECT a.artifact_id, ended.org_id, ended.request_id, ended.attempt, a.kind, a.path, a.content_type, a.size_bytes,
         a.sha256, a.width, a.height, a.fps, a.seconds, ended.expires_at
    FROM ended, json_to_recordset(:artifacts) AS a (artifact_id uuid, kind text, path text, content_type text,
         size_bytes bigint, sha256 text, width integer, height integer, fps double precision, seconds double precision)
), event AS (
  INSERT INTO events (request_id, n, org_id, status, attempt)
  SELECT request_id, event_n, org_id, status, attempt FROM ended
), box AS (
  INSERT INTO outbox (event_id, request_id, org_id, status, url, endpoint_id)
  SELECT 'evt_' || request_id || '_' || event_n, request_id, org_id, status, target_url, target_endpoint
    FROM ended, webhook_targets(org_id, 'request.' || status, webhook_url, webhook_events)
), elsewhere AS (
  INSERT INTO work_elsewhere (request_id, attempt, label, remembered, due_at)
  SELECT request_id, attempt, split_part(lane, '/', 1), remembered,
         clock_timestamp() + CASE WHEN :attempt::integer IS NULL AND EXISTS (SELECT FROM tried)
                                  THEN interval '10 seconds' ELSE interval '0' END
    FROM ended WHERE status <> 'success' AND remembered <> ''
  RETURNING label
)
SELECT ended.*, pg_notify('rushes_request', request_id || ' ' || status),
       (SELECT pg_notify('rushes_elsewhere', label) FROM elsewhere),
       -- there is room for another of this organisation's requests, which idle qworkers had passed over
       (SELECT pg_notify('rushes_queue', ended.lane) FROM money
         WHERE max_running IS NOT NULL OR EXISTS (SELECT FROM lane_room)),
       CASE WHEN :attempt::integer IS NULL AND qworker_id IS NOT NULL
            THEN pg_notify('rushes_stop', request_id::text) END
  FROM ended;

-- name: requeue^
-- dispatched or processing -> queued: a rescue (:expired_only), a hand-back (which gives its try back) or a retry.
WITH back AS (
  UPDATE requests r
     SET status = 'queued', waiting = true, lease_until = NULL, progress = 0, stage = NULL,
         tries = r.tries - CASE WHEN :give_try_back THEN 1 ELSE 0 END,
         not_before = clock_timestamp() + :delay, event_n = r.event_n + 1, updated_at = clock_timestamp(),
         avoid = CASE WHEN :elsewhere THEN r.qworker_id END
   WHERE r.request_id = :request_id AND r.attempt = :attempt AND r.status IN ('dispatched', 'processing')
     AND (NOT :expired_only OR r.lease_until < clock_timestamp())
  RETURNING r.*
), room AS (
  UPDATE organisations o SET running = greatest(0, o.running - 1)
    FROM back WHERE o.org_id = back.org_id AND o.max_running IS NOT NULL RETURNING o.org_id
), lane_room AS (
  UPDATE lane_limits l SET running = greatest(0, l.running - 1)
    FROM back WHERE l.org_id = back.org_id AND l.lane = back.lane AND (SELECT count(*) FROM room) >= 0
), event AS (
  INSERT INTO events (request_id, n, org_id, status, attempt)
  SELECT request_id, event_n, org_id, status, attempt FROM back
), box AS (
  INSERT INTO outbox (event_id, request_id, org_id, status, url, endpoint_id)
  SELECT 'evt_' || request_id || '_' || event_n, request_id, org_id, status, target_url, target_endpoint
    FROM back, webhook_targets(org_id, 'request.queued', webhook_url, webhook_events)
), tried AS (
  UPDATE attempts t SET finished_at = back.updated_at, result = :result, error = :error
    FROM back WHERE t.request_id = back.request_id AND t.attempt = back.attempt AND t.finished_at IS NULL
)
SELECT back.request_id, back.lane, back.qworker_id, pg_notify('rushes_request', request_id || ' queued'), pg_notify('rushes_queue', lane)
  FROM back;

-- name: expired_leases
-- Requests whose lease ran out, oldest first. Who runs is known from the open attempts: requests have no index for it.
SELECT r.request_id, r.attempt, r.tries FROM attempts a JOIN requests r USING (request_id, attempt)
 WHERE a.finished_at IS NULL AND r.status IN ('dispatched', 'processing') AND r.lease_until < clock_timestamp()
 ORDER BY r.lease_until LIMIT 500;

-- name: expire_all_leases!
-- Every qworker is known to be dead: their leases end now.
UPDATE requests r SET lease_until = clock_timestamp() - interval '1 second'
  FROM attempts a
 WHERE a.finished_at IS NULL AND r.request_id = a.request_id AND r.attempt = a.attempt
   AND r.status IN ('dispatched', 'processing') AND r.lease_until >= clock_timestamp() - interval '1 second';

-- name: holder^
-- Who holds a request now: read together with "no row" of a fenced write.
SELECT status, attempt FROM requests WHERE request_id = :request_id;

-- name: one^
-- One request of an organisation.
SELECT * FROM requests WHERE request_id = :request_id AND org_id = :org_id;

-- name: position$
-- How many requests come before a queued one; null when it is not queued. Two counts, because the requests of limited
-- organisations wait in an index of their own.
SELECT (SELECT count(*) FROM requests w WHERE w.waiting AND NOT w.limited AND w.lane = r.lane AND (w.priority > r.priority
           OR (w.priority = r.priority AND (w.start_tag, w.request_id) < (r.start_tag, r.request_id))))
     + (SELECT count(*) FROM requests w WHERE w.waiting AND w.limited AND w.lane = r.lane
           AND (-w.priority, w.start_tag, w.request_id) < (-r.priority, r.start_tag, r.request_id))
  FROM requests r WHERE r.request_id = :request_id AND r.waiting;

-- name: line^
-- Who waits in a lane, in claim order, from the head: three arrays, for ten thousand rows take their reader four times as
-- long. With no join beside it, array_agg keeps the order of what it reads.
SELECT array_agg(-priority) AS ranks, array_agg(start_tag) AS start_tags, array_agg(request_id) AS request_ids FROM (
  SELECT * FROM (
    (SELECT priority, start_tag, request_id FROM requests
      WHERE waiting AND NOT limited AND lane = :lane ORDER BY priority DESC, start_tag, request_id LIMIT :limit)
    UNION ALL
    (SELECT priority, start_tag, request_id FROM requests
      WHERE waiting AND limited AND lane = :lane ORDER BY -priority, start_tag, request_id LIMIT :limit)) either
   ORDER BY priority DESC, start_tag, request_id LIMIT :limit) line;

-- name: artifacts_of
-- The artifacts of some requests that are still there.
SELECT * FROM artifacts WHERE request_id = ANY(:request_ids::uuid[]) ORDER BY kind DESC;

-- name: attempts_of
SELECT * FROM attempts WHERE request_id = :request_id ORDER BY attempt;

-- name: events_of
-- The stored events of a request after number :after, in order.
SELECT n, status, attempt, at FROM events WHERE request_id = :request_id AND n > :after ORDER BY n;

-- name: purge^
-- Forget what a final request carried; its id, status, times and charge remain. Its artifacts expire now, and the next
-- sweep deletes their objects.
WITH gone AS (
  UPDATE requests SET payload = '{}', params = '{}', plan = '{}', media = '[]', metadata = NULL, outcome = NULL,
         remembered = NULL, purged_at = clock_timestamp(), expires_at = least(expires_at, clock_timestamp()), updated_at = clock_timestamp()
   WHERE request_id = :request_id AND org_id = :org_id AND status IN ('success', 'failed', 'cancelled')
  RETURNING *
), dead AS (
  UPDATE artifacts a SET expires_at = clock_timestamp() FROM gone
   WHERE a.request_id = gone.request_id AND a.deleted_at IS NULL
), unsaid AS (
  DELETE FROM request_terms t USING gone
   WHERE t.org_id = gone.org_id AND t.created_at = gone.created_at AND t.request_id = gone.request_id
)
SELECT gone.*, pg_notify('rushes_request', request_id || ' ' || status) FROM gone;

-- name: histories
-- For each of some models with history: the medians of its latest successes, in seconds from start to finish, and in
-- those seconds for each megapixel and second of video; how many they are, and between which bounds the middle
-- eight of ten lie. One look into an index for each model.
SELECT wanted.model, percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.run_seconds) AS run_seconds,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.run_seconds / latest.work) FILTER (WHERE latest.work > 0) AS pace,
       percentile_cont(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY latest.run_seconds) AS run_range,
       percentile_cont(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY latest.run_seconds / latest.work)
         FILTER (WHERE latest.work > 0) AS pace_range,
       count(*) AS runs
  FROM unnest(:models::text[]) AS wanted (model) CROSS JOIN LATERAL (
    SELECT u.run_seconds, u.work FROM usage_rows u WHERE u.model = wanted.model ORDER BY u.at DESC LIMIT 50) latest
 GROUP BY wanted.model;

-- name: expire_with_records!
-- Records past their clock take their artifacts with them: these expire now, the next sweep deletes their objects, and
-- after that the record may go. The clock of an organisation can only be shorter than the server's.
WITH old AS MATERIALIZED (
  SELECT r.request_id FROM organisations o CROSS JOIN LATERAL (
    SELECT request_id FROM requests r
     WHERE r.org_id = o.org_id AND r.status IN ('success', 'failed', 'cancelled')
       AND r.created_at < clock_timestamp() - least(:age, o.record_seconds * interval '1 second')
       AND r.finished_at < clock_timestamp() - least(:age, o.record_seconds * interval '1 second')
     ORDER BY r.created_at, r.request_id LIMIT 500) r
)
UPDATE artifacts a SET expires_at = clock_timestamp() FROM old
 WHERE a.request_id = old.request_id AND a.deleted_at IS NULL AND a.expires_at > clock_timestamp();

-- name: forget_old_requests
-- Records of finished requests past their own clock, whose artifacts are gone. What was charged for them stays in
-- usage_rows. By created_at first: an index leads to the oldest of each organisation.
DELETE FROM requests WHERE request_id IN (
  SELECT r.request_id FROM organisations o CROSS JOIN LATERAL (
    SELECT request_id FROM requests r
     WHERE r.org_id = o.org_id AND r.status IN ('success', 'failed', 'cancelled')
       AND r.created_at < clock_timestamp() - least(:age, o.record_seconds * interval '1 second')
       AND r.finished_at < clock_timestamp() - least(:age, o.record_seconds * interval '1 second')
       AND NOT EXISTS (SELECT FROM artifacts a WHERE a.request_id = r.request_id AND a.deleted_at IS NULL)
     ORDER BY r.created_at, r.request_id LIMIT 500) r)
RETURNING request_id;
