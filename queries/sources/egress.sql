-- Every way out that a process took, from the hooks of facts/tetragon.md and the lab's coverage matrix. One row is one TCP
-- connection, one flow of datagrams, one unix path, one accepted or received socket. Names are added afterwards.
WITH
-- What happened on a socket, by the kernel's address of it: re-used after close, so every open ends what was before.
connect AS (
  SELECT node, exec_id, pid, tid, time, s_cookie AS socket, s_saddr, s_sport, s_daddr, s_dport, netns, evidence,
    lag(time) OVER (PARTITION BY node, s_cookie ORDER BY time, evidence) AS last_open,
    lead(time) OVER (PARTITION BY node, s_cookie ORDER BY time, evidence) AS next_open
  FROM kernel_event WHERE hook = 'tcp_connect' AND s_daddr IS NOT NULL
),
-- A connect() whose tcp_connect is not there: it failed before, or the event is lost.
attempt AS (
  SELECT a.node, a.exec_id, a.pid, a.tid, a.time, a.s_cookie AS socket, CAST(NULL AS VARCHAR) AS s_saddr, 0 AS s_sport,
    a.a_addr AS s_daddr, a.a_port AS s_dport, a.netns, a.evidence, CAST(NULL AS TIMESTAMP) AS last_open, CAST(NULL AS TIMESTAMP) AS next_open
  FROM kernel_event AS a
  WHERE a.hook IN ('security_socket_connect', 'socket_connect') AND a.a_family IN ('AF_INET', 'AF_INET6')
    AND a.s_type = 'SOCK_STREAM' AND a.s_protocol IN ('IPPROTO_TCP', 'IPPROTO_MPTCP', 'IPPROTO_IP') AND a.a_addr IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM kernel_event AS c
      WHERE c.hook = 'tcp_connect' AND c.node = a.node AND c.exec_id IS NOT DISTINCT FROM a.exec_id
        AND c.s_daddr = a.a_addr AND c.s_dport = a.a_port
        AND c.time BETWEEN a.time - INTERVAL 100 MILLISECOND AND a.time + INTERVAL 5 SECOND
    )
),
-- A connect() of which nothing but its result is there. One without a datagram is no egress for UDP, whose own hook tells it.
lone_result AS (
  SELECT r.node, r.exec_id, r.pid, r.tid, r.time, CAST(NULL AS VARCHAR) AS socket, CAST(NULL AS VARCHAR) AS s_saddr, 0 AS s_sport,
    r.a_addr AS s_daddr, r.a_port AS s_dport, r.netns, r.evidence, CAST(NULL AS TIMESTAMP) AS last_open, CAST(NULL AS TIMESTAMP) AS next_open
  FROM kernel_event AS r
  WHERE r.hook = '__sys_connect_file' AND r.a_family IN ('AF_INET', 'AF_INET6') AND r.a_addr IS NOT NULL AND r.exec_id IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM kernel_event AS c
      WHERE c.node = r.node AND c.exec_id = r.exec_id AND coalesce(c.a_addr, c.s_daddr) = r.a_addr
        AND c.hook IN ('tcp_connect', 'security_socket_connect', 'socket_connect', 'ip4_datagram_connect', 'ip6_datagram_connect',
                       'mptcp_connect', 'sctp_inet_connect')
        AND c.time BETWEEN r.time - INTERVAL 1 SECOND AND r.time + INTERVAL 5 SECOND
    )
),
opened AS (
  SELECT *, 'tcp_connect' AS hook FROM connect
  UNION ALL
  SELECT *, 'security_socket_connect' AS hook FROM attempt
  UNION ALL
  SELECT *, '__sys_connect_file' AS hook FROM lone_result
),
-- Fast open: the send itself connects, so that its events come before tcp_connect and its data leaves with the SYN.
fast_open AS (
  SELECT node, s_cookie AS socket, time FROM kernel_event WHERE hook = 'tcp_sendmsg_fastopen' AND s_cookie IS NOT NULL
),
connect_result AS (
  SELECT node, exec_id, tid, time, a_addr, a_port, r_int FROM kernel_event WHERE hook = '__sys_connect_file'
),
closing AS (
  SELECT node, s_cookie AS socket, time, s_state, s_daddr FROM kernel_event WHERE hook = 'tcp_close' AND s_cookie IS NOT NULL
),
sending AS (
  SELECT node, s_cookie AS socket, time, exec_id, s_daddr, s_dport, s_saddr, s_sport, pid, netns, evidence
  FROM kernel_event WHERE hook IN ('tcp_sendmsg_locked', 'tcp_sendmsg') AND s_cookie IS NOT NULL
),
with_result AS (
  SELECT o.*, r.r_int AS result
  FROM opened AS o
  ASOF LEFT JOIN connect_result AS r
    ON r.node = o.node AND r.exec_id = o.exec_id AND r.tid = o.tid AND r.a_addr = o.s_daddr AND r.a_port = o.s_dport
    AND r.time <= o.time
),
with_close AS (
  SELECT w.*,
    CASE WHEN c.time <= coalesce(w.next_open, c.time) THEN c.time ELSE w.next_open END AS closed,
    CASE WHEN c.time <= coalesce(w.next_open, c.time) THEN c.s_state END AS close_state
  FROM with_result AS w
  ASOF LEFT JOIN closing AS c ON c.node = w.node AND c.socket = w.socket AND c.time >= w.time
),
with_send AS (
  SELECT w.*,
    (s.time IS NOT NULL AND s.time <= coalesce(w.closed, s.time))
      OR (f.time >= w.time - INTERVAL 100 MILLISECOND AND f.time > coalesce(w.last_open, f.time - INTERVAL 1 SECOND)) IS TRUE AS sent
  FROM with_close AS w
  ASOF LEFT JOIN sending AS s ON s.node = w.node AND s.socket = w.socket AND s.time >= w.time
  ASOF LEFT JOIN fast_open AS f ON f.node = w.node AND f.socket = w.socket AND f.time <= w.time
),
-- Whether no send in sight means that there was none: the hook may be limited to one event a minute for one process (its pid,
-- whatever it execs) and far end, of which it compares no more than the first half of an IPv6 address. Only a socket that
-- tcp_close shows is one whose sends it shows: MPTCP's are sent and closed elsewhere.
far_sending AS (
  SELECT s.node, s.pid, s.time, CASE WHEN s.s_daddr LIKE '%:%' THEN '::' ELSE s.s_daddr END AS far, p.task_id,
    p.started, p.announced
  FROM sending AS s LEFT JOIN process AS p ON p.node = s.node AND p.exec_id = s.exec_id
),
with_silence AS (
  SELECT w.*,
    w.hook = 'tcp_connect' AND NOT w.sent AND w.close_state IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM far_sending AS s
      WHERE s.node = w.node AND s.pid = w.pid AND s.far = CASE WHEN w.s_daddr LIKE '%:%' THEN '::' ELSE w.s_daddr END
        AND s.time BETWEEN w.time - INTERVAL 65 SECOND AND w.closed
    ) AND NOT EXISTS (
      -- another process of the task may hold the connection too: one born later, or one of a pair that share their files, which
      -- an exec ends
      SELECT 1 FROM far_sending AS s
      WHERE s.node = w.node AND s.task_id IS NOT NULL AND s.pid <> w.pid
        AND s.far = CASE WHEN w.s_daddr LIKE '%:%' THEN '::' ELSE w.s_daddr END
        AND s.time BETWEEN w.time - INTERVAL 65 SECOND AND w.closed
        AND (s.started >= w.time - INTERVAL 100 MILLISECOND OR NOT s.announced OR NOT coalesce(o.announced, false))
    ) AS silent,
    EXISTS (
      SELECT 1 FROM kernel_event AS a
      WHERE a.hook IN ('inet_csk_accept', 'inet_accept') AND a.node = w.node AND a.r_saddr = w.s_daddr AND a.r_sport = w.s_dport
        AND a.r_daddr = w.s_saddr AND a.r_dport = w.s_sport
    ) AS taken
  FROM with_send AS w LEFT JOIN process AS o ON o.node = w.node AND o.exec_id = w.exec_id
),
tcp AS (
  SELECT w.node, w.exec_id, w.pid, 'tcp' AS channel, 'tcp' AS protocol, w.time AS opened, w.closed,
    w.s_saddr AS local_address, w.s_sport AS local_port, w.s_daddr AS remote_address, w.s_dport AS remote_port,
    CAST(NULL AS VARCHAR) AS path, w.socket, w.netns, w.hook,
    CASE WHEN w.sent OR w.result = 0 OR w.close_state IN ('TCP_ESTABLISHED', 'TCP_CLOSE_WAIT', 'TCP_FIN_WAIT1', 'TCP_FIN_WAIT2', 'TCP_LAST_ACK') THEN 'up'
         WHEN (w.result < 0 AND w.result <> -115) OR w.close_state = 'TCP_SYN_SENT' THEN 'failed'
         -- Not waited for, and dead when it was closed, unused: refused.
         WHEN w.result = -115 AND w.close_state = 'TCP_CLOSE' AND w.silent AND NOT w.taken THEN 'failed'
         ELSE 'unknown' END AS outcome,
    CASE WHEN w.sent THEN 'yes'
         WHEN (w.result < 0 AND w.result <> -115) OR w.close_state = 'TCP_SYN_SENT' OR w.silent THEN 'no'
         ELSE 'unknown' END AS carried,
    CAST(NULL AS BIGINT) AS datagrams, w.evidence
  FROM with_silence AS w
),
udp AS (
  SELECT node, exec_id, min(pid) AS pid, 'udp' AS channel, 'udp' AS protocol, min(time) AS opened, max(time) AS closed,
    min(s_saddr) AS local_address, s_sport AS local_port, remote_address, remote_port, CAST(NULL AS VARCHAR) AS path,
    s_cookie AS socket, min(netns) AS netns, min(hook) AS hook, 'up' AS outcome, 'yes' AS carried,
    greatest(count(*) FILTER (WHERE bytes IS NULL AND hook = 'udp_sendmsg'), count(*) FILTER (WHERE bytes IS NULL AND hook = 'udpv6_sendmsg'), 1) AS datagrams,
    min(evidence) AS evidence
  FROM (
    SELECT *,
      -- The socket shows its connected peer, the message its own destination where it has one.
      CASE WHEN a_family IN ('AF_INET', 'AF_INET6') AND a_addr IS NOT NULL THEN a_addr ELSE s_daddr END AS remote_address,
      CASE WHEN a_family IN ('AF_INET', 'AF_INET6') AND a_addr IS NOT NULL THEN a_port ELSE s_dport END AS remote_port
    FROM kernel_event WHERE hook IN ('udp_sendmsg', 'udpv6_sendmsg')
  )
  -- the local port too: another socket at the same address has another one
  GROUP BY node, exec_id, s_cookie, s_sport, remote_address, remote_port
),
datagram AS (
  SELECT node, exec_id, min(pid) AS pid,
    CASE WHEN hook LIKE 'raw%' THEN 'raw' WHEN hook LIKE 'ping%' THEN 'icmp' WHEN hook LIKE 'packet%' THEN 'packet'
         WHEN hook LIKE 'sctp%' THEN 'sctp' ELSE 'vsock' END AS channel,
    CAST(NULL AS VARCHAR) AS protocol, min(time) AS opened, max(time) AS closed,
    -- what stands in the place of a raw or ping socket's port is its protocol or identifier
    min(s_saddr) AS local_address, CASE WHEN hook LIKE 'sctp%' THEN nullif(min(s_sport), 0) END AS local_port,
    CASE WHEN a_addr IS NOT NULL THEN a_addr WHEN s_daddr NOT IN ('0.0.0.0', '::') THEN s_daddr
         WHEN hook = 'vsock_connect' THEN 'cid ' || i1 END AS remote_address,
    CASE WHEN hook = 'vsock_connect' THEN i2 ELSE nullif(a_port, 0) END AS remote_port,
    CAST(NULL AS VARCHAR) AS path, s_cookie AS socket, min(netns) AS netns, min(hook) AS hook,
    'unknown' AS outcome, 'yes' AS carried, count(*) AS datagrams, min(evidence) AS evidence
  FROM kernel_event
  WHERE hook IN ('raw_sendmsg', 'rawv6_sendmsg', 'ping_v4_sendmsg', 'ping_v6_sendmsg', 'packet_sendmsg', 'packet_sendmsg_spkt',
                 'sctp_inet_connect', 'sctp_sendmsg', 'vsock_connect')
  GROUP BY node, exec_id, s_cookie, hook, a_addr, a_port, s_daddr, i1, i2
),
unix AS (
  SELECT node, exec_id, min(pid) AS pid, 'unix' AS channel, CAST(NULL AS VARCHAR) AS protocol, min(time) AS opened, max(time) AS closed,
    CAST(NULL AS VARCHAR) AS local_address, CAST(NULL AS BIGINT) AS local_port,
    CAST(NULL AS VARCHAR) AS remote_address, CAST(NULL AS BIGINT) AS remote_port, path,
    CAST(NULL AS VARCHAR) AS socket, min(netns) AS netns, min(hook) AS hook, 'unknown' AS outcome, 'unknown' AS carried, count(*) AS datagrams,
    min(evidence) AS evidence
  FROM kernel_event
  WHERE hook IN ('unix_stream_connect', 'unix_dgram_connect', 'unix_dgram_sendmsg') AND path <> ''
  GROUP BY node, exec_id, path
  UNION ALL
  -- more connect() calls than paths: an event that tells one is lost
  SELECT node, exec_id, min(pid), 'unix', NULL, min(time), max(time), NULL, NULL, NULL, NULL, '(unseen)', NULL, min(netns), min(hook),
    'unknown', 'unknown', 1, min(evidence) FILTER (WHERE hook = 'security_socket_connect')
  FROM kernel_event
  WHERE exec_id IS NOT NULL
    AND ((hook = 'security_socket_connect' AND a_family = 'AF_UNIX') OR hook IN ('unix_stream_connect', 'unix_dgram_connect'))
  GROUP BY node, exec_id
  HAVING count(*) FILTER (WHERE hook = 'security_socket_connect') > count(*) FILTER (WHERE hook <> 'security_socket_connect')
),
accepted AS (
  SELECT node, exec_id, pid, 'accepted' AS channel, 'tcp' AS protocol, time AS opened, CAST(NULL AS TIMESTAMP) AS closed,
    r_saddr AS local_address, r_sport AS local_port, r_daddr AS remote_address, r_dport AS remote_port,
    CAST(NULL AS VARCHAR) AS path, r_cookie AS socket, netns, hook, 'up' AS outcome, 'unknown' AS carried,
    CAST(NULL AS BIGINT) AS datagrams, evidence
  FROM kernel_event WHERE hook IN ('inet_csk_accept', 'inet_accept') AND r_daddr IS NOT NULL
),
received AS (
  SELECT node, exec_id, pid, 'received' AS channel,
    CASE s_type WHEN 'SOCK_STREAM' THEN 'tcp' WHEN 'SOCK_DGRAM' THEN 'udp' END AS protocol, time AS opened, CAST(NULL AS TIMESTAMP) AS closed,
    s_saddr AS local_address, s_sport AS local_port, s_daddr AS remote_address, s_dport AS remote_port,
    CAST(NULL AS VARCHAR) AS path, s_cookie AS socket, netns, hook, 'up' AS outcome, 'unknown' AS carried,
    CAST(NULL AS BIGINT) AS datagrams, evidence
  FROM kernel_event WHERE hook IN ('receive_fd', '__receive_fd') AND s_family IS NOT NULL AND s_type LIKE 'SOCK%'
),
-- A socket that a process of the task writes to though nobody of the task opened, accepted or received it.
owner AS (
  SELECT e.node, e.socket, e.time, p.task_id, e.s_daddr, e.s_dport FROM (
    SELECT node, socket, time, exec_id, s_daddr, s_dport FROM connect
    UNION ALL SELECT node, socket, opened, exec_id, remote_address, remote_port FROM accepted
    UNION ALL SELECT node, socket, opened, exec_id, remote_address, remote_port FROM received
    -- a fast open or an attempt counts as opened by the process
    UNION ALL SELECT node, s_cookie, time, exec_id, a_addr, a_port FROM kernel_event
      WHERE hook IN ('security_socket_connect', 'tcp_sendmsg_fastopen') AND s_cookie IS NOT NULL
  ) AS e LEFT JOIN process AS p ON p.node = e.node AND p.exec_id = e.exec_id
),
-- The kernel's address of a socket is re-used: only the last opening to the same far end counts, until its close. (Without the
-- far end an accept() would count that was entered before, and returned a later socket at that address.)
last_owner AS (
  SELECT s.*, o.task_id AS owner_task, o.time AS owned_at
  FROM sending AS s ASOF LEFT JOIN owner AS o
    ON o.node = s.node AND o.socket = s.socket AND o.s_daddr = s.s_daddr AND o.s_dport = s.s_dport AND o.time <= s.time
),
held AS (
  SELECT s.*, c.time AS closed_at
  FROM last_owner AS s ASOF LEFT JOIN closing AS c ON c.node = s.node AND c.socket = s.socket AND c.s_daddr = s.s_daddr AND c.time < s.time
),
inherited AS (
  SELECT s.node, s.exec_id, min(s.pid) AS pid, 'inherited' AS channel, 'tcp' AS protocol, min(s.time) AS opened, max(s.time) AS closed,
    s.s_saddr AS local_address, s.s_sport AS local_port, s.s_daddr AS remote_address, s.s_dport AS remote_port,
    CAST(NULL AS VARCHAR) AS path, s.socket, min(s.netns) AS netns, 'tcp_sendmsg_locked' AS hook, 'up' AS outcome, 'yes' AS carried,
    CAST(NULL AS BIGINT) AS datagrams, min(s.evidence) AS evidence
  FROM held AS s
  JOIN process AS p ON p.node = s.node AND p.exec_id = s.exec_id AND p.task_id IS NOT NULL
  -- a socket without a far end is none that somebody else connected: the send opens it (fast open), or fails
  WHERE s.s_dport <> 0 AND (s.owner_task IS NULL OR s.closed_at BETWEEN s.owned_at AND s.time)
  GROUP BY s.node, s.exec_id, s.socket, s.s_saddr, s.s_sport, s.s_daddr, s.s_dport
)
SELECT * FROM tcp UNION ALL SELECT * FROM udp UNION ALL SELECT * FROM datagram UNION ALL SELECT * FROM unix
UNION ALL SELECT * FROM accepted UNION ALL SELECT * FROM received UNION ALL SELECT * FROM inherited
