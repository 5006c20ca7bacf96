-- One row is one ClientHello that a process sent.
CREATE TABLE tls_hello (
  node        VARCHAR NOT NULL,
  exec_id     VARCHAR,
  time        TIMESTAMP NOT NULL,
  socket      VARCHAR,              -- kernel address of the socket: re-used after close, so the addresses below must fit too
  local_port  BIGINT NOT NULL,      -- 0: not known
  remote_address VARCHAR,
  remote_port BIGINT NOT NULL,      -- 0: the send opened the connection (fast open)
  server_name VARCHAR,              -- lower case, hostile bytes escaped; null: none sent
  state       VARCHAR NOT NULL,     -- whole, partial, encrypted
  evidence    VARCHAR NOT NULL
);
