-- One row is one setting of the configuration that the queries read.
CREATE TABLE setting (
  kind   VARCHAR NOT NULL,          -- node-egress, resolver, search-domain, issuer, assume, trail-required, host, session-name
  name   VARCHAR NOT NULL,          -- node, host, …; for session-name: anchored regular expression for this task's names
  value  VARCHAR NOT NULL           -- address (as 32 hex digits for node-egress, resolver), ARN, …
);
