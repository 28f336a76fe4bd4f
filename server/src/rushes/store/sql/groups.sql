-- Groups: requests that were submitted together.

-- name: group_counts
-- How many requests of a group have each status, and their money; no row for a group that does not exist.
SELECT status, count(*)::integer AS n, sum(quote_micro)::bigint AS quote_micro,
       coalesce(sum(charge_micro), 0)::bigint AS charge_micro, min(created_at) AS created_at
  FROM requests WHERE org_id = :org_id AND group_id = :group_id GROUP BY status;

-- name: unfinished_of_group
-- The requests of a group that are not final, those that wait first.
SELECT request_id FROM requests
 WHERE org_id = :org_id AND group_id = :group_id AND status NOT IN ('success', 'failed', 'cancelled')
 ORDER BY waiting DESC, created_at DESC;
