-- Sessions of the web page, and the one-time links that open one.

-- name: open_page_session!
INSERT INTO page_sessions (token_hash, session_id, key_id, expires_at)
VALUES (:token_hash, :session_id, :key_id, clock_timestamp() + :life);

-- name: page_session^
-- A page session that has not run out; whether its person or key still holds is theirs to say.
SELECT session_id, key_id, created_at, expires_at FROM page_sessions
 WHERE token_hash = :token_hash AND expires_at > clock_timestamp();

-- name: end_page_session^
-- What the cookie stood for; null if it stood for nothing.
WITH ended AS (
  DELETE FROM page_sessions WHERE token_hash = :token_hash RETURNING session_id, key_id
)
SELECT session_id, key_id, pg_notify('rushes_page', encode(:token_hash, 'hex')) FROM ended;

-- name: add_link!
INSERT INTO sign_in_links (token_hash, user_id, expires_at) VALUES (:token_hash, :user_id, clock_timestamp() + :life);

-- name: use_link$
-- The person whom a link lets in, once; null for a link that was used, is too old, or is of somebody shut out.
WITH used AS (
  DELETE FROM sign_in_links WHERE token_hash = :token_hash RETURNING user_id, expires_at
)
SELECT user_id FROM used JOIN users USING (user_id) WHERE expires_at > clock_timestamp() AND disabled_at IS NULL;

-- name: first_owner$
-- The first owner of an organisation who may log in; null if there is none.
SELECT m.user_id FROM memberships m JOIN users u USING (user_id)
 WHERE m.org_id = :org_id AND m.role = 'owner' AND u.disabled_at IS NULL
 ORDER BY m.created_at, m.user_id LIMIT 1;

-- name: forget_page_sessions!
DELETE FROM page_sessions WHERE expires_at < clock_timestamp();

-- name: forget_links!
DELETE FROM sign_in_links WHERE expires_at < clock_timestamp();
