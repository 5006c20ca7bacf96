-- One row says that from a time on, for a client, an address stood for a host name.
CREATE TABLE resolution (
  address  VARCHAR NOT NULL,        -- address, or CIDR for ip-range
  first_hex VARCHAR NOT NULL,       -- range as 32 hex digits
  last_hex  VARCHAR NOT NULL,
  host     VARCHAR NOT NULL,        -- lower case, no trailing dot; for ip-range a pattern *.suffix
  from_time TIMESTAMP,              -- null: always
  until    TIMESTAMP,               -- null: open (configuration); else end of the TTL
  node     VARCHAR,                 -- null: every node
  exec_id  VARCHAR,                 -- dns: the process that asked
  basis    VARCHAR NOT NULL,        -- dns, resolution, hosts, ip-range
  evidence VARCHAR NOT NULL
);
