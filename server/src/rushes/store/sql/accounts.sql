-- Organisations and API keys.

-- name: any_organisation$
SELECT org_id FROM organisations ORDER BY created_at LIMIT 1;

-- name: add_organisation!
INSERT INTO organisations (org_id, name, balance_micro, limits, operator)
VALUES (:org_id, :name, :balance_micro, :limits, :operator);

-- name: organisation^
SELECT * FROM organisations WHERE org_id = :org_id;

-- name: organisations
SELECT * FROM organisations ORDER BY created_at;

-- name: organisations_named
SELECT * FROM organisations WHERE org_id::text = :text OR name = :text ORDER BY created_at;

-- name: set_balance!
UPDATE organisations SET balance_micro = :balance_micro WHERE org_id = :org_id;

-- name: set_limits!
-- The running attempts are counted from here on where there is a limit, so they are counted once now.
UPDATE organisations o SET limits = :limits, max_running = :max_running,
       running = CASE WHEN :max_running::integer IS NULL THEN 0 ELSE (
         SELECT count(*) FROM attempts a JOIN requests r USING (request_id, attempt)
          WHERE a.finished_at IS NULL AND r.org_id = o.org_id) END
 WHERE org_id = :org_id;

-- name: set_retention^
-- Null: the server's. Files and artifacts that are there keep the day they were given.
UPDATE organisations SET artifact_seconds = :artifact_seconds, file_seconds = :file_seconds,
       record_seconds = :record_seconds
 WHERE org_id = :org_id RETURNING *;

-- name: set_weight!
UPDATE organisations SET weight = :weight WHERE org_id = :org_id;

-- name: set_operator!
UPDATE organisations SET operator = :operator WHERE org_id = :org_id;

-- name: set_lane_limit!
-- As set_limits, for one lane.
INSERT INTO lane_limits (org_id, lane, max_running, running)
SELECT :org_id, :lane, :max_running, (SELECT count(*) FROM attempts a JOIN requests r USING (request_id, attempt)
                                       WHERE a.finished_at IS NULL AND r.org_id = :org_id AND r.lane = :lane)
ON CONFLICT (org_id, lane) DO UPDATE SET max_running = excluded.max_running;

-- name: take_lane_limit!
DELETE FROM lane_limits WHERE org_id = :org_id AND lane = :lane;

-- name: lane_limits
SELECT org_id, lane, max_running FROM lane_limits ORDER BY org_id, lane;

-- name: sort_out
-- Some waiting requests of an organisation that has got a limit move into the index of limited ones, first the first.
WITH lanes_of AS (SELECT DISTINCT lane FROM fair_tags WHERE org_id = :org_id AND (:lane::text IS NULL OR lane = :lane::text)
), foremost AS MATERIALIZED (
  SELECT w.request_id FROM lanes_of CROSS JOIN LATERAL (
    SELECT r.request_id FROM requests r WHERE r.waiting AND NOT r.limited AND r.lane = lanes_of.lane AND r.org_id = :org_id
     ORDER BY r.priority DESC, r.start_tag, r.request_id LIMIT :some) w
), mine AS MATERIALIZED (
  SELECT r.request_id FROM requests r JOIN foremost USING (request_id) WHERE r.waiting AND NOT r.limited
   ORDER BY r.request_id FOR UPDATE OF r SKIP LOCKED
)
UPDATE requests r SET limited = true FROM mine WHERE r.request_id = mine.request_id RETURNING r.request_id;

-- name: add_key!
INSERT INTO api_keys (key_id, org_id, user_id, name, secret_hash, last4, scopes, spend_limit_micro, limits, expires_at)
VALUES (:key_id, :org_id, :user_id, :name, :secret_hash, :last4, :scopes, :spend_limit_micro, :limits, :expires_at);

-- name: key^
-- A key with the limits of its organisation, whether or not it still holds.
SELECT k.key_id, k.org_id, k.user_id, k.name, k.secret_hash, k.scopes, k.limits, k.revoked_at, k.last_used_at,
       o.limits AS org_limits, o.name AS org_name, o.operator, k.expires_at,
       k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
         AND u.disabled_at IS NULL AS holds
  FROM api_keys k JOIN organisations o USING (org_id) LEFT JOIN users u USING (user_id) WHERE k.key_id = :key_id;

-- name: keys_of
-- The keys of an organisation that are not revoked, and whose they are.
SELECT k.key_id, k.org_id, k.user_id, k.name, k.last4, k.scopes, k.spend_limit_micro, k.spent_micro, k.created_at,
       k.last_used_at, k.expires_at, u.email, u.first_name, u.last_name
  FROM api_keys k LEFT JOIN users u USING (user_id)
 WHERE k.org_id = :org_id AND k.revoked_at IS NULL ORDER BY k.created_at, k.key_id;

-- name: all_keys
SELECT k.key_id, k.org_id, o.name AS org_name, k.name, k.last4, k.scopes, k.created_at, k.last_used_at, k.expires_at,
       k.revoked_at
  FROM api_keys k JOIN organisations o USING (org_id) ORDER BY k.created_at;

-- name: revoke_key^
-- Null if there is no such key, in that organisation and of that user where they are named.
WITH revoked AS (
  UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
   WHERE key_id = :key_id AND (:org_id::uuid IS NULL OR org_id = :org_id::uuid)
     AND (:user_id::uuid IS NULL OR user_id = :user_id::uuid) RETURNING key_id
)
SELECT key_id, pg_notify('rushes_key', key_id) FROM revoked;

-- name: used_keys!
-- Last use, written at most once a minute per key.
UPDATE api_keys SET last_used_at = clock_timestamp() WHERE key_id = ANY(:key_ids::text[])
   AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute');

-- name: add_signing_key!
INSERT INTO signing_keys (kid, secret) VALUES (:kid, :secret) ON CONFLICT DO NOTHING;

-- name: signing_keys
SELECT kid, secret FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at;
