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

-- name: wanted_webhook_has_a_row
SELECT r.request_id FROM requests r
 WHERE r.status IN ('success', 'failed', 'cancelled') AND r.webhook_url IS NOT NULL
   AND 'request.' || r.status = ANY(r.webhook_events)
   AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.request_id = r.request_id AND o.status = r.status);

-- name: success_has_its_artifacts
SELECT r.request_id FROM requests r
 WHERE r.status = 'success' AND r.purged_at IS NULL AND r.expires_at > clock_timestamp()
   AND (SELECT count(*) FROM artifacts a WHERE a.request_id = r.request_id AND a.size_bytes > 0 AND length(a.sha256) = 64) <> 2;

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

-- name: attempts_rise_by_one
SELECT r.request_id FROM requests r WHERE (SELECT coalesce(max(attempt), 0) FROM attempts a WHERE a.request_id = r.request_id) <> r.attempt;

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

-- name: no_lease_on_a_final_request
SELECT request_id FROM requests WHERE status IN ('success', 'failed', 'cancelled') AND (lease_until IS NOT NULL OR waiting);

-- name: waiting_is_queued
SELECT request_id FROM requests WHERE waiting <> (status = 'queued');

-- name: rows_stay_with_their_organisation
SELECT r.request_id FROM requests r JOIN usage_rows u USING (request_id) WHERE u.org_id <> r.org_id
UNION ALL SELECT r.request_id FROM requests r JOIN events e USING (request_id) WHERE e.org_id <> r.org_id
UNION ALL SELECT r.request_id FROM requests r JOIN artifacts a USING (request_id) WHERE a.org_id <> r.org_id;

-- name: charge_is_the_usage_row
SELECT r.request_id FROM requests r JOIN usage_rows u USING (request_id) WHERE u.charge_micro IS DISTINCT FROM r.charge_micro;
