-- One row is a service of which CloudTrail has more to say than management events in the region of the call (queries/audit-services.json).
CREATE TABLE audit_service (
  service     VARCHAR NOT NULL,     -- IAM prefix
  source      VARCHAR NOT NULL,     -- eventSource
  home_region VARCHAR               -- region where a global service is recorded; null: that of the call
);
