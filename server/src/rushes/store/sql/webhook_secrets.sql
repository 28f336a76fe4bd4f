-- The secrets that sign webhooks: two of an organisation are good at a time, so that one can be replaced.

-- name: lock_organisation^
SELECT org_id FROM organisations WHERE org_id = :org_id FOR UPDATE;

-- name: add_webhook_secret^
INSERT INTO webhook_secrets (secret_id, org_id, secret) VALUES (:secret_id, :org_id, :secret) RETURNING *;

-- name: retire_webhook_secrets!
-- All but the newest :keep stop signing.
UPDATE webhook_secrets SET revoked_at = clock_timestamp()
 WHERE org_id = :org_id AND revoked_at IS NULL AND secret_id NOT IN (
   SELECT secret_id FROM webhook_secrets WHERE org_id = :org_id AND revoked_at IS NULL
    ORDER BY created_at DESC, secret_id LIMIT :keep);

-- name: webhook_secrets
-- The secrets in force, newest first.
SELECT * FROM webhook_secrets WHERE org_id = :org_id AND revoked_at IS NULL ORDER BY created_at DESC, secret_id;

-- name: revoke_webhook_secret^
-- Null if it is not one of several in force: the last one stays, because what is sent must be signed.
UPDATE webhook_secrets SET revoked_at = clock_timestamp()
 WHERE org_id = :org_id AND secret_id = :secret_id AND revoked_at IS NULL
   AND (SELECT count(*) FROM webhook_secrets WHERE org_id = :org_id AND revoked_at IS NULL) > 1
RETURNING secret_id;
