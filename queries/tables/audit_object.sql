-- One row is one CloudTrail log or digest file: present, or named by a digest and missing (facts/cloudtrail.md 8).
CREATE TABLE audit_object (
  kind        VARCHAR NOT NULL,     -- log, digest, backfill
  object      VARCHAR NOT NULL,     -- file name (the last part of the key)
  account     VARCHAR,
  region      VARCHAR,
  trail       VARCHAR,              -- digest: trail name; log: of the digest that lists it
  from_time   TIMESTAMP,            -- digest: start of the range of delivery times; log: oldestEventTime
  until       TIMESTAMP,            -- digest: end of it; log: newestEventTime
  delivered   TIMESTAMP,            -- log: minute of delivery from its name; digest: its end
  state       VARCHAR NOT NULL,     -- digest: valid, invalid, missing; log: listed, altered, missing, pending, unlisted
  starting    BOOLEAN NOT NULL,     -- digest without a predecessor
  why         VARCHAR NOT NULL,     -- plain sentence; '' when all is well
  listed_by   VARCHAR,              -- log: the digest that lists it
  evidence    VARCHAR NOT NULL      -- record id, or that of the digest that names it
);
