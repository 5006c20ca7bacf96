-- One row is one way out that a process took: a connection, a datagram flow, a path, an accepted or received socket.
CREATE TABLE egress (
  id             VARCHAR NOT NULL,  -- record id of the event that opened it
  node           VARCHAR NOT NULL,
  exec_id        VARCHAR,
  pid            BIGINT,
  task_id        VARCHAR,
  channel        VARCHAR NOT NULL,  -- tcp, udp, icmp, raw, packet, sctp, vsock, unix, accepted, received, inherited
  protocol       VARCHAR,           -- tcp or udp where an endpoint can name it
  opened         TIMESTAMP NOT NULL,
  closed         TIMESTAMP,         -- null: still open at the end of the evidence
  local_address  VARCHAR,
  local_port     BIGINT,
  remote_address VARCHAR,           -- unmapped; null when the hook does not tell it
  remote_hex     VARCHAR,           -- the remote address as 32 hex digits (v4 as ::ffff:), for BETWEEN
  remote_port    BIGINT,
  path           VARCHAR,           -- unix socket path, @ for abstract
  socket         VARCHAR,           -- kernel address of the socket
  netns          BIGINT,
  hook           VARCHAR NOT NULL,  -- the hook that shows it
  outcome        VARCHAR NOT NULL,  -- up, failed, unknown
  carried        VARCHAR NOT NULL,  -- data sent by the process: yes, no, unknown
  datagrams      BIGINT,            -- udp: datagrams seen
  inside         BOOLEAN NOT NULL,  -- the listener is in the same tree
  listener       VARCHAR,           -- exec_id that accepted it on the same node, where seen
  server_name    VARCHAR,           -- from a whole ClientHello on this connection
  hello          VARCHAR NOT NULL,  -- none, whole, partial, encrypted
  host           VARCHAR,           -- the host it is attributed to
  basis          VARCHAR NOT NULL,  -- dns, dns+sni, hosts, hosts+sni, resolution, resolution+sni, ip-range+sni, address, none …
  names          VARCHAR,           -- JSON list of all hosts tied to the address then
  name_problem   VARCHAR,           -- ambiguous, untied, no-name, contradiction
  endpoint       VARCHAR NOT NULL,  -- host:port, address:port, unix:path, or channel
  declared       BOOLEAN NOT NULL,  -- in endpoints, infrastructure or relays
  declared_as    VARCHAR,           -- endpoints, infrastructure, relay
  evidence       VARCHAR NOT NULL
);
