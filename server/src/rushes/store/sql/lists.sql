-- Lists of requests, and search by words of the prompt and by metadata (decisions/0008-search.md).

-- name: listed
-- A page of a list without words, newest first. What few requests have (a failure, waiting) an index of these finds: the
-- flags say that the statuses wanted imply it.
SELECT * FROM requests
 WHERE org_id = :org_id
   AND (NOT :failed_only::boolean OR error_code IS NOT NULL)
   AND (NOT :waiting_only::boolean OR waiting::integer = 1)
   AND (:model::text IS NULL OR model = :model::text)
   AND (:statuses::text[] IS NULL OR status = ANY(:statuses::text[]))
   AND (:since::timestamptz IS NULL OR created_at >= :since::timestamptz)
   AND (:until::timestamptz IS NULL OR created_at < :until::timestamptz)
   AND (:group_id::uuid IS NULL OR group_id = :group_id::uuid)
   AND (:id_from::uuid IS NULL OR request_id BETWEEN :id_from::uuid AND :id_to::uuid)
   AND (:ids::uuid[] IS NULL OR request_id = ANY(:ids::uuid[]))
   AND (:before_at::timestamptz IS NULL OR (created_at, request_id) < (:before_at::timestamptz, :before_id::uuid))
 ORDER BY created_at DESC, request_id DESC LIMIT :limit OFFSET :offset;

-- name: counted$
-- How many a list has, at most :most.
SELECT count(*) FROM (
  SELECT FROM requests
   WHERE org_id = :org_id
     AND (NOT :failed_only::boolean OR error_code IS NOT NULL)
     AND (NOT :waiting_only::boolean OR waiting::integer = 1)
     AND (:model::text IS NULL OR model = :model::text)
     AND (:statuses::text[] IS NULL OR status = ANY(:statuses::text[]))
     AND (:since::timestamptz IS NULL OR created_at >= :since::timestamptz)
     AND (:until::timestamptz IS NULL OR created_at < :until::timestamptz)
     AND (:group_id::uuid IS NULL OR group_id = :group_id::uuid)
     AND (:id_from::uuid IS NULL OR request_id BETWEEN :id_from::uuid AND :id_to::uuid)
     AND (:ids::uuid[] IS NULL OR request_id = ANY(:ids::uuid[])) LIMIT :most) counted;

-- name: searched
-- A page of what is found, newest first. At most :deep of the newest that have the words are looked at further. found: what is indexed, what is too young to be, and whose id
-- begins so.
WITH found AS MATERIALIZED (
  (SELECT t.request_id FROM request_terms t
    WHERE t.org_id = :org_id AND t.terms @@ wanted_terms(:words::text, :exact::text)
      AND t.created_at >= :since::timestamptz AND t.created_at < :until::timestamptz
      AND (t.created_at, t.request_id) < (:before_at::timestamptz, :before_id::uuid)
    ORDER BY t.created_at DESC, t.request_id DESC LIMIT :deep)
  UNION
  SELECT n.request_id FROM requests n
   WHERE n.org_id = :org_id AND n.created_at > (SELECT indexed_until FROM search_mark)
     AND n.created_at >= :since::timestamptz AND n.created_at < :until::timestamptz
     AND terms_of(n.plan->>'prompt', n.metadata) @@ wanted_terms(:words::text, :exact::text)
  UNION
  SELECT i.request_id FROM requests i WHERE i.request_id BETWEEN :named_from::uuid AND :named_to::uuid
)
SELECT r.* FROM found JOIN requests r USING (request_id)
 WHERE r.org_id = :org_id
   AND r.created_at >= :since::timestamptz AND r.created_at < :until::timestamptz
   AND (:model::text IS NULL OR r.model = :model::text)
   AND (:statuses::text[] IS NULL OR r.status = ANY(:statuses::text[]))
   AND (:group_id::uuid IS NULL OR r.group_id = :group_id::uuid)
   AND (:id_from::uuid IS NULL OR r.request_id BETWEEN :id_from::uuid AND :id_to::uuid)
   AND (:ids::uuid[] IS NULL OR r.request_id = ANY(:ids::uuid[]))
   AND (r.created_at, r.request_id) < (:before_at::timestamptz, :before_id::uuid)
 ORDER BY r.created_at DESC, r.request_id DESC LIMIT :limit OFFSET :offset;

-- name: found$
-- How many a search finds, at most :most.
WITH found AS MATERIALIZED (
  (SELECT t.request_id FROM request_terms t
    WHERE t.org_id = :org_id AND t.terms @@ wanted_terms(:words::text, :exact::text)
      AND t.created_at >= :since::timestamptz AND t.created_at < :until::timestamptz
    ORDER BY t.created_at DESC, t.request_id DESC LIMIT :most)
  UNION
  SELECT n.request_id FROM requests n
   WHERE n.org_id = :org_id AND n.created_at > (SELECT indexed_until FROM search_mark)
     AND n.created_at >= :since::timestamptz AND n.created_at < :until::timestamptz
     AND terms_of(n.plan->>'prompt', n.metadata) @@ wanted_terms(:words::text, :exact::text)
  UNION
  SELECT i.request_id FROM requests i WHERE i.request_id BETWEEN :named_from::uuid AND :named_to::uuid
)
SELECT count(*) FROM (
  SELECT FROM found JOIN requests r USING (request_id)
   WHERE r.org_id = :org_id
     AND r.created_at >= :since::timestamptz AND r.created_at < :until::timestamptz
     AND (:model::text IS NULL OR r.model = :model::text)
     AND (:statuses::text[] IS NULL OR r.status = ANY(:statuses::text[]))
     AND (:group_id::uuid IS NULL OR r.group_id = :group_id::uuid)
     AND (:id_from::uuid IS NULL OR r.request_id BETWEEN :id_from::uuid AND :id_to::uuid)
     AND (:ids::uuid[] IS NULL OR r.request_id = ANY(:ids::uuid[])) LIMIT :most) counted;

-- name: with_sha256
-- The requests one of whose artifacts has these bytes.
SELECT DISTINCT request_id FROM artifacts WHERE org_id = :org_id AND sha256 = :sha256 LIMIT 1000;

-- name: with_seed
-- The newest 1,000 requests of a span that were made with a seed. No index has it: the span is read through.
SELECT request_id FROM requests
 WHERE org_id = :org_id AND created_at >= :since::timestamptz AND created_at < :until::timestamptz
   AND coalesce(outcome->>'seed', plan->>'seed') = :seed
 ORDER BY created_at DESC LIMIT 1000;

-- name: running_ids
-- What runs now.
SELECT r.request_id FROM attempts a JOIN requests r USING (request_id)
 WHERE a.finished_at IS NULL AND r.org_id = :org_id;

-- name: index_terms$
-- Take the next requests into the index, oldest first, and move the mark. Null when nothing was left to do. Only those
-- older than any transaction can be open: what a slow submit adds behind the mark would never be found.
WITH mark AS (
  SELECT indexed_until FROM search_mark FOR UPDATE
), next AS MATERIALIZED (
  SELECT r.* FROM organisations o CROSS JOIN LATERAL (
    SELECT n.org_id, n.created_at, n.request_id, n.plan, n.metadata FROM requests n
     WHERE n.org_id = o.org_id AND n.created_at > (SELECT indexed_until FROM mark)
       AND n.created_at <= clock_timestamp() - :age::interval
     ORDER BY n.created_at LIMIT :batch) r
   ORDER BY r.created_at LIMIT :batch
), taken AS (
  INSERT INTO request_terms (org_id, created_at, request_id, terms)
  SELECT org_id, created_at, request_id, terms_of(plan->>'prompt', metadata) FROM next ON CONFLICT DO NOTHING
)
UPDATE search_mark SET indexed_until = latest.at
  FROM (SELECT max(created_at) - CASE WHEN count(*) < :batch THEN interval '0' ELSE interval '1 microsecond' END AS at
          FROM next) latest
 WHERE latest.at > search_mark.indexed_until RETURNING indexed_until;

-- name: drop_terms!
-- What the index has of requests that are gone.
DELETE FROM request_terms t WHERE NOT EXISTS (SELECT FROM requests r WHERE r.request_id = t.request_id)
   AND (t.org_id, t.created_at, t.request_id) IN (
     SELECT old.org_id, old.created_at, old.request_id FROM organisations o CROSS JOIN LATERAL (
       SELECT x.org_id, x.created_at, x.request_id FROM request_terms x
        WHERE x.org_id = o.org_id ORDER BY x.created_at, x.request_id LIMIT 1000) old);
