-- One row is one address seen, as 32 hex digits.
CREATE TABLE address (
  address VARCHAR NOT NULL,
  hex     VARCHAR NOT NULL,
  reverse VARCHAR                   -- its name for a reverse look-up: …in-addr.arpa, …ip6.arpa
);
