-- One row is one line about the sensor (design 9). Times are the node's clock.
CREATE TABLE sensor (
  node     VARCHAR NOT NULL,
  time     TIMESTAMP NOT NULL,
  kind     VARCHAR NOT NULL,        -- health, stream, canary
  state    VARCHAR,                 -- stream: connected, disconnected
  why      VARCHAR,                 -- stream: why; health: the error when the sensor could not be asked
  n        BIGINT,                  -- canary: its number
  port     BIGINT,                  -- canary: the port
  version  VARCHAR,
  started  DOUBLE,                  -- health: process_start_time_seconds
  cache_entries BIGINT,             -- health: tetragon_event_cache_entries
  policies VARCHAR,                 -- health: JSON list of TracingPolicyStatus
  metrics  VARCHAR,                 -- health: JSON object name{labels} -> number
  specs    VARCHAR,                 -- health: JSON list of {name, sha256}, null where not told
  evidence VARCHAR NOT NULL
);
