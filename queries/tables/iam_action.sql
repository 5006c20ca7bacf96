-- One row maps an event of CloudTrail to an IAM action, where their names differ (queries/iam-actions.json).
CREATE TABLE iam_action (
  service    VARCHAR NOT NULL,      -- eventSource
  event_name VARCHAR NOT NULL,      -- without version suffix; * gives the prefix of every other event of the service
  action     VARCHAR NOT NULL,      -- service:Action; for event_name * service:*
  permissionless BOOLEAN NOT NULL,  -- needs no permission: counts as granted
  uncertain  BOOLEAN NOT NULL       -- one of several, and the record does not tell which
);
