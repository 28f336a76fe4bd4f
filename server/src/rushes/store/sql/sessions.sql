-- Logins and the tries at them.

-- name: open_session$
-- Null if the session was opened before: a login token opens one session.
INSERT INTO sessions (session_id, user_id, client, expires_at)
VALUES (:session_id, :user_id, :client, clock_timestamp() + :life)
ON CONFLICT (session_id) DO NOTHING RETURNING session_id;

-- name: session
-- A session that holds, one row for each organisation of its user; no row when it does not hold.
SELECT s.session_id, s.user_id, s.client, u.email, u.first_name, u.last_name, m.org_id, m.role, o.name AS org_name,
       o.limits AS org_limits, o.operator
  FROM sessions s JOIN users u USING (user_id)
  LEFT JOIN memberships m USING (user_id) LEFT JOIN organisations o ON o.org_id = m.org_id
 WHERE s.session_id = :session_id AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
   AND u.disabled_at IS NULL
 ORDER BY m.created_at, m.org_id;

-- name: rotate_session^
-- Use up the refresh token of number :n. used_at keeps the uses within the grace time, latest first.
UPDATE sessions s
   SET refresh_n = s.refresh_n + 1, expires_at = clock_timestamp() + :life,
       used_at = ARRAY[clock_timestamp()]
                 || ARRAY(SELECT used FROM unnest(s.used_at) WITH ORDINALITY AS u (used, nth)
                           WHERE used > clock_timestamp() - :grace::interval ORDER BY nth)
  FROM users u
 WHERE s.session_id = :session_id AND s.refresh_n = :n AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
   AND u.user_id = s.user_id AND u.disabled_at IS NULL
RETURNING s.user_id, s.client, s.refresh_n;

-- name: reused_session^
-- The session of a refresh token that is not the latest: `graced` if it was used so lately that two processes of one
-- person, sharing a file of tokens, may have met.
SELECT s.user_id, s.client, s.refresh_n,
       s.revoked_at IS NULL AND s.expires_at > clock_timestamp() AND u.disabled_at IS NULL AS holds,
       coalesce(s.used_at[s.refresh_n - :n::integer] > clock_timestamp() - :grace::interval, false) AS graced
  FROM sessions s JOIN users u USING (user_id) WHERE s.session_id = :session_id;

-- name: end_session
WITH ended AS (
  UPDATE sessions SET revoked_at = clock_timestamp() WHERE session_id = :session_id AND revoked_at IS NULL
  RETURNING session_id
)
SELECT pg_notify('rushes_session', session_id::text) FROM ended;

-- name: end_sessions_of
-- Every session of a user, and what is remembered of the user.
WITH ended AS (
  UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = :user_id AND revoked_at IS NULL
)
SELECT pg_notify('rushes_session', '*');

-- name: forget_sessions!
-- Sessions nobody can use any more, a day after their end.
DELETE FROM sessions WHERE least(expires_at, revoked_at) < clock_timestamp() - interval '1 day';

-- name: failures
-- For each subject: how often a login failed within the window, and when the oldest of these leaves it, in seconds.
SELECT subject, count(*) AS times, extract(epoch FROM min(at) + :window::interval - clock_timestamp())::float8 AS seconds
  FROM login_failures WHERE subject = ANY(:subjects::text[]) AND at > clock_timestamp() - :window::interval
 GROUP BY subject;

-- name: add_failure!
INSERT INTO login_failures (subject) SELECT unnest(:subjects::text[]);

-- name: forgive!
-- A success resets what was counted for one subject.
DELETE FROM login_failures WHERE subject = :subject;

-- name: forget_failures!
DELETE FROM login_failures WHERE at < clock_timestamp() - interval '1 day';
