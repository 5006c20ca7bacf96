-- One row is one later declaration of the task that differs from its first one, which counts. Empty in an audit of files.
CREATE TABLE redeclared (
  time     TIMESTAMP NOT NULL,      -- when it was recorded
  evidence VARCHAR NOT NULL
);
