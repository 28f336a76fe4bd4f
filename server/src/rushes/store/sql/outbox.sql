-- Events waiting to be sent to customers. Rows appear in the statements that change a request (requests.sql).

-- name: claim_due
-- Take due events, oldest first: the lease is due_at itself, moved ahead, so a killed sender's events become due again.
-- Hosts, organisations and endpoints (organisation and host) that have enough in flight, or that rest, are passed over.
WITH due AS MATERIALIZED (
  SELECT event_id, org_id, due_at, host
    FROM (SELECT event_id, org_id, due_at, lower(substring(url FROM '^[A-Za-z]+://([^/?#]*)')) AS host
            FROM outbox WHERE due_at <= clock_timestamp()) named
   WHERE host <> ALL(:full_hosts::text[]) AND org_id <> ALL(:full_orgs::uuid[])
     AND org_id || ' ' || host <> ALL(:resting::text[])
   ORDER BY due_at LIMIT 500
), ranked AS MATERIALIZED (
  SELECT due.event_id, due.due_at, coalesce(h.room, :per_host) AS host_room, coalesce(o.room, :per_org) AS org_room,
         row_number() OVER (PARTITION BY due.host ORDER BY due.due_at, due.event_id) AS of_host,
         row_number() OVER (PARTITION BY due.org_id ORDER BY due.due_at, due.event_id) AS of_org
    FROM due
    LEFT JOIN unnest(:busy_hosts::text[], :host_room::integer[]) AS h (host, room) ON h.host = due.host
    LEFT JOIN unnest(:busy_orgs::uuid[], :org_room::integer[]) AS o (org_id, room) ON o.org_id = due.org_id
), next AS MATERIALIZED (
  SELECT b.event_id FROM outbox b JOIN ranked USING (event_id)
   WHERE of_host <= host_room AND of_org <= org_room AND b.due_at <= clock_timestamp()
   ORDER BY ranked.due_at LIMIT :room FOR UPDATE OF b SKIP LOCKED
)
UPDATE outbox b SET due_at = clock_timestamp() + :lease, tries = b.tries + 1, last_try_at = clock_timestamp()
  FROM next WHERE b.event_id = next.event_id
RETURNING b.event_id, b.request_id, b.org_id, b.status, b.url, b.tries, b.created_at;

-- name: tried!
-- What came of a try. :again null: no further one. Only while the try is the latest: a resend starts anew.
UPDATE outbox
   SET due_at = clock_timestamp() + :again::interval, last_status = :last_status, last_answer = :last_answer,
       delivered_at = CASE WHEN :delivered THEN clock_timestamp() ELSE delivered_at END
 WHERE event_id = :event_id AND tries = :tries;

-- name: deliveries_of
-- The events of one request that are, or were, to be sent.
SELECT * FROM outbox WHERE org_id = :org_id AND request_id = :request_id
 ORDER BY created_at, substring(event_id FROM '\d+$')::integer;

-- name: resend^
-- Send an event once more, now, with all its tries before it.
UPDATE outbox SET due_at = clock_timestamp(), tries = 0, delivered_at = NULL
 WHERE org_id = :org_id AND request_id = :request_id AND event_id = :event_id
RETURNING *;
