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
  metrics  VARCHAR,                 -- health: JSON object of the counters that are read from here; the others: sensor_metric
  way      VARCHAR,                 -- stream: which way in, grpc (also where the line names none) or export
  resumed  BOOLEAN,                 -- stream, connected: nothing was lost since the way's line before
  since    TIMESTAMP,               -- stream, connected: since when all of it was kept; null: since the line's time
  export_filter VARCHAR,            -- health: none or some, whether the export's lists leave events out; null where not told
  answered TIMESTAMP,               -- health: when the last answer was there; what it tells was read between time and this
  every    DOUBLE,                  -- health, canary: seconds between two of them, where that is told
  evidence VARCHAR NOT NULL
);
