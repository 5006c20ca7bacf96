-- One row is one ClientHello that a process sent.
CREATE TABLE tls_hello (
  node        VARCHAR NOT NULL,
  exec_id     VARCHAR,
  time        TIMESTAMP NOT NULL,
  socket      VARCHAR,
  server_name VARCHAR,              -- lower case, hostile bytes escaped; null: none sent
  state       VARCHAR NOT NULL,     -- whole, partial, encrypted
  evidence    VARCHAR NOT NULL
);
