-- One row is one endpoint that the declaration or the configuration allows.
CREATE TABLE declared_endpoint (
  kind      VARCHAR NOT NULL,       -- endpoints, infrastructure, relay
  text      VARCHAR NOT NULL,       -- as written
  host      VARCHAR,                -- lower case; for *.suffix the '.suffix'
  wildcard  BOOLEAN NOT NULL,       -- host is a suffix: any depth below it
  first_hex VARCHAR,                -- address or CIDR as a range of 32 hex digits
  last_hex  VARCHAR,
  path      VARCHAR,                -- unix:path
  port      BIGINT,                 -- null for unix
  protocol  VARCHAR,                -- tcp, udp; null for unix
  region    VARCHAR                 -- of an AWS host that names one
);
