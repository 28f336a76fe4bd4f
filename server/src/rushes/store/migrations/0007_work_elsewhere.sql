-- What ended requests have left running at other servers, to be stopped there (decisions/0016). A row lives from the end
-- of its request until that work has ended, some hours at most. No reference to requests: a record may be forgotten first.
CREATE TABLE work_elsewhere (
  request_id uuid PRIMARY KEY,
  attempt    integer NOT NULL,                          -- the last one: it may learn the id after the end
  label      text NOT NULL,                             -- the engine and its table: the beginning of the lane
  remembered text NOT NULL,                             -- as in requests
  tries      integer NOT NULL DEFAULT 0,
  due_at     timestamptz NOT NULL,                      -- when somebody may take it (again)
  said       text,                                      -- why it was not stopped yet
  since      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX work_elsewhere_due ON work_elsewhere (label, due_at);
