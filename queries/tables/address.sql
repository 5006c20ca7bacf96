-- One row is one address seen, as 32 hex digits.
CREATE TABLE address (address VARCHAR NOT NULL, hex VARCHAR NOT NULL);
