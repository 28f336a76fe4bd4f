-- Run after every crash, acceptance and soak test. Each statement has a name and a sentence and must return no rows.

-- name: no_request_hangs
-- A request neither final nor queued whose lease ran out more than two rescue rounds ago.
SELECT request_id FROM requests WHERE status IN ('dispatched', 'processing') AND lease_until < clock_timestamp() - interval '10 seconds';

-- name: success_is_billed_once
SELECT r.request_id FROM requests r LEFT JOIN usage_rows u USING (request_id) WHERE r.status = 'success' AND u.request_id IS NULL;

-- name: only_success_is_billed
SELECT u.request_id FROM usage_rows u JOIN requests r USING (request_id) WHERE r.status <> 'success';

-- name: one_final_event
SELECT r.request_id FROM requests r
 WHERE r.status IN ('success', 'failed', 'cancelled')
   AND (SELECT count(*) FROM events e WHERE e.request_id = r.request_id AND e.status IN ('success', 'failed', 'cancelled')) <> 1;

-- name: wanted_webhooks_have_one_row_each
-- Exactly the events that were asked for lie in the outbox, once.
SELECT e.request_id, e.n, e.status FROM events e JOIN requests r USING (request_id)
 WHERE (r.webhook_url IS NOT NULL AND 'request.' || e.status = ANY(r.webhook_events))
    <> EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = 'evt_' || e.request_id || '_' || e.n AND o.status = e.status
                AND o.endpoint_id IS NULL);

-- name: an_event_goes_to_an_endpoint_once
SELECT event_id, endpoint_id FROM outbox GROUP BY event_id, endpoint_id HAVING count(*) <> 1;

-- name: success_has_its_artifacts
-- Video and thumbnail at least, no kind twice, every one complete and of the attempt that won.
SELECT r.request_id FROM requests r
 WHERE r.status = 'success' AND r.purged_at IS NULL AND r.expires_at > clock_timestamp()
   AND NOT (SELECT count(*) FILTER (WHERE a.kind IN ('video', 'thumbnail')) = 2 AND count(*) = count(DISTINCT a.kind)
                   AND bool_and(a.size_bytes > 0 AND length(a.sha256) = 64 AND a.attempt = r.attempt)
              FROM artifacts a WHERE a.request_id = r.request_id);

-- name: history_is_legal
-- Every event follows from the one before it by the table of legal transitions, and none follows a final one.
SELECT e.request_id, before.status AS was, e.status AS became FROM events e
  JOIN events before ON before.request_id = e.request_id AND before.n = e.n - 1
 WHERE (before.status, e.status) NOT IN (('created', 'queued'), ('created', 'cancelled'),
   ('queued', 'dispatched'), ('queued', 'failed'), ('queued', 'cancelled'),
   ('dispatched', 'processing'), ('dispatched', 'queued'), ('dispatched', 'failed'), ('dispatched', 'cancelled'),
   ('processing', 'success'), ('processing', 'failed'), ('processing', 'queued'), ('processing', 'cancelled'));

-- name: events_are_numbered_without_gaps
SELECT request_id FROM events GROUP BY request_id HAVING min(n) <> 1 OR max(n) <> count(*);

-- name: the_last_event_is_the_status
SELECT r.request_id, r.status, e.status AS event FROM requests r
  LEFT JOIN events e ON e.request_id = r.request_id AND e.n = r.event_n WHERE e.status IS DISTINCT FROM r.status;

-- name: attempts_rise_by_one
SELECT r.request_id FROM requests r WHERE (SELECT coalesce(max(attempt), 0) FROM attempts a WHERE a.request_id = r.request_id) <> r.attempt;

-- name: attempts_have_no_gaps
SELECT request_id FROM attempts GROUP BY request_id HAVING min(attempt) <> 1 OR max(attempt) <> count(*);

-- name: tries_stay_within_the_limit
-- The limit is 3 unless the test says otherwise; a hand-back gives its try back, so tries never exceed attempts.
SELECT request_id, tries, attempt FROM requests
 WHERE tries < 0 OR tries > attempt OR tries > coalesce(nullif(current_setting('rushes.max_tries', true), ''), '3')::integer;

-- name: one_attempt_succeeded_and_it_was_the_last
SELECT r.request_id, r.status, r.attempt, a.attempt AS succeeded FROM requests r
  LEFT JOIN attempts a ON a.request_id = r.request_id AND a.result = 'success'
 WHERE (r.status = 'success') <> (a.attempt IS NOT NULL) OR a.attempt <> r.attempt;

-- name: every_older_attempt_is_closed
SELECT a.request_id, a.attempt FROM attempts a JOIN requests r USING (request_id)
 WHERE a.finished_at IS NULL AND (a.attempt < r.attempt OR r.status NOT IN ('dispatched', 'processing'));

-- name: only_success_has_artifacts
SELECT a.request_id FROM artifacts a JOIN requests r USING (request_id) WHERE r.status <> 'success';

-- name: the_last_attempt_made_the_artifacts
SELECT a.artifact_id FROM artifacts a JOIN requests r USING (request_id) WHERE a.attempt <> r.attempt;

-- name: one_request_per_key
SELECT org_id, key FROM idempotency GROUP BY org_id, key HAVING count(*) > 1;

-- name: held_money_is_unfinished_quotes
SELECT o.org_id, o.held_micro FROM organisations o
 WHERE o.held_micro <> (SELECT coalesce(sum(quote_micro), 0) FROM requests r
                         WHERE r.org_id = o.org_id AND r.status NOT IN ('success', 'failed', 'cancelled'));

-- name: unfinished_are_counted
SELECT o.org_id, o.unfinished FROM organisations o
 WHERE o.unfinished <> (SELECT count(*) FROM requests r
                         WHERE r.org_id = o.org_id AND r.status NOT IN ('success', 'failed', 'cancelled'));

-- name: keys_hold_and_spend_what_their_requests_say
SELECT k.key_id, k.held_micro, k.spent_micro FROM api_keys k
 WHERE k.held_micro <> (SELECT coalesce(sum(quote_micro), 0) FROM requests r
                         WHERE r.key_id = k.key_id AND r.status NOT IN ('success', 'failed', 'cancelled'))
    OR k.spent_micro <> (SELECT coalesce(sum(charge_micro), 0) FROM usage_rows u WHERE u.key_id = k.key_id);

-- name: usage_is_what_customers_see
-- Of the requests whose records are there; usage outlives records.
SELECT r.org_id FROM requests r LEFT JOIN usage_rows u USING (request_id)
 GROUP BY r.org_id HAVING coalesce(sum(r.charge_micro), 0) <> coalesce(sum(u.charge_micro), 0);

-- name: no_running_request_without_a_lease
SELECT request_id FROM requests WHERE (status IN ('dispatched', 'processing')) <> (lease_until IS NOT NULL);

-- name: no_lease_on_a_final_request
SELECT request_id FROM requests WHERE status IN ('success', 'failed', 'cancelled') AND (lease_until IS NOT NULL OR waiting);

-- name: waiting_is_queued
SELECT request_id FROM requests WHERE waiting <> (status = 'queued');

-- name: rows_stay_with_their_organisation
SELECT r.request_id FROM requests r JOIN usage_rows u USING (request_id) WHERE u.org_id <> r.org_id
UNION ALL SELECT r.request_id FROM requests r JOIN events e USING (request_id) WHERE e.org_id <> r.org_id
UNION ALL SELECT r.request_id FROM requests r JOIN artifacts a USING (request_id) WHERE a.org_id <> r.org_id
UNION ALL SELECT r.request_id FROM requests r JOIN outbox o USING (request_id) WHERE o.org_id <> r.org_id
UNION ALL SELECT r.request_id FROM requests r JOIN api_keys k USING (key_id) WHERE k.org_id <> r.org_id;

-- name: charge_is_the_usage_row
SELECT r.request_id FROM requests r JOIN usage_rows u USING (request_id) WHERE u.charge_micro IS DISTINCT FROM r.charge_micro;

-- name: running_attempts_are_counted
-- Where an organisation has a limit of running requests, and nowhere else, what runs is counted.
SELECT o.org_id, o.running, o.max_running FROM organisations o
 WHERE o.running <> CASE WHEN o.max_running IS NULL THEN 0 ELSE (SELECT count(*) FROM requests r
         WHERE r.org_id = o.org_id AND r.status IN ('dispatched', 'processing')) END;

-- name: running_attempts_are_counted_by_lane
SELECT l.org_id, l.lane, l.running FROM lane_limits l
 WHERE l.running <> (SELECT count(*) FROM requests r
         WHERE r.org_id = l.org_id AND r.lane = l.lane AND r.status IN ('dispatched', 'processing'));

-- name: what_runs_has_an_open_attempt
-- Leases that ran out are found through it.
SELECT r.request_id FROM requests r
 WHERE (r.status IN ('dispatched', 'processing')) <> EXISTS (SELECT FROM attempts a
         WHERE a.request_id = r.request_id AND a.attempt = r.attempt AND a.finished_at IS NULL);

-- name: only_what_failed_or_was_cancelled_leaves_work_elsewhere
SELECT w.request_id, r.status FROM work_elsewhere w JOIN requests r USING (request_id)
 WHERE r.status NOT IN ('failed', 'cancelled');
