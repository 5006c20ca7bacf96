-- One row is one use with the connection of the task's own tree that explains it.
CREATE TABLE use_match (
  event_id  VARCHAR NOT NULL,
  egress_id VARCHAR,                -- null: none fits
  fits      BIGINT NOT NULL,        -- connections that fit in host, time and source address
  chosen    BOOLEAN NOT NULL,       -- the connection is explained by this use (maximum matching)
  strength  VARCHAR NOT NULL,       -- only, shared; none where nothing fits
  source_known BOOLEAN NOT NULL,    -- the source is an egress address of a declared node
  own_node  BOOLEAN NOT NULL,       -- … of a node where the task ran
  alternatives BIGINT NOT NULL,     -- other process trees that could have made it; a node that was not watched counts as one
  unwatched VARCHAR                 -- names of such nodes
);
