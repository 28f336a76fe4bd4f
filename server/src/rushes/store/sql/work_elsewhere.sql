-- Work that ended requests have left at other servers (requests.sql:conclude makes the rows).

-- name: take^
-- The next one that is due, the caller's for :lease: after that another may take it, also from one that was killed.
UPDATE work_elsewhere w SET tries = w.tries + 1, due_at = clock_timestamp() + :lease
 WHERE w.request_id = (SELECT d.request_id FROM work_elsewhere d WHERE d.label = :label AND d.due_at <= clock_timestamp()
                        ORDER BY d.due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING w.request_id, w.remembered, w.tries;

-- name: next_due$
-- Seconds until the first one is due, null when there is none.
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM work_elsewhere WHERE label = :label;

-- name: alive
-- What requests that go on have at other servers, or may have: those that run, then those that wait. Read only where work
-- without an id was looked for, so the look at all that wait is rare.
SELECT r.remembered FROM attempts a JOIN requests r USING (request_id, attempt)
 WHERE a.finished_at IS NULL AND r.status IN ('dispatched', 'processing') AND r.remembered <> ''
UNION ALL
SELECT remembered FROM requests WHERE waiting AND NOT limited AND remembered <> ''
UNION ALL
SELECT remembered FROM requests WHERE waiting AND limited AND remembered <> '';

-- name: learnt^
-- What an attempt was told after its request had ended: that is what will be stopped, and soon. Null where nothing is.
WITH late AS (
  UPDATE work_elsewhere SET remembered = :ref, due_at = clock_timestamp()
   WHERE request_id = :request_id AND attempt = :attempt RETURNING label
)
SELECT pg_notify('rushes_elsewhere', label) FROM late;

-- name: again!
-- It could not be stopped now.
UPDATE work_elsewhere SET due_at = clock_timestamp() + :delay, said = :said WHERE request_id = :request_id;

-- name: settle!
-- Nothing more can be done about it. :said, where it may run on: what operators are told.
WITH gone AS (DELETE FROM work_elsewhere WHERE request_id = :request_id RETURNING request_id, label)
INSERT INTO operate_events (kind, subject, actor, said)
SELECT 'work.left', label, 'system', 'request ' || request_id || ': ' || :said::text FROM gone WHERE :said::text IS NOT NULL;

-- name: give_up
-- What nobody has stopped for :age, because its server did not answer or no qworker is set up for it.
WITH gone AS (
  DELETE FROM work_elsewhere WHERE since < clock_timestamp() - :age::interval RETURNING request_id, label, tries, said
), event AS (
  INSERT INTO operate_events (kind, subject, actor, said)
  SELECT 'work.left', label, 'system',
         'request ' || request_id || ': given up after ' || tries || ' tries: ' || coalesce(said, 'no qworker serves it')
    FROM gone
)
SELECT request_id, label, tries, said FROM gone;
