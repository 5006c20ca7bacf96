-- The judged task, one row.
CREATE TABLE task (
  task_id  VARCHAR NOT NULL,
  type     VARCHAR NOT NULL,
  declared TIMESTAMP,               -- when the declaration was made
  declared_basis VARCHAR NOT NULL,  -- self-reported, collector
  image    VARCHAR,                 -- required image digest
  window_start TIMESTAMP,           -- declared, else from the first process
  window_end   TIMESTAMP,           -- declared, else to the last exit; null when something still runs
  last_exit TIMESTAMP,
  tolerance INTERVAL NOT NULL,
  newest   TIMESTAMP,               -- newest time in all the evidence: waiting is judged by it
  has_policy BOOLEAN NOT NULL,
  evidence VARCHAR NOT NULL
);
