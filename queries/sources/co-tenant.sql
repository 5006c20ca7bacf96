-- Uses that another process tree could have made: it had an outgoing connection behind the same egress address at that time, to an
-- address of the same host, or by its name, or to an address of which no declared resolver told whose it is: what a client says
-- there of the name is its own choice. One row is one use and one such connection, with the top of the tree that holds it: the
-- last process upwards that no process of the task descends from.
WITH RECURSIVE t AS (SELECT tolerance FROM task),
node_egress AS (
  SELECT name AS node, split_part(value, '-', 1) AS first_hex, split_part(value, '-', 2) AS last_hex
  FROM setting WHERE kind = 'node-egress'
),
own_host AS (
  SELECT DISTINCT host, remote_port FROM egress WHERE task_id IS NOT NULL AND host IS NOT NULL
),
host_address AS (
  SELECT DISTINCT e.host, e.remote_port, e.remote_address FROM egress AS e WHERE e.task_id IS NOT NULL AND e.host IS NOT NULL AND e.remote_address IS NOT NULL
  UNION
  SELECT e.host, e.remote_port, r.address FROM own_host AS e JOIN resolution AS r ON r.host = e.host
  UNION
  SELECT e.host, e.remote_port, d.address FROM own_host AS e JOIN dns_message AS d ON d.name = e.host AND d.address IS NOT NULL
),
-- Whose an address is, as far as any answer of a declared resolver on the node, or what was given, tells.
told_name AS (
  SELECT d.node, d.address, d.name AS host
  FROM dns_message AS d
  JOIN address AS a ON a.address = d.server
  JOIN setting AS s ON s.kind = 'resolver' AND a.hex BETWEEN split_part(s.value, '-', 1) AND split_part(s.value, '-', 2)
  WHERE d.direction = 'answer' AND d.address IS NOT NULL AND d.server_port = 53
  UNION
  SELECT NULL, r.address, r.host FROM resolution AS r WHERE r.basis IN ('resolution', 'hosts')
),
asked_port AS (
  SELECT DISTINCT e.host, e.remote_port FROM egress AS e WHERE e.task_id IS NOT NULL AND e.host IS NOT NULL AND e.channel = 'tcp'
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
  SELECT node, exec_id, channel, remote_address, remote_port, socket, opened, closed, evidence FROM flow
  WHERE channel IN ('tcp', 'udp') AND outcome <> 'failed'
  UNION ALL
  SELECT o.node, o.exec_id, o.channel, o.remote_address, o.remote_port, o.socket, NULL,
    (SELECT min(c.time) FROM kernel_event AS c WHERE c.hook = 'tcp_close' AND c.node = o.node AND c.s_cookie = o.socket AND c.time >= o.last_seen),
    o.evidence
  FROM older AS o
),
foreign_flow AS (
  SELECT f.*
  FROM other AS f LEFT JOIN process AS p ON p.node = f.node AND p.exec_id = f.exec_id
  WHERE p.task_id IS NULL AND f.node IN (SELECT node FROM node_egress)
),
-- What was asked for, and which flows may have gone there whatever the time.
wanted AS (
  SELECT host, service, bool_or(coalesce(is_private(source), false) OR vpc_endpoint IS NOT NULL) AS within
  FROM "use" WHERE NOT delegated
  GROUP BY host, service
),
named AS (
  SELECT DISTINCT w.host, w.service, f.evidence, f.node, f.exec_id, f.socket
  FROM wanted AS w
  JOIN tls_hello AS hello ON hello.server_name = w.host
  JOIN foreign_flow AS f ON f.node = hello.node AND f.socket = hello.socket
    AND (hello.remote_port = 0 OR (hello.remote_address = f.remote_address AND hello.remote_port = f.remote_port))
    AND (f.opened IS NULL OR hello.time >= f.opened) AND (f.closed IS NULL OR hello.time <= f.closed)
),
at_address AS (
  SELECT DISTINCT w.host, w.service, f.evidence, f.node, f.exec_id, f.socket
  FROM wanted AS w
  JOIN host_address AS h ON h.host = w.host OR (w.host IS NULL AND service_host(w.service, h.host))
  JOIN foreign_flow AS f ON f.remote_address = h.remote_address
    -- a record without a host may be of a request without TLS
    AND (f.remote_port = h.remote_port OR (w.host IS NULL AND f.remote_port = 80))
),
untold AS (
  SELECT f.*, fa.hex, EXISTS (SELECT 1 FROM provider_range AS r WHERE fa.hex BETWEEN r.first_hex AND r.last_hex) AS in_range
  FROM foreign_flow AS f
  LEFT JOIN told_name AS k ON k.address = f.remote_address AND k.node = f.node
  LEFT JOIN told_name AS g ON g.address = f.remote_address AND g.node IS NULL
  LEFT JOIN address AS fa ON fa.address = f.remote_address
  WHERE f.channel = 'tcp' AND k.address IS NULL AND g.address IS NULL
    AND f.remote_address NOT LIKE '127.%' AND f.remote_address NOT IN ('::1', '0.0.0.0', '::')
),
at_untold AS (
  SELECT DISTINCT w.host, w.service, f.evidence, f.node, f.exec_id, f.socket
  FROM wanted AS w
  JOIN asked_port AS h ON h.host = w.host OR (w.host IS NULL AND service_host(w.service, h.host))
  JOIN untold AS f ON f.remote_port = h.remote_port OR (w.host IS NULL AND f.remote_port = 80)
  WHERE (f.in_range OR NOT EXISTS (SELECT 1 FROM provider_range AS r WHERE ends_with(coalesce(w.host, '.amazonaws.com'), r.suffix)))
    -- a private address is the host's only where others of its addresses are private too (an endpoint within the network)
    AND (NOT is_private(f.remote_address) OR w.within
      OR EXISTS (SELECT 1 FROM host_address AS p WHERE is_private(p.remote_address) AND (p.host = w.host OR w.host IS NULL)))
),
kin AS (
  SELECT * FROM named UNION SELECT * FROM at_address UNION SELECT * FROM at_untold
),
rival AS (
  SELECT DISTINCT u.event_id, f.node, f.exec_id, f.opened, f.evidence
  FROM "use" AS u
  CROSS JOIN t
  JOIN address AS a ON a.address = u.source
  JOIN node_egress AS n ON a.hex BETWEEN n.first_hex AND n.last_hex
  JOIN kin AS k ON k.node = n.node AND k.service = u.service AND k.host IS NOT DISTINCT FROM u.host
  JOIN foreign_flow AS f ON f.node = k.node AND f.evidence = k.evidence AND f.socket IS NOT DISTINCT FROM k.socket
    AND f.exec_id IS NOT DISTINCT FROM k.exec_id
    AND (f.opened IS NULL OR u.time + INTERVAL 1 SECOND + t.tolerance >= f.opened)
    AND (f.closed IS NULL OR u.time - t.tolerance <= f.closed)
  WHERE NOT u.delegated
),
-- Everything above the task: whoever started it may have started others too.
above(node, exec_id) AS (
  SELECT node, parent_exec_id FROM process WHERE task_id IS NOT NULL AND parent_exec_id IS NOT NULL
  UNION
  SELECT p.node, p.parent_exec_id FROM above AS b JOIN process AS p ON p.node = b.node AND p.exec_id = b.exec_id
  WHERE p.parent_exec_id IS NOT NULL
),
climb(node, exec_id, top, depth) AS (
  SELECT DISTINCT node, exec_id, exec_id, 0 FROM rival WHERE exec_id IS NOT NULL
  UNION ALL
  SELECT c.node, c.exec_id, p.parent_exec_id, c.depth + 1
  FROM climb AS c
  JOIN process AS p ON p.node = c.node AND p.exec_id = c.top
  JOIN process AS parent ON parent.node = p.node AND parent.exec_id = p.parent_exec_id
  WHERE c.depth < 64 AND parent.pid <> 1
    AND NOT EXISTS (SELECT 1 FROM above AS b WHERE b.node = p.node AND b.exec_id = p.parent_exec_id)
),
tree AS (SELECT node, exec_id, max_by(top, depth) AS top FROM climb GROUP BY node, exec_id)
SELECT r.event_id, r.node, r.exec_id, r.opened, r.evidence, coalesce(tree.top, r.exec_id) AS tree
FROM rival AS r LEFT JOIN tree ON tree.node = r.node AND tree.exec_id = r.exec_id
ORDER BY ALL
