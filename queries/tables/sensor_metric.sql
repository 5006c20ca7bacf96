-- One row is one loss counter in one health line (design 7, Covered). A label that a line lacks counts as 0 there.
CREATE TABLE sensor_metric (
  node     VARCHAR NOT NULL,
  time     TIMESTAMP NOT NULL,
  metric   VARCHAR NOT NULL,        -- tetragon_…_total
  labels   VARCHAR NOT NULL,        -- text between the braces, '' without
  value    DOUBLE NOT NULL,
  evidence VARCHAR NOT NULL
);
