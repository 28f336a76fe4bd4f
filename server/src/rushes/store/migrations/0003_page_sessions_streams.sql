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

ALTER TABLE requests ADD COLUMN group_id uuid;
CREATE INDEX requests_group ON requests (org_id, group_id, created_at DESC, request_id DESC) WHERE group_id IS NOT NULL;

-- Few have failed or wait, so an index of these alone finds them among many. Updates stay HOT: error_code is set once,
-- at an end that is no success, and `waiting` is in the claim index already.
ALTER TABLE requests ADD CONSTRAINT requests_end_says_why
  CHECK (status NOT IN ('failed', 'cancelled') OR error_code IS NOT NULL);
CREATE INDEX requests_failed ON requests (org_id, created_at DESC, request_id DESC) WHERE error_code IS NOT NULL;
-- Written so that no claim takes it for an index of its own.
CREATE INDEX requests_waiting ON requests (org_id, created_at DESC, request_id DESC) WHERE waiting::integer = 1;

CREATE INDEX artifacts_sha256 ON artifacts (org_id, sha256);

-- Words of prompts and metadata (m:key=value). Filled by maintenance, a little behind: a submit that wrote this too would
-- cost a third more. What is not in here yet, search reads from the requests themselves (decisions/0008).
CREATE TABLE request_terms (
  org_id     uuid NOT NULL,
  created_at timestamptz NOT NULL,
  request_id uuid NOT NULL,
  terms      tsvector NOT NULL,
  PRIMARY KEY (org_id, created_at, request_id)
);
CREATE INDEX request_terms_terms ON request_terms USING gin (terms);

CREATE TABLE search_mark (
  one           boolean PRIMARY KEY DEFAULT true CHECK (one),
  indexed_until timestamptz NOT NULL
);
INSERT INTO search_mark (indexed_until) VALUES ('-infinity');

-- Text with each sign of a script that writes no blanks (Chinese, Japanese, Korean) set apart, so that it is a word.
CREATE FUNCTION spaced(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT regexp_replace($1, '([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff])', ' \1 ', 'g')
$$;

-- The words of a prompt and its metadata. Each sign of a script without blanks is a word of its own.
CREATE FUNCTION terms_of(prompt text, metadata json) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('pg_catalog.simple', spaced(left(coalesce(prompt, ''), 20000)))
      || array_to_tsvector(ARRAY(SELECT left('m:' || pair.key || '=' || pair.value, 500)
           FROM json_each_text(CASE WHEN json_typeof(metadata) = 'object' THEN metadata ELSE '{}' END) AS pair
          WHERE pair.value IS NOT NULL))
$$;

-- What a search asks of terms: each word as the beginning of one, and exact metadata, of which either may be null.
-- Immutable, so that the planner knows how common the words are.
CREATE FUNCTION wanted_terms(words text, exact text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN words IS NULL THEN exact::tsquery WHEN exact IS NULL THEN prefixed ELSE prefixed && exact::tsquery END
    FROM (SELECT regexp_replace(plainto_tsquery('pg_catalog.simple', spaced(words))::text, '''(?= |$)', ''':*', 'g')::tsquery
              AS prefixed) q
$$;
