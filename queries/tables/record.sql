-- One row is one sealed record of the evidence store (design 4). Filled from the segments, never written by a query.
CREATE TABLE record (
  stream      VARCHAR NOT NULL,  -- tetragon, tetragon-grpc, sensor, cloudtrail, cloudtrail-digest, cloudtrail-config, cloudtrail-object, resolution, tally
  origin      VARCHAR NOT NULL,  -- node, account_region, or file
  seq         BIGINT  NOT NULL,  -- 0,1,2… per stream and origin, no holes
  received_at BIGINT  NOT NULL,  -- ns since the epoch; for records read from files the record's own time, 0 where it has none
  evidence    VARCHAR NOT NULL,  -- stream/origin/seq
  raw         VARCHAR NOT NULL   -- the record after masking of secrets; sensor frames already as lean export line
);
