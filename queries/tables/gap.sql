-- One row is a stretch of time for one (stream, origin) in which records may be missing, and why.
CREATE TABLE gap (
  stream    VARCHAR NOT NULL,
  origin    VARCHAR NOT NULL,       -- '' when it may be any
  from_time TIMESTAMP,              -- null: from the start
  until     TIMESTAMP,              -- null: to the end
  why       VARCHAR NOT NULL,       -- code: broken-line, truncated-file, stream-gap, sensor-loss, sensor-restart, throttled, canary-missed, no-health-evidence …
  detail    VARCHAR NOT NULL,       -- plain sentence
  count     BIGINT,
  evidence  VARCHAR NOT NULL
);
