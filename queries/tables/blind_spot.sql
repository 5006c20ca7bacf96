-- One row is one channel that no hook closes (queries/hooks.json).
CREATE TABLE blind_spot (
  channel VARCHAR NOT NULL,
  detail  VARCHAR NOT NULL          -- one plain sentence
);
