-- Uploaded files and the artifacts behind links.

-- name: add_file^
-- A place for a file; its bytes come later (stored_at null) or have just been stored. The same bytes in the same
-- organisation give the file that is there.
INSERT INTO files (file_id, org_id, token, kind, content_type, path, size_bytes, sha256, facts, stored_at, expires_at)
VALUES (:file_id, :org_id, :token, :kind, :content_type, :path, :size_bytes, :sha256, :facts,
        CASE WHEN :stored THEN clock_timestamp() END, clock_timestamp() + least(:keep,
          (SELECT o.file_seconds * interval '1 second' FROM organisations o WHERE o.org_id = :org_id)))
ON CONFLICT (org_id, sha256) WHERE sha256 IS NOT NULL AND deleted_at IS NULL
DO UPDATE SET expires_at = greatest(files.expires_at, excluded.expires_at)
RETURNING *;

-- name: same_bytes^
SELECT * FROM files WHERE org_id = :org_id AND sha256 = :sha256 AND deleted_at IS NULL AND stored_at IS NOT NULL;

-- name: fill_file^
-- The bytes of a place have come; null if it was filled before.
UPDATE files SET content_type = :content_type, kind = :kind, path = :path, size_bytes = :size_bytes, facts = :facts,
       stored_at = clock_timestamp()
 WHERE file_id = :file_id AND stored_at IS NULL AND deleted_at IS NULL RETURNING *;

-- name: file_place^
SELECT * FROM files WHERE file_id = :file_id AND deleted_at IS NULL;

-- name: remember_upload$
-- Keep the first answer of an idempotency key, byte for byte; null when the key has one already.
INSERT INTO idempotency (org_id, key, body_hash, request_id, answer)
VALUES (:org_id, :key, :body_hash, :file_id, :answer) ON CONFLICT (org_id, key) DO NOTHING RETURNING true;

-- name: file_of^
SELECT * FROM files WHERE file_id = :file_id AND org_id = :org_id AND deleted_at IS NULL AND stored_at IS NOT NULL;

-- name: file_by_token^
SELECT * FROM files WHERE token = :token AND deleted_at IS NULL AND stored_at IS NOT NULL
   AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: files_of
SELECT * FROM files WHERE org_id = :org_id AND deleted_at IS NULL AND stored_at IS NOT NULL
   AND (:before_at::timestamptz IS NULL OR (created_at, file_id) < (:before_at::timestamptz, :before_id::uuid))
 ORDER BY created_at DESC, file_id DESC LIMIT :limit OFFSET :offset;

-- name: count_files$
SELECT count(*) FROM files WHERE org_id = :org_id AND deleted_at IS NULL AND stored_at IS NOT NULL;

-- name: delete_file^
UPDATE files SET deleted_at = clock_timestamp() WHERE file_id = :file_id AND org_id = :org_id AND deleted_at IS NULL
RETURNING *;

-- name: uploaded_today^
-- Bytes an organisation has sent in the last 24 hours, and the seconds until the first of them are no longer counted.
SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes,
       coalesce(extract(epoch FROM min(stored_at) + interval '24 hours' - clock_timestamp()), 86400)::float8 AS seconds
  FROM files
 WHERE org_id = :org_id AND stored_at > clock_timestamp() - interval '24 hours';

-- name: artifact^
SELECT a.*, a.deleted_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > clock_timestamp()) AS readable
  FROM artifacts a WHERE artifact_id = :artifact_id;

-- name: artifact_of^
SELECT a.* FROM artifacts a WHERE artifact_id = :artifact_id AND org_id = :org_id AND deleted_at IS NULL
   AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: expire_artifacts
-- Mark artifacts whose time has come; their objects are deleted by the caller.
UPDATE artifacts SET deleted_at = clock_timestamp()
 WHERE artifact_id IN (SELECT artifact_id FROM artifacts WHERE deleted_at IS NULL AND expires_at < clock_timestamp()
                       LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING path;

-- name: expire_files
UPDATE files SET deleted_at = clock_timestamp()
 WHERE file_id IN (SELECT file_id FROM files WHERE deleted_at IS NULL AND expires_at < clock_timestamp()
                   LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING path;

-- name: known_paths
-- Of some object paths, those that a living artifact or file names.
SELECT path FROM artifacts WHERE path = ANY(:paths::text[]) AND deleted_at IS NULL
UNION SELECT path FROM files WHERE path = ANY(:paths::text[]) AND deleted_at IS NULL;
