-- What was charged.

-- name: usage
-- Usage rows of an organisation, added up by any of day (UTC), model and key.
SELECT CASE WHEN :by_day THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') END AS day,
       CASE WHEN :by_model THEN model END AS model,
       CASE WHEN :by_key THEN key_id END AS key_id,
       count(*) AS requests, sum(seconds)::float8 AS seconds, sum(run_seconds)::float8 AS run_seconds,
       sum(charge_micro)::bigint AS charge_micro
  FROM usage_rows
 WHERE org_id = :org_id AND at >= :since AND at < :until
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
