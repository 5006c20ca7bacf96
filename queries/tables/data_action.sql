-- One row is an IAM action whose records are data events (queries/audit-services.json).
CREATE TABLE data_action (
  service   VARCHAR NOT NULL,       -- IAM prefix
  action    VARCHAR NOT NULL,       -- service:Action, lower case
  resource_type VARCHAR NOT NULL,   -- resources.type of the event selector; '' when no class of events records it
  read_only BOOLEAN NOT NULL
);
