-- Events waiting to be sent to customers. Rows appear in the statements that change a request (requests.sql).

-- name: claim_due
-- Take due events, oldest first: the lease is due_at itself, moved ahead, so a killed sender's events become due again.
-- Hosts, organisations and endpoints (organisation and host) that have enough in flight, or that rest, are passed over.
WITH due AS MATERIALIZED (
  SELECT delivery_id, org_id, due_at, host
    FROM (SELECT delivery_id, org_id, due_at, lower(substring(url FROM '^[A-Za-z]+://([^/?#]*)')) AS host
            FROM outbox WHERE due_at <= clock_timestamp()) named
   WHERE host <> ALL(:full_hosts::text[]) AND org_id <> ALL(:full_orgs::uuid[])
     AND org_id || ' ' || host <> ALL(:resting::text[])
   ORDER BY due_at LIMIT 500
), ranked AS MATERIALIZED (
  SELECT due.delivery_id, due.due_at, coalesce(h.room, :per_host) AS host_room, coalesce(o.room, :per_org) AS org_room,
         row_number() OVER (PARTITION BY due.host ORDER BY due.due_at, due.delivery_id) AS of_host,
         row_number() OVER (PARTITION BY due.org_id ORDER BY due.due_at, due.delivery_id) AS of_org
    FROM due
    LEFT JOIN unnest(:busy_hosts::text[], :host_room::integer[]) AS h (host, room) ON h.host = due.host
    LEFT JOIN unnest(:busy_orgs::uuid[], :org_room::integer[]) AS o (org_id, room) ON o.org_id = due.org_id
), next AS MATERIALIZED (
  SELECT b.delivery_id FROM outbox b JOIN ranked USING (delivery_id)
   WHERE of_host <= host_room AND of_org <= org_room AND b.due_at <= clock_timestamp()
   ORDER BY ranked.due_at LIMIT :room FOR UPDATE OF b SKIP LOCKED
)
UPDATE outbox b SET due_at = clock_timestamp() + :lease, tries = b.tries + 1, last_try_at = clock_timestamp()
  FROM next WHERE b.delivery_id = next.delivery_id
RETURNING b.*;

-- name: tried!
-- What came of a try. :again null: no further one. Only while the try is the latest: a resend starts anew.
-- What was stopped meanwhile (due_at null) stays stopped. An endpoint that has used up all tries of an event, or says it is gone, and has taken nothing since that event, is
-- disabled.
WITH tried AS (
  UPDATE outbox
     SET due_at = CASE WHEN due_at IS NOT NULL THEN clock_timestamp() + :again::interval END, last_status = :last_status, last_answer = :last_answer,
         delivered_at = CASE WHEN :delivered THEN clock_timestamp() ELSE delivered_at END
   WHERE delivery_id = :delivery_id AND tries = :tries
  RETURNING *
), taken AS (
  UPDATE webhook_endpoints e SET last_success_at = clock_timestamp()
    FROM tried WHERE :delivered AND e.endpoint_id = tried.endpoint_id
)
UPDATE webhook_endpoints e
   SET enabled = false, disabled_why = left('No delivery since ' || to_char(tried.created_at AT TIME ZONE 'UTC',
         'YYYY-MM-DD HH24:MI "UTC"') || ' was taken; the last answer was: '
         || coalesce(tried.last_status || ' ', '') || coalesce(tried.last_answer, ''), 500)
  FROM tried
 WHERE NOT :delivered AND tried.due_at IS NULL AND tried.request_id IS NOT NULL
   AND e.endpoint_id = tried.endpoint_id AND e.enabled
   AND coalesce(e.last_success_at < tried.created_at, true);

-- name: deliveries_of
-- The events of one request that are, or were, to be sent.
SELECT * FROM outbox WHERE org_id = :org_id AND request_id = :request_id
 ORDER BY created_at, substring(event_id FROM '\d+$')::integer, endpoint_id NULLS FIRST;

-- name: resend
-- Send an event once more, now, wherever it went, with all its tries before it.
UPDATE outbox SET due_at = clock_timestamp(), tries = 0, delivered_at = NULL
 WHERE org_id = :org_id AND request_id = :request_id AND event_id = :event_id
RETURNING *;

-- name: resend_one^
UPDATE outbox SET due_at = clock_timestamp(), tries = 0, delivered_at = NULL
 WHERE org_id = :org_id AND delivery_id = :delivery_id AND request_id IS NOT NULL
RETURNING *;

-- name: delivery^
SELECT * FROM outbox WHERE org_id = :org_id AND delivery_id = :delivery_id;

-- name: deliveries
-- An organisation's deliveries, newest first.
SELECT * FROM outbox
 WHERE org_id = :org_id
   AND (:endpoint_id::uuid IS NULL OR endpoint_id = :endpoint_id::uuid)
   AND (:request_id::uuid IS NULL OR request_id = :request_id::uuid)
   AND (:state::text IS NULL OR :state::text = CASE WHEN delivered_at IS NOT NULL THEN 'delivered'
          WHEN due_at IS NULL THEN 'given_up' ELSE 'waiting' END)
   AND (:before_at::timestamptz IS NULL OR (created_at, delivery_id) < (:before_at::timestamptz, :before_id::uuid))
 ORDER BY created_at DESC, delivery_id DESC LIMIT :limit;

-- name: add_test^
-- A test of an endpoint: claimed by who adds it, and tried once.
INSERT INTO outbox (event_id, org_id, status, url, endpoint_id, tries, due_at, last_try_at)
VALUES (:event_id, :org_id, 'test', :url, :endpoint_id, 1, clock_timestamp() + interval '1 minute', clock_timestamp())
RETURNING *;

-- name: forget_old_tests!
-- Tests are deliveries of no request, so no record takes them with it.
DELETE FROM outbox WHERE request_id IS NULL AND created_at < clock_timestamp() - interval '7 days';
