-- One row: a class of events of a service was on, or off, by a snapshot of a trail's configuration.
CREATE TABLE audit_snapshot (
  provider  VARCHAR NOT NULL,
  account   VARCHAR NOT NULL,
  region    VARCHAR NOT NULL,
  trail     VARCHAR NOT NULL,
  time      TIMESTAMP NOT NULL,     -- when the snapshot was taken
  logging   BOOLEAN NOT NULL,
  validated BOOLEAN NOT NULL,       -- log file validation on
  multi_region BOOLEAN NOT NULL,
  global_events BOOLEAN NOT NULL,
  home_region VARCHAR,
  management VARCHAR NOT NULL,      -- all, read, write, none
  excluded  VARCHAR NOT NULL,       -- JSON list of event sources excluded from management events
  data      VARCHAR NOT NULL,       -- JSON list of {service, resource_type, prefixes, read_write}; prefixes null = every resource
  selectors VARCHAR NOT NULL,       -- canonical JSON of the selectors, to compare snapshots
  latest_digest TIMESTAMP,
  evidence  VARCHAR NOT NULL
);
