-- One row is one way in of one node and the newest time of the events that came by it.
CREATE TABLE way_reach (
  node  VARCHAR NOT NULL,
  way   VARCHAR NOT NULL,           -- grpc, export
  until TIMESTAMP NOT NULL
);
