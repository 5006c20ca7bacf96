-- One row is one stretch in which a way in to a node's sensor was not whole; those of way '' are where no way was.
CREATE TABLE stream_break (
  node       VARCHAR NOT NULL,
  way        VARCHAR NOT NULL,      -- grpc, export; '' for the node
  connection BOOLEAN NOT NULL,      -- a matter of being connected; else records of a connected way are missing
  told       BOOLEAN NOT NULL,      -- false: nothing but that the first line is not 'connected'
  from_time  TIMESTAMP,             -- since when events may be missing; null: from the start
  broke      TIMESTAMP,             -- when it broke; null: from the start
  until      TIMESTAMP,             -- null: to the end
  why        VARCHAR NOT NULL,
  evidence   VARCHAR NOT NULL
);
