-- Organisations and API keys.

-- name: any_organisation$
SELECT org_id FROM organisations ORDER BY created_at LIMIT 1;

-- name: add_organisation!
INSERT INTO organisations (org_id, name, balance_micro, limits) VALUES (:org_id, :name, :balance_micro, :limits);

-- name: organisation^
SELECT * FROM organisations WHERE org_id = :org_id;

-- name: organisations
SELECT * FROM organisations ORDER BY created_at;

-- name: add_key!
INSERT INTO api_keys (key_id, org_id, user_id, name, secret_hash, last4, scopes, spend_limit_micro, limits, expires_at)
VALUES (:key_id, :org_id, :user_id, :name, :secret_hash, :last4, :scopes, :spend_limit_micro, :limits, :expires_at);

-- name: key^
-- A key with the limits of its organisation, whether or not it still holds.
SELECT k.key_id, k.org_id, k.user_id, k.name, k.secret_hash, k.scopes, k.limits, k.revoked_at, k.last_used_at,
       o.limits AS org_limits, o.name AS org_name, k.expires_at,
       k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()) AS holds
  FROM api_keys k JOIN organisations o USING (org_id) WHERE k.key_id = :key_id;

-- name: keys_of
SELECT key_id, org_id, user_id, name, last4, scopes, spend_limit_micro, spent_micro, created_at, last_used_at,
       expires_at, revoked_at
  FROM api_keys WHERE org_id = :org_id ORDER BY created_at;

-- name: all_keys
SELECT k.key_id, k.org_id, o.name AS org_name, k.name, k.last4, k.scopes, k.created_at, k.last_used_at, k.expires_at,
       k.revoked_at
  FROM api_keys k JOIN organisations o USING (org_id) ORDER BY k.created_at;

-- name: revoke_key^
WITH revoked AS (
  UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
   WHERE key_id = :key_id AND (:org_id::uuid IS NULL OR org_id = :org_id::uuid) RETURNING key_id
)
SELECT key_id, pg_notify('rushes_key', key_id) FROM revoked;

-- name: used_keys!
-- Last use, written at most once a minute per key.
UPDATE api_keys SET last_used_at = clock_timestamp() WHERE key_id = ANY(:key_ids::text[]);

-- name: add_signing_key!
INSERT INTO signing_keys (kid, secret) VALUES (:kid, :secret) ON CONFLICT DO NOTHING;

-- name: signing_keys
SELECT kid, secret FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at;
