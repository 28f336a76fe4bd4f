-- The whole first schema. Rules that were measured: the claim index is partial on `waiting`, not on `status` (so that
-- status changes stay HOT); no index on the lease; payloads are json, not jsonb (the echo keeps its key order); core
-- functions only, no extension.

CREATE TABLE organisations (
  org_id        uuid PRIMARY KEY,
  name          text NOT NULL,
  balance_micro bigint,                                 -- null: unlimited
  held_micro    bigint NOT NULL DEFAULT 0,              -- the quotes of unfinished requests
  unfinished    integer NOT NULL DEFAULT 0,
  finish_tag    double precision NOT NULL DEFAULT 0,    -- start-time fair queueing: where the next request may start
  max_running   integer CHECK (max_running >= 0),       -- null: no limit, and `running` is not counted
  running       integer NOT NULL DEFAULT 0,             -- attempts going on, counted only where there is a limit
  limits        json NOT NULL DEFAULT '{}',
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
CREATE INDEX organisations_limited ON organisations (org_id) WHERE max_running IS NOT NULL;

CREATE TABLE users (
  user_id       uuid PRIMARY KEY,
  email         text NOT NULL,                          -- as given; compared in lower case
  password_hash text NOT NULL,
  first_name    text NOT NULL DEFAULT '',
  last_name     text NOT NULL DEFAULT '',
  totp_secret   text,                                   -- null: no second factor
  totp_last     bigint NOT NULL DEFAULT 0,              -- the last time step used, so that a code works once
  disabled_at   timestamptz,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE memberships (
  org_id     uuid NOT NULL REFERENCES organisations,
  user_id    uuid NOT NULL REFERENCES users,
  role       text NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, org_id)
);

CREATE TABLE api_keys (
  key_id            text PRIMARY KEY,                   -- the public eight characters of the key
  org_id            uuid NOT NULL REFERENCES organisations,
  user_id           uuid REFERENCES users,
  name              text NOT NULL,
  secret_hash       bytea NOT NULL,                     -- SHA-256; the secret has 256 random bits
  last4             text NOT NULL,
  scopes            text[] NOT NULL,
  spend_limit_micro bigint,
  spent_micro       bigint NOT NULL DEFAULT 0,          -- charged so far
  held_micro        bigint NOT NULL DEFAULT 0,          -- the quotes of its unfinished requests
  limits            json NOT NULL DEFAULT '{}',
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_at      timestamptz,
  expires_at        timestamptz,
  revoked_at        timestamptz
) WITH (fillfactor = 70);
CREATE INDEX api_keys_org ON api_keys (org_id, created_at);

CREATE TABLE sessions (
  session_id    uuid PRIMARY KEY,
  user_id       uuid NOT NULL REFERENCES users,
  client        text NOT NULL DEFAULT '',
  refresh_n     integer NOT NULL DEFAULT 0,             -- the number of the refresh token that is good
  used_at       timestamptz[] NOT NULL DEFAULT '{}',    -- when the numbers before it were used, latest first
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at    timestamptz NOT NULL,
  revoked_at    timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE login_failures (
  subject text NOT NULL,                                -- "email:..." hashed, "address:...", "all"
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX login_failures_subject ON login_failures (subject, at);

CREATE TABLE signing_keys (
  kid        text PRIMARY KEY,
  secret     bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz
);

CREATE TABLE requests (
  request_id     uuid PRIMARY KEY,
  org_id         uuid NOT NULL REFERENCES organisations,
  user_id        uuid,
  key_id         text,
  model          text NOT NULL,
  engine         text NOT NULL,
  lane           text NOT NULL,                         -- what a qworker claims by: an engine, or an engine and a model
  status         text NOT NULL,
  waiting        boolean NOT NULL,
  priority       integer NOT NULL DEFAULT 0,
  start_tag      double precision NOT NULL,
  not_before     timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempt        integer NOT NULL DEFAULT 0,            -- the fence; only ever rises
  tries          integer NOT NULL DEFAULT 0,            -- counts towards the limit; a hand-back gives one back
  qworker_id     uuid,
  lease_until    timestamptz,
  progress       smallint NOT NULL DEFAULT 0,
  stage          text,
  remembered     text,                                  -- an engine's remote id
  payload        json NOT NULL,                         -- as sent, media replaced by references
  params         json NOT NULL,                         -- cleaned, defaults filled in
  plan           json NOT NULL,
  media          json NOT NULL DEFAULT '[]',            -- inputs to fetch: parameter, role, index, kind, source
  fault          json,                                  -- an ordered failure (tests)
  warnings       json NOT NULL DEFAULT '[]',
  metadata       json,
  webhook_url    text,
  webhook_events text[] NOT NULL DEFAULT '{}',
  expires_after  integer,                               -- seconds from the finish
  outcome        json,
  error          text,
  error_code     text,
  retryable      boolean,
  quote_micro    bigint NOT NULL DEFAULT 0,
  charge_micro   bigint,
  event_n        integer NOT NULL DEFAULT 0,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  queued_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at     timestamptz,
  finished_at    timestamptz,
  expires_at     timestamptz,
  purged_at      timestamptz
) WITH (fillfactor = 75);
CREATE INDEX requests_claim ON requests (lane, priority DESC, start_tag, request_id) WHERE waiting;
CREATE INDEX requests_list ON requests (org_id, created_at DESC, request_id DESC);
CREATE INDEX requests_list_model ON requests (org_id, model, created_at DESC, request_id DESC);

CREATE TABLE lanes (
  lane       text PRIMARY KEY,
  served_tag double precision NOT NULL DEFAULT 0        -- the virtual clock: the latest start tag that was claimed
) WITH (fillfactor = 50);

CREATE TABLE attempts (
  request_id  uuid NOT NULL REFERENCES requests ON DELETE CASCADE,
  attempt     integer NOT NULL,
  qworker_id  uuid NOT NULL,
  claimed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  stages      json NOT NULL DEFAULT '[]',               -- [{"stage": word, "at": unix seconds}]
  result      text,                                     -- success, failed, cancelled, rescued, handed_back, retried
  error       text,
  report      json,
  PRIMARY KEY (request_id, attempt)
);

CREATE TABLE events (
  request_id uuid NOT NULL REFERENCES requests ON DELETE CASCADE,
  n          integer NOT NULL,
  org_id     uuid NOT NULL,
  status     text NOT NULL,
  attempt    integer NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (request_id, n)
);

CREATE TABLE outbox (
  event_id     text PRIMARY KEY,                        -- evt_<request id>_<n>, also the webhook-id
  request_id   uuid NOT NULL REFERENCES requests ON DELETE CASCADE,
  org_id       uuid NOT NULL,
  status       text NOT NULL,
  url          text NOT NULL,
  tries        integer NOT NULL DEFAULT 0,
  due_at       timestamptz DEFAULT clock_timestamp(),   -- null: delivered or given up
  delivered_at timestamptz,
  last_status  integer,
  last_answer  text,
  last_try_at  timestamptz,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_request ON outbox (request_id);

CREATE TABLE webhook_secrets (
  secret_id  uuid PRIMARY KEY,
  org_id     uuid NOT NULL REFERENCES organisations,
  secret     text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
CREATE INDEX webhook_secrets_org ON webhook_secrets (org_id);

CREATE TABLE artifacts (
  artifact_id  uuid PRIMARY KEY,
  org_id       uuid NOT NULL,
  request_id   uuid NOT NULL REFERENCES requests ON DELETE CASCADE,
  attempt      integer NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('video', 'thumbnail')),
  path         text NOT NULL,
  content_type text NOT NULL,
  size_bytes   bigint NOT NULL,
  sha256       text NOT NULL,
  width        integer,
  height       integer,
  fps          double precision,
  seconds      double precision,
  expires_at   timestamptz,
  deleted_at   timestamptz,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX artifacts_request ON artifacts (request_id);
CREATE INDEX artifacts_expiry ON artifacts (expires_at) WHERE deleted_at IS NULL;

CREATE TABLE files (
  file_id      uuid PRIMARY KEY,
  org_id       uuid NOT NULL REFERENCES organisations,
  token        text NOT NULL UNIQUE,                    -- the unguessable part of public_url
  kind         text NOT NULL,                           -- image, audio, video
  content_type text NOT NULL,
  path         text NOT NULL,
  size_bytes   bigint,                                  -- null until the bytes have come
  sha256       text,
  facts        json NOT NULL DEFAULT '{}',              -- width, height, seconds
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_at    timestamptz,
  expires_at   timestamptz,
  deleted_at   timestamptz
);
CREATE INDEX files_org ON files (org_id, created_at DESC);
CREATE UNIQUE INDEX files_same_bytes ON files (org_id, sha256) WHERE sha256 IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE usage_rows (
  request_id   uuid PRIMARY KEY REFERENCES requests,
  org_id       uuid NOT NULL,
  key_id       text,
  model        text NOT NULL,
  engine       text NOT NULL,
  seconds      double precision NOT NULL,               -- seconds of video
  work         double precision NOT NULL DEFAULT 0,     -- megapixels times seconds of video; 0: unknown
  run_seconds  double precision NOT NULL,               -- from start to finish
  wait_seconds double precision NOT NULL,               -- from queued to start
  charge_micro bigint NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX usage_rows_org ON usage_rows (org_id, at);
CREATE INDEX usage_rows_model ON usage_rows (model, at DESC);

CREATE TABLE idempotency (
  org_id     uuid NOT NULL,
  key        text NOT NULL,
  body_hash  bytea NOT NULL,
  request_id uuid NOT NULL,
  answer     text,                                      -- the first answer, byte for byte
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE qworkers (
  qworker_id uuid PRIMARY KEY,
  host       text NOT NULL,
  pid        integer NOT NULL,
  version    text NOT NULL,
  lanes      text[] NOT NULL,
  slots      integer NOT NULL,
  busy       integer NOT NULL DEFAULT 0,
  loaded     text[] NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  draining   boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
