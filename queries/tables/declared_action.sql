-- One row is one action pattern that the declaration allows, or that the granted policy allows or denies.
CREATE TABLE declared_action (
  source  VARCHAR NOT NULL,         -- declaration, granted
  effect  VARCHAR NOT NULL,         -- allow, deny
  inverted BOOLEAN NOT NULL,        -- NotAction: the pattern excludes
  statement INTEGER NOT NULL,       -- number of the policy statement, 0 for the declaration
  pattern VARCHAR NOT NULL,         -- as written: service:Action with * and ?
  service VARCHAR NOT NULL,         -- lower case, * for any
  regex   VARCHAR NOT NULL          -- anchored, lower case: matches lower(service:Action)
);
