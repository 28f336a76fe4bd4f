-- Lanes that are fair, limited, held and watched (decisions 0005 and 0006). Counters that are written often lie in small
-- tables of their own, so that their updates stay HOT and the rows of requests carry nothing new that changes.

ALTER TABLE organisations
  DROP COLUMN finish_tag,
  ADD COLUMN weight   double precision NOT NULL DEFAULT 1 CHECK (weight > 0),  -- its part of a lane, against others
  ADD COLUMN operator boolean NOT NULL DEFAULT false;                         -- its owners run this platform
UPDATE organisations SET operator = true
 WHERE org_id = (SELECT org_id FROM organisations ORDER BY created_at LIMIT 1);

CREATE TABLE fair_tags (                                -- start-time fair queueing: a lane's priority is one fair queue
  org_id     uuid NOT NULL REFERENCES organisations,
  lane       text NOT NULL,
  priority   integer NOT NULL,
  start_tag  double precision NOT NULL,                 -- of the latest submit
  finish_tag double precision NOT NULL,                 -- where the next one may start
  PRIMARY KEY (org_id, lane, priority)
) WITH (fillfactor = 50);
INSERT INTO fair_tags (org_id, lane, priority, start_tag, finish_tag)
SELECT org_id, lane, priority, max(start_tag), max(start_tag) + 1 FROM requests WHERE waiting GROUP BY 1, 2, 3;

CREATE TABLE lane_clocks (
  lane       text NOT NULL,
  priority   integer NOT NULL,
  served_tag double precision NOT NULL DEFAULT 0,       -- the virtual clock: the latest start tag that was claimed
  served_at  timestamptz,                               -- when something was claimed last
  PRIMARY KEY (lane, priority)
) WITH (fillfactor = 50);
INSERT INTO lane_clocks (lane, priority, served_tag)
SELECT lane, 0, served_tag FROM lanes
UNION SELECT lane, priority, served_tag FROM lanes JOIN (SELECT DISTINCT lane, priority FROM requests WHERE waiting) w USING (lane);

CREATE TABLE lane_limits (                              -- only where an organisation has a limit for one lane
  org_id      uuid NOT NULL REFERENCES organisations,
  lane        text NOT NULL,
  max_running integer NOT NULL CHECK (max_running >= 0),
  running     integer NOT NULL DEFAULT 0,               -- attempts going on
  PRIMARY KEY (org_id, lane)
) WITH (fillfactor = 50);

ALTER TABLE lanes
  DROP COLUMN served_tag,
  ADD COLUMN held         boolean NOT NULL DEFAULT false,
  ADD COLUMN cause        text,                         -- of the hold: a failure code, or operator
  ADD COLUMN said         text,                         -- the failure's text, or the operator's
  ADD COLUMN since        timestamptz,                  -- held, or resumed, since then
  ADD COLUMN failures     integer NOT NULL DEFAULT 0,   -- in a row, of different requests, for one cause
  ADD COLUMN failing      text,                         -- that cause
  ADD COLUMN last_failed  uuid,                         -- the request that was counted last
  ADD COLUMN load_seconds double precision;             -- measured by qworkers: what a swap to this lane costs

-- A request of an organisation that has a running limit waits in an index of its own, so that a claim passes over a
-- thousand that may not run as quickly as over one. The flag is what held at submit; a claim looks at the limits again.
ALTER TABLE requests
  ADD COLUMN limited boolean NOT NULL DEFAULT false,
  ADD COLUMN avoid   uuid;                              -- a qworker it did not fit: to be claimed by another, if there is one
UPDATE requests SET limited = true
 WHERE waiting AND org_id IN (SELECT org_id FROM organisations WHERE max_running IS NOT NULL);
DROP INDEX requests_claim;
CREATE INDEX requests_claim ON requests (lane, priority DESC, start_tag, request_id) WHERE waiting AND NOT limited;
CREATE INDEX requests_claim_limited ON requests (lane, org_id, priority DESC, start_tag, request_id)
 WHERE waiting AND limited;
-- Their place in the whole line; -priority, so that no claim takes it for its own index.
CREATE INDEX requests_line_limited ON requests (lane, (-priority), start_tag, request_id) WHERE waiting AND limited;

-- Events are written in the order of time, so a few bytes for each hundred pages find those of the last minutes.
CREATE INDEX events_at ON events USING brin (at) WITH (pages_per_range = 32, autosummarize = on);

CREATE VIEW happenings AS                               -- events, and of each first start how long the request had waited
SELECT e.at, e.request_id, e.status, e.n, waited.seconds AS wait_seconds
  FROM events e LEFT JOIN LATERAL (
    SELECT extract(epoch FROM r.started_at - r.queued_at)::double precision AS seconds FROM requests r
     WHERE e.status = 'processing' AND r.request_id = e.request_id
       AND r.started_at BETWEEN e.at - interval '1 second' AND e.at + interval '1 second'
    OFFSET 0) waited ON true;                           -- OFFSET: one look-up each, never a join over all requests

CREATE TABLE minutes (                                  -- what happened in each minute that is over
  minute    timestamptz PRIMARY KEY,
  submitted integer NOT NULL,
  started   integer NOT NULL,
  finished  integer NOT NULL,
  failed    integer NOT NULL,
  cancelled integer NOT NULL,
  wait_p50  double precision,                           -- seconds from queued to started, of those that started
  wait_p95  double precision
);

CREATE TABLE operate_events (                           -- what was done to lanes and qworkers, and by whom
  event_n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind    text NOT NULL,                                -- lane.held, lane.resumed, qworker.paused, ...
  subject text NOT NULL,                                -- a lane, or the id of a qworker
  actor   text NOT NULL,                                -- system, command line, key and its id, a person's e-mail
  said    text
);

ALTER TABLE qworkers
  ADD COLUMN ordered      text NOT NULL DEFAULT 'run' CHECK (ordered IN ('run', 'pause', 'drain')),
  ADD COLUMN refused      json NOT NULL DEFAULT '{}',   -- models it cannot serve, and why
  ADD COLUMN memory_bytes bigint;
