-- One row is one event that CloudTrail's LookupEvents told: a cross-check of the log files, never a proof.
CREATE TABLE audit_lookup (
  event_id   VARCHAR NOT NULL,
  time       TIMESTAMP NOT NULL,
  account    VARCHAR NOT NULL,
  region     VARCHAR NOT NULL,
  access_key VARCHAR,              -- that authenticated it
  action     VARCHAR NOT NULL,     -- event source and name
  evidence   VARCHAR NOT NULL
);
