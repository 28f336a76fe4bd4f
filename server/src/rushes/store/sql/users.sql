-- People: users, the organisations they belong to, their second factor.

-- name: add_user$
-- Null if the e-mail is taken.
INSERT INTO users (user_id, email, password_hash, first_name, last_name)
VALUES (:user_id, :email, :password_hash, :first_name, :last_name)
ON CONFLICT (lower(email)) DO NOTHING RETURNING user_id;

-- name: add_membership!
-- Join an organisation, or change one's role there.
INSERT INTO memberships (org_id, user_id, role) VALUES (:org_id, :user_id, :role)
ON CONFLICT (user_id, org_id) DO UPDATE SET role = excluded.role;

-- name: user_by_email^
SELECT * FROM users WHERE lower(email) = lower(:email);

-- name: user^
SELECT * FROM users WHERE user_id = :user_id;

-- name: users
-- Everybody, with their organisations and roles.
SELECT u.user_id, u.email, u.first_name, u.last_name, u.totp_secret IS NOT NULL AS has_totp, u.disabled_at, u.created_at,
       coalesce((SELECT json_agg(json_build_object('org_id', m.org_id, 'organisation', o.name, 'role', m.role)
                                 ORDER BY m.created_at, m.org_id)
                   FROM memberships m JOIN organisations o USING (org_id) WHERE m.user_id = u.user_id), '[]') AS memberships
  FROM users u ORDER BY u.created_at;

-- name: set_password!
UPDATE users SET password_hash = :password_hash WHERE user_id = :user_id;

-- name: rehash!
-- Another hash of the same password; nothing if it was changed meanwhile.
UPDATE users SET password_hash = :password_hash WHERE user_id = :user_id AND password_hash = :old_hash;

-- name: set_totp!
-- A new secret, or null for none. Codes of an old secret are forgotten with it.
UPDATE users SET totp_secret = :totp_secret, totp_last = 0 WHERE user_id = :user_id;

-- name: use_totp$
-- Use up the code of a time step; null if that step, or a later one, was used before.
UPDATE users SET totp_last = :step WHERE user_id = :user_id AND totp_last < :step AND totp_secret IS NOT NULL
RETURNING 1;

-- name: set_disabled!
UPDATE users SET disabled_at = CASE WHEN :disabled THEN coalesce(disabled_at, clock_timestamp()) END
 WHERE user_id = :user_id;
