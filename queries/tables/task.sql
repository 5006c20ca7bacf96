-- The judged task, one row.
CREATE TABLE task (
  task_id  VARCHAR NOT NULL,
  type     VARCHAR NOT NULL,
  declared TIMESTAMP,               -- when the declaration was made
  declared_basis VARCHAR NOT NULL,  -- self-reported, collector
  image    VARCHAR,                 -- required image digest
  window_start TIMESTAMP,           -- of what is judged: the first process, or earlier if so declared
  window_end   TIMESTAMP,           -- of what is judged: the last exit, or later if so declared; null when something still runs
  last_exit TIMESTAMP,
  tolerance INTERVAL NOT NULL,
  newest   TIMESTAMP,               -- newest time in all the evidence: waiting is judged by it
  has_policy BOOLEAN NOT NULL,
  evidence VARCHAR NOT NULL,
  declared_end TIMESTAMP            -- end of the declared window: no use may come after it
);
