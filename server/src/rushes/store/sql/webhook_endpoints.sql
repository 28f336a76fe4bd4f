-- The addresses of an organisation that are told of all its requests.

-- name: lock_organisation^
SELECT org_id FROM organisations WHERE org_id = :org_id FOR NO KEY UPDATE;

-- name: count_endpoints$
SELECT count(*) FROM webhook_endpoints WHERE org_id = :org_id;

-- name: add_endpoint^
INSERT INTO webhook_endpoints (endpoint_id, org_id, url, events)
VALUES (:endpoint_id, :org_id, :url, :events) RETURNING *;

-- name: endpoints
-- The endpoints of an organisation, those that fail first, with how many deliveries wait and since when they fail.
SELECT e.*, waiting.n AS waiting, waiting.failing_since
  FROM webhook_endpoints e CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(o.created_at) FILTER (WHERE o.tries > 0 AND o.last_try_at IS NOT NULL) AS failing_since
      FROM outbox o WHERE o.org_id = e.org_id AND o.endpoint_id = e.endpoint_id AND o.due_at IS NOT NULL) waiting
 WHERE e.org_id = :org_id AND (:endpoint_id::uuid IS NULL OR e.endpoint_id = :endpoint_id::uuid)
 ORDER BY e.disabled_why IS NULL, waiting.failing_since, e.created_at;

-- name: change_endpoint^
-- What is null stays as it is. Enabled again, it is told of what happens from now on; what waits for it comes, too.
UPDATE webhook_endpoints
   SET url = coalesce(:url, url), events = coalesce(:events, events), enabled = coalesce(:enabled, enabled),
       disabled_why = CASE WHEN :enabled::boolean IS NULL THEN disabled_why END
 WHERE org_id = :org_id AND endpoint_id = :endpoint_id RETURNING endpoint_id;

-- name: remove_endpoint^
DELETE FROM webhook_endpoints WHERE org_id = :org_id AND endpoint_id = :endpoint_id RETURNING endpoint_id;

-- name: stop_waiting!
-- Nothing more goes to an endpoint that was removed or disabled.
UPDATE outbox SET due_at = NULL WHERE org_id = :org_id AND endpoint_id = :endpoint_id AND due_at IS NOT NULL;
