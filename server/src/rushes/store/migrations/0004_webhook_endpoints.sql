-- Standing webhook endpoints of organisations, deliveries of their own, the built-in catcher, and retention by
-- organisation. An event may now go to several places, so a delivery has an id of its own; the webhook-id stays the
-- event's.

CREATE TABLE webhook_endpoints (
  endpoint_id     uuid PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations,
  url             text NOT NULL,
  events          text[] NOT NULL,
  enabled         boolean NOT NULL DEFAULT true,
  disabled_why    text,                                 -- null while enabled, or when its owner disabled it
  last_success_at timestamptz,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX webhook_endpoints_org ON webhook_endpoints (org_id, created_at);

ALTER TABLE outbox
  ADD COLUMN delivery_id uuid NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN endpoint_id uuid,                          -- null: the request's own webhook_url
  ALTER COLUMN request_id DROP NOT NULL;                -- null: a test of an endpoint
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
ALTER TABLE outbox ADD PRIMARY KEY (delivery_id);
CREATE UNIQUE INDEX outbox_event ON outbox (event_id, endpoint_id) NULLS NOT DISTINCT;
CREATE INDEX outbox_org ON outbox (org_id, created_at DESC, delivery_id DESC);

-- Where an event of a request goes: its own address, if it asked for this one, and the organisation's endpoints.
CREATE FUNCTION webhook_targets(org uuid, event text, own_url text, own_events text[])
RETURNS TABLE (target_url text, target_endpoint uuid) LANGUAGE sql STABLE AS $$
  SELECT own_url, NULL::uuid WHERE own_url IS NOT NULL AND event = ANY(own_events)
  UNION ALL
  SELECT e.url, e.endpoint_id FROM webhook_endpoints e WHERE e.org_id = org AND e.enabled AND event = ANY(e.events)
$$;

CREATE TABLE catchers (
  org_id     uuid PRIMARY KEY REFERENCES organisations,
  token      text NOT NULL UNIQUE,                      -- the unguessable part of its address
  refused    bigint NOT NULL DEFAULT 0,                 -- what came without a good signature, counted only
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE caught_webhooks (
  caught_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id    uuid NOT NULL REFERENCES organisations,
  event_id  text NOT NULL,
  headers   json NOT NULL,
  body      text NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX caught_webhooks_org ON caught_webhooks (org_id, caught_id DESC);

ALTER TABLE organisations
  ADD COLUMN artifact_seconds integer CHECK (artifact_seconds > 0),   -- null: the server's; the shorter one counts
  ADD COLUMN file_seconds     integer CHECK (file_seconds > 0),
  ADD COLUMN record_seconds   integer CHECK (record_seconds > 0);

-- What was charged outlives the record it was charged for.
ALTER TABLE usage_rows DROP CONSTRAINT usage_rows_request_id_fkey;
