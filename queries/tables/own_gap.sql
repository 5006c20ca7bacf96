-- One row is one gap that the collector itself recorded, or a hole in the segments that are looked at, by way in: whether
-- it counts depends on the other way (see stream-break.sql). Empty in an audit of files.
CREATE TABLE own_gap (
  stream    VARCHAR NOT NULL,       -- tetragon (the export), tetragon-grpc, sensor, cloudtrail …
  origin    VARCHAR NOT NULL,       -- node or account_region; '' when it may be any
  from_time TIMESTAMP,              -- null: from the start
  until     TIMESTAMP,              -- null: to the end
  why       VARCHAR NOT NULL,
  detail    VARCHAR NOT NULL,
  count     BIGINT,
  evidence  VARCHAR NOT NULL
);
