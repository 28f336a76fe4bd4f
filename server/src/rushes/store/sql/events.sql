-- The event log of an organisation (decisions/0007-order-of-events.md). A reader keeps the snapshot of its last look;
-- what is new is what that snapshot did not show, whenever its transaction began.

-- name: snapshot^
-- What transactions have ended by now, and the oldest that has not.
SELECT pg_current_snapshot()::text AS snapshot, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest;

-- name: news
-- The events of an organisation that came between two snapshots, a page after another.
SELECT e.request_id, e.n, e.status, e.attempt, e.at, e.written_by::text::bigint AS written_by, r.model
  FROM events e JOIN requests r USING (request_id)
 WHERE e.org_id = :org_id AND e.written_by >= pg_snapshot_xmin(:seen::text::pg_snapshot)
   AND NOT pg_visible_in_snapshot(e.written_by, :seen::text::pg_snapshot)
   AND pg_visible_in_snapshot(e.written_by, :now::text::pg_snapshot)
   AND (:model::text IS NULL OR r.model = :model::text)
   AND (e.written_by, e.request_id, e.n) > (:after_by::bigint::text::xid8, :after_id::uuid, :after_n::integer)
 ORDER BY e.written_by, e.request_id, e.n LIMIT :limit;

-- name: settled
-- The same, of transactions before which none is still open: these never change, so a list can be paged through them.
SELECT e.request_id, e.n, e.status, e.attempt, e.at, e.written_by::text::bigint AS written_by, r.model
  FROM events e JOIN requests r USING (request_id)
 WHERE e.org_id = :org_id AND e.written_by < pg_snapshot_xmin(pg_current_snapshot())
   AND (:model::text IS NULL OR r.model = :model::text)
   AND (e.written_by, e.request_id, e.n) > (:after_by::bigint::text::xid8, :after_id::uuid, :after_n::integer)
 ORDER BY e.written_by, e.request_id, e.n LIMIT :limit;

-- name: stirred
-- Which of some organisations have events that a snapshot did not show.
SELECT wanted.org_id FROM unnest(:org_ids::uuid[]) AS wanted (org_id)
 WHERE EXISTS (SELECT FROM events e WHERE e.org_id = wanted.org_id
                  AND e.written_by >= pg_snapshot_xmin(:seen::text::pg_snapshot)
                  AND NOT pg_visible_in_snapshot(e.written_by, :seen::text::pg_snapshot));

-- name: running_of
-- What runs now for some organisations, the latest first.
SELECT r.* FROM attempts a JOIN requests r ON r.request_id = a.request_id AND r.attempt = a.attempt
 WHERE a.finished_at IS NULL AND r.org_id = ANY(:org_ids::uuid[]) AND r.status IN ('dispatched', 'processing')
 ORDER BY r.started_at DESC NULLS LAST LIMIT :limit;

-- name: requests_named
-- Some requests of an organisation.
SELECT * FROM requests WHERE org_id = :org_id AND request_id = ANY(:request_ids::uuid[]);

-- name: from_another_time$
-- Whether there are events of transactions that this server has not begun: it was restored from a copy of another.
SELECT EXISTS (SELECT FROM organisations o WHERE EXISTS (
  SELECT FROM events e WHERE e.org_id = o.org_id AND e.written_by >= pg_snapshot_xmax(pg_current_snapshot())));

-- name: settle_restored!
-- Such events are over and done with: they come before everything this server writes.
UPDATE events SET written_by = '3' WHERE written_by >= pg_snapshot_xmax(pg_current_snapshot());
