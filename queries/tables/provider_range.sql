-- One row is one published address range of a provider: what lies outside all of them is none of its hosts.
CREATE TABLE provider_range (
  suffix    VARCHAR NOT NULL,       -- hosts under it live in the ranges: .amazonaws.com
  first_hex VARCHAR NOT NULL,
  last_hex  VARCHAR NOT NULL,
  service   VARCHAR NOT NULL
);
