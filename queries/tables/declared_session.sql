-- One row is one credential that the declaration gives the task.
CREATE TABLE declared_session (
  provider VARCHAR NOT NULL,
  name     VARCHAR,                 -- session name
  key      VARCHAR,                 -- access key id, where declared
  role     VARCHAR                  -- role ARN
);
