-- Sessions of the web page, the order of an organisation's events, groups, and indexes for lists.

CREATE TABLE page_sessions (
  token_hash bytea PRIMARY KEY,                         -- SHA-256 of the cookie; the token has 256 random bits
  session_id uuid REFERENCES sessions ON DELETE CASCADE,
  key_id     text REFERENCES api_keys,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  CHECK (num_nonnulls(session_id, key_id) = 1)          -- a person, or a key
);
CREATE INDEX page_sessions_session ON page_sessions (session_id);

CREATE TABLE sign_in_links (
  token_hash bytea PRIMARY KEY,                         -- deleted by its use
  user_id    uuid NOT NULL REFERENCES users,
  expires_at timestamptz NOT NULL
);

-- The transaction that wrote an event: what a reader's snapshot has shown it, and what not (decisions/0007).
ALTER TABLE events ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX events_org ON events (org_id, written_by, request_id, n);

-- What runs now, without a look at every request. `attempts` has no other column that changes often.
CREATE INDEX attempts_open ON attempts (request_id) WHERE finished_at IS NULL;
