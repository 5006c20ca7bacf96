-- One row is one way out as the hooks show it, before names (queries/sources/egress.sql); columns as in egress.
CREATE TABLE flow (
  node VARCHAR NOT NULL, exec_id VARCHAR, pid BIGINT, channel VARCHAR NOT NULL, protocol VARCHAR,
  opened TIMESTAMP NOT NULL, closed TIMESTAMP, local_address VARCHAR, local_port BIGINT,
  remote_address VARCHAR, remote_port BIGINT, path VARCHAR, socket VARCHAR, netns BIGINT, hook VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL, carried VARCHAR NOT NULL, datagrams BIGINT, evidence VARCHAR NOT NULL
);
