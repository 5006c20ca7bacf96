-- One row is one DNS query or answer whose content the kernel showed.
CREATE TABLE dns_message (
  node        VARCHAR NOT NULL,
  exec_id     VARCHAR,
  task_id     VARCHAR,
  time        TIMESTAMP NOT NULL,
  direction   VARCHAR NOT NULL,     -- query, answer, broken-query, broken-answer
  server      VARCHAR,              -- far end's address
  server_port BIGINT,
  local_port  BIGINT,
  id          BIGINT,
  name        VARCHAR,              -- the question's name, lower case
  qtype       VARCHAR,
  address     VARCHAR,              -- answer: an address reached from the question; one row each
  ttl         BIGINT,
  evidence    VARCHAR NOT NULL
);
