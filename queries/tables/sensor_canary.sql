-- One row is one canary: told by a line of the collector, or known by its event alone where its line was lost.
CREATE TABLE sensor_canary (
  node     VARCHAR NOT NULL,
  n        BIGINT NOT NULL,
  time     TIMESTAMP NOT NULL,      -- of its line, else of its event
  told     BOOLEAN NOT NULL,        -- its line is there
  seen     BOOLEAN NOT NULL,        -- the kernel's events of it arrived
  evidence VARCHAR NOT NULL
);
