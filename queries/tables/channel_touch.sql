-- One row says how a channel or blind spot of queries/hooks.json is touched: by a socket (arguments of
-- security_socket_create) or by egress. A socket that no row fits belongs to no known channel.
CREATE TABLE channel_touch (
  channel  VARCHAR NOT NULL,
  family   BIGINT,                  -- AF_…; null when it is egress that touches
  type     BIGINT,                  -- SOCK_…, null: any
  protocol BIGINT,                  -- null: any
  egress   VARCHAR,                 -- egress.channel
  port     BIGINT                   -- egress.remote_port, null: any
);
