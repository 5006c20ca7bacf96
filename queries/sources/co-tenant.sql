-- Uses that another process tree could have made: it had an outgoing connection to the same address and port, or to another
-- address of the same host, behind the same egress address at that time. One row is one use and one such connection.
WITH t AS (SELECT tolerance FROM task),
node_egress AS (
  SELECT name AS node, split_part(value, '-', 1) AS first_hex, split_part(value, '-', 2) AS last_hex
  FROM setting WHERE kind = 'node-egress'
),
host_address AS (
  SELECT DISTINCT e.host, e.remote_port, e.remote_address FROM egress AS e WHERE e.task_id IS NOT NULL AND e.host IS NOT NULL AND e.remote_address IS NOT NULL
  UNION
  SELECT DISTINCT e.host, e.remote_port, r.address FROM egress AS e JOIN resolution AS r ON r.host = e.host WHERE e.task_id IS NOT NULL
  UNION
  SELECT DISTINCT e.host, e.remote_port, d.address FROM egress AS e JOIN dns_message AS d ON d.name = e.host AND d.address IS NOT NULL WHERE e.task_id IS NOT NULL
),
-- A connection that was open before the recording is known by its sends alone.
older AS (
  SELECT e.node, e.exec_id, 'tcp' AS channel, e.s_daddr AS remote_address, e.s_dport AS remote_port, e.s_cookie AS socket,
    CAST(NULL AS TIMESTAMP) AS opened, max(e.time) AS last_seen, min(e.evidence) AS evidence
  FROM kernel_event AS e
  WHERE e.hook IN ('tcp_sendmsg_locked', 'tcp_sendmsg') AND e.s_dport <> 0
    AND NOT EXISTS (
      SELECT 1 FROM kernel_event AS c WHERE c.hook = 'tcp_connect' AND c.node = e.node AND c.s_cookie = e.s_cookie AND c.time <= e.time
    )
  GROUP BY e.node, e.exec_id, e.s_daddr, e.s_dport, e.s_cookie
),
other AS (
  SELECT node, exec_id, remote_address, remote_port, socket, opened, closed, evidence FROM flow
  WHERE channel IN ('tcp', 'udp') AND outcome <> 'failed'
  UNION ALL
  SELECT o.node, o.exec_id, o.remote_address, o.remote_port, o.socket, NULL,
    (SELECT min(c.time) FROM kernel_event AS c WHERE c.hook = 'tcp_close' AND c.node = o.node AND c.s_cookie = o.socket AND c.time >= o.last_seen),
    o.evidence
  FROM older AS o
)
SELECT DISTINCT u.event_id, f.node, f.exec_id, f.opened, f.evidence
FROM "use" AS u
CROSS JOIN t
JOIN address AS a ON a.address = u.source
JOIN node_egress AS n ON a.hex BETWEEN n.first_hex AND n.last_hex
JOIN other AS f ON f.node = n.node
  AND (f.opened IS NULL OR u.time + INTERVAL 1 SECOND + t.tolerance >= f.opened)
  AND (f.closed IS NULL OR u.time - t.tolerance <= f.closed)
LEFT JOIN process AS p ON p.node = f.node AND p.exec_id = f.exec_id
WHERE p.task_id IS NULL AND NOT u.delegated
  AND (EXISTS (
    SELECT 1 FROM tls_hello AS hello
    WHERE hello.node = f.node AND hello.socket = f.socket AND hello.server_name = u.host
      AND (f.opened IS NULL OR hello.time >= f.opened) AND (f.closed IS NULL OR hello.time <= f.closed)
  ) OR EXISTS (
    SELECT 1 FROM host_address AS h
    WHERE h.remote_address = f.remote_address AND h.remote_port = f.remote_port
      AND (h.host = u.host OR (u.host IS NULL AND service_host(u.service, h.host)))
  ))
ORDER BY ALL
