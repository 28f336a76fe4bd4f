-- The built-in receiver of webhooks: one for each organisation that asks for it.

-- name: make_catcher^
INSERT INTO catchers (org_id, token) VALUES (:org_id, :token)
ON CONFLICT (org_id) DO UPDATE SET org_id = excluded.org_id RETURNING *;

-- name: catcher^
SELECT * FROM catchers WHERE org_id = :org_id;

-- name: catcher_by_token^
SELECT * FROM catchers WHERE token = :token;

-- name: remove_catcher^
WITH forgotten AS (
  DELETE FROM caught_webhooks WHERE org_id = :org_id
)
DELETE FROM catchers WHERE org_id = :org_id RETURNING org_id;

-- name: count_refused!
UPDATE catchers SET refused = refused + 1 WHERE org_id = :org_id;

-- name: catch!
-- Keep one, and of the organisation's others the newest :keep - 1.
WITH caught AS (
  INSERT INTO caught_webhooks (org_id, event_id, headers, body) VALUES (:org_id, :event_id, :headers, :body)
)
DELETE FROM caught_webhooks WHERE org_id = :org_id AND caught_id <= (
  SELECT caught_id FROM caught_webhooks WHERE org_id = :org_id ORDER BY caught_id DESC OFFSET :keep - 1 LIMIT 1);

-- name: caught
-- The newest first.
SELECT * FROM caught_webhooks WHERE org_id = :org_id AND (:after::bigint IS NULL OR caught_id > :after::bigint)
 ORDER BY caught_id DESC LIMIT :limit;

-- name: forget_caught!
DELETE FROM caught_webhooks WHERE at < clock_timestamp() - interval '24 hours';
