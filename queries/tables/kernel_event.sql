-- One row is one Tetragon event, its arguments told apart by kind and position (facts/tetragon.md). Both ways in
-- (JSON export, gRPC frames) give the same rows. Times are UTC microseconds.
CREATE TABLE kernel_event (
  node        VARCHAR NOT NULL,
  time        TIMESTAMP,         -- the event's own time (for return hooks: when the call was entered)
  kind        VARCHAR NOT NULL,  -- exec, exit, kprobe, tracepoint, uprobe, lsm, loader, usdt, throttle, rate_limit_info
  hook        VARCHAR,           -- function, subsys/event, or symbol
  exec_id     VARCHAR,           -- null: the sensor did not know the process
  pid         BIGINT,            -- thread group
  tid         BIGINT,
  netns       BIGINT,            -- inode of the network namespace, null where not exported
  s_family    VARCHAR,           -- first sock argument: AF_INET, AF_INET6, AF_UNIX …
  s_type      VARCHAR,
  s_protocol  VARCHAR,
  s_saddr     VARCHAR,           -- addresses unmapped (::ffff:a.b.c.d is a.b.c.d); null for 'invalid IP'
  s_sport     BIGINT,
  s_daddr     VARCHAR,
  s_dport     BIGINT,
  s_cookie    VARCHAR,           -- kernel address of the socket: re-used after close
  s_state     VARCHAR,
  a_family    VARCHAR,           -- first sockaddr argument (destination)
  a_addr      VARCHAR,
  a_port      BIGINT,
  path        VARCHAR,           -- first sockaddr_un argument, @ for abstract; '' for unnamed
  k_saddr     VARCHAR,           -- first skb argument
  k_sport     BIGINT,
  k_daddr     VARCHAR,
  k_dport     BIGINT,
  k_protocol  VARCHAR,
  r_saddr     VARCHAR,           -- returned sock (accept)
  r_sport     BIGINT,
  r_daddr     VARCHAR,
  r_dport     BIGINT,
  r_cookie    VARCHAR,
  r_int       BIGINT,            -- returned int
  i0 BIGINT, i1 BIGINT, i2 BIGINT, i3 BIGINT, i4 BIGINT, -- integer arguments by position, null where not an integer
  text0       VARCHAR,           -- first string argument
  bytes       VARCHAR,           -- last bytes argument, base64
  arg_error   VARCHAR,           -- an argument that the kernel could not read: a gap inside the event
  status      BIGINT,            -- exit status
  signal      VARCHAR,
  evidence    VARCHAR NOT NULL
);
